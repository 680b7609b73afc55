"""Items of orders in the words of whoever takes them: his De/Para, else the store's own SKU."""

from typing import Any

import pytest

from catalog.mappings import save_mapping
from catalog.models import Product, SkuMapping
from catalog.services import create_product
from connectors.models import Store
from orders.models import Order
from tests.conftest import Partner, make_partner
from tests.orders.samples import small_order

SHIRT = {
    "sku": "CAMISETA",
    "price": 79.9,
    "quantity": 0,
    "variations": [{"sku": "CAMISETA-P", "price": 79.9, "quantity": 5}],
}
MUG_SOLD = {"sku": "MLB-1", "name": "Caneca", "quantity": 1, "price": 39.9}
SHIRT_SOLD = {
    **{"sku": "CAMISETA", "name": "Camiseta", "quantity": 1, "price": 79.9},
    "variation": {"sku": "CAMISETA-P", "name": "P"},
}


@pytest.fixture
def channel(store: Store) -> Partner:
    """It calls the mug by a code of its own."""
    create_product(store, {"sku": "CANECA", "price": 39.9, "quantity": 9}, None)
    create_product(store, SHIRT, None)
    channel = make_partner(store, "pluga")
    call(channel, "MLB-1", "CANECA")
    return channel


@pytest.fixture
def erp(store: Store, channel: Partner) -> Partner:
    """It has a catalogue, and codes, of its own."""
    erp = make_partner(store, "otimo")
    call(erp, "000123", "CANECA")
    call(erp, "000456", "CAMISETA-P")
    return erp


def call(partner: Partner, code: str, sku: str) -> None:
    product = Product.objects.get(sku=sku)
    save_mapping(SkuMapping(activation=partner.activation, code=code, product=product))


def place(channel: Partner) -> str:
    body = small_order(items=[MUG_SOLD, SHIRT_SOLD])
    answer = channel.post("/orders", body)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["Order"]["id"])


def read(partner: Partner, id: str) -> dict[str, Any]:
    order: dict[str, Any] = partner.get(f"/orders/{id}").json()["Order"]
    (listed,) = partner.get("/orders").json()["result"]
    assert listed["Order"] == order
    return order


def called(order: dict[str, Any]) -> list[str]:
    return [item["variation"]["sku"] or item["sku"] for item in order["items"]]


def test_each_reads_its_own_codes(store, channel, erp):
    linx = make_partner(store, "linx")
    id = place(channel)

    assert called(read(channel, id)) == ["MLB-1", "CAMISETA-P"]
    assert called(read(erp, id)) == ["000123", "000456"]
    assert called(read(linx, id)) == ["CANECA", "CAMISETA-P"]
    assert read(erp, id)["items"][1]["sku"] == "CAMISETA"


def test_what_it_sends_back_in_its_codes_is_no_change_of_the_items(channel, erp):
    id = place(channel)
    order = read(erp, id)

    invoice = {"nfe_number": "1", "nfe_serie": "1", "nfe_date": "2026-11-02T10:00:00-03:00"}
    told = erp.put(f"/orders/{id}", {**order, "status": "invoiced", "shipments": [invoice]})

    assert told.status_code == 200, told.content
    assert called(told.json()["Order"]) == ["000123", "000456"]
    assert called(read(channel, id)) == ["MLB-1", "CAMISETA-P"]


def test_what_it_says_to_be_in_a_parcel_the_channel_reads_in_its_own_words(store, channel):
    linx = make_partner(store, "linx")
    call(linx, "L-1", "CANECA")
    id = place(channel)

    parcel = {"track_code": "BR1", "shipping_items": [{"sku": "L-1", "quantity": 1}]}
    told = linx.put(f"/orders/{id}", {"shipments": [parcel]})

    assert told.status_code == 200, told.content
    for partner, code in ((linx, "L-1"), (channel, "MLB-1")):
        (shipment,) = read(partner, id)["shipments"]
        assert [item["sku"] for item in shipment["shipping_items"]] == [code]


def test_a_product_that_nobody_knows_keeps_the_channels_word(channel, erp):
    Product.objects.filter(sku="CANECA").delete()
    id = place(channel)

    assert called(read(erp, id)) == ["MLB-1", "000456"]
    assert Order.objects.get().lines.filter(product=None).count() == 1


def test_two_items_that_it_calls_alike_come_back_as_they_were(store, channel):
    otimo = make_partner(store, "otimo")
    call(otimo, "000123", "CANECA")
    items = [MUG_SOLD, {**MUG_SOLD, "sku": "CANECA"}]
    id = str(channel.post("/orders", small_order(items=items)).json()["Order"]["id"])
    order = read(otimo, id)
    assert called(order) == ["000123", "000123"]

    invoice = {"nfe_number": "1", "nfe_serie": "1", "nfe_date": "2026-11-02T10:00:00-03:00"}
    told = otimo.put(f"/orders/{id}", {**order, "status": "invoiced", "shipments": [invoice]})

    assert told.status_code == 200, told.content
    assert called(read(channel, id)) == ["MLB-1", "CANECA"]


@pytest.mark.parametrize("renamed", ["000999", None])
def test_a_code_that_changed_since_it_read_the_order_is_no_change_of_the_items(
    store, channel, erp, renamed
):
    id = place(channel)
    order = read(erp, id)
    for mapping in SkuMapping.objects.filter(activation=erp.activation):
        mapping.delete()
    if renamed:
        call(erp, renamed, "CANECA")

    invoice = {"nfe_number": "1", "nfe_serie": "1", "nfe_date": "2026-11-02T10:00:00-03:00"}
    told = erp.put(f"/orders/{id}", {**order, "status": "invoiced", "shipments": [invoice]})

    assert told.status_code == 200, told.content
    assert called(told.json()["Order"]) == [renamed or "CANECA", "CAMISETA-P"]
    assert called(read(channel, id)) == ["MLB-1", "CAMISETA-P"]
