"""What a call costs the database: the same, however much there is."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.models import Store
from tests.conftest import Partner, make_partner
from tests.orders.samples import small_order


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def linx(store: Store) -> Partner:
    linx = make_partner(store, "linx")
    linx.get("/orders")  # the first call's own work is done
    return linx


def cost_of(partner: Partner, method: str, path: str, body: Any = None) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = partner.call(method, path, body)
    assert response.status_code in (200, 201), response.content
    return len(queries)


def order_with(number: str, items: int) -> dict[str, Any]:
    lines = [{"sku": f"P{n}", "quantity": 1, "price": 1} for n in range(items)]
    return small_order(number, items=lines, payments=[{}, {}], shipments=[{}])


def test_a_list_of_orders(pluga, linx):
    pluga.post("/orders", order_with("1", items=1))
    one = cost_of(linx, "GET", "/orders")
    for number in range(2, 12):
        pluga.post("/orders", order_with(str(number), items=number))

    many = cost_of(linx, "GET", "/orders")

    assert many == one
    assert many <= 9


def test_a_list_of_products(linx):
    linx.post("/products", {"sku": "A", "variations": [{"sku": "A1"}]})
    one = cost_of(linx, "GET", "/products")
    for number in range(10):
        variations = [{"sku": f"B{number}-{n}"} for n in range(number)]
        linx.post("/products", {"sku": f"B{number}", "variations": variations})

    many = cost_of(linx, "GET", "/products")

    assert many == one
    assert many <= 4


def test_a_new_order(pluga, linx):
    pluga.get("/orders")
    few = cost_of(pluga, "POST", "/orders", order_with("1", items=1))

    many = cost_of(pluga, "POST", "/orders", order_with("2", items=50))

    assert many == few


def test_a_report_on_an_order(pluga, linx):
    costs = []
    for number, items in (("1", 1), ("2", 50)):
        order = pluga.post("/orders", order_with(number, items)).json()["Order"]
        shipments = [{"id": order["shipments"][0]["id"], "nfe_number": "1"}]
        body = {"status": "invoiced", "shipments": shipments}
        costs.append(cost_of(linx, "PUT", f"/orders/{order['id']}", body))

    assert costs[0] == costs[1]


def test_stock(linx):
    linx.post("/products", {"sku": "A"})
    one = cost_of(linx, "PUT", "/skus/A/stock", {"action": "update", "quantity": 1})
    for number in range(20):
        linx.post("/products", {"sku": f"B{number}"})

    many = cost_of(linx, "PUT", "/skus/A/stock", {"action": "update", "quantity": 2})

    assert many == one
    assert many <= 15
