"""Bad input: a clear error in the hub's shape (pluggto-api.md, section 3), nothing half-written."""

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Price, Product, Stock
from connectors.models import Notice, Store
from orders.models import Line, Order, OrderLink, Payment, Shipment, StatusChange
from tests.conftest import Partner, make_partner
from tests.orders.samples import small_order

MESSAGE = "An error occurred, see details for more information."
TABLES = (
    Product, Price, Stock, Order, Line, Payment, Shipment, StatusChange, OrderLink, Notice,
)  # fmt: skip


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx", plugin_url="https://linx.example/hook")


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga", plugin_url="https://pluga.example/hook")


def counts() -> list[int]:
    return [model._default_manager.count() for model in TABLES]


def error(kind: str, details: Any) -> dict[str, Any]:
    return {"error": True, "type": kind, "message": MESSAGE, "details": details}


def send_raw(partner: Partner, method: str, path: str, body: bytes) -> Any:
    partner.get("/orders")  # it has a token now
    return Client().generic(
        method,
        "/api" + path,
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {partner.token}"},
    )


# -- The body --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "beginning"),
    [
        (b"{", "$: the body is not JSON: "),
        (b"sku=A", "$: the body is not JSON: "),
        (b'{"sku": "A",}', "$: the body is not JSON: "),
        (b'{"sku": "\xff"}', "$: the body is not JSON: "),
        (b'{"price": ' + b"1" * 5000 + b"}", "$: the body is not JSON: "),
        (b"[" * 100_000, "$: the body is not JSON: "),
        (b'["A"]', "$: got list, not an object"),
        (b'"A"', "$: got str, not an object"),
        (b"null", "$: got NoneType, not an object"),
        (b"", "$.sku: falta o SKU do produto."),
    ],
)
def test_a_body_that_is_no_object_is_refused(linx, body, beginning):
    before = counts()

    response = send_raw(linx, "POST", "/products", body)

    assert response.status_code == 400
    assert response.json()["type"] == "invalid"
    assert response.json()["details"].startswith(beginning)
    assert counts() == before


def test_a_body_of_any_content_type_is_read_as_json(linx):
    linx.get("/orders")
    response = Client().post(
        "/api/products",
        json.dumps({"sku": "A"}),
        content_type="application/json,",
        headers={"Authorization": f"Bearer {linx.token}"},
    )

    assert response.status_code == 201


def test_a_byte_order_mark_is_no_error(linx):
    response = send_raw(linx, "POST", "/products", b'\xef\xbb\xbf{"sku": "A"}')

    assert response.status_code == 201


# -- Products --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": ["A"]}, "$.name: got list"),
        ({"name": {"pt": "A"}}, "$.name: got dict"),
        ({"name": True}, "$.name: got bool"),
        ({"sku": {}}, "$.sku: got dict"),
        ({"price": "barato"}, "$.price: cannot read 'barato'"),
        ({"price": "10,90"}, "$.price: cannot read '10,90'"),
        ({"price": True}, "$.price: got bool"),
        ({"price": "NaN"}, "$.price: cannot read 'NaN'"),
        ({"price": 1e300}, "$.price: cannot read '1e+300'"),
        ({"price": -0.01}, "price: um preço não é negativo."),
        ({"special_price": -1}, "special_price: um preço não é negativo."),
        ({"quantity": 1.5}, "$.quantity: cannot read '1.5'"),
        ({"quantity": 10**10}, "quantity: 10000000000 não é uma quantidade."),
        ({"warranty_time": "um ano"}, "$.warranty_time: cannot read 'um ano'"),
        ({"dimension": "10x10"}, "$.dimension: got str"),
        ({"categories": "Roupas"}, "$.categories: got str"),
        ({"categories": ["Roupas"]}, "$.categories[0]: got str, not an object"),
        ({"variations": [{"sku": "V", "price": []}]}, "$.variations[0].price: got list"),
        ({"variations": [{"sku": "V", "price": -1}]}, "price: um preço não é negativo."),
        ({"name": "a\x00b"}, "$.name: cannot read 'a\\x00b'"),
        ({"name": "a\ud800b"}, "$.name: cannot read 'a\\ud800b'"),
        ({"own_field": "a\x00b"}, "$.own_field: cannot read 'a\\x00b'"),
        ({"own_field": {"deep": ["\x00"]}}, "$.own_field: cannot read 'dict'"),
        ({"dimension": {"\x00": 1}}, "$.dimension: cannot read 'dict'"),
        ({"available": float("inf")}, "$.available: cannot read 'inf'"),
        ({"photos": [{"order": float("nan")}]}, "$.photos: cannot read 'list'"),
        ({"field\x00": 1}, "$: cannot read 'field\\x00'"),
    ],
)
def test_a_wrong_value_is_named_by_its_place_and_nothing_is_stored(linx, pluga, fields, details):
    before = counts()

    response = linx.post("/products", {"sku": "A", **fields})

    assert (response.status_code, response.json()) == (400, error("invalid", details))
    assert counts() == before


