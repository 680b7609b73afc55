"""Opening a partner's App from its activation, as the hub does."""

from urllib.parse import parse_qs, urlsplit

from django.contrib.admin.models import LogEntry
from django.test import Client

from connectors.models import AuthorizationCode, Store
from tests.conftest import make_partner
from tests.connectors.admin.conftest import LIST, page_of, somebody_who_may


def test_opening_asks_first_and_then_leads_to_the_partner_with_a_code(
    store: Store, admin_client: Client
) -> None:
    app = make_partner(store, "webstore", plugin_url="https://app.example/entrar?loja=1")
    action = f"{LIST}{app.activation.pk}/open/"
    assert action in admin_client.get(page_of(app.activation)).content.decode()

    question = admin_client.get(action)
    assert AuthorizationCode.objects.count() == 0
    answer = admin_client.post(action)

    assert "com um código que vale poucos minutos" in question.content.decode()
    assert answer.status_code == 302
    assert answer["Location"].startswith("https://app.example/entrar?loja=1&pluggtocode=")
    assert "no-store" in answer["Cache-Control"]
    code = parse_qs(urlsplit(answer["Location"]).query)["pluggtocode"][0]
    reply = app.ask_token(grant_type="authorization_code", code=code)
    assert reply.status_code == 200
    assert LogEntry.objects.get().change_message == "Aberta no parceiro com um código."


def test_without_an_address_the_operator_is_told_so(store: Store, admin_client: Client) -> None:
    app = make_partner(store, "webstore")

    answer = admin_client.post(f"{LIST}{app.activation.pk}/open/", follow=True)

    assert "não tem URL do pluggin para abrir" in answer.content.decode()
    assert AuthorizationCode.objects.count() == 0


def test_who_may_only_look_opens_nothing(store: Store) -> None:
    app = make_partner(store, "webstore", plugin_url="https://app.example/entrar")

    answer = somebody_who_may("view_activation").post(f"{LIST}{app.activation.pk}/open/")

    assert answer.status_code == 403
    assert AuthorizationCode.objects.count() == 0
