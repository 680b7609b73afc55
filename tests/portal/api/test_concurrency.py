"""Calls at the same moment, each in a thread with a connection of its own to a real database."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from catalog.models import Price, Product, Stock
from connectors.models import Notice
from orders.models import Line, Order, OrderLink, Shipment, StatusChange
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import small_order

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """The answers of calls that begin together."""
    answers: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(position: int) -> None:
        barrier.wait()
        try:
            answers[position] = calls[position]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.fixture
def linx() -> Partner:
    linx = make_partner(make_store(), "linx", plugin_url="https://linx.example/hook")
    linx.get("/orders")  # it has a token now
    return linx


@pytest.fixture
def pluga(linx: Partner) -> Partner:
    pluga = make_partner(linx.activation.store, "pluga")
    pluga.get("/orders")
    return pluga


def test_the_same_order_sent_twice_at_once_is_one_order(linx, pluga):
    answers = at_once([lambda: pluga.post("/orders", small_order())] * 4)

    assert statuses(answers) == [201, 400, 400, 400]
    refused = [answer.json()["type"] for answer in answers if answer.status_code == 400]
    assert refused == ["duplicate"] * 3
    rows = [model.objects.count() for model in (Order, Line, StatusChange, OrderLink, Notice)]
    assert rows == [1, 1, 1, 2, 1]


def test_no_decrease_of_stock_is_lost(linx):
    linx.post("/products", {"sku": "A", "quantity": 100})
    body = {"action": "decrease", "quantity": 3}

    answers = at_once([lambda: linx.put("/skus/A/stock", body)] * 20)

    assert statuses(answers) == [200] * 20
    assert Stock.objects.get().on_hand == 40


def test_no_increase_and_no_decrease_of_stock_is_lost_whichever_way_it_comes(linx):
    variations = [{"sku": "A1", "quantity": 100}, {"sku": "A2", "quantity": 7}]
    product = linx.post("/products", {"sku": "A", "variations": variations}).json()["Product"]
    by_ids = f"/products/{product['id']}/variation/{product['variations'][0]['id']}/stock"

    def change(path: str, action: str, quantity: int) -> Callable[[], Any]:
        return lambda: linx.put(path, {"action": action, "quantity": quantity})

    ways = [("/skus/A1/stock", "increase", 5), (by_ids, "decrease", 2)]
    answers = at_once([change(*way) for way in ways * 8])

    assert statuses(answers) == [200] * 16
    assert dict(Stock.objects.values_list("product__sku", "on_hand")) == {
        "A": 0,
        "A1": 124,
        "A2": 7,
    }


def test_the_same_sku_saved_at_once_is_one_product(linx):
    answers = at_once(
        [lambda n=n: linx.put("/skus/NOVO", {"name": f"Nome {n}", "price": n}) for n in range(1, 7)]
    )

    assert statuses(answers) == [200] * 6
    assert [model.objects.count() for model in (Product, Price, Stock)] == [1, 1, 1]


def test_the_same_sku_created_at_once_is_one_product(linx):
    answers = at_once([lambda: linx.post("/products", {"sku": "NOVO", "price": 1})] * 4)

    assert statuses(answers) == [201, 400, 400, 400]
    assert Product.objects.count() == 1


def test_a_product_and_its_stock_written_at_once_do_not_block_each_other(linx):
    variations = [{"sku": f"A{n}", "quantity": 100} for n in range(3)]
    linx.post("/products", {"sku": "A", "variations": variations})

    def save(number: int) -> Callable[[], Any]:
        order = variations if number % 2 else variations[::-1]
        changed = [{"sku": each["sku"], "name": f"Nome {number}"} for each in order]
        return lambda: linx.put("/skus/A", {"name": f"Nome {number}", "variations": changed})

    def sell(number: int) -> Callable[[], Any]:
        body = {"action": "decrease", "quantity": 1}
        return lambda: linx.put(f"/skus/A{number % 3}/stock", body)

    answers = at_once([call(number) for number in range(6) for call in (save, sell)])

    assert statuses(answers) == [200] * 12
    assert sorted(Stock.objects.values_list("on_hand", flat=True)) == [0, 98, 98, 98]


def test_the_same_report_sent_twice_at_once_is_one_step(linx, pluga):
    id = pluga.post("/orders", small_order()).json()["Order"]["id"]
    body = {"status": "invoiced", "shipments": [{"nfe_number": "1"}]}

    answers = at_once([lambda: linx.put(f"/orders/{id}", body)] * 3)

    assert statuses(answers) == [200, 400, 400]  # nothing has changed any more
    assert Shipment.objects.count() == 1
    assert list(StatusChange.objects.order_by("pk").values_list("status", flat=True)) == [
        "approved",
        "invoiced",
    ]


def test_two_statuses_sent_at_once_end_at_the_later_one_and_none_is_forgotten(linx, pluga):
    order = pluga.post("/orders", small_order(shipments=[{}])).json()["Order"]
    path, shipment = f"/orders/{order['id']}", order["shipments"][0]["id"]
    invoice = {"status": "invoiced", "shipments": [{"id": shipment, "nfe_number": "1"}]}
    tracking = {"status": "shipping_informed", "shipments": [{"id": shipment, "track_code": "AA"}]}

    answers = at_once([lambda: linx.put(path, invoice), lambda: linx.put(path, tracking)])

    steps = list(
        StatusChange.objects.order_by("pk").values_list("previous", "status", "applied")[1:]
    )
    first_the_invoice = [
        ("approved", "invoiced", True),
        ("invoiced", "shipping_informed", True),
    ]
    first_the_tracking = [
        ("approved", "shipping_informed", True),
        ("shipping_informed", "invoiced", False),
    ]
    assert Order.objects.get().status == "shipping_informed"
    assert statuses(answers) == [200, 200]
    assert steps in [first_the_invoice, first_the_tracking]
    kept = Order.objects.get().shipments.get()
    assert (kept.nfe_number, kept.track_code) == ("1", "AA")


def test_one_status_sent_by_many_at_once_is_one_step_with_one_notice(linx, pluga):
    order = pluga.post("/orders", small_order(status="pending")).json()["Order"]
    Notice.objects.all().delete()

    answers = at_once([lambda: pluga.put(f"/orders/{order['id']}", {"status": "approved"})] * 4)

    assert statuses(answers) == [200, 400, 400, 400]
    refused = [answer.json()["details"] for answer in answers if answer.status_code == 400]
    assert refused == ["Changes not found in the order"] * 3
    assert (StatusChange.objects.count(), Notice.objects.count()) == (2, 1)


def test_no_message_of_a_log_is_lost(linx, pluga):
    path = f"/orders/{pluga.post('/orders', small_order()).json()['Order']['id']}"

    def write(number: int) -> Callable[[], Any]:
        entry = {"message": f"Erro {number}", "date": "2025-04-27"}
        return lambda: linx.put(path, {"log_history": [entry]})

    answers = at_once([write(number) for number in range(6)])

    assert statuses(answers) == [200] * 6
    log = linx.get(path).json()["Order"]["log_history"]
    assert sorted(entry["message"] for entry in log) == [f"Erro {number}" for number in range(6)]


def test_a_refresh_token_used_twice_at_once_is_used_once(linx):
    refresh_token = linx.ask_token().json()["refresh_token"]

    answers = at_once(
        [lambda: linx.ask_token(grant_type="refresh_token", refresh_token=refresh_token)] * 3
    )

    assert statuses(answers) == [200, 400, 400]


def test_of_the_last_units_no_more_are_kept_than_there_are(linx, pluga):
    """Six channels' orders at once for four units: four win, and two are told."""
    linx.post("/products", {"sku": "CAN-07", "quantity": 4})
    items = [{"sku": "CAN-07", "quantity": 1, "price": 1}]

    def sell(number: int) -> Callable[[], Any]:
        return lambda: pluga.post("/orders", small_order(str(number), items=items))

    answers = at_once([sell(number) for number in range(6)])

    assert statuses(answers) == [201] * 6
    logs = [answer.json()["Order"]["log_history"] for answer in answers]
    assert sorted(map(len, logs)) == [0, 0, 0, 0, 1, 1]
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved) == (4, 4)
    assert Order.objects.short().count() == 2
    told = {
        answer.json()["Order"]["id"] for answer in answers if answer.json()["Order"]["log_history"]
    }
    assert set(Order.objects.short().values_list("public_id", flat=True)) == told


