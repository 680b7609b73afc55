"""The catalogue sent up to a channel: the sandbox's hub, over real HTTP. Tasks run when the queue
says so."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from catalog.levels import set_prices, set_stock
from catalog.mappings import delete_mapping, save_mapping
from catalog.models import Product, Sent, SkuMapping
from catalog.models.sent import Situation
from catalog.push import push_prices, push_products, push_stock
from catalog.resending import send_everything_again
from catalog.services import change_stock, delete_product, save_product
from catalog.telling import recompare
from connectors.contract import Ability, Flow, PriceSink, ProductSink, StockSink
from connectors.errors import Rejected, Unavailable
from connectors.models import Activation, ActivationFlow, Failure, Run, State, Store
from connectors.models.flows import RUN_LIFE
from connectors.pluggto.client import Pluggto
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.sandbox.hub import Hub
from tests.conftest import flow_of, make_activation, make_managed, make_store

pytestmark = pytest.mark.django_db
CREDENTIALS = {
    "client_id": "a" * 32,
    "client_secret": "client-secret-of-the-plugin",
    "api_user": "1461957000",
    "api_secret": "api-secret-of-the-account",
}
MUG = {
    "sku": "CANECA", "name": "Caneca", "price": "39.9", "special_price": "29.9", "quantity": 12,
    "brand": "Forno", "handling_time": 2, "ncm": "69120000",
    "photos": [{"url": "https://loja.example/caneca.jpg"}],
    "categories": [{"name": "Casa > Cozinha"}],
}  # fmt: skip
SHIRT = {
    "sku": "CAMISETA",
    "name": "Camiseta",
    "price": "79.9",
    "variations": [
        {"sku": "CAMISETA-P", "name": "Camiseta P", "price": "79.9", "quantity": 3},
        {"sku": "CAMISETA-G", "name": "Camiseta G", "price": "84.9", "quantity": 4},
    ],
}
TASKS: dict[type[Ability], Callable[[int], None]] = {
    ProductSink: push_products,
    PriceSink: push_prices,
    StockSink: push_stock,
}


@pytest.fixture
def hub(sandbox: Any) -> Hub:
    return sandbox.open("hub", "told-the-catalogue", CREDENTIALS)


@pytest.fixture
def channel(store: Store, sandbox: Any, hub: Hub) -> Activation:
    return make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", CREDENTIALS)


def save(store: Store, document: dict[str, Any], by: Activation | None = None) -> Product:
    return save_product(store, str(document["sku"]), json.loads(json.dumps(document)), by)


def run(channel: Activation, ability: type[Ability]) -> Run:
    TASKS[ability](flow_of(channel, ability))
    return Run.objects.filter(activation=channel, ability=ability.__name__).latest("pk")


def run_all(channel: Activation) -> list[Run]:
    return [run(channel, ability) for ability in TASKS]


def queued() -> list[str]:
    return sorted(
        row.task["func"].rpartition(".")[2]
        for row in OrmQ.objects.all()
        if row.task["func"].startswith("catalog.push")
    )


def told(hub: Hub) -> dict[str, Any]:
    """By SKU: what can be sold there, and for how much."""
    found = {}
    for product in hub.shelves.products.values():
        for each in product["variations"] or [product]:
            found[each["sku"]] = each["price"], each["special_price"], each["quantity"]
    return found


def calls(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the hub is asked from here on, but for tokens."""
    heard: list[tuple[str, str]] = []
    handle = hub.handle

    def listen(request: Any) -> Any:
        if request.path[0] != "oauth":
            heard.append((request.method, "/".join(request.path)))
        return handle(request)

    monkeypatch.setattr(hub, "handle", listen)
    return heard


def test_a_new_channel_is_sent_everything_that_the_store_sells(store, hub, channel):
    save(store, MUG)
    save(store, SHIRT)

    runs = run_all(channel)

    assert [each.outcome for each in runs] == ["done"] * 3
    assert told(hub) == {
        "CANECA": (39.9, 29.9, 12),
        "CAMISETA-P": (79.9, None, 3),
        "CAMISETA-G": (84.9, None, 4),
    }
    mug = hub.report()["products"]["CANECA"]
    assert (mug["name"], mug["brand"], mug["handling_time"]) == ("Caneca", "Forno", 2)
    assert mug["external"] == Product.objects.get(sku="CANECA").public_id
    assert hub.shelves.products["CAMISETA"]["price"] == 79.9
    assert Sent.objects.get(flow="products", code="CANECA").external_id == mug["id"]
    assert not Sent.objects.to_compare().exists()


