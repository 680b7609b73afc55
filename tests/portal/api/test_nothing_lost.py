"""Every field of sections 4 to 6, and every field that nobody knows, is kept and returned with its
type (pluggto-api.md)."""

from copy import deepcopy
from typing import Any

import pytest

from connectors.hub import wire
from connectors.hub.wire import Kind, Table
from connectors.models import Store
from tests.conftest import Partner, make_partner
from tests.orders.samples import full_order, small_order
from tests.portal.api.samples import MEMBERS, filled, full_product

UNKNOWN: dict[str, Any] = {
    "own_text": "“ção”\n\t",
    "own_empty": "",
    "own_number": 12.375,
    "own_whole": 2**53,
    "own_flag": False,
    "own_null": None,
    "own_list": [1, "a", None, {"b": [[]]}],
    "own_object": {"a": {"b": {}}},
    "ação": "a name with accents",
}


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


def body_of(response: Any, name: str) -> Any:
    assert response.status_code in (200, 201), response.content
    return response.json()[name]


def lost(sent: Any, read: Any, place: str = "$") -> list[str]:
    """Where what was read is not what was sent. More may be there than was sent: an id."""
    if isinstance(sent, dict) and isinstance(read, dict):
        return [
            found
            for name, value in sent.items()
            for found in (
                lost(value, read[name], f"{place}.{name}") if name in read else [f"{place}.{name}"]
            )
        ]
    if isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        pairs = zip(sent, read, strict=True)
        return [found for i, (a, b) in enumerate(pairs) for found in lost(a, b, f"{place}[{i}]")]
    same = sent == read and isinstance(sent, bool) == isinstance(read, bool)
    return [] if same else [f"{place}: {sent!r} became {read!r}"]


def with_unknown(body: Any) -> Any:
    """The same with unknown fields in every object, at every level."""
    if isinstance(body, list):
        return [with_unknown(each) for each in body]
    if isinstance(body, dict):
        return {**{k: with_unknown(v) for k, v in body.items()}, **deepcopy(UNKNOWN)}
    return body


def is_there(table: Table, read: dict[str, Any]) -> None:
    """Every field of the table; absent scalars null, absent lists empty."""
    assert set(table) <= set(read)
    assert all(isinstance(read[name], list) for name, kind in table.items() if kind is Kind.LIST)


NO_DATES = [
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.0000000-03:00",
    "0000-00-00 00:00:00",
    "0000-00-00",
]


@pytest.mark.parametrize("no_date", NO_DATES)
def test_what_stands_for_no_date_is_none(pluga, no_date):
    shipments = [{"track_code": "A", "date_shipped": no_date}]
    body = small_order(expected_send_date=no_date, shipments=shipments)

    order = body_of(pluga.post("/orders", body), "Order")

    assert order["expected_send_date"] is order["shipments"][0]["date_shipped"] is None


def test_a_nought_below_nought_is_nought(pluga):
    """As PHP and Python write a discount of nothing that they turned round."""
    order = body_of(pluga.post("/orders", small_order(discount=-0.0)), "Order")

    again = pluga.put(f"/orders/{order['id']}", order)

    assert order["discount"] == 0
    assert again.json()["type"] == "not_updated"
    assert pluga.get("/orders", discount="0").json()["total"] == 1


# -- Products --------------------------------------------------------------------------------------
def test_the_sample_has_every_field_that_a_client_may_send_of_a_product():
    assert set(full_product()) == set(wire.PRODUCT) - wire.PRODUCT_COMPUTED


@pytest.mark.parametrize("how", ["POST /products", "PUT /skus/TUDO"])
def test_every_field_of_a_product_comes_back(linx, how):
    # Nobody buys a parent: its quantity is its variations', 0 and 1.
    sent = full_product(quantity=1)

    method, path = how.split()
    written = body_of(linx.call(method, path, sent), "Product")

    read = body_of(linx.get("/skus/TUDO"), "Product")
    assert read == written
    assert lost(sent, read) == []


