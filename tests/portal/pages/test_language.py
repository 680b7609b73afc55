"""Portuguese first; English for whoever asks for it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

ENGLISH_BROWSER = {"Accept-Language": "en-US,en;q=0.9"}


@pytest.mark.parametrize(("path", "text"), [("/login/", "Entrar"), ("/orders/", "Pedidos")])
def test_the_pages_are_portuguese_even_in_an_english_browser(
    path: str, text: str, page: Client, db: None
) -> None:
    client = Client() if path == "/login/" else page

    answer = client.get(path, headers=ENGLISH_BROWSER)

    assert f"<h1>{text}</h1>" in answer.content.decode()
    assert '<html lang="pt-br">' in answer.content.decode()
    assert answer["Content-Language"] == "pt-br"


def test_whoever_switches_reads_english_from_then_on(page: Client) -> None:
    switched = page.post("/language/", {"language": "en", "next": "/orders/"}, follow=True)

    assert "<h1>Orders</h1>" in switched.content.decode()
    assert "No order has arrived yet." in switched.content.decode()
    assert '<html lang="en">' in page.get("/orders/").content.decode()
    back = page.post("/language/", {"language": "pt-br", "next": "/orders/"}, follow=True)
    assert "<h1>Pedidos</h1>" in back.content.decode()


def test_a_language_that_we_do_not_speak_changes_nothing(page: Client) -> None:
    page.cookies["django_language"] = "de"

    assert "<h1>Pedidos</h1>" in page.get("/orders/").content.decode()


def test_the_switch_leads_nowhere_else(page: Client) -> None:
    answer = page.post("/language/", {"language": "en", "next": "https://example.com/"})

    assert not answer["Location"].startswith("https://example.com")


def test_the_admin_follows_the_same_choice(operator: User) -> None:
    client = Client(headers=ENGLISH_BROWSER)
    client.force_login(operator)

    portuguese = client.get("/admin/connectors/connector/").content.decode()
    client.post("/language/", {"language": "en"})
    english = client.get("/admin/connectors/connector/").content.decode()

    assert "Conectores" in portuguese
    assert "Connectors" in english


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("pt-br", ("Página não encontrada", "Nada foi gravado")),
        ("en", ("Page not found", "Nothing was saved")),
    ],
)
def test_what_django_answers_by_itself_is_in_the_persons_language(
    language: str, texts: tuple[str, str], merchant: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(merchant)
    client.cookies["django_language"] = language

    unknown, forged = client.get("/nowhere/"), client.post("/spreadsheets/")

    assert (unknown.status_code, forged.status_code) == (404, 403)
    assert texts[0] in unknown.content.decode()
    assert texts[1] in forged.content.decode()