def test_a_wrong_variation_leaves_a_known_product_as_it_was(linx, pluga):
    linx.post("/products", {"sku": "A", "name": "Antes", "price": 1})
    before = counts()

    response = linx.put(
        "/skus/A", {"name": "Depois", "price": 2, "variations": [{"sku": "V", "price": -1}]}
    )

    assert response.status_code == 400
    assert counts() == before
    product = Product.objects.get()
    assert (product.name, product.price_row.price) == ("Antes", 1)


@pytest.mark.parametrize(
    ("method", "path", "fields", "name", "longest"),
    [
        ("POST", "/products", {"sku": "x" * 101}, "sku", 100),
        ("PUT", "/skus/" + "x" * 101, {"price": 1}, "sku", 100),
        ("POST", "/products", {"sku": "A", "name": "x" * 501}, "name", 500),
        ("POST", "/products", {"sku": "A", "ean": "x" * 51}, "ean", 50),
    ],
)
def test_a_text_that_is_too_long_is_refused(linx, method, path, fields, name, longest):
    response = linx.call(method, path, fields)

    assert response.status_code == 400
    assert response.json()["details"] == (
        f"$.{name}: Certifique-se de que o valor tenha no máximo {longest} caracteres"
        f" (ele possui {longest + 1})."
    )
    assert Product.objects.count() == 0


def test_a_long_description_is_not_too_long(linx):
    response = linx.post("/products", {"sku": "A", "description": "á" * 100_000})

    assert len(response.json()["Product"]["description"]) == 100_000


# -- Orders ----------------------------------------------------------------------------------------
STATUSES = (
    "pending, partial_payment, under_review, approved, paid, picking, waiting_invoice, invoiced,"
    " partial_invoiced, invoice_error, shipping_informed, shipping_error, shipped,"
    " partial_shipped, delivered, partial_delivered, canceled, partial_canceled, refunded"
)
ITEM = {"sku": "A", "quantity": 1, "price": 1}


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"status": "enviado"}, f"$.status: 'enviado' is not a status; use {STATUSES}"),
        ({"status": ""}, "$.status: falta a situação do pedido."),
        ({"status": 1}, f"$.status: '1' is not a status; use {STATUSES}"),
        ({"status": ["approved"]}, "$.status: got list"),
        ({"total": "caro"}, "$.total: cannot read 'caro'"),
        ({"total": 10**12}, "$.total: cannot read '1000000000000'"),
        ({"payer_name": {"first": "Ana"}}, "$.payer_name: got dict"),
        ({"payer_name": "\x00"}, "$.payer_name: cannot read '\\x00'"),
        ({"ack": "talvez"}, "$.ack: cannot read 'talvez'"),
        ({"expected_send_date": "ontem"}, "$.expected_send_date: cannot read 'ontem'"),
        ({"expected_send_date": 20250427}, "$.expected_send_date: got int"),
        ({"items": {}}, "$.items: got dict, not a list"),
        ({"items": ["A"]}, "$.items[0]: got str, not an object"),
        ({"items": [ITEM, {"sku": "B"}]}, "$.items[1].quantity: falta a quantidade."),
        ({"items": [ITEM, {**ITEM, "quantity": 0}]}, "$.items[1].quantity: falta a quantidade."),
        ({"items": [{**ITEM, "quantity": "x"}]}, "$.items[0].quantity: cannot read 'x'"),
        ({"items": [{**ITEM, "price": []}]}, "$.items[0].price: got list"),
        ({"items": [{**ITEM, "variation": "P"}]}, "$.items[0].variation: got str"),
        (
            {"items": [{**ITEM, "variation": {"sku": []}}]},
            "$.items[0].variation.sku: got list",
        ),
        ({"payments": [{"payment_total": "x"}]}, "$.payments[0].payment_total: cannot read 'x'"),
        ({"shipments": [{}, {"nfe_date": "x"}]}, "$.shipments[1].nfe_date: cannot read 'x'"),
        ({"shipments": [{"documents": 1}]}, "$.shipments[0].documents: got int"),
        ({"tags_of_ours": "\ud83d"}, "$.tags_of_ours: cannot read '\\ud83d'"),
    ],
)
def test_a_wrong_order_is_refused_with_its_place_and_nothing_is_stored(
    linx, pluga, fields, details
):
    before = counts()

    response = pluga.post("/orders", small_order(**fields))

    assert (response.status_code, response.json()) == (400, error("invalid", details))
    assert counts() == before


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"original_id": "x" * 101}, "$.original_id"),
        ({"channel_account": "x" * 201}, "$.channel_account"),
        ({"total": -1}, "$.total"),
        ({"items": [ITEM, {**ITEM, "sku": "x" * 101}]}, "$.items[1].sku"),
        ({"items": [ITEM, {**ITEM, "quantity": -2}]}, "$.items[1].quantity"),
        ({"items": [ITEM, {**ITEM, "quantity": 2**31}]}, "$.items[1].quantity"),
        ({"items": [ITEM, {**ITEM, "price": -0.01}]}, "$.items[1].price"),
        ({"payments": [{"payment_type": "x" * 101}]}, "$.payments[0].payment_type"),
        ({"shipments": [{"nfe_key": "1" * 61}]}, "$.shipments[0].nfe_key"),
        ({"shipments": [{}, {"track_code": "x" * 201}]}, "$.shipments[1].track_code"),
    ],
)
def test_a_value_that_no_order_can_have_is_refused_with_its_place(linx, pluga, fields, place):
    before = counts()

    response = pluga.post("/orders", small_order(**fields))

    assert (response.status_code, response.json()["type"]) == (400, "invalid")
    assert response.json()["details"].startswith(f"{place}: Certifique-se ")
    assert counts() == before


