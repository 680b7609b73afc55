import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.hub import wire
from connectors.payload import Payload
from connectors.pluggto.mapping import read_modified, read_order, write_fulfilment
from connectors.records import (
    DeliveryRecord,
    FulfilmentRecord,
    InvoiceRecord,
    OrderRecord,
    OrderStatus,
    TrackingRecord,
)

HERE = Path(__file__).parent
# Computed by the hub for its own clients; every other field of the head is ours to keep.
HELD_BY_THE_RECORD_ITSELF = {
    "status", "original_id", "channel", "channel_account", "total", "items", "payments",
    "shipments",
}  # fmt: skip


@pytest.fixture
def reply() -> dict[str, Any]:
    return json.loads((HERE / "order_full.json").read_text())


@pytest.fixture
def order(reply: dict[str, Any]) -> dict[str, Any]:
    return reply["Order"]


def read(reply: dict[str, Any]) -> OrderRecord:
    return read_order(Payload(reply))


def as_kept(sent: dict[str, Any], fields: wire.Table) -> dict[str, Any]:
    """What was sent, with money as digits and the rest as it is."""
    return {
        name: str(value) if fields.get(name) is wire.Kind.MONEY else value
        for name, value in sent.items()
    }


def test_the_sample_fills_every_field_that_the_hub_has(order):
    empty = [name for name, value in order.items() if value in (None, "", [], {})]

    assert set(order) == set(wire.ORDER)
    assert set(order["items"][0]) == set(wire.ITEM)
    assert set(order["items"][0]["variation"]) == set(wire.ITEM_VARIATION)
    assert set(order["payments"][0]) == set(wire.PAYMENT)
    assert set(order["shipments"][0]) == set(wire.SHIPMENT)
    assert empty == []


def test_an_order_says_what_the_portal_reasons_about(reply):
    record = read(reply)

    assert record.status is OrderStatus.APPROVED
    assert record.external_id == "680e1e2fa7b4c10012d3f0a1"
    assert record.original_id == "2000011434004146"
    assert record.channel == "MercadoLivre"
    assert record.channel_account == "LOJA EXEMPLO"
    assert record.total == Decimal("218.36")
    assert record.hub_id == ""


def test_every_other_field_of_the_head_is_kept(reply, order):
    sent = as_kept(order, wire.ORDER)
    elsewhere = HELD_BY_THE_RECORD_ITSELF | wire.ORDER_COMPUTED

    record = read(reply)

    assert record.fields == {
        **{name: value for name, value in sent.items() if name not in elsewhere},
        "purchased": "2025-04-27T12:30:39.691Z",
    }
    assert record.fields["tax"] == "3.125"
    assert record.fields["sale_intermediary"] == "03.007.331/0001-41"
    assert record.fields["payer_lastname"] == "D'Ávila da Silva"


def test_lines_are_read_without_loss(reply, order):
    shoes, socks = order["items"]

    lines = read(reply).lines

    assert [(line.sku, line.quantity, line.unit_price) for line in lines] == [
        ("TENIS-42", 1, Decimal("119.9")),
        ("MEIA-BRANCA", 2, Decimal("39.95")),
    ]
    for line, sent in zip(lines, (shoes, socks), strict=True):
        own = {"sku", "quantity", "price"}
        rest = {k: v for k, v in as_kept(sent, wire.ITEM).items() if k not in own}
        assert line.fields == rest | ({"sku": "TENIS"} if sent is shoes else {})


def test_payments_and_shipments_are_read_without_loss(reply, order):
    record = read(reply)

    assert record.payments == (as_kept(order["payments"][0], wire.PAYMENT),)
    assert record.shipments == (order["shipments"][0],)


def test_a_field_that_nobody_knows_is_kept(reply, order):
    order["gift_card"] = {"message": "Parabéns"}

    record = read(reply)

    assert record.fields["gift_card"] == {"message": "Parabéns"}


def test_an_external_id_may_be_a_map_of_all_clients_ids(reply, order):
    order["external"] = {"0123456789abcdef0123456789abcdef": "135324"}

    record = read(reply)

    assert record.fields["external"] == {"0123456789abcdef0123456789abcdef": "135324"}


