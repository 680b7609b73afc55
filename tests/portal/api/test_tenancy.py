"""One store never sees another's data: to a stranger, what is there is as what is not."""

from typing import Any

import pytest
from django.core.cache import caches

from catalog.models import Product, SkuMapping
from orders.models import Order
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import small_order

NO_ID = "000000000000000000000000"


@pytest.fixture
def ours(db: None) -> Partner:
    """A Linx of a store without anything."""
    return make_partner(make_store(), "linx")


@pytest.fixture
def theirs(db: None) -> Partner:
    """A Linx of a store with a product and an order with a shipment."""
    store = make_store()
    make_partner(store, "pluga").post("/orders", small_order(shipments=[{}]))
    linx = make_partner(store, "linx")
    linx.post("/products", {"sku": "SEGREDO", "ean": "789", "price": 10, "quantity": 5})
    return linx


def answer(response: Any, *theirs: str) -> tuple[int, Any]:
    """The answer, with another's ids put out of sight: that they were asked for is no secret."""
    text = response.content.decode()
    for word in theirs:
        text = text.replace(word, "…")
    return response.status_code, text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/products/{product}", None),
        ("PUT", "/products/{product}", {"name": "Roubado"}),
        ("DELETE", "/products/{product}", None),
        ("PUT", "/products/{product}/stock", {"action": "update", "quantity": 1}),
        ("GET", "/skus/{sku}", None),
        ("DELETE", "/skus/{sku}", None),
        ("PUT", "/skus/{sku}/stock", {"action": "update", "quantity": 1}),
        ("GET", "/products?sku={sku}", None),
        ("GET", "/products?bysku={sku}", None),
        ("GET", "/products?id={product}", None),
        ("GET", "/products?next={product}", None),
        ("GET", "/orders/{order}", None),
        ("PUT", "/orders/{order}", {"status": "invoiced"}),
        ("PUT", "/orders/{order}", {"external": "1", "ack": True}),
        ("GET", "/orders?next={order}", None),
        ("PUT", "/products/{product}/variation/{product}/stock", {"action": "update"}),
        ("GET", "/products/tabledata?id={product}", None),
        ("GET", "/products/tabledata?next={product}", None),
        ("GET", "/orders?id={order}", None),
        ("GET", "/orders?id={order}&showExternal=true", None),
        ("GET", "/labels?orders={order}", None),
    ],
)
def test_what_is_anothers_is_as_what_does_not_exist(ours, theirs, method, path, body):
    product, order = Product.objects.get(), Order.objects.get()
    make_partner(ours.activation.store, "pluga").post("/orders", small_order("nosso"))
    ours.post("/products", {"sku": "NOSSO"})
    before = (theirs.get("/products").json(), theirs.get("/orders").json())
    real = {"product": product.public_id, "order": order.public_id, "sku": "SEGREDO"}
    # An id says when it was made, so these were at the same time.
    none = {
        "product": product.public_id[:8] + NO_ID[8:],
        "order": order.public_id[:8] + NO_ID[8:],
        "sku": "NADA",
    }

    asked_real = ours.call(method, path.format(**real), body)
    asked_none = ours.call(method, path.format(**none), body)

    assert answer(asked_real, *real.values()) == answer(asked_none, *none.values())
    assert (theirs.get("/products").json(), theirs.get("/orders").json()) == before


def test_a_list_holds_nothing_of_anothers(ours, theirs):
    assert ours.get("/products").json()["total"] == ours.get("/orders").json()["total"] == 0
    assert ours.get("/products", ean="789").json()["total"] == 0
    assert ours.get("/orders", original_id="1001").json()["total"] == 0


def test_what_is_anothers_is_no_place_in_a_list(ours, theirs):
    theirs.get("/products", sort="modified", limit="1")  # whose place is remembered
    ours.post("/products", {"sku": "NOSSO", "price": 1})

    there = {"sort": "modified", "next": Product.objects.get(sku="SEGREDO").public_id}
    remembered = ours.get("/products", **there).json()["total"]
    caches["shared"].clear()

    assert remembered == ours.get("/products", **there).json()["total"] == 0


def test_a_sample_is_never_of_anothers_order(ours, theirs):
    tools = make_partner(ours.activation.store, "pluga")

    sample = tools.get("/tools/sample", event="order.created").json()

    assert sample["original_id"] != Order.objects.get().original_id


def test_the_same_sku_is_another_product_in_each_store(ours, theirs):
    response = ours.put("/skus/SEGREDO", {"name": "O nosso", "price": 1})

    assert response.status_code == 200
    shown = [(each.store_id, each.sku, each.name) for each in Product.objects.order_by("pk")]
    assert shown == [
        (theirs.activation.store_id, "SEGREDO", ""),
        (ours.activation.store_id, "SEGREDO", "O nosso"),
    ]
    assert theirs.get("/skus/SEGREDO").json()["Product"]["price"] == 10


def test_a_variation_cannot_be_taken_from_another_store(ours, theirs):
    body = {"sku": "PAI", "variations": [{"sku": "SEGREDO", "remove": True}]}

    response = ours.post("/products", body)

    assert response.json()["Product"]["variations"] == []
    assert theirs.get("/skus/SEGREDO").status_code == 200


def test_another_stores_shipment_is_unknown(ours, theirs):
    pluga = make_partner(ours.activation.store, "pluga")
    id = pluga.post("/orders", small_order()).json()["Order"]["id"]
    foreign = Order.objects.get(store=theirs.activation.store).shipments.get()

    response = ours.put(
        f"/orders/{id}", {"status": "invoiced", "shipments": [{"id": foreign.public_id}]}
    )

    assert response.status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == ""


def test_the_same_original_id_is_another_order_in_each_store(ours, theirs):
    pluga = make_partner(ours.activation.store, "pluga")

    assert pluga.post("/orders", small_order()).status_code == 201
    assert Order.objects.count() == 2


def test_the_lines_of_an_order_mean_the_stores_own_products(ours, theirs):
    pluga = make_partner(ours.activation.store, "pluga")
    items = [{"sku": "SEGREDO", "quantity": 1}]

    pluga.post("/orders", small_order(items=items))

    assert Order.objects.get(store=ours.activation.store).lines.get().product is None


def test_a_mapping_that_leads_into_another_store_leads_nowhere(ours, theirs):
    product = Product.objects.get()
    SkuMapping.objects.create(activation=ours.activation, code="9001", product=product)

    responses = [
        ours.get("/skus/9001"),
        ours.put("/skus/9001/stock", {"action": "update", "quantity": 1}),
        ours.call("DELETE", "/skus/9001"),
    ]

    assert [response.status_code for response in responses] == [404, 404, 404]
    assert theirs.get("/skus/SEGREDO").json()["Product"]["quantity"] == 5
