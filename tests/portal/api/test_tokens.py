"""POST /oauth/token and what the tokens are good for (pluggto-api.md, section 2)."""

import json
import re
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from connectors.models import AccessToken, Credential, State, Store
from connectors.services import (
    pause,
    revoke,
    revoke_credential,
    revoke_older_credentials,
    rotate_credential,
)
from tests.conftest import Partner, make_operator, make_partner, make_store

FORM = "application/x-www-form-urlencoded"
UNKNOWN_GRANT = "Invalid or missing grant_type parameter"
FORTY_HEX = re.compile(r"[0-9a-f]{40}")


@pytest.fixture
def partner(store: Store) -> Partner:
    return make_partner(store, "rocky")


def list_orders(token: str) -> Any:
    return Client().get("/api/orders", headers={"Authorization": f"Bearer {token}"})


def refused(status: int, error: str, description: str) -> tuple[int, dict[str, Any]]:
    return status, {"code": status, "error": error, "error_description": description}


def outcome(response: Any) -> tuple[int, dict[str, Any]]:
    return response.status_code, response.json()


def test_a_password_gives_an_access_token_for_an_hour_and_a_refresh_token(partner):
    response = partner.ask_token()

    assert response.status_code == 200
    assert list(response.json()) == ["token_type", "access_token", "expires_in", "refresh_token"]
    assert response.json()["token_type"] == "bearer"
    assert response.json()["expires_in"] == 3600
    assert FORTY_HEX.fullmatch(response.json()["access_token"])
    assert FORTY_HEX.fullmatch(response.json()["refresh_token"])
    assert response.json()["access_token"] != response.json()["refresh_token"]


def test_a_token_reply_is_not_to_be_cached(partner):
    response = partner.ask_token()

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["Content-Type"] == "application/json"


def test_no_token_is_stored_in_the_open(partner):
    reply = partner.ask_token().json()

    row = AccessToken.objects.get()
    assert reply["access_token"] not in (row.access_hash, row.refresh_hash)
    assert reply["refresh_token"] not in (row.access_hash, row.refresh_hash)


def test_a_new_token_does_not_end_the_earlier_ones(partner):
    first = partner.ask_token().json()["access_token"]
    second = partner.ask_token().json()["access_token"]

    assert first != second
    assert [list_orders(token).status_code for token in (first, second)] == [200, 200]


def test_a_refresh_token_is_good_for_one_use(partner):
    refresh_token = partner.ask_token().json()["refresh_token"]

    once = partner.ask_token(grant_type="refresh_token", refresh_token=refresh_token)
    twice = partner.ask_token(grant_type="refresh_token", refresh_token=refresh_token)

    assert once.status_code == 200
    assert list_orders(once.json()["access_token"]).status_code == 200
    assert outcome(twice) == refused(400, "invalid_grant", "Invalid refresh token")


def test_a_refresh_token_expires_after_14_days(partner):
    refresh_token = partner.ask_token().json()["refresh_token"]
    AccessToken.objects.update(refresh_expires_at=timezone.now())

    response = partner.ask_token(grant_type="refresh_token", refresh_token=refresh_token)

    assert outcome(response) == refused(400, "invalid_grant", "Refresh token has expired")


