"""Calls at the same moment, each in a thread with a connection of its own to a real database."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from catalog.models import Price, Product, Stock
from connectors.models import Notice
from orders.models import Line, Order, OrderLink, StatusChange
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

    # A shipment without an id is a new one each time; the step is one.
    assert statuses(answers) == [200, 200, 200]
    assert list(StatusChange.objects.order_by("pk").values_list("status", flat=True)) == [
        "approved",
        "invoiced",
    ]


def test_a_refresh_token_used_twice_at_once_is_used_once(linx):
    refresh_token = linx.ask_token().json()["refresh_token"]

    answers = at_once(
        [lambda: linx.ask_token(grant_type="refresh_token", refresh_token=refresh_token)] * 3
    )

    assert statuses(answers) == [200, 400, 400]