def test_what_was_there_before_the_channel_is_sent_too(store, sandbox, hub):
    save(store, MUG)
    channel = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", CREDENTIALS)

    run_all(channel)

    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_nothing_is_sent_twice(store, hub, channel, monkeypatch):
    save(store, MUG)
    run_all(channel)
    heard = calls(hub, monkeypatch)

    runs = run_all(channel)

    assert heard == []
    assert [(each.seen, each.changed) for each in runs] == [(0, 0)] * 3


@pytest.mark.parametrize(
    ("document", "ability", "path"),
    [
        ({"sku": "CANECA", "name": "Caneca azul"}, ProductSink, "skus/CANECA"),
        ({"sku": "CANECA", "price": "41"}, PriceSink, "skus/CANECA"),
        ({"sku": "CANECA", "quantity": 11}, StockSink, "skus/CANECA/stock"),
    ],
)
def test_a_change_is_sent_alone_and_at_once(
    store, hub, channel, monkeypatch, document, ability, path
):
    save(store, MUG)
    save(store, SHIRT)
    run_all(channel)
    OrmQ.objects.all().delete()
    heard = calls(hub, monkeypatch)

    save(store, document)

    assert queued() == [TASKS[ability].__name__]
    run_all(channel)
    assert [call for call in heard if call[0] == "PUT"] == [("PUT", path)]


def test_what_is_saved_as_it_was_is_not_even_compared(store, hub, channel, monkeypatch):
    save(store, MUG)
    run_all(channel)
    save(store, {"sku": "CANECA", "quantity": 11})
    save(store, {"sku": "CANECA", "quantity": 12})
    heard = calls(hub, monkeypatch)

    last = run(channel, StockSink)

    assert heard == []  # it is as it was sent
    assert (last.seen, last.changed) == (0, 0)
    assert not Sent.objects.to_compare().exists()


def test_every_way_to_change_a_level_reaches_the_channel(store, hub, channel):
    save(store, SHIRT)
    run_all(channel)
    platform = make_activation(store, "webstore")
    small = Product.objects.get(sku="CAMISETA-P")

    change_stock(store, small.pk, "decrease", 2, platform)
    set_stock(store, [StockRecord("CAMISETA-G", 40)], platform)
    set_prices(store, [PriceRecord("CAMISETA-G", Decimal(90), Decimal(70))], platform)
    run_all(channel)

    assert told(hub) == {"CAMISETA-P": (79.9, None, 1), "CAMISETA-G": (90, 70, 40)}


def test_a_thousand_changes_queue_one_run(store, channel):
    save(store, MUG)
    run_all(channel)
    OrmQ.objects.all().delete()

    for quantity in range(20):
        save(store, {"sku": "CANECA", "quantity": 100 + quantity})

    assert queued() == ["push_stock"]


def test_a_channel_that_is_down_is_not_asked_at_every_change(store, channel):
    flows = ActivationFlow.objects.filter(activation=channel)
    flows.update(failures_in_a_row=1, due_at=timezone.now() + timedelta(hours=1), slot_at=None)
    OrmQ.objects.all().delete()

    save(store, MUG)

    assert queued() == []


def test_prices_and_stock_wait_for_their_product(store, hub, channel):
    save(store, MUG)

    before = [run(channel, PriceSink), run(channel, StockSink)]
    OrmQ.objects.all().delete()
    ActivationFlow.objects.update(slot_at=None)
    run(channel, ProductSink)

    assert [(each.outcome, each.seen) for each in before] == [("done", 0)] * 2
    assert queued() == ["push_prices", "push_stock"]
    run_all(channel)
    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_a_new_variations_levels_wait_for_it_as_well(store, hub, channel):
    save(store, SHIRT)
    run_all(channel)
    save(
        store,
        {"sku": "CAMISETA", "variations": [{"sku": "CAMISETA-M", "price": "81", "quantity": 9}]},
    )

    early = run(channel, StockSink)
    run_all(channel)

    assert (early.seen, early.failed) == (0, 0)
    assert told(hub)["CAMISETA-M"] == (81, None, 9)


def test_a_product_that_is_refused_is_parked_and_holds_back_no_other(store, hub, channel):
    bad = save(store, {"sku": "..", "name": "Impossível"})
    save(store, MUG)

    first = run(channel, ProductSink)

    assert (first.outcome, first.changed, first.failed) == ("partial", 1, 1)
    assert list(hub.shelves.products) == ["CANECA"]
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind, failure.times) == (bad.sku, "rejected", 1)
    # Not before its time …
    run(channel, ProductSink)
    failure.refresh_from_db()
    assert failure.times == 1
    # … and then once more.
    Failure.objects.update(retry_at=timezone.now())
    run(channel, ProductSink)
    failure.refresh_from_db()
    assert failure.times == 2