def test_fields_that_nobody_knows_are_kept_at_every_level_of_a_product(linx):
    sent = with_unknown(full_product(quantity=1))

    linx.post("/products", sent)

    assert lost(sent, body_of(linx.get("/skus/TUDO"), "Product")) == []


@pytest.mark.parametrize("sample", [full_product(), with_unknown(full_product()), {"sku": "TUDO"}])
def test_a_products_own_answer_sent_back_changes_nothing(linx, sample):
    linx.post("/products", sample)
    before = body_of(linx.get("/skus/TUDO"), "Product")

    response = linx.put("/skus/TUDO", before)

    assert response.status_code == 400
    assert response.json() == {
        "error": True,
        "type": "not_updated",
        "message": "An error occurred, see details for more information.",
        "details": "Changes not found in the document",
    }
    assert body_of(linx.get("/skus/TUDO"), "Product") == before


def test_every_field_of_a_product_can_be_changed_alone(linx):
    linx.post("/products", {"sku": "TUDO"})
    expected = body_of(linx.get("/skus/TUDO"), "Product")

    for name, value in full_product(sku="TUDO", variations=[]).items():
        if name in ("sku", "variations"):
            continue
        updated = body_of(linx.put("/skus/TUDO", {name: value}), "Product")
        assert lost({name: value}, updated) == []
        expected |= {each: updated[each] for each in (name, "modified", "timestamp")}

        assert updated == expected


def test_what_a_variation_has_is_there_in_a_new_one_as_well(linx):
    linx.post("/products", {"sku": "A", "variations": [{"sku": "A1"}]})

    read = body_of(linx.get("/skus/A"), "Product")

    table = {name: kind for name, kind in wire.PRODUCT.items() if name != "variations"}
    is_there(wire.PRODUCT, read)
    is_there(table, read["variations"][0])


@pytest.mark.parametrize("name", ["dimension", "real_dimension", "price_table", "stock_table"])
def test_numbers_inside_a_product_may_come_as_texts_and_go_out_as_numbers(linx, name):
    value = full_product()[name]
    numbers = wire.PARTS[name]
    element = value[0] if isinstance(value, list) else value
    texts = {k: str(v) if k in numbers and v is not None else v for k, v in element.items()}

    linx.post("/products", {"sku": "A", name: [texts] if isinstance(value, list) else texts})

    assert lost(value, body_of(linx.get("/skus/A"), "Product")[name]) == []
    again = linx.put("/skus/A", {name: value})
    assert again.json()["type"] == "not_updated"


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"dimension": {"weight": "leve"}}, "$.dimension.weight: cannot read 'leve'"),
        ({"price_table": [{}, {"price": []}]}, "$.price_table[1].price: got list"),
        ({"price_table": ["ml"]}, "$.price_table[0]: got str, not an object"),
        (
            {"variations": [{"sku": "V", "photos": ["x"]}]},
            "$.variations[0].photos[0]: got str, not an object",
        ),
    ],
)
def test_a_wrong_number_inside_is_named_by_its_place(linx, fields, details):
    response = linx.post("/products", {"sku": "A", **fields})

    assert (response.status_code, response.json()["details"]) == (400, details)


# -- Orders ----------------------------------------------------------------------------------------
COMMISSION = {"fixed": 6.5, "tax": 31.56, "total_charged": 68.92, "comment": "gold_special"}


