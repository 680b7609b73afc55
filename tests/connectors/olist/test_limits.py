"""The limits of a plan: counted before each call, learned from the answers, obeyed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.contract import BATCH_CALLS, CALLS, Account, Meter
from connectors.errors import OutOfBudget, Rejected
from connectors.olist.client import Olist
from connectors.olist.transport import Api
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny import Tiny
from tests.connectors.olist.conftest import CREDENTIALS, HUB_ID, make_order

MUG = {"codigo": "CAN-07", "nome": "Caneca", "preco": 110, "saldo": 3}


class Notebook(Meter):
    """Writes down what it is told. `left` are the calls that it allows."""

    def __init__(self, left: Mapping[str, int]) -> None:
        self.left = dict(left)
        self.told: list[Any] = []

    def spend(self, kind: str = CALLS) -> None:
        if not self.left[kind]:
            raise OutOfBudget("used up", 30)
        self.left[kind] -= 1

    def learn(self, per_minute: int, kind: str = CALLS) -> None:
        self.told.append((kind, per_minute))

    def exhaust(self, kind: str = CALLS) -> None:
        self.told.append((kind, "exhausted"))


@pytest.fixture
def meter() -> Notebook:
    return Notebook({CALLS: 1000, BATCH_CALLS: 5})


@pytest.fixture
def account(sandbox: Sandbox, erp: Tiny, meter: Notebook) -> Account:
    return Account(f"{sandbox.url}/empresa/", CREDENTIALS, meter=meter)


@pytest.fixture
def olist(account: Account) -> Olist:
    return Olist(account)


def change(api: Api, *ids: str) -> Any:
    entries = [{"produto": {"sequencia": str(n), "id": id, "preco": 2}} for n, id in enumerate(ids)]
    return api.call("produto.alterar.php", produto={"produtos": entries})


def test_each_answer_says_how_often_the_account_may_call(
    erp: Tiny, olist: Olist, meter: Notebook
) -> None:
    erp.control("plan", {"per_minute": 30})

    olist.check()

    assert meter.told == [(CALLS, 30)]


def test_an_account_without_a_limit_teaches_none(olist: Olist, meter: Notebook) -> None:
    olist.check()

    assert meter.told == []


def test_when_the_erp_has_had_enough_the_rest_of_the_minute_is_lost(
    erp: Tiny, olist: Olist, meter: Notebook
) -> None:
    erp.control("plan", {"per_minute": 2})
    olist.check()
    olist.check()

    with pytest.raises(OutOfBudget, match=r"info.php: API Bloqueada .* \(6\)") as caught:
        olist.check()

    assert caught.value.after == 60
    assert meter.told[-1] == (CALLS, "exhausted")


def test_without_a_call_left_nothing_is_called(erp: Tiny, olist: Olist, meter: Notebook) -> None:
    meter.left[CALLS] = 1
    olist.check()

    with pytest.raises(OutOfBudget, match="used up"):
        olist.push_order(make_order())

    assert HUB_ID not in erp.report()["orders"]


def test_products_are_written_five_times_a_minute_at_most(
    erp: Tiny, account: Account, meter: Notebook
) -> None:
    erp.control("plan", {"per_minute": 120})
    id = erp.control("put_product", MUG)["id"]
    for _number in range(5):
        change(Api(account), id)

    with pytest.raises(OutOfBudget):
        change(Api(account), id)
    meter.left[BATCH_CALLS] = 1
    with pytest.raises(OutOfBudget, match=r"\(6\)"):
        change(Api(account), id)
    Olist(account).check()

    assert meter.left == {CALLS: 999, BATCH_CALLS: 0}
    assert (BATCH_CALLS, "exhausted") in meter.told


def test_a_batch_of_which_a_part_was_refused_says_which(erp: Tiny, account: Account) -> None:
    id = erp.control("put_product", MUG)["id"]

    with pytest.raises(Rejected, match=r"Produto 999 não localizado \(32\)"):
        change(Api(account), id, "999")

    assert erp.products[id]["preco"] == 2


def test_what_was_read_before_the_minute_was_used_up_is_stored(
    erp: Tiny, olist: Olist, meter: Notebook
) -> None:
    for number in range(30):
        erp.control("put_product", {"codigo": f"P{number}", "nome": "x", "preco": 1, "saldo": 1})
    erp.stock_updates.clear()
    read: list[str] = []
    cursor, minutes = "", 0

    while not read or "page" in json.loads(cursor):
        meter.left[CALLS] = 7
        minutes += 1
        try:
            for page in olist.changed_stock(cursor):
                read += [olist.read_stock(payload).sku for payload in page.items]
                cursor = page.cursor
        except OutOfBudget:
            pass

    assert read == [f"P{number}" for number in range(30)]
    assert minutes == 6  # 30 products, the list twice, and once each minute what changed
