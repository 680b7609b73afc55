"""What a call costs the database: the same, however much there is."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.models import Store
from orders.models import Order
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


def cost_of(partner: Partner, method: str, path: str, body: Any = None, **query: str) -> int:
    """Without what a process writes once a minute only: that somebody called."""
    with CaptureQueriesContext(connection) as queries:
        response = partner.call(method, path, body, **query)
    assert response.status_code in (200, 201), response.content
    return sum('SET "last_call_at"' not in query["sql"] for query in queries.captured_queries)


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


# A path, and a query that finds all of it in an order of its own, behind the first.
LISTS: list[tuple[str, dict[str, str]]] = [
    ("/orders", {"showExternal": "true", "created": "2001-01-01to", "sort": "-modified"}),
    ("/orders", {"status": "approved,picking", "ack": "false", "channel": "MercadoLivre"}),
    ("/products", {"modified": "2001-01-01to", "brand": "B", "sort": "-sku"}),
    ("/products/tabledata", {}),
]


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize(("path", "query"), LISTS)
def test_a_list_that_is_searched_sorted_and_gone_on_with(pluga, linx, path, query, goes_on):
    first = pluga.post("/orders", order_with("first", items=1)).json()["Order"]["id"]
    if path != "/orders":
        first = linx.post("/products", {"sku": "first"}).json()["Product"]["id"]
    next_query = {"next": first} if goes_on and "sort" not in query else {}
    costs = []
    for count in (1, 10):
        for number in range(count):
            pluga.post("/orders", order_with(f"{count}-{number}", items=number + 1))
            variations = [{"sku": f"{count}-{number}-{n}"} for n in range(number)]
            linx.post(
                "/products", {"sku": f"{count}-{number}", "brand": "B", "variations": variations}
            )
        costs.append(cost_of(linx, "GET", path, **query, **next_query))

    assert costs[0] == costs[1]
    assert costs[1] <= 10


def test_labels(pluga, linx):
    ids, costs = [], []
    for count in (1, 20):
        for number in range(count):
            documents = [{"url": f"https://e.example/{count}-{number}", "type": "label"}]
            body = order_with(f"{count}-{number}", 1) | {"shipments": [{"documents": documents}]}
            ids.append(pluga.post("/orders", body).json()["Order"]["id"])
        costs.append(cost_of(linx, "GET", "/labels", orders=",".join(ids)))

    assert costs[0] == costs[1]
    assert costs[1] <= 4


def test_a_question_for_freight(linx):
    for number in range(20):
        linx.post("/products", {"sku": f"P{number}"})
    products = {f"products[{number}][sku]": f"P{number}" for number in range(20)}
    asked = {"destination_postalcode": "80010000"}

    one = cost_of(linx, "GET", "/shipping", **asked, **{"products[0][sku]": "P0"})
    many = cost_of(linx, "GET", "/shipping", **asked, **products)

    assert many == one


def test_an_order_that_its_channel_changes_item_by_item(pluga, linx):
    costs = []
    for number, items in (("1", 1), ("2", 50)):
        order = pluga.post("/orders", order_with(number, items)).json()["Order"]
        changed = [{"id": item["id"], "quantity": 9} for item in order["items"]]
        body = {"items": changed, "payments": [{"payment_type": "pix"}]}
        costs.append(cost_of(pluga, "PUT", f"/orders/{order['id']}", body))

    assert costs[0] == costs[1]


def test_a_new_order(pluga, linx):
    pluga.get("/orders")
    few = cost_of(pluga, "POST", "/orders", order_with("1", items=1))

    many = cost_of(pluga, "POST", "/orders", order_with("2", items=50))

    assert many == few


@pytest.mark.parametrize("on_hand", [9, 0])
def test_an_order_that_keeps_the_stock_of_its_items(store, pluga, linx, on_hand):
    """Where there is enough, and where there is none; and its end."""
    make_partner(store, "pluga", plugin_url="https://tools.example/hook")
    for number in range(50):
        linx.post("/products", {"sku": f"P{number}", "quantity": on_hand})
    pluga.get("/orders")
    costs = []
    for number, items in (("1", 1), ("2", 50)):
        body = order_with(number, items)
        costs.append([cost_of(pluga, "POST", "/orders", body)])
        id = Order.objects.get(original_id=number).public_id
        for status in ("invoiced", "canceled"):
            costs[-1].append(cost_of(pluga, "PUT", f"/orders/{id}", {"status": status}))

    few, many = costs
    assert many == few


def test_a_report_on_an_order(pluga, linx):
    costs = []
    for number, items in (("1", 1), ("2", 50)):
        order = pluga.post("/orders", order_with(number, items)).json()["Order"]
        shipments = [{"id": order["shipments"][0]["id"], "nfe_number": "77"}]
        body = {"status": "invoiced", "shipments": shipments}
        costs.append(cost_of(linx, "PUT", f"/orders/{order['id']}", body))

    assert costs[0] == costs[1]


@pytest.mark.parametrize("told", [False, True])
def test_stock(store, linx, told):
    """BEGIN and COMMIT are no queries; here they are a savepoint."""
    if told:
        make_partner(store, "pluga", plugin_url="https://tools.example/notices")
    linx.post("/products", {"sku": "A"})
    one = cost_of(linx, "PUT", "/skus/A/stock", {"action": "update", "quantity": 1})
    for number in range(20):
        linx.post("/products", {"sku": f"B{number}"})

    many = cost_of(linx, "PUT", "/skus/A/stock", {"action": "update", "quantity": 2})

    assert many == one
    assert many - 2 <= (8 if told else 5)


def test_the_stock_of_one_of_many_variations(linx):
    costs = []
    for sku, count in (("A", 2), ("B", 40)):
        variations = [{"sku": f"{sku}{n}"} for n in range(count)]
        product = linx.post("/products", {"sku": sku, "variations": variations}).json()["Product"]
        path = f"/products/{product['id']}/variation/{product['variations'][1]['id']}/stock"
        costs.append(cost_of(linx, "PUT", path, {"action": "increase", "quantity": 1}))

    assert costs[0] == costs[1]