def test_what_was_refused_is_tried_anew_when_it_changes(store, hub, channel):
    save(store, SHIRT)
    run_all(channel)
    # There, the mug's SKU belongs to a variation of the shirt.
    hub.shelves.products["CAMISETA"]["variations"][0]["sku"] = "CANECA"
    save(store, MUG)
    refused = run(channel, ProductSink)
    hub.shelves.products["CAMISETA"]["variations"][0]["sku"] = "CAMISETA-P"

    save(store, {"sku": "CANECA", "name": "Caneca, outra vez"})
    mended = run(channel, ProductSink)

    assert (refused.failed, mended.failed) == (1, 0)
    assert "é uma variação do produto CAMISETA" in Failure.objects.get().reason
    assert Failure.objects.get().resolved_at is not None
    assert "CANECA" in hub.shelves.products


def test_what_was_refused_under_another_code_is_over(store, hub, channel):
    bad = save(store, {"sku": "..", "name": "Impossível"})
    worse = save(store, {"sku": ".", "name": "Impossível também"})
    run_all(channel)

    save_mapping(SkuMapping(activation=channel, code="POSSIVEL", product=bad))
    run_all(channel)

    assert list(hub.shelves.products) == ["POSSIVEL"]
    assert Failure.objects.open().get().record_id == worse.sku


def test_what_was_refused_is_not_over_for_what_others_call_it(store, channel):
    product = save(store, {"sku": "..", "name": "Impossível"})
    erp = make_activation(store, "otimo")
    SkuMapping.objects.create(activation=erp, code="9001", product=product)

    for _time in range(2):
        run(channel, ProductSink)

    assert Failure.objects.open().get().record_id == ".."


def test_what_was_refused_and_deleted_is_over(store, channel):
    bad = save(store, {"sku": "..", "name": "Impossível"})
    run_all(channel)

    delete_product(store, bad.pk, None)
    run_all(channel)

    assert not Failure.objects.open().exists()


def test_what_was_refused_and_is_not_offered_any_more_is_over(store, channel, monkeypatch):
    save(store, MUG)
    run(channel, ProductSink)

    def refuse(self, price):
        raise Rejected("preço fora da faixa")

    monkeypatch.setattr(Pluggto, "push_price", refuse)
    refused = run(channel, PriceSink)
    save(store, {"sku": "CANECA", "price": None})
    run(channel, PriceSink)

    assert refused.failed == 1
    assert not Failure.objects.open().exists()
    assert Sent.objects.get(flow="prices").situation == Situation.NOTHING


def test_a_price_that_is_emptied_after_it_was_told_is_shown_until_there_is_one(store, hub, channel):
    save(store, MUG)
    run_all(channel)

    save(store, {"sku": "CANECA", "price": None})
    emptied = run(channel, PriceSink)
    run(channel, PriceSink)

    assert (emptied.outcome, emptied.failed) == ("partial", 1)
    failure = Failure.objects.open().get()
    assert (failure.record_id, failure.cause, failure.times) == ("CANECA", "missing_data", 1)
    assert "sem preço" in failure.reason
    assert told(hub)["CANECA"] == (39.9, 29.9, 12)

    save(store, {"sku": "CANECA", "price": "39.9"})
    run(channel, PriceSink)

    assert not Failure.objects.open().exists()
    assert Sent.objects.get(flow="prices").situation == Situation.SENT


def test_a_price_that_is_gone_is_shown_only_while_there_is_stock(store, channel):
    save(store, MUG)
    run_all(channel)
    save(store, {"sku": "CANECA", "price": None})
    for _time in range(2):
        run(channel, PriceSink)
    assert Failure.objects.open().count() == 1

    save(store, {"sku": "CANECA", "quantity": 0})
    sold_out = [run(channel, PriceSink) for _time in range(2)]

    assert [each.failed for each in sold_out] == [0, 0]
    assert not Failure.objects.open().exists()

    save(store, {"sku": "CANECA", "quantity": 1})
    run(channel, PriceSink)

    assert Failure.objects.open().count() == 1


