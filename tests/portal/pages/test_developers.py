"""The page for the partner's developer: everybody may read it, and it says what is so."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from connectors.hub import examples
from connectors.hub.tokens import Refusal
from connectors.messages.signing import new_webhook_secret, signature_headers
from connectors.models import Store
from connectors.records import OrderStatus
from portal.api.errors import SHAPES
from portal.pages.developers import VERIFY
from tests.conftest import make_partner


@pytest.fixture
def html(db: None) -> str:
    return Client().get("/developers/").content.decode()


def test_it_needs_no_login_and_is_linked_from_the_login_page(html: str) -> None:
    login = Client().get("/login/").content.decode()

    assert "<h1>Para quem desenvolve</h1>" in html
    assert 'href="/developers/"' in login
    assert 'href="/api/docs"' in html
    assert 'href="/api/schema"' in html


def test_whoever_is_logged_in_is_not_shown_it_in_the_header(page: Client) -> None:
    assert 'href="/developers/"' not in page.get("/orders/").content.decode()


def test_the_operator_finds_it_where_the_credentials_are_shown(store: Store, operator: Any) -> None:
    activation = make_partner(store, "rocky").activation
    client = Client()
    client.force_login(operator)

    shown = client.post(f"/admin/connectors/activation/{activation.pk}/rotate/").content.decode()

    assert 'data-credential="client_secret"' in shown
    assert 'href="/developers/"' in shown


def test_every_status_is_there_with_who_reads_and_reports_it(html: str) -> None:
    for status in OrderStatus:
        assert f"<code>{status.value}</code>" in html
        assert f">{status.label}</td>" in html
    row = re.search(r"<code>invoiced</code>.*?</tr>", html, re.S)
    assert row is not None
    assert 'data-label="Quem a informa">' in row[0]
    assert "Ótimo Gestor" in row[0]


def test_every_error_is_there(html: str) -> None:
    for _kind, code, word in SHAPES:
        assert f'<code>{word}</code></th><td data-label="HTTP">{code}</td>' in html
    for why in Refusal:
        assert why.value[2] in unescape(html)


def test_the_examples_are_those_that_the_tests_send(html: str) -> None:
    text = unescape(html)

    assert "http://testserver/api/orders" in text
    assert examples.INVOICE["shipments"][0]["nfe_key"] in text
    assert '{"action": "update", "quantity": 12}' in text
    assert examples.NOTICE["id"] in text


def test_the_limits_are_those_of_the_settings(html: str) -> None:
    assert f"<li>{settings.API_RATE} chamadas por minuto" in html
    assert "<li>2 MiB por corpo" in html
    assert "<li>100 registros por página" in html


def test_the_first_calls_on_the_page_work(html: str, store: Store) -> None:
    """Every curl on the page, with its variables filled in, as curl would send it."""
    linx, pluga = make_partner(store, "linx"), make_partner(store, "pluga")
    linx.token = linx.ask_token().json()["access_token"]
    order = pluga.post("/orders", examples.ORDER).json()["Order"]
    values = {"$TOKEN": linx.token, "$ORDER_ID": order["id"]}
    calls = re.findall(r'<pre tabindex="0">(curl .*?)</pre>', html, re.S)
    statuses = []
    for call in calls[1:]:
        text = unescape(call)
        for name, value in values.items():
            text = text.replace(name, value)
        address = re.search(r"http://testserver([^\s\"]+)", text)
        body = re.search(r"-d '(.*)'", text, re.S)
        assert address is not None
        answer = Client().generic(
            "PUT" if "-X PUT" in text else "GET",
            address[1],
            body[1] if body else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {linx.token}"},
        )
        statuses.append(answer.status_code)

    assert statuses == [200, 200, 200, 200]


def test_the_program_on_the_page_knows_our_signature(html: str) -> None:
    assert VERIFY.strip() in unescape(html)
    program: dict[str, Any] = {}
    exec(VERIFY, program)  # noqa: S102  our own words
    is_from_the_hub = program["is_from_the_hub"]
    secret, other = new_webhook_secret(), new_webhook_secret()
    headers = signature_headers([other, secret], "msg_1", timezone.now(), b"{}")

    assert is_from_the_hub(secret, headers, b"{}")
    assert not is_from_the_hub(secret, headers, b"{ }")
    assert not is_from_the_hub(new_webhook_secret(), headers, b"{}")
    assert not is_from_the_hub(secret, headers | {"webhook-timestamp": "1"}, b"{}")


def test_it_is_there_in_english(db: None) -> None:
    client = Client()
    client.cookies["django_language"] = "en"

    html = client.get("/developers/").content.decode()

    assert "<h1>For developers</h1>" in html
    assert "calls per minute" in html
