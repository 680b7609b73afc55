"""A product with variations whose record the ERP refuses for a while."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import Stock
from catalog.tasks import pull_prices, pull_products, pull_stock
from connectors.contract import Ability, PriceSource, ProductSource, StockSource
from connectors.models import Failure, Ring, Run
from connectors.olist.notices import by_sku
from connectors.sandbox import tiny
from connectors.sandbox.tiny_answers import Fault
from connectors.trouble.failures import retry
from tests.conftest import flow_of
from tests.connectors.day import MUG, SHIRT, Day, levels
from tests.connectors.olist.test_day import Erp

pytestmark = pytest.mark.django_db(transaction=True)

OPEN, STOCK = "produto.obter.php", "produto.obter.estoque.php"
TASKS: dict[type[Ability], Callable[[int], None]] = {
    ProductSource: pull_products,
    PriceSource: pull_prices,
    StockSource: pull_stock,
}
PRICES = {"CAMISETA-P": 79.9, "CAMISETA-G": 84.9}
LEVELS = {"CAMISETA-P": 40, "CAMISETA-G": 25}


@pytest.fixture
def erp(day: Day) -> Erp:
    """Its products are here, with the prices that came with them, which change there. Of the stock
    its list of updates says nothing: only the pass over all products does."""
    erp = Erp(day)
    for goods in (MUG, SHIRT):
        erp.tiny.control("put_product", goods)
    pull(erp, ProductSource)
    for sku in PRICES:
        erp.tiny.products[id_of(erp, sku)]["preco"] += 1
    erp.tiny.stock_updates.clear()
    return erp


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have a service refuse the calls of these numbers, from 1 on; the ids that it is asked for."""

    def set_up(service: str, *numbers: int, code: int = 4) -> list[str]:
        serve, asked = tiny.SERVICES[service], list[str]()

        def careful(company: Any, form: Any) -> Any:
            asked.append(form["id"])
            if len(asked) in numbers:
                raise Fault(code, f"recusa {len(asked)}")
            return serve(company, form)

        monkeypatch.setitem(tiny.SERVICES, service, careful)
        return asked

    return set_up


def id_of(erp: Erp, sku: str) -> str:
    return next(id for id, each in erp.tiny.products.items() if each["codigo"] == sku)


def pull(erp: Erp, ability: type[Ability]) -> Run:
    TASKS[ability](flow_of(erp.activation, ability))
    return Run.objects.filter(ability=ability.__name__).latest("pk")


def prices(day: Day) -> dict[str, float]:
    return {sku: price for sku, (price, _stock) in levels(day.store).items() if sku in PRICES}


def stock(day: Day) -> dict[str, int]:
    return {sku: stock for sku, (_price, stock) in levels(day.store).items() if sku in LEVELS}


def failures(ability: type[Ability]) -> list[str]:
    mine = Failure.objects.open().filter(ability=ability.__name__)
    return list(mine.values_list("record_id", flat=True))


@pytest.mark.parametrize(
    ("ability", "read", "wanted"),
    [
        (PriceSource, prices, {sku: price + 1 for sku, price in PRICES.items()}),
        (StockSource, stock, LEVELS),
    ],
)
def test_refused_once_its_variations_are_taken_in_the_same_run(
    day: Day,
    erp: Erp,
    refuse: Callable[..., list[str]],
    ability: type[Ability],
    read: Callable[[Day], Any],
    wanted: Any,
) -> None:
    refuse(OPEN, 1)

    run = pull(erp, ability)

    assert read(day) == wanted
    assert (run.outcome, run.failed) == (Run.Outcome.DONE, 0)
    assert not failures(ability)


@pytest.mark.parametrize(
    ("ability", "read", "wanted", "name"),
    [
        (PriceSource, prices, {sku: price + 1 for sku, price in PRICES.items()}, "{}/variacoes"),
        (StockSource, stock, LEVELS, "{}"),
    ],
)
def test_refused_for_longer_it_mends_by_itself(
    day: Day,
    erp: Erp,
    refuse: Callable[..., list[str]],
    ability: type[Ability],
    read: Callable[[Day], Any],
    wanted: Any,
    name: str,
) -> None:
    asked = refuse(OPEN, 1, 2, 3)
    pull(erp, ability)
    refused = failures(ability)
    retry(Failure.objects.all())
    pull(erp, ability)
    [still] = Failure.objects.open().filter(ability=ability.__name__)
    retry(Failure.objects.all())

    run = pull(erp, ability)

    shirt = id_of(erp, "CAMISETA")
    assert refused == [name.format(shirt)]
    assert (still.record_id, still.reason) == (*refused, f"{OPEN}: recusa 3 (4)")
    assert asked[:4] == [shirt] * 4
    assert shirt not in asked[4:]
    assert read(day) == wanted
    assert run.outcome == Run.Outcome.DONE
    assert not failures(ability)


