import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.errors import Unreadable
from connectors.hub import wire
from connectors.payload import Payload
from connectors.records import (
    FulfilmentRecord,
    InvoiceRecord,
    OrderStatus,
    PriceRecord,
    StockRecord,
    TrackingRecord,
)
from connectors.storecontract import mapping
from tests.connectors.storecontract.conftest import make_order, sample


def test_a_product_keeps_its_fields_and_its_variations():
    product = mapping.read_product(Payload(sample("product_full.json")))

    assert product.sku == "CAM-01"
    assert product.fields == {
        "name": "Camiseta",
        "external": "4410",
        "ean": "",
        "ncm": "61091000",
        "cest": "2803800",
        "origin": 0,
        "description": "<p>Camiseta de algodão</p>",
        "brand": "Exemplo",
        "model": "Básica",
        "warranty_time": 3,
        "handling_time": 2,
        "dimension": {"length": 30, "width": 25, "height": 3, "weight": 0.2},
        "categories": [{"name": "Moda > Camisetas"}],
        "photos": [{"url": "https://loja.example.com/cam-01.jpg", "order": 1}],
        "attributes": [
            {
                "code": "fabric",
                "label": "Tecido",
                "value": {"code": "co", "label": "Algodão"},
            }
        ],
        "modified": "2026-11-20T13:00:00.000Z",
    }
    assert [variation.sku for variation in product.variations] == [
        "CAM-01-P",
        "CAM-01-M",
    ]
    assert product.variations[1].fields["ean"] == "7890000000024"


@pytest.mark.parametrize(
    ("product", "place"),
    [
        ({"name": "Sem código"}, "$.items[2].sku: got NoneType"),
        ({"sku": " "}, "$.items[2].sku: empty"),
        (
            {"sku": "A", "handling_time": "dois"},
            "$.items[2].handling_time: cannot read 'dois'",
        ),
        ({"sku": "A", "dimension": "10x10"}, "$.items[2].dimension: got str"),
        (
            {"sku": "A", "variations": [{}]},
            "$.items[2].variations[0].sku: got NoneType",
        ),
        ({"sku": "A", "variations": "P, M"}, "$.items[2].variations: got str"),
    ],
)
def test_a_product_in_another_shape_is_unreadable_at_its_place(product, place):
    with pytest.raises(Unreadable) as error:
        mapping.read_product(Payload(product, "$.items[2]"))

    assert str(error.value) == place


def test_a_price_is_exact_and_a_missing_special_price_ends_the_promotion():
    promoted = mapping.read_price(Payload({"sku": "A", "price": 59.9, "special_price": "49.90"}))
    plain = mapping.read_price(Payload({"sku": "A", "price": 59.9, "special_price": None}))

    assert promoted == PriceRecord("A", Decimal("59.9"), Decimal("49.90"))
    assert plain == PriceRecord("A", Decimal("59.9"), None)


def test_a_price_that_is_null_is_unreadable():
    with pytest.raises(Unreadable, match=r"^\$\.price: got NoneType$"):
        mapping.read_price(Payload({"sku": "A", "price": None}))


def test_a_stock_level_is_whole():
    assert mapping.read_stock(Payload({"sku": "A", "quantity": "7"})) == StockRecord("A", 7)
    with pytest.raises(Unreadable, match=r"^\$\.quantity: cannot read '1.5'$"):
        mapping.read_stock(Payload({"sku": "A", "quantity": 1.5}))


def test_a_fulfilment_carries_invoice_and_tracking():
    fulfilment = mapping.read_fulfilment(Payload(sample("fulfilment_shipped.json")))

    assert fulfilment == FulfilmentRecord(
        status=OrderStatus.SHIPPED,
        hub_id="692f10c4a9d1e3b7c5f20811",
        external_id="1001",
        invoice=InvoiceRecord(
            key="35261112ABC34501DE35550010000000011000000104",
            number="1",
            series="1",
            issued_at=datetime(2026, 11, 23, 13, 15, tzinfo=UTC),
            link="https://nfe.example.com/1.xml",
            cfops="5102",
        ),
        tracking=TrackingRecord(
            company="Transportadora Exemplo",
            method="Expressa",
            code="SB0000000001",
            url="https://rastreio.example.com/SB0000000001",
            shipped_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        ),
    )


def test_a_fulfilment_without_invoice_and_tracking_has_neither():
    fulfilment = mapping.read_fulfilment(
        Payload({"order_id": "1", "status": "canceled", "invoice": None})
    )

    assert fulfilment == FulfilmentRecord(OrderStatus.CANCELED, hub_id="1")


def test_a_status_that_is_new_to_us_is_an_error():
    with pytest.raises(Unreadable, match=r"^\$\.status: 'despachado' is new to us$"):
        mapping.read_fulfilment(Payload({"order_id": "1", "status": "despachado"}))


def test_the_full_sample_has_every_field_of_the_hubs_order():
    order = sample("order_full.json")

    assert set(order) == set(wire.ORDER)
    assert {name for item in order["items"] for name in item} == set(wire.ITEM)
    assert {name for item in order["items"] for name in item["variation"]} == set(
        wire.ITEM_VARIATION
    )
    assert {name for payment in order["payments"] for name in payment} == set(wire.PAYMENT)
    assert {name for shipment in order["shipments"] for name in shipment} == set(wire.SHIPMENT)
    filled = {name for name, value in order.items() if value is not None}
    assert {n for n in wire.ORDER if n.startswith(("receiver_", "payer_"))} <= filled
    for part in (order["items"][0], *order["payments"], order["shipments"][0]):
        assert None not in part.values()


def test_a_full_order_is_written_without_loss():
    written = mapping.write_order(make_order())

    assert json.loads(json.dumps(written)) == sample("order_full.json")


def test_a_poor_order_is_written_with_every_field_all_the_same():
    order = make_order()
    poor = replace(
        order,
        fields={},
        lines=(replace(order.lines[0], fields={}),),
        payments=({"payment_total": "10.5"},),
        shipments=(),
        external_id="",
        channel_account="",
    )

    written = mapping.write_order(poor)

    assert list(written) == list(wire.ORDER)
    assert written["external"] is None
    assert written["channel_account"] is None
    assert written["receiver_zipcode"] is None
    assert written["items"][0]["price"] == 59.9
    assert written["items"][0]["variation"] == {
        "id": None,
        "sku": None,
        "ean": None,
        "name": None,
        "external": None,
        "photo_url": None,
        "attributes": [],
    }
    assert written["payments"][0]["payment_total"] == 10.5
    assert written["shipments"] == []


def test_a_field_that_the_hub_does_not_name_is_carried_too():
    written = mapping.write_order(make_order(gift_message="Feliz aniversário"))

    assert written["gift_message"] == "Feliz aniversário"