def test_without_the_marketplaces_id_the_hubs_own_is_the_original_one(reply, order):
    order["original_id"] = None

    record = read(reply)

    assert record.original_id == "680e1e2fa7b4c10012d3f0a1"


def test_a_variation_may_be_phps_empty_array(reply, order):
    order["items"][0]["variation"] = []

    record = read(reply)

    assert record.lines[0].sku == "TENIS"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "on_the_moon"}, "$.Order.status: 'on_the_moon' is new to us"),
        ({"status": None}, "$.Order.status: got NoneType"),
        ({"total": None}, "$.Order.total: got NoneType"),
        ({"items": [{"sku": None, "quantity": 1, "price": 1}]}, "$.Order.items[0].sku: empty"),
        (
            {"payments": [{"payment_total": "many"}]},
            "$.Order.payments[0].payment_total: cannot read 'many'",
        ),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(reply, order, change, message):
    order.update(change)

    with pytest.raises(Unreadable) as error:
        read(reply)

    assert str(error.value) == message


def test_an_order_that_does_not_say_when_it_changed_moves_no_cursor():
    assert read_modified(Payload({"modified": "yesterday"})) == ""
    assert read_modified(Payload({})) == ""


def test_an_invoice_goes_to_the_shipment_that_is_there():
    record = FulfilmentRecord(
        status=OrderStatus.INVOICED,
        external_id="1",
        invoice=InvoiceRecord(
            key="35250411222333000181550010000228461512736891",
            number="22846",
            series="1",
            issued_at=datetime(2025, 4, 28, 5, 7, 48, tzinfo=UTC),
            link="https://notas.example/22846.xml",
            cfops="6108",
        ),
    )

    body = write_fulfilment(record, Payload({"shipments": [{"id": "a"}, {"id": "b"}]}))

    assert body == {
        "status": "invoiced",
        "shipments": [
            {
                "id": "a",
                "nfe_key": "35250411222333000181550010000228461512736891",
                "nfe_number": "22846",
                "nfe_serie": "1",
                "nfe_date": "2025-04-28T05:07:48.000Z",
                "nfe_link": "https://notas.example/22846.xml",
                "cfops": "6108",
                "status": "invoiced",
            }
        ],
    }


def test_without_a_shipment_the_first_one_is_made_and_says_only_what_is_known():
    record = FulfilmentRecord(
        status=OrderStatus.SHIPPING_INFORMED,
        external_id="1",
        tracking=TrackingRecord(company="Correios", code="AA123456785BR"),
    )

    body = write_fulfilment(record, Payload({"shipments": []}))

    assert body == {
        "status": "shipping_informed",
        "shipments": [
            {"shipping_company": "Correios", "track_code": "AA123456785BR", "status": "shipped"}
        ],
    }


def test_a_status_that_is_no_shipments_leaves_shipments_alone():
    record = FulfilmentRecord(status=OrderStatus.PICKING, external_id="1")

    body = write_fulfilment(record, Payload({"shipments": [{"id": "a"}]}))

    assert body == {"status": "picking"}


def test_each_delivery_goes_to_the_shipment_that_is_the_same_there():
    first, second = (InvoiceRecord(key=key) for key in ("K1", "K2"))
    record = FulfilmentRecord(
        status=OrderStatus.INVOICED,
        external_id="1",
        invoice=first,
        others=(DeliveryRecord(invoice=second),),
    )
    there = [{"id": "a", "nfe_key": "K2"}, {"id": "b"}, {"id": "c"}]

    body = write_fulfilment(record, Payload({"shipments": there}))

    told = [(each["id"], each["nfe_key"]) for each in body["shipments"]]
    assert told == [("b", "K1"), ("a", "K2")]


def test_an_order_that_is_further_there_is_not_taken_back():
    tracking = TrackingRecord(company="Correios", code="AA123456785BR")
    record = FulfilmentRecord(status=OrderStatus.SHIPPED, external_id="1", tracking=tracking)

    body = write_fulfilment(record, Payload({"status": "delivered", "shipments": [{"id": "a"}]}))

    parcel = {"id": "a", "shipping_company": "Correios", "track_code": "AA123456785BR"}
    assert body == {"shipments": [parcel]}
