"""After the faults stop, both sides agree record by record: a shop and a hub of the sandbox, over
real HTTP, while whatever can go wrong between them does."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from catalog.models import Product
from catalog.tasks import pull_prices, pull_products, pull_stock
from connectors.contract import (
    FulfilmentSink,
    FulfilmentSource,
    OrderSink,
    OrderSource,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.models import Activation, CallBudget, Failure, Run, State
from connectors.sandbox.faults import Faults
from connectors.storecontract import client as storecontract
from orders.models import Order
from orders.push import push_orders
from orders.tasks import pull_fulfilments, pull_orders
from tests.conftest import flow_of, make_managed

pytestmark = pytest.mark.long

HUB = {
    "client_id": "a" * 32,
    "client_secret": "client-secret-of-the-plugin",
    "api_user": "1461957000",
    "api_secret": "api-secret-of-the-account",
}
EVERYTHING = {
    "down": 0.05,
    "lost_answer": 0.05,
    "slow": 0.03,
    "429": 0.05,
    "500": 0.05,
    "502_after": 0.05,
    "truncated": 0.05,
    "repeated_page": 0.1,
    "out_of_order": 0.1,
    "notices_twice": 0.5,
}
SKUS = [f"SKU-{number:03}" for number in range(20)]
FLOWS = (
    (ProductSource, pull_products),
    (PriceSource, pull_prices),
    (StockSource, pull_stock),
    (OrderSource, pull_orders),
    (OrderSink, push_orders),
    (FulfilmentSource, pull_fulfilments),
    (FulfilmentSink, push_orders),
)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(storecontract, "PAGE_SIZE", 7)


@pytest.fixture
def shop(sandbox: Any) -> Any:
    shop = sandbox.open("store", "faulty-shop", {"token": "t"})
    for sku in SKUS:
        shop.control("put_product", {"sku": sku, "name": sku, "price": 10, "quantity": 50})
    return shop


@pytest.fixture
def hub(sandbox: Any) -> Any:
    return sandbox.open("hub", "faulty-hub", HUB)


@pytest.fixture
def erp(sandbox: Any) -> Any:
    erp = sandbox.open("tiny", "faulty-erp", {"token": "t"})
    for sku in SKUS:
        erp.control("put_product", {"sku": sku, "name": sku, "price": 10, "quantity": 50})
    return erp


def run_all(*activations: Activation) -> None:
    for activation in activations:
        for ability, task in FLOWS:
            if ability in activation.spec.flows:
                CallBudget.objects.all().delete()  # it is another minute
                task(flow_of(activation, ability))


def something_happens(shop: Any, hub: Any, random: Random) -> None:
    for _each in range(5):
        sku = random.choice(SKUS)
        shop.control("set_stock", {"sku": sku, "quantity": random.randrange(20, 60)})
        shop.control("set_price", {"sku": sku, "price": random.randrange(9, 11)})
    sku = random.choice(SKUS)
    shop.control("put_product", {"sku": sku, "name": f"{sku} {random.random()}", "price": 10})
    hub.control("place_order", {"items": [{"sku": sku, "quantity": 1, "price": 10}]})
    shop.work()


def as_the_shop_has_it(shop: Any) -> dict[str, tuple[str, Decimal, int]]:
    report = shop.report()
    return {
        sku: (product["name"], Decimal(report["prices"][sku]["price"]), report["stock"][sku])
        for sku, product in report["products"].items()
    }


def as_the_erp_has_it(erp: Any) -> dict[str, tuple[str, Decimal, int]]:
    report = erp.report()
    return {
        sku: (name, Decimal(report["prices"][sku]["price"]), report["stock"][sku])
        for sku, name in report["products"].items()
    }


def as_the_portal_has_it() -> dict[str, tuple[str, Decimal, int]]:
    return {
        each.sku: (each.name, each.price_row.price, each.stock_row.on_hand)
        for each in Product.objects.with_levels()
    }


@pytest.mark.parametrize("seed", range(3))
def test_after_the_faults_both_sides_agree(seed, store, sandbox, shop, hub):
    random = Random(seed)
    linx = make_managed(store, "linx", f"{sandbox.url}/{shop.name}", {"token": "t"})
    upstream = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", HUB)
    shop.faults, hub.faults = Faults(EVERYTHING, seed), Faults(EVERYTHING, seed + 100)

    for _round in range(12):
        something_happens(shop, hub, random)
        run_all(linx, upstream)
    struck = shop.faults.struck.keys() | hub.faults.struck.keys()
    failed = Run.objects.filter(outcome=Run.Outcome.FAILED).count()
    shop.faults, hub.faults = Faults({}), Faults({})
    for _step in range(6):
        Failure.objects.update(retry_at=timezone.now())  # time passes
        shop.work()
        run_all(upstream, linx)
        run_all(upstream)
    # The next day all levels are read again: an order whose taking was never answered may have
    # left a unit too few on sale until then.
    Run.objects.update(started_at=F("started_at") - timedelta(days=1))
    run_all(linx)

    assert struck == EVERYTHING.keys() - {"notices_twice"}
    assert failed > 10
    assert set(Activation.objects.values_list("state", flat=True)) == {State.ACTIVE}
    assert as_the_portal_has_it() == as_the_shop_has_it(shop)
    at_the_hub, at_the_shop = hub.report()["orders"], shop.report()["orders"]
    in_the_portal = {order.original_id: order for order in Order.objects.all()}
    assert len(at_the_hub) == len(in_the_portal) == len(at_the_shop) == 12
    for told in at_the_hub.values():
        order = in_the_portal[told["original_id"]]
        assert at_the_shop[order.public_id]["reported"][-1] == "delivered"
        assert order.status == told["status"] == "delivered"
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_after_the_faults_the_erp_agrees_too(store, sandbox, erp, hub):
    random = Random(7)
    received = {"integrator_id": "10482", "token": "t"}
    olist = make_managed(store, "olist", f"{sandbox.url}/{erp.name}", received)
    upstream = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", HUB)
    erp.faults, hub.faults = Faults(EVERYTHING, 7), Faults(EVERYTHING, 107)

    for _round in range(20):
        something_happens(erp, hub, random)
        run_all(olist, upstream)
    struck = erp.faults.struck.keys()
    erp.faults, hub.faults = Faults({}), Faults({})
    for _step in range(6):
        Failure.objects.update(retry_at=timezone.now())
        erp.work()
        run_all(upstream, olist)
        run_all(upstream)
    # The ERP's lists forget what they answered, also where the answer was lost: once a day all is
    # read again.
    olist.flows.update(cursor="")
    for _minute in range(8):  # a minute's calls are not enough for it
        run_all(olist)
    run_all(upstream)

    assert struck == EVERYTHING.keys() - {"notices_twice"}
    assert set(Activation.objects.values_list("state", flat=True)) == {State.ACTIVE}
    assert as_the_portal_has_it() == as_the_erp_has_it(erp)
    at_the_hub, at_the_erp = hub.report()["orders"], erp.report()["orders"]
    in_the_portal = {order.original_id: order for order in Order.objects.all()}
    assert len(at_the_hub) == len(in_the_portal) == len(at_the_erp) == 20
    for told in at_the_hub.values():
        order = in_the_portal[told["original_id"]]
        held = at_the_erp[order.public_id]
        assert (held["created"], held["situacao"]) == (1, "entregue")
        assert order.status == told["status"] == "delivered"
    assert not Failure.objects.filter(resolved_at=None).exists()