def test_a_refresh_token_is_its_own_partners(partner):
    other = make_partner(partner.activation.store, "webstore")
    refresh_token = partner.ask_token().json()["refresh_token"]

    response = other.ask_token(grant_type="refresh_token", refresh_token=refresh_token)

    assert outcome(response) == refused(400, "invalid_grant", "Invalid refresh token")


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"grant_type": ""}, "invalid_request", UNKNOWN_GRANT),
        ({"grant_type": "magic"}, "invalid_request", UNKNOWN_GRANT),
        ({"client_id": ""}, "invalid_client", "Invalid or missing client_id parameter"),
        ({"client_secret": ""}, "invalid_client", "Missing client_secret parameter"),
        ({"client_id": "0" * 32}, "invalid_client", "Client credentials are invalid"),
        ({"client_secret": "0" * 32}, "invalid_client", "Client credentials are invalid"),
        (
            {"username": ""},
            "invalid_client",
            'Missing parameters. "username" and "password" are required',
        ),
        (
            {"password": ""},
            "invalid_client",
            'Missing parameters. "username" and "password" are required',
        ),
        ({"username": "1461957000"}, "invalid_grant", "User credentials are invalid"),
        ({"password": "wrong"}, "invalid_grant", "User credentials are invalid"),
        ({"grant_type": "client_credentials"}, "invalid_request", UNKNOWN_GRANT),
        ({"grant_type": "refresh_token"}, "invalid_grant", "Invalid refresh token"),
        ({"grant_type": "authorization_code"}, "invalid_grant", "Invalid code"),
    ],
)
def test_a_wrong_form_is_refused_in_the_hubs_words(partner, form, error, description):
    response = partner.ask_token(**form)

    assert outcome(response) == refused(400, error, description)
    assert AccessToken.objects.count() == 0


def test_only_a_post_with_a_form_is_understood(db):
    client = Client()

    responses = [
        client.get("/api/oauth/token"),
        client.put("/api/oauth/token", "grant_type=password", content_type=FORM),
        client.post(
            "/api/oauth/token", {"grant_type": "password"}, content_type="application/json"
        ),
    ]

    message = "Method must be POST with application/x-www-form-urlencoded encoding"
    assert [outcome(each) for each in responses] == [refused(400, "invalid_request", message)] * 3


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PROPFIND"])
def test_a_method_that_nobody_serves_is_not_served_here_either(db, method):
    response = Client().generic(method, "/api/oauth/token")

    assert response.status_code == 405
    assert response.json()["type"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]


def test_a_client_that_sends_every_field_at_once_is_understood(partner):
    response = partner.ask_token(refresh_token="of-another-day", access_token="x")

    assert response.status_code == 200


def ask_with(
    headers: dict[str, str], form: str, path: str = "/api/oauth/token", content_type: str = FORM
) -> Any:
    return Client().post(path, form, content_type=content_type, headers=headers)


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_the_client_may_come_as_http_basic(partner):
    """As a Cloudflare worker does: only grant_type and refresh_token in the body."""
    refresh_token = partner.ask_token().json()["refresh_token"]
    header = basic(partner.issued.client_id, partner.issued.client_secret)

    response = ask_with(header, f"grant_type=refresh_token&refresh_token={refresh_token}")

    assert response.status_code == 200
    assert list_orders(response.json()["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("header", "description"),
    [
        (basic("0" * 32, "0" * 32), "Client credentials are invalid"),
        (basic("", ""), "Invalid or missing client_id parameter"),
        (basic("a", ""), "Missing client_secret parameter"),
        ({"Authorization": "Basic %%%"}, "Invalid or missing client_id parameter"),
        ({"Authorization": "Basic /w=="}, "Invalid or missing client_id parameter"),
        ({"Authorization": "Basic"}, "Invalid or missing client_id parameter"),
    ],
)
def test_wrong_http_basic_is_refused(db, header, description):
    response = ask_with(header, "grant_type=refresh_token&refresh_token=x")

    assert outcome(response) == refused(400, "invalid_client", description)


def test_a_copy_of_the_form_in_the_query_is_ignored(partner):
    form = (
        f"grant_type=password&client_id={partner.issued.client_id}"
        f"&client_secret={partner.issued.client_secret}&username={partner.issued.api_user}"
        f"&password={partner.issued.api_secret}"
    )

    both = ask_with({}, form, "/api/oauth/token?grant_type=refresh_token&client_id=other")
    query_alone = ask_with({}, "x=1", f"/api/oauth/token?{form}")

    assert both.status_code == 200
    missing = refused(400, "invalid_request", "Invalid or missing grant_type parameter")
    assert outcome(query_alone) == missing


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"grant_type=password"),
        (FORM, b"grant_type=\xff"),
        (FORM, b"grant_type=%FF"),
        (FORM, b"grant_type[=1"),
        (FORM, b"&".join(b"f%d=1" % n for n in range(20_001))),
    ],
)
def test_what_is_no_form_is_refused_in_the_hubs_words(db, content_type, body):
    response = ask_with({}, body, content_type=content_type)

    message = "Method must be POST with application/x-www-form-urlencoded encoding"
    assert outcome(response) == refused(400, "invalid_request", message)