def whole_order() -> dict[str, Any]:
    """Every scalar by its kind, over the recorded order's lists and objects."""
    scalars = {
        **filled(wire.ORDER, wire.ORDER_COMPUTED | {"status"}),
        "total": 218.36,
        "original_id": "2000011434004146",
    }
    item = {**filled(wire.ITEM, {"id"}), "quantity": 3}
    return full_order() | scalars | {
        "items": [
            {
                **item,
                "attributes": MEMBERS["attributes"],
                "commission": COMMISSION,
                "variation": {
                    **filled(wire.ITEM_VARIATION, set()),
                    "attributes": MEMBERS["attributes"],
                },
            }
        ],
        "payments": [filled(wire.PAYMENT, {"id"})],
        "shipments": [
            {
                **filled(wire.SHIPMENT, {"id", "nfe_serie", "nfe_number"}),
                "nfe_serie": "1",
                "nfe_number": "22846",
                "freight": [{"method": "SEDEX", "price": "12.50"}],
                "shipping_items": [{"sku": "A", "quantity": 2}],
                "documents": [
                    {"id": "d1", "url": "https://x.example/1", "external": "e", "type": "label"}
                ],
                "issues": [{"description": "Extraviado", "date": "2025-04-30T00:00:00.000Z"}],
                "label_info": {"plp": "1", "sender_name": "Loja"},
            }
        ],
    }  # fmt: skip


def test_the_sample_has_every_field_that_a_client_may_send_of_an_order():
    sample = whole_order()
    shown = {"id"}

    assert set(sample) == set(wire.ORDER) - wire.ORDER_COMPUTED
    assert set(sample["items"][0]) == set(wire.ITEM) - shown
    assert set(sample["items"][0]["variation"]) == set(wire.ITEM_VARIATION)
    assert set(sample["payments"][0]) == set(wire.PAYMENT) - shown
    assert set(sample["shipments"][0]) == set(wire.SHIPMENT) - shown


@pytest.mark.parametrize("change", [lambda body: body, with_unknown])
def test_every_field_of_an_order_comes_back_at_every_level(pluga, change):
    sent = change(whole_order())

    written = body_of(pluga.post("/orders", sent), "Order")

    read = body_of(pluga.get(f"/orders/{written['id']}"), "Order")
    listed = pluga.get("/orders").json()["result"][0]["Order"]
    assert read == written == listed
    assert lost(sent, read) == []


@pytest.mark.parametrize("query", [{}, {"showExternal": "true"}])
@pytest.mark.parametrize("change", [lambda body: body, with_unknown])
def test_an_orders_own_answer_sent_back_changes_nothing(pluga, change, query):
    id = body_of(pluga.post("/orders", change(whole_order())), "Order")["id"]
    before = body_of(pluga.get(f"/orders/{id}", **query), "Order")

    response = pluga.put(f"/orders/{id}", before)

    assert response.status_code == 400
    assert response.json() == {
        "error": True,
        "type": "not_updated",
        "message": "An error occurred, see details for more information.",
        "details": "Changes not found in the order",
    }
    assert body_of(pluga.get(f"/orders/{id}", **query), "Order") == before


def test_every_field_of_an_order_can_be_changed_alone(pluga):
    path = f"/orders/{body_of(pluga.post('/orders', small_order()), 'Order')['id']}"
    read = body_of(pluga.get(path), "Order")
    derived = {"modified", "modified_by", "timestamp", "tags"}

    for name, value in whole_order().items():
        if value == read[name] or name in ("status", "original_id"):
            continue
        updated = body_of(pluga.put(path, {name: value}), "Order")
        assert lost({name: value}, updated) == []
        unasked = {each for each in updated if updated[each] != read[each]} - derived
        read = updated

        assert unasked == {name}


def test_absent_scalars_are_null_and_absent_lists_empty_at_every_level(pluga):
    body = {"status": "approved", "items": [{"quantity": 1}], "payments": [{}], "shipments": [{}]}

    order = body_of(pluga.post("/orders", body), "Order")

    is_there(wire.ORDER, order)
    is_there(wire.ITEM, order["items"][0])
    is_there(wire.ITEM_VARIATION, order["items"][0]["variation"])
    is_there(wire.PAYMENT, order["payments"][0])
    is_there(wire.SHIPMENT, order["shipments"][0])
    shipment = {name: value for name, value in order["shipments"][0].items() if name != "id"}
    assert {name for name, value in shipment.items() if value not in (None, [])} == set()