def test_an_emptied_price_that_a_person_dismissed_is_not_shown_again(store, channel):
    save(store, MUG)
    run_all(channel)
    save(store, {"sku": "CANECA", "price": None})
    run(channel, PriceSink)
    Failure.objects.update(resolved_at=timezone.now())

    next_run = run(channel, PriceSink)
    ActivationFlow.objects.update(cursor="")
    full_pass = run(channel, PriceSink)

    assert (next_run.failed, full_pass.failed) == (0, 0)
    assert not Sent.objects.to_compare().filter(flow="prices").exists()


def test_a_price_that_was_never_told_is_not_missed(store, channel):
    save(store, {"sku": "CANECA", "name": "Caneca", "quantity": 2})
    # Nobody buys the parent.
    save(store, SHIRT)
    run_all(channel)

    save(store, {"sku": "CAMISETA", "price": None})
    runs = run_all(channel)

    assert [each.failed for each in runs] == [0, 0, 0]


def test_a_product_that_has_variations_by_now_misses_no_price(store, channel):
    save(store, MUG)
    run_all(channel)

    save(store, {"sku": "CANECA", "price": None, "variations": [{"sku": "CANECA-P"}]})
    runs = run_all(channel)

    assert [each.failed for each in runs] == [0, 0, 0]


def test_what_a_person_dismissed_rests_until_it_changes(store, channel):
    save(store, {"sku": "..", "name": "Impossível"})
    run(channel, ProductSink)
    Failure.objects.update(resolved_at=timezone.now())

    run(channel, ProductSink)

    assert Failure.objects.count() == 1
    assert not Sent.objects.to_compare().filter(flow="products").exists()


def test_a_channel_that_stops_in_the_middle_gets_the_rest_later(store, hub, channel, monkeypatch):
    for number in range(5):
        save(store, {"sku": f"P{number}", "name": "Produto"})
    put, count = hub.shelves._put, []

    def break_down(sku: str, sent: Any) -> Any:
        count.append(sku)
        if len(count) == 3:
            raise ConnectionError
        return put(sku, sent)

    monkeypatch.setattr(hub.shelves, "_put", break_down)
    first = run(channel, ProductSink)
    second = run(channel, ProductSink)

    assert (first.outcome, first.changed) == ("failed", 2)
    assert (second.outcome, second.changed) == ("done", 3)
    assert count == ["P0", "P1", "P2", "P2", "P3", "P4"]


def test_a_change_while_its_product_is_being_sent_is_sent_next(store, hub, channel, monkeypatch):
    save(store, MUG)
    run_all(channel)
    save(store, {"sku": "CANECA", "quantity": 11})
    tell, levels = Pluggto.push_stock, []

    def sell_one_meanwhile(self: Pluggto, stock: StockRecord) -> None:
        levels.append(stock.quantity)
        if len(levels) == 1:
            save(store, {"sku": "CANECA", "quantity": 10})
        tell(self, stock)

    monkeypatch.setattr(Pluggto, "push_stock", sell_one_meanwhile)
    run(channel, StockSink)
    run(channel, StockSink)

    assert levels == [11, 10]
    assert told(hub)["CANECA"] == (39.9, 29.9, 10)


def hear_no_answer(
    monkeypatch: pytest.MonkeyPatch, method: str, end: BaseException | None = None
) -> None:
    """Whoever calls it dies, or ends so, when the channel has done as it was told."""
    call = getattr(Pluggto, method)

    def die(self: Pluggto, record: Any) -> None:
        call(self, record)
        raise end or SystemExit

    monkeypatch.setattr(Pluggto, method, die)


def run_and_die(channel: Activation, ability: type[Ability]) -> None:
    with suppress(SystemExit):
        run(channel, ability)
    Run.objects.filter(ended_at=None).update(expires_at=timezone.now())


@pytest.mark.parametrize("end", [Unavailable("no answer"), None], ids=["answer", "cluster"])
def test_what_was_told_without_an_answer_and_taken_back_is_told(
    store, hub, channel, monkeypatch, end
):
    save(store, MUG)
    run_all(channel)
    hear_no_answer(monkeypatch, "push_stock", end)
    save(store, {"sku": "CANECA", "quantity": 11})
    run_and_die(channel, StockSink)
    assert told(hub)["CANECA"] == (39.9, 29.9, 11)
    monkeypatch.undo()
    save(store, {"sku": "CANECA", "quantity": 12})
    run(channel, StockSink)

    assert told(hub)["CANECA"] == (39.9, 29.9, 12)
    assert not Sent.objects.exclude(unanswered=None).exists()


