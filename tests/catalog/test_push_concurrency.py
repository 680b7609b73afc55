"""Several who change the catalogue while it is being sent: in the end the channel has what is true,
and nobody waited for ever."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from catalog import marks, push
from catalog.levels import set_stock
from catalog.marks import clear, mark
from catalog.models import Product, Sent
from catalog.push import push_products, push_stock
from catalog.resending import send_again
from catalog.services import change_stock, delete_product, save_product
from catalog.telling import recompare
from connectors.contract import ProductSink, StockSink
from connectors.errors import NothingChanged
from connectors.models import ActivationFlow, Run
from connectors.records import StockRecord
from tests.catalog.test_push import CREDENTIALS, told
from tests.conftest import flow_of, make_activation, make_managed, make_store
from tests.threads import one_within_another

pytestmark = pytest.mark.django_db(transaction=True)
SKUS = [f"P{number}" for number in range(12)]
TIMES = 15
WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def at_once(*works: Callable[[], Any]) -> None:
    errors: list[BaseException] = []

    def begin(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)


def test_what_is_true_arrives_however_many_change_it_meanwhile(sandbox: Any) -> None:
    store = make_store()
    hub = sandbox.open("hub", "hub-of-a-busy-store", CREDENTIALS)
    channel = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", CREDENTIALS)
    platform = make_activation(store, "webstore")
    for sku in SKUS:
        save_product(store, sku, {"sku": sku, "quantity": 100}, None)
    push_products(flow_of(channel, ProductSink))
    ids = list(Product.objects.values_list("pk", flat=True))

    def change_many() -> None:
        dice = random.Random(1)
        for _time in range(TIMES):
            some = dice.sample(SKUS, 6)
            set_stock(store, [StockRecord(sku, dice.randrange(1000)) for sku in some], platform)

    def change_one_by_one() -> None:
        dice = random.Random(2)
        for _time in range(TIMES):
            with suppress(NothingChanged):
                change_stock(store, dice.choice(ids), "decrease", 1, platform)

    def send() -> None:
        for _time in range(TIMES):
            push_stock(flow_of(channel, StockSink))

    at_once(change_many, change_one_by_one, send)
    ActivationFlow.objects.update(failures_in_a_row=0)
    push_stock(flow_of(channel, StockSink))

    true = {p.sku: p.stock_row.available for p in Product.objects.select_related("stock_row")}
    assert {sku: quantity for sku, (_price, _special, quantity) in told(hub).items()} == true
    assert not Sent.objects.to_compare().filter(flow="stock").exists()
    assert "failed" not in Run.objects.values_list("outcome", flat=True)


def test_what_is_marked_again_while_it_is_cleared_stays_marked() -> None:
    store = make_store()
    channel = make_managed(store, "pluggto", "https://api.plugg.to", CREDENTIALS)
    flow = ActivationFlow.objects.get(pk=flow_of(channel, StockSink))
    ids = [Product.objects.create(store=store, sku=sku).pk for sku in SKUS]
    mark([flow], ids)
    seen = list(Sent.objects.to_compare())

    mark([flow], ids[:5])
    clear(seen)

    assert set(Sent.objects.to_compare().values_list("product_id", flat=True)) == set(ids[:5])


def test_what_is_marked_at_the_moment_in_which_it_is_cleared_stays_marked(monkeypatch) -> None:
    store = make_store()
    channel = make_managed(store, "pluggto", "https://api.plugg.to", CREDENTIALS)
    flow = ActivationFlow.objects.get(pk=flow_of(channel, StockSink))
    ids = [Product.objects.create(store=store, sku=sku).pk for sku in SKUS]
    mark([flow], ids)
    seen = list(Sent.objects.to_compare())

    faults = one_within_another(
        monkeypatch, QuerySet, "update", lambda: clear(seen), lambda: mark([flow], ids[:5])
    )

    assert faults == []
    assert set(Sent.objects.to_compare().values_list("product_id", flat=True)) == set(ids[:5])


def test_a_product_is_deleted_while_everything_is_marked(monkeypatch) -> None:
    store = make_store()
    channel = make_managed(store, "pluggto", "https://api.plugg.to", CREDENTIALS)
    flow = ActivationFlow.objects.get(pk=flow_of(channel, StockSink))
    gone = save_product(store, SKUS[0], {"sku": SKUS[0]}, None)

    faults = one_within_another(
        monkeypatch,
        marks,
        "mark",
        lambda: marks._mark_some(flow, 0),
        lambda: delete_product(store, gone.pk, None),
    )

    assert faults == []


def free_while(write: Callable[[], Any], held: int) -> list[Sent]:
    """The rows that somebody who writes has not locked yet when he waits for this one."""
    there = Sent.objects.select_for_update().order_by("pk")
    with transaction.atomic(), connection.cursor() as cursor:
        there.get(pk=held)
        other = threading.Thread(target=at_once, args=(write,))
        other.start()
        while other.is_alive() and not cursor.execute(WAITING).fetchone()[0]:
            other.join(0.01)
        free = list(there.select_for_update(skip_locked=True))
    other.join()
    return free


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize(
    "write",
    [
        lambda rows: send_again(Sent.objects.all()),
        lambda rows: push._note_what_is_asked([(r, None, StockRecord(r.code, 1)) for r in rows]),
    ],
)
def test_who_writes_many_locks_them_in_the_order_of_who_marks_them(write) -> None:
    store = make_store()
    channel = make_managed(store, "pluggto", "https://api.plugg.to", CREDENTIALS)
    flow = ActivationFlow.objects.get(pk=flow_of(channel, StockSink))
    ids = [Product.objects.create(store=store, sku=sku).pk for sku in SKUS]
    mark([flow], ids)
    for pk in reversed(ids):
        Sent.objects.filter(product=pk).update(refused="x")  # it goes to the table's end
    rows = list(Sent.objects.order_by("pk"))

    free = free_while(lambda: write(rows), Sent.objects.get(product=ids[5]).pk)

    assert {row.product_id for row in free} == set(ids[5:])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    "write",
    [
        lambda store, ids: send_again(Sent.objects.all()),
        transaction.atomic(recompare),
    ],
)
def test_who_writes_in_several_flows_of_several_channels_locks_them_in_one_order(
    write, number: int
) -> None:
    store = make_store()
    for _channel in range(2):
        make_managed(store, "pluggto", "https://api.plugg.to", CREDENTIALS)
    ids = [Product.objects.create(store=store, sku=sku).pk for sku in SKUS[:1]]
    recompare(store, ids)
    rows = list(Sent.objects.order_by("flow", "activation_id"))
    assert len(rows) == 6

    free = free_while(lambda: write(store, ids), rows[number].pk)

    assert {row.pk for row in free} == {row.pk for row in rows[number:]}
