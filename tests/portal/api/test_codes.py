"""The authorization_code grant (pluggto-api.md, sections 2.2 and 13)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from connectors.errors import NotAllowed
from connectors.hub.tokens import address_to_open, issue_code, prune_tokens
from connectors.models import AccessToken, AuthorizationCode, Store
from connectors.registry import SPECS
from connectors.services import revoke, revoke_credential
from tests.conftest import Partner, make_managed, make_operator, make_partner
from tests.threads import one_within_another


@pytest.fixture
def app(store: Store) -> Partner:
    return make_partner(store, "webstore", plugin_url="https://app.example/entrar")


def swap(partner: Partner, code: str, **fields: str) -> Any:
    """As the vendor's own PHP client does: without a user, without a redirect_uri."""
    form = {"grant_type": "authorization_code", "username": "", "password": "", "code": code}
    return partner.ask_token(**form, **fields)


def refused(description: str) -> tuple[int, dict[str, Any]]:
    body = {"code": 400, "error": "invalid_grant", "error_description": description}
    return 400, body


def test_a_code_is_swapped_for_tokens_that_work(app):
    response = swap(app, issue_code(app.activation, make_operator()))

    assert response.status_code == 200
    assert list(response.json()) == ["token_type", "access_token", "expires_in", "refresh_token"]
    app.token = response.json()["access_token"]
    assert app.get("/orders").status_code == 200
    refreshed = app.ask_token(
        grant_type="refresh_token", refresh_token=response.json()["refresh_token"]
    )
    assert refreshed.status_code == 200


def test_a_code_is_good_for_one_use(app):
    code = issue_code(app.activation, make_operator())
    swap(app, code)

    response = swap(app, code)

    assert (response.status_code, response.json()) == refused("Invalid code")
    assert AccessToken.objects.count() == 1


def test_a_code_expires(app):
    code = issue_code(app.activation, make_operator())
    AuthorizationCode.objects.update(expires_at=timezone.now())

    response = swap(app, code)

    assert (response.status_code, response.json()) == refused("Code has expired")
    assert AuthorizationCode.objects.get().used_at is None


def test_a_code_lasts_five_minutes(app):
    before = timezone.now()
    issue_code(app.activation, make_operator())

    lasts = AuthorizationCode.objects.get().expires_at - before
    assert 300 <= lasts.total_seconds() < 310


@pytest.mark.parametrize("code", ["", "f" * 40, "ç"])
def test_a_code_that_nobody_issued_is_refused(app, code):
    response = swap(app, code)

    assert (response.status_code, response.json()) == refused("Invalid code")


def test_a_code_is_its_own_activations(app, store):
    other = make_partner(store, "webstore")

    response = swap(other, issue_code(app.activation, make_operator()))

    assert (response.status_code, response.json()) == refused("Invalid code")


def test_a_code_needs_the_clients_secret_as_well(app):
    code = issue_code(app.activation, make_operator())

    response = swap(app, code, client_secret="0" * 32)

    assert response.json()["error_description"] == "Client credentials are invalid"
    assert swap(app, code).status_code == 200


def test_a_revoked_credential_swaps_nothing(app):
    code = issue_code(app.activation, make_operator())
    revoke_credential(app.activation.credentials.get().pk, make_operator())

    response = swap(app, code)

    assert response.json()["error_description"] == "Client credentials are invalid"


def test_no_code_is_stored_in_the_open(app):
    code = issue_code(app.activation, make_operator())

    row = AuthorizationCode.objects.get()
    assert code not in (row.code_hash, str(row))
    assert (row.issued_by, len(code)) == (make_operator(), 40)


def test_there_are_no_codes_where_no_partner_could_use_them(app, store):
    received = {field.key: "x" for field in SPECS["olist"].credentials}
    managed = make_managed(store, "olist", "https://olist.example", received)
    revoke(app.activation.pk, make_operator())
    app.activation.refresh_from_db()

    for activation in (managed, app.activation):
        with pytest.raises(NotAllowed, match="não usa credenciais emitidas"):
            issue_code(activation, make_operator())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example/entrar", "https://app.example/entrar?pluggtocode={}"),
        ("https://app.example", "https://app.example?pluggtocode={}"),
        ("https://app.example/?loja=1#a", "https://app.example/?loja=1&pluggtocode={}#a"),
    ],
)
def test_the_apps_address_keeps_what_it_has_and_gets_the_code(app, url, expected):
    app.activation.plugin_url = url

    address = address_to_open(app.activation, make_operator())

    code = parse_qs(urlsplit(address).query)["pluggtocode"][0]
    assert address == expected.format(code)
    assert swap(app, code).status_code == 200


def test_without_an_address_there_is_nothing_to_open(app):
    app.activation.plugin_url = ""

    with pytest.raises(NotAllowed, match="não tem URL do pluggin"):
        address_to_open(app.activation, make_operator())

    assert AuthorizationCode.objects.count() == 0


def test_old_codes_are_forgotten(app):
    issue_code(app.activation, make_operator())
    AuthorizationCode.objects.update(expires_at=timezone.now())
    kept = issue_code(app.activation, make_operator())

    prune_tokens()

    assert AuthorizationCode.objects.count() == 1
    assert swap(app, kept).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("row", "grant_type"),
    [(AuthorizationCode, "authorization_code"), (AccessToken, "refresh_token")],
)
def test_two_who_swap_at_the_same_moment_get_one_pair_of_tokens(
    store, row, grant_type, monkeypatch
):
    app, answers = make_partner(store, "webstore"), []
    code = issue_code(app.activation, make_operator())
    refresh_token = app.ask_token().json()["refresh_token"]

    def swap_now() -> None:
        fields = {"grant_type": grant_type, "code": code, "refresh_token": refresh_token}
        answers.append(app.ask_token(**fields).status_code)

    faults = one_within_another(monkeypatch, row, "save", swap_now, lambda: swap_now())

    assert faults == []
    assert sorted(answers) == [200, 400]
