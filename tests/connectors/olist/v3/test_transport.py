"""The token that changes at each renewal, and what the statuses mean."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from connectors.contract import BATCH_CALLS, CALLS, Account, Meter, Token, TokenStore
from connectors.errors import OutOfBudget, Rejected, Unauthorized, Unavailable
from connectors.olist.client import Olist
from connectors.olist.v3.client import OlistV3
from connectors.olist.v3.transport import Api, Duplicate, NotThere
from connectors.olist.version import EitherOlist
from connectors.sandbox.tiny_v3 import TinyV3
from tests.connectors.olist.v3.conftest import CREDENTIALS

URL = "https://api.tiny.com.br/public-api/v3"
FRESH = Token("fresh", "next", datetime(2999, 1, 1, tzinfo=UTC))


class Noting(Meter):
    def __init__(self) -> None:
        self.noted: list[tuple[Any, ...]] = []

    def spend(self, kind: str = CALLS) -> None:
        self.noted.append(("spend", kind))

    def learn(self, per_minute: int, kind: str = CALLS) -> None:
        self.noted.append(("learn", per_minute, kind))

    def exhaust(self, kind: str = CALLS) -> None:
        self.noted.append(("exhaust", kind))


@pytest.fixture
def far() -> Account:
    """With a token that is good; its address is the one that the form fills in."""
    tokens = TokenStore()
    tokens.renew(None, lambda kept: FRESH)
    return Account("https://api.tiny.com.br/api2/", CREDENTIALS, meter=Noting(), tokens=tokens)


def test_three_values_in_the_tokens_place_choose_the_api_v3(account: Account) -> None:
    old = replace(account, credentials={"integrator_id": "0", "token": "5f3c1d9a"})

    assert isinstance(EitherOlist(account), OlistV3)
    assert isinstance(EitherOlist(old), Olist)


def test_the_first_token_comes_by_the_recorded_refresh_token(
    erp: TinyV3, account: Account, olist: OlistV3
) -> None:
    olist.check()

    assert account.tokens.get() is not None
    assert erp.renewals == 1


def test_each_renewal_uses_the_refresh_token_that_the_last_one_brought(
    erp: TinyV3, olist: OlistV3
) -> None:
    for _time in range(3):
        olist.check()
        erp.control("expire_access", {})

    olist.check()

    assert erp.renewals == 4


def test_a_token_is_renewed_after_half_its_life_so_that_idle_days_do_not_end_it(
    erp: TinyV3, account: Account, olist: OlistV3
) -> None:
    olist.check()
    token = account.tokens.get()
    assert token
    assert token.renew_at - datetime.now(UTC) < timedelta(hours=2)
    account.tokens.renew(token, lambda kept: replace(token, renew_at=datetime.now(UTC)))

    olist.check()

    assert erp.renewals == 2


def test_a_refresh_token_that_was_used_up_or_too_old_asks_for_a_person(
    erp: TinyV3, olist: OlistV3
) -> None:
    olist.check()
    erp.control("expire_access", {})
    erp.control("expire_refresh", {})

    with pytest.raises(Unauthorized, match="autorizá-lo outra vez") as caught:
        olist.check()

    assert "refresh-1" not in str(caught.value)


def test_a_wrong_secret_asks_for_a_person(erp: TinyV3, account: Account) -> None:
    wrong = {**CREDENTIALS, "token": "tiny-api-51 wrong first-refresh"}

    with pytest.raises(Unauthorized, match="unauthorized_client"):
        OlistV3(replace(account, credentials=wrong)).check()


@responses.activate
@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"status": 429}, {"status": 200, "body": "<html>"}]
)
def test_a_token_endpoint_in_trouble_is_tried_later(far: Account, answer: dict[str, Any]) -> None:
    responses.post(
        "https://accounts.tiny.com.br/realms/tiny/protocol/openid-connect/token", **answer
    )

    with pytest.raises(Unavailable):
        OlistV3(replace(far, tokens=TokenStore())).check()


@responses.activate
def test_reads_and_writes_are_counted_apart_and_the_limits_learnt(far: Account) -> None:
    responses.get(f"{URL}/produtos/1", json={}, headers={"X-RateLimit-Limit": "120"})
    responses.put(f"{URL}/pedidos/1/situacao", status=204, headers={"X-RateLimit-Limit": "60"})

    Api(far).get("produtos/1")
    Api(far).put("pedidos/1/situacao", {"situacao": 3})

    assert far.meter.noted == [
        ("spend", CALLS),
        ("learn", 120, CALLS),
        ("spend", BATCH_CALLS),
        ("learn", 60, BATCH_CALLS),
    ]


@responses.activate
@pytest.mark.parametrize(("left", "exhausted"), [("0", True), ("7", False)])
def test_too_many_calls_wait_as_long_as_the_erp_says(
    far: Account, left: str, exhausted: bool
) -> None:
    headers = {"X-RateLimit-Remaining": left, "X-RateLimit-Reset": "17"}
    responses.get(f"{URL}/produtos/1", status=429, headers=headers)

    with pytest.raises(OutOfBudget) as caught:
        Api(far).get("produtos/1")

    assert caught.value.after == 17
    assert (("exhaust", CALLS) in far.meter.noted) == exhausted


@responses.activate
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (403, Unauthorized),
        (404, NotThere),
        (409, Duplicate),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_what_a_status_means(far: Account, status: int, error: type[Exception]) -> None:
    responses.get(f"{URL}/produtos/1", status=status)

    with pytest.raises(error):
        Api(far).get("produtos/1")


@responses.activate
def test_a_refusal_is_shown_in_the_erps_words_with_the_field(far: Account) -> None:
    body = {"mensagem": "Inválido", "detalhes": [{"campo": "itens", "mensagem": "obrigatório"}]}
    responses.post(f"{URL}/pedidos", status=400, json=body)

    with pytest.raises(Rejected, match="HTTP 400: Inválido; itens: obrigatório"):
        Api(far).post("pedidos", {})


@responses.activate
@pytest.mark.parametrize("body", ["<html>manutenção", '{"itens": ['])
def test_half_an_answer_is_tried_later(far: Account, body: str) -> None:
    responses.get(f"{URL}/produtos/1", body=body)

    with pytest.raises(Unavailable):
        Api(far).get("produtos/1")
