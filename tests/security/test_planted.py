"""The watch that looks through every test (tests/planted.py) sees what it is there for."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.mail import send_mail
from django.test import Client

from connectors.acts import record_act
from connectors.messages.doorbells import doorbell_secret, install_doorbell
from connectors.models import Failure, Run, Store
from connectors.queue import enqueue
from connectors.services import record_credential, rotate_credential
from orders.models import Order
from orders.services import create_order
from tests.conftest import make_activation, make_managed, make_operator, make_partner
from tests.orders.samples import document
from tests.planted import WATCH

TOKEN = "token-da-loja-4711"


@pytest.fixture
def store_with_token(store: Store) -> Store:
    make_managed(store, "rocky", "https://loja.example", {"token": TOKEN})
    return store


def found() -> list[str]:
    leaks = WATCH.leaks()
    WATCH.forget()
    return leaks


def fail(store: Store) -> None:
    Failure.objects.create(
        activation=store.activations.get(), flow="stock", kind="rejected",
        payload={"header": {"auth": f"Bearer {TOKEN}"}},
    )  # fmt: skip


def stop(store: Store) -> None:
    Run.objects.create(
        activation=store.activations.get(),
        ability="StockSource",
        flow="stock",
        expires_at=store.created_at,
    )
    Run.objects.update(reason=f"GET /?token={TOKEN}: HTTP 500")  # fmt: skip


def keep_session(store: Store) -> None:
    session = SessionStore()
    session["typed"] = {"token": TOKEN}
    session.save()


def sell(store: Store) -> None:
    """In a row of many, stored at once."""
    items = [{"sku": "A", "quantity": 1, "price": 1}, {"sku": TOKEN, "quantity": 1, "price": 1}]
    create_order(make_activation(store, "pluga"), document(items=items))


@pytest.mark.parametrize(
    "write",
    [
        fail,
        stop,
        keep_session,
        sell,
        lambda store: record_act(make_operator(), store, f"Token {TOKEN}"),
        lambda store: enqueue(fail, TOKEN),
        lambda store: send_mail("Olá", f"O token é {TOKEN}.", None, ["ana@example.com"]),
        lambda store: logging.getLogger("anybody").warning("with %s", TOKEN),
        lambda store: cache.set("token", {"of": TOKEN}),
        lambda store: User.objects.create_user("ana", password=TOKEN, first_name=TOKEN),
    ],
)
def test_a_secret_is_found_wherever_it_is_written(
    write: Callable[[Store], Any], store_with_token: Store
) -> None:
    before = found()
    WATCH.plant(TOKEN)

    write(store_with_token)

    assert before == []
    assert found()


def test_what_is_written_before_its_secret_is_known_is_found(store: Store) -> None:
    activation = make_managed(store, "rocky", "https://loja.example", {"token": "outro"})
    logging.getLogger("anybody").warning(TOKEN)

    record_credential(activation, {"token": TOKEN}, make_operator())

    assert found() == ["log: …<secret>"]


@pytest.mark.parametrize("name", ["client_secret", "api_secret", "webhook_secret"])
def test_what_we_issue_is_a_secret(name: str, store: Store) -> None:
    issued = rotate_credential(make_partner(store, "linx").activation.pk, make_operator())

    assert getattr(issued, name) in WATCH.secrets


def test_the_tokens_that_we_give_are_secrets(store: Store) -> None:
    granted = make_partner(store, "linx").ask_token().json()

    assert {granted["access_token"], granted["refresh_token"]} <= WATCH.secrets


def test_what_is_public_is_none(store: Store) -> None:
    partner = make_partner(store, "linx")
    order = create_order(make_activation(store, "pluga"), document())

    partner.ask_token()

    public = {partner.issued.client_id, partner.issued.api_user, Order.objects.get().public_id}
    assert public & WATCH.secrets == set()
    assert str(order) not in WATCH.secrets


def test_the_log_names_no_address_that_is_a_secret(
    client: Client, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    olist = make_managed(
        store, "olist", "https://erp.example", {"token": TOKEN, "integrator_id": "1"}
    )
    install_doorbell(olist)
    client.raise_request_exception = False

    client.post(f"/webhooks/{doorbell_secret(olist)}", b"{", content_type="application/json")
    client.get("/status/abc.def:1/")

    told = [r.getMessage() for r in caplog.records if r.name == "django.request"]
    # Behind it may stand how many lines like it were left out.
    assert told[0].startswith("Bad Request: /webhooks/***")
    assert told[1].startswith("Not Found: /status/***/")
