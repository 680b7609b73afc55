"""The token: asked for once for all, renewed in time, and when it is refused."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from connectors.contract import Account, Token, TokenStore
from connectors.errors import Unauthorized, Unavailable
from connectors.pluggto.client import Pluggto
from tests.connectors.pluggto.conftest import CREDENTIALS

URL = "https://api.plugg.to"
ORDERS = {"total": 0, "showing": 0, "limit": 1, "result": []}


@pytest.fixture
def tokens() -> TokenStore:
    return TokenStore()


@pytest.fixture
def clients(sandbox, hub, tokens) -> Callable[[], Pluggto]:
    """Several runs of one activation: each with its own client, all with one token."""

    def make() -> Pluggto:
        return Pluggto(Account(f"{sandbox.url}/{hub.name}", CREDENTIALS, tokens=tokens))

    return make


@pytest.fixture
def far_side() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as far_side:
        yield far_side


def keep(tokens: TokenStore, access: str, refresh: str = "", **life: float) -> None:
    renew_at = datetime.now(UTC) + timedelta(**(life or {"minutes": 30}))
    tokens.renew(None, lambda _kept: Token(access, refresh, renew_at))


def grants(far_side: responses.RequestsMock) -> list[str]:
    """What was asked for tokens, in order."""
    bodies = [c.request.body for c in far_side.calls if c.request.path_url == "/oauth/token"]
    return [dict(part.split("=") for part in body.split("&"))["grant_type"] for body in bodies]


def test_the_next_run_uses_the_token_of_the_last_one(clients, hub):
    clients().check()

    clients().check()

    assert len(hub.tokens) == 1


def test_a_token_is_renewed_before_it_expires_and_by_the_refresh_token(clients, hub, tokens):
    clients().check()
    first = tokens.get()
    keep(tokens, first.access, first.refresh, seconds=-1)

    clients().check()

    assert tokens.get().access != first.access
    assert len(hub.tokens) == 2
    assert first.refresh not in hub.refresh_tokens


def test_it_is_renewed_some_minutes_before_its_hour_is_over(clients, tokens):
    clients().check()

    left = tokens.get().renew_at - datetime.now(UTC)
    assert timedelta(minutes=50) < left < timedelta(minutes=58)


def test_a_refresh_token_that_is_used_up_gives_way_to_the_password(clients, hub, tokens):
    clients().check()
    keep(tokens, tokens.get().access, "used-up", seconds=-1)

    clients().check()

    assert tokens.get().access in hub.tokens


@pytest.mark.parametrize("answer", [{"status": 400, "json": {"error": "new"}}, {"body": "<html>"}])
def test_a_refresh_that_is_refused_in_whatever_words_gives_way_to_it_too(far_side, tokens, answer):
    keep(tokens, "worn", "refresh", seconds=-1)
    far_side.post(f"{URL}/oauth/token", **answer)
    far_side.post(f"{URL}/oauth/token", json={"access_token": "second", "expires_in": 3600})
    far_side.get(f"{URL}/orders", json=ORDERS)

    Pluggto(Account(URL, CREDENTIALS, tokens=tokens)).check()

    assert grants(far_side) == ["refresh_token", "password"]


def test_a_refused_token_is_renewed_once_and_the_call_repeated(clients, hub, tokens):
    keep(tokens, "forgotten", "forgotten-too")

    clients().check()

    assert list(hub.tokens) == [tokens.get().access]


def test_a_token_that_somebody_else_renewed_meanwhile_calls_no_person(far_side, tokens):
    """Ours was good when we asked for it, and was ended by theirs."""
    keep(tokens, "ours")
    far_side.get(f"{URL}/orders", status=401)

    def renewed_by_others(request: requests.PreparedRequest) -> tuple[int, dict, str]:
        keep(tokens, "theirs")
        return 401, {}, "{}"

    far_side.post(f"{URL}/oauth/token", json={"access_token": "second", "expires_in": 3600})
    far_side.add_callback(responses.GET, f"{URL}/orders", callback=renewed_by_others)
    far_side.get(f"{URL}/orders", json=ORDERS)

    Pluggto(Account(URL, CREDENTIALS, tokens=tokens)).check()

    used = [c.request.headers["Authorization"] for c in far_side.calls if c.request.method == "GET"]
    assert used == ["Bearer ours", "Bearer second", "Bearer theirs"]


def test_credentials_that_are_refused_call_a_person_even_while_a_token_is_kept(
    clients, hub, tokens
):
    clients().check()
    keep(tokens, tokens.get().access, tokens.get().refresh, seconds=-1)
    hub.credentials["api_secret"] = "another"
    hub.refresh_tokens.clear()

    with pytest.raises(Unauthorized, match="API User ou o API Secret"):
        clients().check()


def test_a_token_endpoint_that_is_down_is_no_reason_to_ask_by_password(far_side, tokens):
    keep(tokens, "worn", "refresh", seconds=-1)
    far_side.post(f"{URL}/oauth/token", status=503)

    with pytest.raises(Unavailable):
        Pluggto(Account(URL, CREDENTIALS, tokens=tokens)).check()

    assert grants(far_side) == ["refresh_token"]


@pytest.mark.parametrize("life", [0, -5, "soon", 10**12])
def test_a_token_with_an_absurd_life_is_unreadable(far_side, tokens, life):
    far_side.post(f"{URL}/oauth/token", json={"access_token": "t", "expires_in": life})

    with pytest.raises(Exception, match="not the answer of a token request"):
        Pluggto(Account(URL, CREDENTIALS, tokens=tokens)).check()


def test_nothing_shows_a_token(clients, tokens, caplog):
    caplog.set_level(logging.DEBUG, logger="connectors")
    client = clients()
    client.check()
    token = tokens.get()

    shown = f"{token!r} {client.account!r} {caplog.text}"

    assert token.access not in shown
    assert token.refresh not in shown