@pytest.mark.parametrize("name", ["client_id", "username", "password", "client_secret"])
def test_a_form_with_a_character_that_is_no_text_is_refused(partner, name):
    response = partner.ask_token(**{name: "%00"})

    assert response.status_code == 400
    assert response.json()["code"] == 400


@pytest.mark.parametrize("path", ["/api/oauth/token/", "/api/Oauth/token", "/api/OAUTH/TOKEN/"])
def test_letter_case_and_a_last_slash_do_not_matter(partner, path):
    form = "&".join(
        f"{name}={value}"
        for name, value in {
            "grant_type": "password",
            "client_id": partner.issued.client_id,
            "client_secret": partner.issued.client_secret,
            "username": partner.issued.api_user,
            "password": partner.issued.api_secret,
        }.items()
    )

    response = Client().post(path, form, content_type=FORM)

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/Orders", "/orders/", "/PRODUCTS/", "/Products"])
def test_no_path_of_the_api_minds_letter_case_or_a_last_slash(partner, path):
    assert partner.get(path).status_code == 200


def test_a_token_may_come_in_the_query(partner):
    token = partner.ask_token().json()["access_token"]

    response = Client().get("/api/orders", query_params={"access_token": token})

    assert response.status_code == 200


def test_a_delete_may_carry_its_token_in_the_body(store):
    """An OpenCart module sends it in the query and in a JSON body at once."""
    partner = make_partner(store, "linx")
    for sku in ("A", "B"):
        assert partner.post("/products", {"sku": sku}).status_code == 201
    body = json.dumps({"access_token": partner.token})

    in_both = Client().delete(
        f"/api/skus/A?access_token={partner.token}", body, content_type="application/json"
    )
    in_the_body = Client().delete("/api/skus/B", body, content_type="application/json")

    assert [in_both.status_code, in_the_body.status_code] == [200, 200]
    assert "Product" in in_the_body.json()


@pytest.mark.parametrize("token", ["", None, "f" * 40])
def test_a_delete_with_a_wrong_token_in_the_body_is_401(db, token):
    body = json.dumps({"access_token": token})

    response = Client().delete("/api/skus/A", body, content_type="application/json")

    assert response.status_code == 401