def test_what_a_product_had_without_an_answer_leaves_it_there_too(store, hub, channel, monkeypatch):
    save(store, SHIRT)
    run_all(channel)
    hear_no_answer(monkeypatch, "push_product")
    save(store, {"sku": "CAMISETA", "variations": [{"sku": "CAMISETA-M", "price": "79.9"}]})
    run_and_die(channel, ProductSink)
    assert len(hub.shelves.products["CAMISETA"]["variations"]) == 3
    delete_product(store, Product.objects.get(sku="CAMISETA-M").pk, None)
    monkeypatch.undo()
    run(channel, ProductSink)

    there = hub.shelves.products["CAMISETA"]["variations"]
    assert [each["sku"] for each in there] == ["CAMISETA-P", "CAMISETA-G"]


def test_a_product_that_was_sent_without_an_answer_is_taken_off_there_when_it_is_deleted(
    store, hub, channel, monkeypatch
):
    mug = save(store, MUG)
    hear_no_answer(monkeypatch, "push_product")
    run_and_die(channel, ProductSink)
    assert list(hub.shelves.products) == ["CANECA"]
    monkeypatch.undo()

    delete_product(store, mug.pk, None)
    run_all(channel)

    assert hub.shelves.products == {}


def test_each_code_under_which_a_product_was_sent_without_an_answer_is_taken_off(
    store, hub, channel, monkeypatch
):
    mug = save(store, MUG)
    run_all(channel)
    mapping = SkuMapping(activation=channel, code="MLB-1", product=mug)
    save_mapping(mapping)
    hear_no_answer(monkeypatch, "push_product")
    run_and_die(channel, ProductSink)
    assert list(hub.shelves.products) == ["MLB-1"]
    monkeypatch.undo()

    mapping.code = "MLB-2"
    save_mapping(mapping)
    run_all(channel)

    assert list(hub.shelves.products) == ["MLB-2"]


def test_what_was_refused_once_is_told_after_something_else_was_heard_without_an_answer(
    store, hub, channel, monkeypatch
):
    save(store, MUG)
    run_all(channel)

    def refuse(self: Pluggto, stock: StockRecord) -> None:
        raise Rejected("not 11")

    monkeypatch.setattr(Pluggto, "push_stock", refuse)
    save(store, {"sku": "CANECA", "quantity": 11})
    run(channel, StockSink)
    Failure.objects.open().resolve("Dispensada.")
    monkeypatch.undo()
    hear_no_answer(monkeypatch, "push_stock")
    save(store, {"sku": "CANECA", "quantity": 30})
    run_and_die(channel, StockSink)
    monkeypatch.undo()

    save(store, {"sku": "CANECA", "quantity": 11})
    run(channel, StockSink)

    assert told(hub)["CANECA"] == (39.9, 29.9, 11)


def test_a_product_that_is_there_by_another_code_has_its_price_and_stock_there(store, hub, channel):
    shirt = save(store, SHIRT)
    run_all(channel)
    before = told(hub)

    save_mapping(SkuMapping(activation=channel, code="MLB-1", product=shirt))
    run_all(channel)

    assert list(hub.shelves.products) == ["MLB-1"]
    assert told(hub) == before


def test_a_product_that_is_back_at_its_code_has_its_price_and_stock_there(store, hub, channel):
    mug = save(store, MUG)
    run_all(channel)
    mapping = SkuMapping(activation=channel, code="MLB-1", product=mug)
    save_mapping(mapping)
    run(channel, ProductSink)

    mapping.delete()
    recompare(store, [mug.pk])
    run_all(channel)

    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_a_variation_that_is_back_at_its_code_has_its_price_and_stock_there(store, hub, channel):
    save(store, SHIRT)
    run_all(channel)
    small = Product.objects.get(sku="CAMISETA-P")
    mapping = SkuMapping(activation=channel, code="MLB-2", product=small)
    save_mapping(mapping)
    run(channel, ProductSink)

    mapping.delete()
    recompare(store, [small.pk])
    run_all(channel)

    assert told(hub) == {"CAMISETA-P": (79.9, None, 3), "CAMISETA-G": (84.9, None, 4)}