def test_orders_with_the_same_products_in_any_order_do_not_block_each_other(linx, pluga):
    skus = [f"A{number}" for number in range(4)]
    for sku in skus:
        linx.post("/products", {"sku": sku, "quantity": 100})
    items = [{"sku": sku, "quantity": 1, "price": 1} for sku in skus]

    def sell(number: int) -> Callable[[], Any]:
        some = items[number % 4 :] + items[: number % 4]
        ordered = some if number % 2 else some[::-1]
        return lambda: pluga.post("/orders", small_order(str(number), items=ordered))

    def level(number: int) -> Callable[[], Any]:
        path = f"/skus/{skus[number % 4]}/stock"
        return lambda: linx.put(path, {"action": "increase", "quantity": 1})

    answers = at_once([call(number) for number in range(8) for call in (sell, level)])

    assert statuses(answers) == [200] * 8 + [201] * 8
    levels = Stock.objects.values_list("on_hand", "reserved")
    assert list(levels) == [(102, 8)] * 4


def test_cancelled_invoiced_and_new_orders_at_once_leave_the_stock_right(linx, pluga):
    linx.post("/products", {"sku": "CAN-07", "quantity": 6})
    items = [{"sku": "CAN-07", "quantity": 1, "price": 1}]
    old = [
        pluga.post("/orders", small_order(f"old-{number}", items=items)).json()["Order"]["id"]
        for number in range(6)
    ]

    def move(number: int, status: str) -> Callable[[], Any]:
        return lambda: pluga.put(f"/orders/{old[number]}", {"status": status})

    def sell(number: int) -> Callable[[], Any]:
        return lambda: pluga.post("/orders", small_order(f"new-{number}", items=items))

    calls = [move(number, "canceled" if number % 2 else "invoiced") for number in range(6)]
    answers = at_once([*calls, *(sell(number) for number in range(4))])

    assert statuses(answers) == [200] * 6 + [201] * 4
    stock = Stock.objects.get()
    # Three were invoiced; the three that came back are kept for three of the four new ones.
    assert (stock.on_hand, stock.reserved) == (3, 3)
    assert Order.objects.short().count() == 1


def test_a_product_is_deleted_while_it_is_sold(linx, pluga):
    variations = [{"sku": f"A{number}", "quantity": 5} for number in range(3)]
    linx.post("/products", {"sku": "A", "variations": variations})
    items = [{"sku": f"A{number}", "quantity": 1, "price": 1} for number in range(3)]

    def sell(number: int) -> Callable[[], Any]:
        ordered = items if number % 2 else items[::-1]
        return lambda: pluga.post("/orders", small_order(str(number), items=ordered))

    answers = at_once(
        [*(sell(number) for number in range(4)), lambda: linx.call("DELETE", "/skus/A")]
    )

    assert statuses(answers) == [200] + [201] * 4
    assert Order.objects.count() == 4
    assert not Line.objects.exclude(product=None).exists()