@pytest.mark.parametrize("token", [[], {"a": 1}, True, "\ud800"])
def test_a_token_that_is_no_text_is_refused(db, token):
    body = json.dumps({"access_token": token})

    response = Client().delete("/api/skus/A", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["details"].startswith("$.access_token: ")


def test_a_token_in_the_body_of_anything_but_a_delete_is_not_one(partner):
    partner.ask_token()
    body = json.dumps({"access_token": partner.ask_token().json()["access_token"]})

    response = Client().put("/api/skus/A", body, content_type="application/json")

    assert response.status_code == 401


def test_another_users_id_in_a_header_is_ignored(partner):
    other = make_partner(make_store(), "rocky")
    token = partner.ask_token().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-user-id": str(other.activation.store_id)}

    response = Client().get("/api/users", headers=headers)

    assert response.json()["data"]["id"] == partner.activation.store_id


def test_without_a_token_the_answer_is_401(db):
    response = Client().get("/api/orders")

    assert outcome(response) == refused(401, "invalid_request", "The access token was not found")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_token_is_401(db):
    response = list_orders("f" * 40)

    expected = refused(401, "invalid_token", "The access token provided is invalid.")
    assert outcome(response) == expected


def test_an_expired_token_is_401_and_a_new_one_is_not(partner):
    token = partner.ask_token().json()["access_token"]
    AccessToken.objects.update(access_expires_at=timezone.now())

    response = list_orders(token)

    expected = refused(401, "invalid_token", "The access token provided has expired.")
    assert outcome(response) == expected
    assert list_orders(partner.ask_token().json()["access_token"]).status_code == 200


def test_an_access_token_lasts_an_hour(partner):
    before = timezone.now()
    partner.ask_token()

    lasts = AccessToken.objects.get().access_expires_at - before
    assert timedelta(hours=1) <= lasts < timedelta(hours=1, minutes=1)


def test_a_revoked_credential_stops_at_once(partner):
    reply = partner.ask_token().json()

    revoke_credential(Credential.objects.get().pk, make_operator())

    invalid = refused(401, "invalid_token", "The access token provided is invalid.")
    assert outcome(list_orders(reply["access_token"])) == invalid
    unknown = refused(400, "invalid_client", "Client credentials are invalid")
    assert outcome(partner.ask_token()) == unknown
    again = partner.ask_token(grant_type="refresh_token", refresh_token=reply["refresh_token"])
    assert outcome(again) == unknown


def test_a_revoked_activation_stops_at_once(partner):
    token = partner.ask_token().json()["access_token"]

    revoke(partner.activation.pk, make_operator())

    assert list_orders(token).status_code == 401
    assert partner.ask_token().status_code == 400


def test_a_paused_activation_is_told_so(partner):
    token = partner.ask_token().json()["access_token"]
    pause(partner.activation.pk, "parou de responder")

    response = list_orders(token)

    assert outcome(response) == (
        403,
        {
            "error": True,
            "type": "not_allowed",
            "message": "An error occurred, see details for more information.",
            "details": "A integração está pausada.",
        },
    )


def test_the_partners_first_call_makes_a_waiting_activation_active(partner):
    assert partner.activation.state == State.WAITING

    partner.ask_token()

    partner.activation.refresh_from_db()
    assert partner.activation.state == State.ACTIVE
    assert partner.activation.first_called_at is not None


def test_a_refused_call_leaves_the_activation_waiting(partner):
    partner.ask_token(password="wrong")

    partner.activation.refresh_from_db()
    assert partner.activation.state == State.WAITING


def test_a_rotated_credential_works_beside_the_old_one(partner):
    new = rotate_credential(partner.activation.pk, make_operator())

    replies = [
        partner.ask_token(),
        partner.ask_token(client_secret=new.client_secret, password=new.api_secret),
    ]

    assert (new.client_id, new.api_user) == (partner.issued.client_id, partner.issued.api_user)
    assert [reply.status_code for reply in replies] == [200, 200]


def test_a_partner_that_has_only_a_refresh_token_goes_over_to_the_new_secret_with_it(partner):
    kept, lost = (partner.ask_token().json()["refresh_token"] for _n in range(2))
    new = rotate_credential(partner.activation.pk, make_operator())
    form = {"grant_type": "refresh_token", "client_secret": new.client_secret}

    over = partner.ask_token(**form, refresh_token=kept)
    revoke_older_credentials(partner.activation.pk, make_operator())
    late = partner.ask_token(**form, refresh_token=lost)

    assert list_orders(over.json()["access_token"]).status_code == 200
    again = partner.ask_token(**form, refresh_token=over.json()["refresh_token"])
    assert again.status_code == 200
    assert outcome(late) == refused(400, "invalid_grant", "Invalid refresh token")


def test_the_secrets_of_two_credentials_do_not_mix(partner):
    new = rotate_credential(partner.activation.pk, make_operator())

    response = partner.ask_token(client_secret=new.client_secret)

    assert outcome(response) == refused(400, "invalid_grant", "User credentials are invalid")


def test_the_use_of_a_credential_is_on_record(partner):
    partner.ask_token()

    credential = Credential.objects.get()
    assert credential.last_used_at is not None
    assert credential.last_used_from == "127.0.0.1"


def test_whoever_guesses_secrets_waits_from_there_and_only_there(partner):
    for _n in range(settings.FAILED_ATTEMPTS):
        assert partner.ask_token(client_secret="errado").status_code == 400

    refused = partner.ask_token()

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) == settings.ATTEMPTS_WINDOW
    partner.client = Client(REMOTE_ADDR="203.0.113.9")
    assert partner.ask_token().status_code == 200