def test_where_calls_give_out_between_two_variations_none_is_lost_or_read_twice(
    day: Day, erp: Erp, refuse: Callable[..., list[str]], settings: Any
) -> None:
    settings.SECONDS_PER_MINUTE = 1
    small, large = id_of(erp, "CAMISETA-P"), id_of(erp, "CAMISETA-G")
    parents = refuse(OPEN, 1)
    asked = refuse(STOCK, 3, code=6)  # after the mug and the first variation

    waiting = pull(erp, StockSource)
    before = stock(day), failures(StockSource)
    retry(Failure.objects.all())
    time.sleep(1)
    pull(erp, StockSource)

    assert waiting.outcome == Run.Outcome.WAITING
    assert before == ({"CAMISETA-P": 40, "CAMISETA-G": 0}, [large])
    assert asked.count(small) == 1
    assert len(parents) == 2
    assert stock(day) == LEVELS
    assert not failures(StockSource)


def test_many_variations_that_are_asked_for_at_once_are_read_as_calls_allow(
    day: Day, erp: Erp, settings: Any
) -> None:
    settings.SECONDS_PER_MINUTE = 1
    sizes = [{"sku": f"CALCA-{size}", "price": 9, "quantity": size} for size in range(36, 56)]
    trousers = {"sku": "CALCA", "name": "Calça", "price": 9, "variations": sizes}
    erp.tiny.control("put_product", trousers)
    pull(erp, ProductSource)
    erp.tiny.stock_updates.clear()
    pull(erp, StockSource)
    Stock.objects.filter(product__sku__startswith="CALCA-").update(on_hand=1)
    erp.tiny.control("plan", {"per_minute": 20, "seconds": 1})
    Ring.objects.create(activation=erp.activation, ability="StockSource", record_id=by_sku("CALCA"))

    for _minute in range(12):
        time.sleep(1)
        retry(Failure.objects.open())
        pull(erp, StockSource)
        if not Ring.objects.open().exists() and not failures(StockSource):
            break

    assert {levels(day.store)[each["sku"]][1] for each in sizes} == set(range(36, 56))
    assert not Ring.objects.open().exists()
    assert not failures(StockSource)


def test_many_variations_that_change_again_are_read_again(day: Day, erp: Erp) -> None:
    def told(more: int) -> dict[str, int]:
        sizes = [{"sku": f"CALCA-{n}", "price": 9, "quantity": n + more} for n in range(36, 42)]
        trousers = {"sku": "CALCA", "name": "Calça", "price": 9, "variations": sizes}
        erp.tiny.control("put_product", trousers)
        erp.tiny.stock_updates.clear()
        return {each["sku"]: each["quantity"] for each in sizes}

    told(0)
    pull(erp, ProductSource)
    pull(erp, StockSource)
    for more in (1, 2):
        sizes = told(more)
        Ring.objects.create(
            activation=erp.activation, ability="StockSource", record_id=by_sku("CALCA")
        )
        pull(erp, StockSource)

        assert {sku: levels(day.store)[sku][1] for sku in sizes} == sizes
        assert not failures(StockSource)


def test_a_variation_that_is_refused_is_a_failure_of_its_own(
    day: Day, erp: Erp, refuse: Callable[..., list[str]]
) -> None:
    refuse(OPEN, 1)
    refuse(STOCK, 3)

    run = pull(erp, StockSource)

    [failure] = Failure.objects.open().filter(ability="StockSource")
    assert (failure.record_id, failure.reason) == (
        id_of(erp, "CAMISETA-G"),
        f"{STOCK}: recusa 3 (4)",
    )
    assert (run.outcome, run.failed) == (Run.Outcome.PARTIAL, 1)
    assert stock(day) == {"CAMISETA-P": 40, "CAMISETA-G": 0}
