"""What browsers are told that our pages may do."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connectors.models import Store
from portal.security import LARGEST_BODY

UNSAFE = ("unsafe-inline", "unsafe-eval", "*", "http:", "data:")


def policy(answer: Any) -> dict[str, str]:
    pairs = answer.headers["Content-Security-Policy"].split("; ")
    return dict(pair.split(" ", 1) for pair in pairs)


@pytest.fixture
def merchant(store: Store) -> Client:
    user = User.objects.create_user("lojista")
    store.members.add(user)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "path",
    ["/", "/login/", "/orders/", "/catalogue/", "/integrations/", "/spreadsheets/", "/developers/"],
)
def test_a_merchants_page_runs_nothing_that_is_written_into_it(path: str, merchant: Client) -> None:
    answer = merchant.get(path, follow=True)

    told = policy(answer)
    assert answer.status_code == 200
    assert not [w for name in ("script-src", "style-src") for w in UNSAFE if w in told[name]]
    assert (told["default-src"], told["frame-ancestors"], told["base-uri"]) == ("'none'",) * 3
    body = answer.content.decode()
    assert " style=" not in body
    assert "<style" not in body
    scripts = [each.split(">")[0] for each in body.split("<script")[1:]]
    assert not [tag for tag in scripts if " src=" not in tag and "application/json" not in tag]
    assert " onclick=" not in body


def test_the_api_and_errors_are_told_the_same(db: None) -> None:
    for path in ("/api/orders", "/api/nothing", "/nothing", "/healthz"):
        assert policy(Client().get(path))["default-src"] == "'none'"


def test_the_admin_loads_nothing_of_others(operator: User) -> None:
    client = Client()
    client.force_login(operator)

    told = policy(client.get("/admin/"))

    assert told["script-src"] == "'self' 'unsafe-inline' 'unsafe-eval'"
    assert told["default-src"] == told["frame-ancestors"] == "'none'"


def test_an_integrations_page_may_lead_to_the_partners_site(operator: User) -> None:
    client = Client()
    client.force_login(operator)

    told = policy(client.get("/admin/connectors/activation/"))

    assert "https:" in told["form-action"]
    assert policy(client.get("/admin/"))["form-action"] == "'self'"


def test_the_documents_page_keeps_its_script_in_a_file(db: None) -> None:
    page = Client().get("/api/docs")
    script = Client().get("/api/docs?script=")

    assert "'unsafe-inline'" not in policy(page)["script-src"]
    assert "<script>" not in page.content.decode()
    assert b"SwaggerUIBundle" in script.content
    assert script.headers["Content-Type"].startswith("application/javascript")


def test_only_the_button_that_concludes_an_activation_leads_away(merchant: Client) -> None:
    assert policy(merchant.get("/orders/"))["form-action"] == "'self'"
    assert policy(merchant.get("/integrations/"))["form-action"].startswith("'self' https:")


def test_the_other_headers_are_there(db: None) -> None:
    headers = Client().get("/login/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/", "/orders/", "/orders/export/csv/", "/catalogue/", "/personal-data/", "/integrations/"],
)
def test_no_browser_keeps_what_names_a_stores_buyers(path: str, merchant: Client) -> None:
    answer = merchant.get(path)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store, private")


@pytest.mark.parametrize("path", ["/login/", "/language/", "/handover/nada/"])
def test_what_is_too_large_for_any_page_is_refused_unread(path: str, db: None) -> None:
    answer = Client().post(path, {"username": "a"}, CONTENT_LENGTH=str(LARGEST_BODY + 1))

    assert answer.status_code == 413
    assert policy(answer)["default-src"] == "'none'"


def test_that_it_is_too_large_is_said_in_the_chosen_language(db: None) -> None:
    client = Client(headers={"Cookie": "django_language=en"})

    answer = client.post("/login/", {"username": "a"}, CONTENT_LENGTH=str(LARGEST_BODY + 1))

    assert answer.content.startswith(b"The file has more than ")
