"""What Plugg.to may answer when it is not well. Nothing here may show a credential or a token."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from connectors.contract import Account
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.pluggto.api import NotThere
from connectors.pluggto.client import Pluggto
from connectors.records import FulfilmentRecord, OrderStatus
from tests.connectors.pluggto.conftest import CREDENTIALS

URL = "https://api.plugg.to"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
SECRETS = (*CREDENTIALS.values(), TOKEN)


@pytest.fixture
def far_side() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as far_side:
        yield far_side


@pytest.fixture
def client() -> Pluggto:
    return Pluggto(Account(URL, CREDENTIALS))


def grant(far_side: responses.RequestsMock) -> responses.BaseResponse:
    return far_side.post(f"{URL}/oauth/token", json={"access_token": TOKEN, "expires_in": 3600})


def failure(client: Pluggto) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        list(client.changed_orders(""))
    assert not any(secret in f"{caught.value!r}" for secret in SECRETS)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"status": 500, "body": f"at {TOKEN}"}, Unavailable, "GET orders: HTTP 500"),
        ({"body": requests.ReadTimeout(TOKEN)}, Unavailable, "GET orders: GET: ReadTimeout"),
        ({"body": "<html>Oi"}, Unreadable, "GET orders: not JSON: b'<html>Oi'"),
        ({"body": "[]"}, Unreadable, "GET orders: $: got list, not an object"),
        ({"json": {"message": "Oi"}}, Unreadable, "GET orders: $.result: missing"),
        ({"status": 403, "json": {}}, Unauthorized, "GET orders: HTTP 403"),
        ({"status": 404, "body": "<html>"}, Rejected, "GET orders: HTTP 404"),
        (
            {"status": 404, "json": {"error": True, "type": "gone", "message": "No."}},
            NotThere,
            "GET orders: HTTP 404: No.",
        ),
        ({"status": 422, "json": {"message": "No."}}, Rejected, "GET orders: HTTP 422: No."),
        (
            {"json": {"error": True, "message": "No.", "details": {"errmsg": "E11000"}}},
            Rejected,
            "GET orders: HTTP 200: No. E11000",
        ),
    ],
)
def test_a_fault_is_told_by_what_comes_next(
    client: Pluggto,
    far_side: responses.RequestsMock,
    answer: dict[str, Any],
    kind: type[ConnectorError],
    message: str,
) -> None:
    grant(far_side)
    far_side.get(f"{URL}/orders", **answer)

    error = failure(client)

    assert (type(error), str(error)) == (kind, message)


def test_a_list_of_none_may_be_left_out(client: Pluggto, far_side: responses.RequestsMock) -> None:
    grant(far_side)
    far_side.get(f"{URL}/orders", json={"total": 0, "showing": 0, "limit": 100})

    (page,) = client.changed_orders("")

    assert page.items == []


def test_the_wish_to_be_left_alone_is_handed_on(client, far_side):
    grant(far_side)
    far_side.get(f"{URL}/orders", status=429, headers={"Retry-After": "17"})

    error = failure(client)

    assert isinstance(error, Unavailable)
    assert error.after == 17


def test_a_fresh_token_that_is_refused_asks_for_a_person(client, far_side):
    tokens = grant(far_side)
    orders = far_side.get(f"{URL}/orders", status=401, json={"error": "invalid_token"})

    error = failure(client)

    assert (type(error), str(error)) == (Unauthorized, "GET orders: HTTP 401")
    assert (tokens.call_count, orders.call_count) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"status": 503}, Unavailable, "POST oauth/token: HTTP 503"),
        (
            {"body": requests.ConnectTimeout()},
            Unavailable,
            "POST oauth/token: POST: ConnectTimeout",
        ),
        ({"status": 401, "json": {}}, Unauthorized, "POST oauth/token: HTTP 401"),
        ({"status": 400, "json": {"error": "other"}}, Rejected, "POST oauth/token: HTTP 400"),
        (
            {"body": f'{{"access_token":"{TOKEN}"'},
            Unreadable,
            "POST oauth/token: HTTP 200: not the answer of a token request",
        ),
        (
            {
                "status": 400,
                "json": {
                    "error": "invalid_grant",
                    "error_description": f"{CREDENTIALS['api_secret']} is wrong",
                },
            },
            Unauthorized,
            "O Plugg.to recusou o API User ou o API Secret.",
        ),
    ],
)
def test_a_token_that_does_not_come_is_told_without_the_credentials(
    client: Pluggto,
    far_side: responses.RequestsMock,
    answer: dict[str, Any],
    kind: type[ConnectorError],
    message: str,
) -> None:
    far_side.post(f"{URL}/oauth/token", **answer)

    error = failure(client)

    assert (type(error), str(error)) == (kind, message)


def test_a_list_that_does_not_turn_its_page_is_not_read_for_ever(client, far_side):
    grant(far_side)
    row = {"Order": {"id": "1"}}
    far_side.get(f"{URL}/orders", json={"limit": 1, "result": [row]})

    error = failure(client)

    assert isinstance(error, Unreadable)
    assert str(error) == "GET orders: the page after 1 is that page again"


def test_a_lost_answer_to_a_push_is_unavailable_and_not_done(client, far_side):
    grant(far_side)
    far_side.get(f"{URL}/orders/1", json={"Order": {"id": "1", "shipments": []}})
    far_side.put(f"{URL}/orders/1", body=requests.ConnectionError())

    with pytest.raises(Unavailable, match=r"^PUT orders/1: PUT: ConnectionError$"):
        client.push_fulfilment(FulfilmentRecord(OrderStatus.INVOICED, external_id="1"))
