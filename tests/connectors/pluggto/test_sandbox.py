"""What the sandbox's hub answers to those who speak to it directly."""

import re

import pytest
import requests

from tests.connectors.pluggto.conftest import CREDENTIALS

CLIENT = {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}
USER = {"username": CREDENTIALS["api_user"], "password": CREDENTIALS["api_secret"]}


@pytest.fixture
def url(sandbox, hub):
    return f"{sandbox.url}/{hub.name}"


@pytest.fixture
def token(url):
    form = {"grant_type": "password", **CLIENT, **USER}
    return requests.post(f"{url}/oauth/token", data=form, timeout=5).json()


def test_a_token_has_forty_digits_and_lasts_an_hour(token):
    assert re.fullmatch(r"[0-9a-f]{40}", token["access_token"])
    assert token["expires_in"] == 3600


def test_a_refresh_token_is_good_for_one_use(url, token):
    form = {"grant_type": "refresh_token", **CLIENT, "refresh_token": token["refresh_token"]}

    answers = [requests.post(f"{url}/oauth/token", data=form, timeout=5) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json() == {
        "code": 400,
        "error": "invalid_grant",
        "error_description": "Invalid refresh token",
    }


def test_an_unknown_token_is_401(url):
    answer = requests.get(f"{url}/orders", params={"access_token": "nobody's"}, timeout=5)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_an_expired_token_is_401(url, hub, token):
    hub.tokens[token["access_token"]] = 0.0

    answer = requests.get(f"{url}/orders", params=token, timeout=5)

    assert answer.status_code == 401
    assert answer.json()["error_description"] == "The access token provided has expired."


def test_a_list_has_filters_and_pages(url, token, place_order):
    place_order(status="pending")
    approved = [place_order() for _ in range(3)]
    query = {**token, "status": "approved", "limit": 2, "page": 2}

    answer = requests.get(f"{url}/orders", params=query, timeout=5).json()

    assert [row["Order"]["id"] for row in answer.pop("result")] == approved[2:]
    assert answer == {"total": 3, "showing": 1, "limit": 2}


def test_an_update_that_changes_nothing_is_refused(url, token, place_order):
    order_id = place_order()

    answer = requests.put(
        f"{url}/orders/{order_id}", params=token, json={"status": "approved"}, timeout=5
    )

    assert answer.status_code == 400
    assert answer.json() == {
        "error": True,
        "type": "not_updated",
        "message": "An error occurred, see details for more information.",
        "details": "Changes not found in the order",
    }


def test_a_shipment_without_a_known_id_is_one_more(url, token, hub, place_order):
    order_id = place_order()
    body = {"shipments": [{"track_code": "AA123456785BR"}]}

    requests.put(f"{url}/orders/{order_id}", params=token, json=body, timeout=5)

    order = hub.orders[order_id]
    assert [shipment["track_code"] for shipment in order["shipments"]] == [None, "AA123456785BR"]
    assert order["tags"]["has_track"] == 1