@pytest.mark.parametrize("body", [small_order(total=None), small_order(total="")])
def test_a_total_that_nobody_says_is_what_the_order_comes_to(pluga, body):
    response = pluga.post("/orders", {**body, "shipping": 14.9, "discount": None})

    assert response.status_code == 201
    assert response.json()["Order"]["total"] == 74.8


def test_a_total_that_nobody_can_have_is_refused(pluga):
    item = {**ITEM, "price": 10**11, "quantity": 2**31 - 1}

    response = pluga.post("/orders", small_order(total=None, items=[item]))

    assert response.status_code == 400
    assert response.json()["details"].startswith("$.total: ")


def test_null_takes_no_money_from_an_order(pluga):
    sent = small_order(shipping=14.9)
    order = pluga.post("/orders", sent).json()["Order"]
    items = [{**order["items"][0], "price": None, "name": "Caneca azul"}]

    changed = pluga.put(f"/orders/{order['id']}", {"total": None, "items": items}).json()["Order"]

    assert (changed["total"], changed["items"][0]["price"]) == (59.9, 29.95)
    assert changed["items"][0]["name"] == "Caneca azul"


def test_an_update_with_something_wrong_changes_nothing(linx, pluga):
    id = pluga.post("/orders", small_order()).json()["Order"]["id"]
    before = counts()

    response = linx.put(
        f"/orders/{id}",
        {"status": "invoiced", "shipments": [{"nfe_number": "1"}, {"nfe_key": "1" * 61}]},
    )

    assert response.status_code == 400
    assert counts() == before
    assert Order.objects.get().status == "approved"


# -- The address -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/api/", "/api/nothing", "/api/orders/1/2/3", "/api/skus/A/price", "/api/price"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_path_is_not_found_in_the_hubs_shape(db, method, path):
    response = Client().generic(method, path, RAW_URI=path)  # as gunicorn tells it

    assert (response.status_code, response.json()) == (404, error("not_found", path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/orders"),
        ("PUT", "/orders"),
        ("POST", "/orders/000000000000000000000000"),
        ("DELETE", "/orders/000000000000000000000000"),
        ("PUT", "/products"),
        ("POST", "/skus/A"),
        ("GET", "/skus/A/stock"),
        ("POST", "/skus/A/stock"),
        ("PATCH", "/products/000000000000000000000000"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_refused(linx, method, path):
    response = linx.call(method, path)

    assert response.status_code == 405
    assert response.json()["type"] == "method_not_allowed"
    assert response.json()["error"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/skus/%00",
        "/products/%00",
        "/orders/%00",
        "/orders?next=%00",
        "/orders?original_id=%00",
        "/products?sku=%00",
        "/products?bysku=%00",
    ],
)
def test_a_character_that_is_no_text_finds_nothing(linx, path):
    response = linx.get(path)

    assert response.status_code in (200, 400, 404)
    assert response.json().get("result", []) == []