def test_a_product_back_at_its_code_after_a_lost_answer_has_its_price_and_stock_there(
    store, hub, channel, monkeypatch
):
    mug = save(store, MUG)
    run_all(channel)
    mapping = SkuMapping(activation=channel, code="MLB-1", product=mug)
    save_mapping(mapping)
    hear_no_answer(monkeypatch, "remove_product")
    run_and_die(channel, ProductSink)
    assert hub.shelves.products == {}
    monkeypatch.undo()

    delete_mapping(mapping)
    run_all(channel)

    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_levels_wait_until_their_product_is_there_by_its_new_code(store, hub, channel):
    mug = save(store, MUG)
    run_all(channel)
    mapping = SkuMapping(activation=channel, code="MLB-1", product=mug)
    save_mapping(mapping)
    run(channel, PriceSink)
    run(channel, StockSink)
    assert list(hub.shelves.products) == ["CANECA"]

    delete_mapping(mapping)
    run_all(channel)

    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_levels_make_no_product_where_it_was_not_heard_of(store, hub, channel, monkeypatch):
    mug = save(store, MUG)
    run_all(channel)
    save_mapping(SkuMapping(activation=channel, code="MLB-1", product=mug))

    def push_product(self: Pluggto, record: ProductRecord) -> str:
        raise Unavailable("no answer")

    monkeypatch.setattr(Pluggto, "push_product", push_product)
    run(channel, ProductSink)
    monkeypatch.undo()
    run(channel, PriceSink)
    run(channel, StockSink)
    assert hub.shelves.products == {}
    run_all(channel)

    assert told(hub) == {"MLB-1": (39.9, 29.9, 12)}


