"""The database is away for a while: whoever calls is asked to come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connections
from django.test import Client
from psycopg.errors import ReadOnlySqlTransaction

from connectors.models import Store
from tests.conftest import make_partner


@contextmanager
def away(error: Exception) -> Iterator[None]:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(connections["default"]), "cursor", refuse)
        yield


READ_ONLY = InternalError("cannot execute INSERT in a read-only transaction")
READ_ONLY.__cause__ = ReadOnlySqlTransaction()


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), InterfaceError("closed"), READ_ONLY], ids=str
)
def test_the_api_says_when_to_come_back_and_recovers_by_itself(
    error: Exception, store: Store
) -> None:
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")
    assert partner.get("/orders").status_code == 200

    with away(error):
        answer = partner.get("/orders")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json() == {
        "error": True,
        "type": "unavailable",
        "message": "An error occurred, see details for more information.",
        "details": "the database does not answer: try again",
    }
    assert partner.get("/orders").status_code == 200


def test_who_asks_for_a_token_is_told_the_same(store: Store) -> None:
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")

    with away(OperationalError("gone")):
        answer = partner.ask_token()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert partner.ask_token().status_code == 200


def test_a_page_says_it_in_words(db: None) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "somebody"

    with away(OperationalError("gone")):
        answer = client.get("/orders/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "banco de dados" in answer.content.decode()


def test_a_fault_of_ours_stays_one(store: Store) -> None:
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")
    partner.get("/orders")
    partner.client.raise_request_exception = False

    with away(ZeroDivisionError()):
        answer = partner.get("/orders")

    assert answer.status_code == 500
