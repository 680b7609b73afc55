"""Products, prices and stock pulled from a platform: the sandbox's shop, over real HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Price, Product, SkuMapping
from catalog.services import create_product
from connectors.contract import Ability, PriceSource, ProductSource, StockSource
from connectors.models import Activation, ActivationFlow, Failure, Notice, Run, State
from connectors.models import Store as Merchant
from connectors.sandbox.store import Store as Shop
from tests.catalog.conftest import TASKS, TOKEN, pull, pull_all
from tests.conftest import flow_of, make_activation, make_managed, make_store
from tests.products import make_product

SHIRT = {
    "sku": "CAM-01",
    "name": "Camiseta",
    "brand": "Fiação",
    "variations": [
        {"sku": "CAM-01-P", "ean": "7891234567901", "price": 79.9, "quantity": 3},
        {"sku": "CAM-01-G", "ean": "7891234567918", "price": 84.9, "quantity": 4},
    ],
}
MUG = {"sku": "CAN-07", "name": "Caneca", "price": 25, "special_price": 19.9, "quantity": 10}


@pytest.fixture
def shop(sandbox: Any) -> Shop:
    """With a shirt in two sizes and a mug."""
    shop = sandbox.open("store", "catalogue", {"token": TOKEN})
    shop.control("put_product", SHIRT)
    shop.control("put_product", MUG)
    return shop


@pytest.fixture
def activation(store: Merchant, sandbox: Any, shop: Shop) -> Activation:
    return make_managed(store, "webstore", f"{sandbox.url}/{shop.name}", {"token": TOKEN})


def cursor(activation: Activation, ability: type[Ability]) -> str:
    return ActivationFlow.objects.get(pk=flow_of(activation, ability)).cursor


def levels() -> dict[str, tuple[Decimal | None, Decimal | None, int]]:
    products = Product.objects.with_levels().order_by("pk")
    return {
        each.sku: (each.price_row.price, each.price_row.special_price, each.stock_row.on_hand)
        for each in products
    }


def test_a_whole_catalogue_is_pulled(activation):
    runs = pull_all(activation)

    assert [(run.outcome, run.seen, run.changed) for run in runs] == [
        ("done", 2, 2),
        ("done", 3, 3),
        ("done", 3, 3),
    ]
    assert levels() == {
        "CAM-01": (None, None, 0),
        "CAM-01-P": (Decimal("79.9"), None, 3),
        "CAM-01-G": (Decimal("84.9"), None, 4),
        "CAN-07": (Decimal("25"), Decimal("19.9"), 10),
    }
    shirt = Product.objects.get(sku="CAM-01")
    assert (shirt.name, shirt.fields["brand"]) == ("Camiseta", "Fiação")
    assert shirt.created_by == activation
    assert [each.ean for each in shirt.variations.order_by("pk")] == [
        "7891234567901",
        "7891234567918",
    ]


@pytest.mark.parametrize("forget_cursor", [False, True])
def test_where_nothing_changed_nothing_is_written(activation, forget_cursor):
    pull_all(activation)
    if forget_cursor:
        ActivationFlow.objects.update(cursor="")
    before = list(Product.objects.order_by("pk").values())

    runs = pull_all(activation)

    seen = [2, 3, 3] if forget_cursor else [0, 0, 0]
    assert [(run.outcome, run.seen, run.changed) for run in runs] == [
        ("done", number, 0) for number in seen
    ]
    assert list(Product.objects.order_by("pk").values()) == before


def test_only_what_changed_is_written(activation, shop):
    pull_all(activation)
    mug = Product.objects.get(sku="CAN-07")

    shop.control("set_stock", {"sku": "CAM-01-P", "quantity": 2})
    shop.control("set_price", {"sku": "CAM-01-P", "price": 69.9, "special_price": 59.905})
    runs = [pull(activation, PriceSource), pull(activation, StockSource)]

    assert [(run.seen, run.changed) for run in runs] == [(1, 1), (1, 1)]
    assert levels()["CAM-01-P"] == (Decimal("69.9"), Decimal("59.905"), 2)
    mug_now = Product.objects.get(sku="CAN-07")
    assert mug_now.modification.at == mug.modification.at


def test_of_a_variation_that_is_gone_nothing_is_left_to_sell(activation, shop, store):
    pull_all(activation)
    by_hand = make_product(store, "CAM-01-U", on_hand=9)
    Product.objects.filter(pk=by_hand.pk).update(parent=Product.objects.get(sku="CAM-01"))

    shop.control("put_product", {**SHIRT, "variations": SHIRT["variations"][1:]})
    runs = pull_all(activation)
    without = {sku: level for sku, (_price, _special, level) in levels().items()}
    shop.control("put_product", SHIRT)
    pull_all(activation)

    assert {run.outcome for run in runs} == {"done"}
    assert without == {"CAM-01": 0, "CAM-01-P": 0, "CAM-01-G": 4, "CAM-01-U": 9, "CAN-07": 10}
    assert levels()["CAM-01-P"][2] == 3


def test_what_is_gone_is_known_by_the_platforms_word_for_it(activation, shop, store):
    sizes = [{"sku": "CAM-01-P"}, {"sku": "CAM-01-G"}]
    create_product(store, {"sku": "CAM-01", "variations": sizes}, None)
    for code, sku in (("CAM-01-P", "CAM-01-G"), ("CAM-01-G", "CAM-01-P")):
        product = Product.objects.get(sku=sku)
        SkuMapping.objects.create(activation=activation, code=code, product=product)
    pull_all(activation)

    shop.control("put_product", {**SHIRT, "variations": SHIRT["variations"][1:]})
    pull_all(activation)

    assert [levels()[sku][2] for sku in ("CAM-01-P", "CAM-01-G")] == [4, 0]


def test_the_end_of_a_promotion_is_taken_over(activation, shop):
    pull_all(activation)

    shop.control("set_price", {"sku": "CAN-07", "price": 25})
    pull(activation, PriceSource)

    assert Price.objects.get(product__sku="CAN-07").special_price is None


def test_the_cursor_moves_to_the_end_of_what_is_stored(activation, shop):
    pull_all(activation)

    assert [cursor(activation, ability) for ability in TASKS] == ["2", "3", "3"]


def test_a_platforms_own_codes_mean_the_mapped_products(store, sandbox):
    shop = sandbox.open("store", "erp", {"token": TOKEN})
    otimo = make_managed(store, "otimo", f"{sandbox.url}/erp", {"token": TOKEN})
    for sku in ("CAN-07", "9001"):
        make_product(store, sku)
    SkuMapping.objects.create(
        activation=otimo, code="9001", product=Product.objects.get(sku="CAN-07")
    )
    shop.control("set_stock", {"sku": "9001", "quantity": 6})
    shop.control("set_price", {"sku": "9001", "price": 12})

    pull(otimo, StockSource)
    pull(otimo, PriceSource)

    assert levels() == {"CAN-07": (Decimal(12), None, 6), "9001": (None, None, 0)}


def test_a_variation_that_it_calls_otherwise_is_not_made_a_second_time(activation, shop, store):
    create_product(store, {"sku": "TS", "variations": [{"sku": "TS-P"}, {"sku": "TS-G"}]}, None)
    for code, sku in (("CAM-01", "TS"), ("CAM-01-P", "TS-P")):
        product = Product.objects.get(sku=sku)
        SkuMapping.objects.create(activation=activation, code=code, product=product)

    pull_all(activation)

    assert levels() == {
        "TS": (None, None, 0),
        "TS-P": (Decimal("79.9"), None, 3),
        "TS-G": (None, None, 0),
        "CAM-01-G": (Decimal("84.9"), None, 4),
        "CAN-07": (Decimal(25), Decimal("19.9"), 10),
    }
    assert Product.objects.get(sku="TS-P").ean == "7891234567901"


# -- One bad record --------------------------------------------------------------------------------
def test_a_product_that_cannot_be_read_does_not_stop_the_others(activation, shop):
    shop.control("put_product", {"sku": "RUIM", "warranty_time": "um ano"})
    shop.control("put_product", {"sku": "BOM"})

    run = pull(activation, ProductSource)

    assert (run.outcome, run.seen, run.changed, run.failed) == ("partial", 4, 3, 1)
    assert not Product.objects.filter(sku="RUIM").exists()
    assert Product.objects.filter(sku="BOM").exists()
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind, failure.times) == ("RUIM", "unreadable", 1)
    assert failure.reason == "$.items[2].warranty_time: cannot read 'um ano'"
    assert failure.payload == {"sku": "RUIM", "warranty_time": "um ano"}


def test_a_bad_record_is_mended_when_the_platform_mends_it(activation, shop):
    shop.control("put_product", {"sku": "RUIM", "warranty_time": "um ano"})
    pull(activation, ProductSource)

    shop.control("put_product", {"sku": "RUIM", "warranty_time": 12})
    run = pull(activation, ProductSource)

    assert (run.outcome, run.changed) == ("done", 1)
    assert Product.objects.get(sku="RUIM").fields["warranty_time"] == 12
    assert Failure.objects.get().resolved_at is not None


def test_a_bad_record_that_comes_again_is_the_same_failure_once_more(activation, shop):
    shop.control("put_product", {"sku": "RUIM", "warranty_time": "um ano"})
    pull(activation, ProductSource)

    shop.control("put_product", {"sku": "RUIM", "warranty_time": "dois anos"})
    pull(activation, ProductSource)

    failure = Failure.objects.get()
    assert (failure.times, failure.resolved_at) == (2, None)
    assert failure.payload == {"sku": "RUIM", "warranty_time": "dois anos"}


@pytest.mark.parametrize(
    ("bad", "kind", "reason"),
    [
        ({"sku": "RUIM", "name": "x" * 501}, "refused", "$.name: Certifique-se"),
        ({"sku": "x" * 101}, "refused", "$.sku: Certifique-se"),
        ({"sku": "RUIM", "name": "a\x00b"}, "unreadable", "$.items[2].name: cannot read"),
        ({"sku": "RUIM", "own": ["\x00"]}, "unreadable", "$.items[2].own: cannot read 'list'"),
        ({"sku": "RUIM", "own": "\ud83d"}, "unreadable", "$.items[2].own: cannot read"),
        ({"sku": "RUIM", "variations": [{"sku": "CAN-07"}]}, "refused", "O SKU CAN-07 já é"),
        ({"sku": "RUIM", "dimension": "10x10"}, "unreadable", "$.items[2].dimension: got str"),
    ],
)
def test_no_product_is_so_bad_that_it_stops_the_others(activation, shop, bad, kind, reason):
    shop.control("put_product", bad)
    shop.control("put_product", {"sku": "BOM"})

    run = pull(activation, ProductSource)

    assert (run.outcome, run.seen, run.failed) == ("partial", 4, 1)
    assert Product.objects.filter(sku="BOM").exists()
    failure = Failure.objects.get()
    assert failure.kind == kind
    assert failure.reason.startswith(reason)


def test_the_level_of_an_unknown_sku_is_a_failure_and_the_others_go_on(activation, shop):
    pull(activation, ProductSource)
    shop.control("set_stock", {"sku": "NADA", "quantity": 1})
    shop.control("set_stock", {"sku": "CAN-07", "quantity": 9})

    run = pull(activation, StockSource)

    assert (run.outcome, run.seen, run.changed, run.failed) == ("partial", 4, 3, 1)
    assert levels()["CAN-07"][2] == 9
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind) == ("NADA", "refused")
    assert failure.reason == "A loja não tem o SKU NADA nem um De/Para para ele."
    assert failure.payload == {"sku": "NADA", "quantity": 1}


def test_levels_that_came_before_their_products_are_not_lost(activation):
    early = [pull(activation, StockSource), pull(activation, PriceSource)]
    pull(activation, ProductSource)
    late = [pull(activation, StockSource), pull(activation, PriceSource)]

    assert [(run.outcome, run.failed) for run in early] == [("partial", 3), ("partial", 3)]
    assert [(run.outcome, run.changed) for run in late] == [("done", 3), ("done", 3)]
    assert levels()["CAM-01-G"] == (Decimal("84.9"), None, 4)
    assert levels()["CAN-07"] == (Decimal(25), Decimal("19.9"), 10)
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_the_newest_level_wins_over_one_that_waited(activation, shop):
    pull(activation, StockSource)
    pull(activation, ProductSource)
    shop.control("set_stock", {"sku": "CAN-07", "quantity": 1})

    pull(activation, StockSource)

    assert levels()["CAN-07"][2] == 1


@pytest.mark.parametrize(
    ("ability", "verb", "bad", "reason"),
    [
        (PriceSource, "set_price", {"sku": "CAN-07", "price": -1}, "price: um preço não"),
        (PriceSource, "set_price", {"sku": "CAN-07", "price": None}, "$.items[2].price: got NoneT"),
        (StockSource, "set_stock", {"sku": "CAN-07", "quantity": 2**31}, "quantity: 2147483648"),
        (StockSource, "set_stock", {"sku": "CAN-07", "quantity": "?"}, "$.items[2].quantity: can"),
    ],
)
def test_an_impossible_level_is_a_failure_and_the_others_go_on(
    activation, shop, ability, verb, bad, reason
):
    pull(activation, ProductSource)
    shop.control(verb, bad)

    run = pull(activation, ability)

    assert (run.outcome, run.changed, run.failed) == ("partial", 2, 1)
    assert Failure.objects.get().reason.startswith(reason)


def test_less_than_nothing_in_stock_is_nothing(activation, shop):
    pull_all(activation)
    shop.control("set_stock", {"sku": "CAN-07", "quantity": -3})

    run = pull(activation, StockSource)

    assert (run.outcome, levels()["CAN-07"][2]) == ("done", 0)


def test_a_price_with_the_noise_of_a_float_is_no_change_twice(activation, shop):
    shop.control("set_price", {"sku": "CAN-07", "price": 0.1 + 0.2})
    pull_all(activation)
    ActivationFlow.objects.update(cursor="")

    run = pull(activation, PriceSource)

    assert (run.seen, run.changed) == (3, 0)
    assert levels()["CAN-07"][0] == Decimal("0.3")


# -- A platform in trouble -------------------------------------------------------------------------
ANSWER = {"items": [], "cursor": "9", "more": False}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 500}, "GET products: HTTP 500"),
        ({"status": 503, "headers": {"Retry-After": "120"}}, "GET products: HTTP 503"),
        ({"status": 429}, "GET products: HTTP 429"),
        ({"body": requests.ConnectTimeout()}, "GET products: GET: ConnectTimeout"),
        ({"body": requests.ReadTimeout()}, "GET products: GET: ReadTimeout"),
        ({"body": requests.ConnectionError()}, "GET products: GET: ConnectionError"),
        ({"body": b"<html>manuten\xe7\xe3o</html>"}, "GET products: not JSON: "),
        ({"body": b""}, "GET products: not JSON: "),
        ({"json": []}, "$: got list, not an object"),
        ({"json": {"items": {}, "cursor": "1", "more": False}}, "$.items: got dict, not a list"),
        ({"json": {**ANSWER, "items": ["A"]}}, "$.items[0]: got str, not an object"),
        ({"json": {"cursor": "1", "more": False}}, "$.items: missing"),
        ({"json": {"items": [], "more": False}}, "$.cursor: got NoneType"),
        ({"status": 404, "body": "?\x00"}, "GET products: HTTP 404: ?"),
    ],
)
def test_trouble_is_on_record_with_its_reason_and_the_next_run_repairs_it(
    activation, shop, answer, reason
):
    with responses.RequestsMock() as far:
        far.get(f"{activation.plugin_url}/products", **answer)
        failed = pull(activation, ProductSource)

    repaired = pull(activation, ProductSource)

    assert failed.outcome == "failed"
    assert failed.reason.startswith(reason)
    assert (failed.cursor_before, failed.cursor_after) == ("", "")
    assert (repaired.outcome, repaired.changed) == ("done", 2)
    activation.refresh_from_db()
    assert activation.state == State.ACTIVE


def test_what_came_before_the_trouble_is_kept_and_the_rest_comes_next(activation, shop):
    first_page = {"items": [{"sku": "A"}], "cursor": "1", "more": True}
    with responses.RequestsMock() as far:
        far.get(f"{activation.plugin_url}/products", json=first_page)
        far.get(f"{activation.plugin_url}/products", status=502)
        failed = pull(activation, ProductSource)

    pull(activation, ProductSource)

    assert (failed.outcome, failed.changed, failed.cursor_after) == ("failed", 1, "1")
    assert set(Product.objects.filter(parent=None).values_list("sku", flat=True)) == {"A", "CAN-07"}


def test_the_cursor_does_not_pass_what_was_not_stored(activation, shop, monkeypatch):
    def broken(*_args: Any, **_options: Any) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("catalog.tasks.set_stock", broken)
    pull(activation, ProductSource)

    run = pull(activation, StockSource)

    assert (run.outcome, run.reason) == ("failed", "Erro do portal: ValueError")
    assert cursor(activation, StockSource) == ""


def test_a_platform_in_trouble_is_asked_again_later_and_later(activation):
    flow = ActivationFlow.objects.get(pk=flow_of(activation, ProductSource))
    waits = []
    for _time in range(3):
        with responses.RequestsMock() as far:
            far.get(f"{activation.plugin_url}/products", status=500)
            pull(activation, ProductSource)
        flow.refresh_from_db()
        waits.append(round((flow.due_at - timezone.now()) / timedelta(minutes=1)))

    # Each a quarter more or less, so that thousands do not come back together.
    assert waits == [pytest.approx(wait, rel=0.26) for wait in (30, 60, 60)]


def test_anothers_trouble_is_not_ours(activation, sandbox):
    other_shop = sandbox.open("store", "healthy", {"token": TOKEN})
    other_shop.control("put_product", MUG)
    other = make_managed(make_store(), "rocky", f"{sandbox.url}/healthy", {"token": TOKEN})
    with responses.RequestsMock() as far:
        far.get(f"{activation.plugin_url}/products", status=500)
        failed = pull(activation, ProductSource)

    run = pull(other, ProductSource)

    assert (failed.outcome, run.outcome, run.changed) == ("failed", "done", 1)


def test_a_token_that_is_refused_pauses_the_activation(activation, shop):
    shop.control("settings", {"token": "another"})

    run = pull(activation, ProductSource)
    again = pull(activation, ProductSource)

    activation.refresh_from_db()
    assert (run.outcome, run.reason) == ("failed", "GET products: HTTP 401")
    assert (activation.state, activation.paused_reason) == ("paused", "GET products: HTTP 401")
    assert again == run  # a paused activation runs nothing


def test_a_flow_that_is_running_is_not_started_beside_itself(activation):
    flow = ActivationFlow.objects.get(pk=flow_of(activation, ProductSource))
    running = Run.objects.create(
        activation=activation,
        ability=flow.ability,
        flow=flow.flow,
        expires_at=timezone.now() + timedelta(minutes=1),
    )

    latest = pull(activation, ProductSource)

    assert latest == running
    assert Product.objects.count() == 0


def test_a_run_whose_worker_died_is_closed_and_the_next_one_goes_on(activation):
    flow = ActivationFlow.objects.get(pk=flow_of(activation, ProductSource))
    dead = Run.objects.create(
        activation=activation,
        ability=flow.ability,
        flow=flow.flow,
        expires_at=timezone.now() - timedelta(seconds=1),
    )

    latest = pull(activation, ProductSource)

    dead.refresh_from_db()
    assert (dead.outcome, dead.reason) == ("abandoned", "Quem executava parou.")
    assert (latest.outcome, latest.changed) == ("done", 2)


# -- Whom it concerns, and what it costs -----------------------------------------------------------
def test_pluga_hears_once_of_a_product_whose_variations_changed(store, activation, shop):
    pull_all(activation)
    pluga = make_activation(store, "pluga", plugin_url="https://pluga.example/hook")
    for sku in ("CAM-01-P", "CAM-01-G"):
        shop.control("set_stock", {"sku": sku, "quantity": 50})

    pull(activation, StockSource)

    notice = Notice.objects.get()
    assert notice.activation == pluga
    assert notice.object_id == Product.objects.get(sku="CAM-01").public_id
    assert notice.changes == {"status": False, "stock": True, "price": False}


def queries_of_a_pull(activation: Activation, shop: Shop, count: int) -> int:
    for number in range(count):
        shop.control("set_stock", {"sku": f"P{number}", "quantity": count})
    with CaptureQueriesContext(connection) as queries:
        run = pull(activation, StockSource)
    assert run.changed == count
    return len(queries)


def test_a_page_of_stock_costs_the_same_however_long_it_is(activation, shop, store):
    for number in range(40):
        make_product(store, f"P{number}")
    pull_all(activation)

    few, many = [queries_of_a_pull(activation, shop, count) for count in (2, 40)]

    assert many == few