def in_the_midst_of_a_price(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """The first time that a price is told, from just before the channel hears it."""
    call = Pluggto.push_price

    def push_price(self: Pluggto, record: PriceRecord) -> None:
        monkeypatch.undo()
        happens()
        call(self, record)

    monkeypatch.setattr(Pluggto, "push_price", push_price)


def test_a_price_told_by_an_old_code_leaves_no_product_there(store, hub, channel, monkeypatch):
    mug = save(store, MUG)
    run_all(channel)

    def rename() -> None:
        save_mapping(SkuMapping(activation=channel, code="MLB-1", product=mug))
        run(channel, ProductSink)

    in_the_midst_of_a_price(monkeypatch, rename)
    save(store, {"sku": "CANECA", "special_price": "25"})
    run(channel, PriceSink)
    assert sorted(hub.shelves.products) == ["CANECA", "MLB-1"]
    run_all(channel)

    assert told(hub) == {"MLB-1": (39.9, 25, 12)}
    assert not Sent.objects.filter(product=None).exists()


def test_a_price_told_while_its_product_is_deleted_leaves_none_there(
    store, hub, channel, monkeypatch
):
    mug = save(store, MUG)
    run_all(channel)

    def delete() -> None:
        delete_product(store, mug.pk, None)
        run(channel, ProductSink)

    in_the_midst_of_a_price(monkeypatch, delete)
    save(store, {"sku": "CANECA", "special_price": "25"})
    run(channel, PriceSink)
    assert list(hub.shelves.products) == ["CANECA"]
    run_all(channel)

    assert hub.shelves.products == {}
    assert not Sent.objects.filter(flow=Flow.PRODUCTS).exists()


def tell_prices_without_end(channel: Activation) -> None:
    now = timezone.now()
    Run.objects.create(
        activation=channel, ability=PriceSink.__name__, flow=Flow.PRICES,
        planned_at=now, started_at=now, expires_at=now + RUN_LIFE,
    )  # fmt: skip


def test_what_left_before_any_price_that_is_being_told_is_taken_off_once(
    store, hub, channel, monkeypatch
):
    mug = save(store, MUG)
    run_all(channel)
    delete_product(store, mug.pk, None)
    Sent.objects.filter(product=None).update(changed_at=timezone.now() - 2 * RUN_LIFE)
    tell_prices_without_end(channel)
    heard = calls(hub, monkeypatch)

    run(channel, ProductSink)
    run(channel, ProductSink)

    assert heard == [("DELETE", "skus/CANECA")]


def test_a_product_leaves_a_code_that_two_before_it_had(store, hub, channel):
    tell_prices_without_end(channel)
    for _ in range(2):
        mug = save(store, MUG)
        run(channel, ProductSink)
        delete_product(store, mug.pk, None)
        run(channel, ProductSink)
    mug = save(store, MUG)
    run(channel, ProductSink)
    save_mapping(SkuMapping(activation=channel, code="MLB-1", product=mug))

    run(channel, ProductSink)

    assert list(hub.shelves.products) == ["MLB-1"]
    assert not Failure.objects.exists()


def test_what_a_channel_refused_and_has_from_somebody_else_stays_there(store, hub, channel):
    save(store, {**MUG, "sku": "CAMISETA-P"})
    small = ProductRecord("CAMISETA-P", {"name": "Camiseta P"})
    Pluggto(channel.account()).push_product(ProductRecord("CAMISETA", {"name": "C"}, (small,)))
    refused = run(channel, ProductSink)
    Failure.objects.update(retry_at=timezone.now())

    delete_product(store, Product.objects.get(sku="CAMISETA-P").pk, None)
    run_all(channel)

    assert refused.failed == 1
    assert len(hub.shelves.products["CAMISETA"]["variations"]) == 1


def test_a_deleted_product_is_taken_off_there(store, hub, channel):
    mug = save(store, MUG)
    save(store, SHIRT)
    run_all(channel)

    delete_product(store, mug.pk, None)
    runs = run_all(channel)

    assert list(hub.shelves.products) == ["CAMISETA"]
    assert [each.outcome for each in runs] == ["done"] * 3
    assert not Sent.objects.filter(flow="products", product=None).exists()


def test_a_deleted_product_that_was_never_sent_is_nobodys_concern(store, hub, channel, monkeypatch):
    mug = save(store, MUG)
    delete_product(store, mug.pk, None)
    heard = calls(hub, monkeypatch)

    run_all(channel)

    assert heard == []
    assert not Sent.objects.filter(flow="products").exists()


def test_a_product_that_comes_back_before_that_stays(store, hub, channel):
    mug = save(store, MUG)
    run_all(channel)
    delete_product(store, mug.pk, None)
    save(store, {**MUG, "name": "Caneca, de volta"})

    run_all(channel)

    assert hub.shelves.products["CANECA"]["name"] == "Caneca, de volta"
    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_what_left_a_product_leaves_it_there_too(store, hub, channel):
    save(store, SHIRT)
    mug = save(store, MUG)
    run_all(channel)

    delete_product(store, Product.objects.get(sku="CAMISETA-P").pk, None)
    photos = [{"id": mug.fields["photos"][0]["id"], "remove": True}, {"url": "https://l.example/2"}]
    save(store, {"sku": "CANECA", "photos": photos})
    run_all(channel)

    assert [each["sku"] for each in hub.shelves.products["CAMISETA"]["variations"]] == [
        "CAMISETA-G"
    ]
    (photo,) = hub.shelves.products["CANECA"]["photos"]
    assert photo["url"] == "https://l.example/2"


def test_the_channels_own_codes_are_used(store, hub, channel):
    mug, _shirt = save(store, MUG), save(store, SHIRT)
    small = Product.objects.get(sku="CAMISETA-P")
    SkuMapping.objects.create(activation=channel, code="MLB-1", product=mug)
    SkuMapping.objects.create(activation=channel, code="MLB-2", product=small)

    run_all(channel)

    assert told(hub) == {
        "MLB-1": (39.9, 29.9, 12),
        "MLB-2": (79.9, None, 3),
        "CAMISETA-G": (84.9, None, 4),
    }


def test_a_new_code_takes_the_place_of_the_old_one_and_goes_again(
    store, hub, channel, admin_client
):
    mug = save(store, MUG)
    run_all(channel)

    form = {"activation": channel.pk, "code": "MLB-1", "product": mug.pk}
    answer = admin_client.post("/admin/catalog/skumapping/add/", form)
    run_all(channel)
    coded = told(hub)
    mapping = SkuMapping.objects.get()
    admin_client.post(f"/admin/catalog/skumapping/{mapping.pk}/delete/", {"post": "yes"})
    run_all(channel)

    assert answer.status_code == 302
    assert coded == {"MLB-1": (39.9, 29.9, 12)}
    assert told(hub) == {"CANECA": (39.9, 29.9, 12)}


def test_two_products_may_swap_their_codes(store, hub, channel):
    mug, shirt = save(store, MUG), save(store, {**MUG, "sku": "COPO", "name": "Copo"})
    run_all(channel)

    SkuMapping.objects.create(activation=channel, code="COPO", product=mug)
    SkuMapping.objects.create(activation=channel, code="CANECA", product=shirt)
    recompare(store, {mug.pk, shirt.pk})
    run_all(channel)

    assert hub.shelves.products["COPO"]["name"] == "Caneca"
    assert hub.shelves.products["CANECA"]["name"] == "Copo"


@pytest.mark.parametrize("hours", [-25, 25], ids=["a day later", "the clock put back"])
def test_once_a_day_everything_is_compared(store, hub, channel, hours):
    mug = save(store, MUG)
    run_all(channel)
    mug.stock_row.on_hand = 1  # by somebody who told nobody
    mug.stock_row.save()
    Product.objects.create(store=store, sku="OUTRA")
    run_all(channel)
    before = told(hub)["CANECA"]
    begun = (timezone.now() + timedelta(hours=hours)).isoformat()

    ActivationFlow.objects.update(cursor=begun)
    run(channel, StockSink)

    assert (before[2], told(hub)["CANECA"][2]) == (12, 1)


def test_a_full_pass_goes_on_where_it_was_interrupted(store, hub, channel):
    first = save(store, MUG)
    second = save(store, {**MUG, "sku": "COPO"})
    Sent.objects.all().delete()
    flow = ActivationFlow.objects.get(pk=flow_of(channel, ProductSink))
    flow.cursor = f"{timezone.now().isoformat()} {first.pk}"
    flow.save()

    run(channel, ProductSink)

    assert list(hub.shelves.products) == [second.sku]
    flow.refresh_from_db()
    assert " " not in flow.cursor


def test_another_stores_catalogue_is_none_of_the_channels(store, hub, channel):
    save(make_store(), MUG)

    run_all(channel)

    assert hub.shelves.products == {}
    assert not Sent.objects.filter(flow=Flow.PRODUCTS).exists()


def test_what_others_call_a_product_is_none_of_the_channels(store, hub, channel):
    mug, cup = save(store, MUG), save(store, {**MUG, "sku": "COPO"})
    save(make_store(), MUG)
    erp = make_activation(store, "otimo")
    SkuMapping.objects.create(activation=erp, code="9001", product=mug)
    SkuMapping.objects.create(activation=erp, code="CANECA", product=cup)
    run_all(channel)
    there = sorted(hub.shelves.products)

    delete_product(store, mug.pk, None)
    run_all(channel)

    assert there == ["CANECA", "COPO"]
    assert list(hub.shelves.products) == ["COPO"]


def test_a_paused_channel_gets_what_it_missed_and_a_revoked_one_is_forgotten(store, hub, channel):
    gone = make_managed(store, "pluggto", channel.plugin_url, CREDENTIALS)
    Activation.objects.filter(pk=gone.pk).update(state=State.REVOKED)
    save(store, MUG)
    run_all(channel)
    Activation.objects.filter(pk=channel.pk).update(state=State.PAUSED)
    save(store, {"sku": "CANECA", "quantity": 2})
    OrmQ.objects.all().delete()

    Activation.objects.filter(pk=channel.pk).update(state=State.ACTIVE)
    run_all(channel)

    assert told(hub)["CANECA"][2] == 2
    assert not Sent.objects.filter(activation=gone).exists()


def test_a_paused_channel_is_sent_everything_again_when_it_goes_on(store, hub, channel):
    save(store, MUG)
    run_all(channel)
    hub.shelves.products["CANECA"]["quantity"] = 1
    Activation.objects.filter(pk=channel.pk).update(state=State.PAUSED)

    count = send_everything_again()
    Activation.objects.filter(pk=channel.pk).update(state=State.ACTIVE)
    run_all(channel)

    assert count == 3
    assert told(hub)["CANECA"][2] == 12


def test_a_channel_that_is_over_is_sent_nothing_again(store, channel):
    save(store, MUG)
    run_all(channel)
    Activation.objects.update(state=State.REVOKED)

    assert send_everything_again() == 0
    assert not Sent.objects.to_compare().exists()


def test_two_channels_are_told_each_by_its_own(store, sandbox, hub, channel):
    other_hub = sandbox.open("hub", "another-hub", CREDENTIALS)
    other = make_managed(store, "pluggto", f"{sandbox.url}/another-hub", CREDENTIALS)
    save(store, MUG)
    run_all(channel)
    save(store, {"sku": "CANECA", "quantity": 5})

    run_all(other)

    assert (told(hub)["CANECA"][2], told(other_hub)["CANECA"][2]) == (12, 5)
    run_all(channel)
    assert told(hub) == told(other_hub)


def test_a_page_of_what_is_true_costs_the_same_whatever_its_length(store, hub, channel):
    def queries_for(count: int) -> int:
        for number in range(count):
            save(store, {**MUG, "sku": f"{count}-{number}"})
        run_all(channel)
        ActivationFlow.objects.update(cursor="")  # everything is compared
        with CaptureQueriesContext(connection) as queries:
            run_all(channel)
        return len(queries)

    assert queries_for(2) == queries_for(40)


def test_a_run_with_nothing_to_do_looks_at_no_product(store, channel):
    for number in range(3):
        save(store, {**MUG, "sku": f"C{number}"})
    run_all(channel)

    with CaptureQueriesContext(connection) as queries:
        run_all(channel)

    assert not [query for query in queries if 'FROM "catalog_product"' in query["sql"]]
