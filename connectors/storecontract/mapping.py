"""Between the store contract's JSON (openapi.yaml), which is the hub's own, and our records."""

from typing import Any

from connectors.contract import OrderState
from connectors.errors import Unreadable
from connectors.hub import wire
from connectors.payload import Payload
from connectors.records import (
    FulfilmentRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderStatus,
    PriceRecord,
    ProductRecord,
    StockRecord,
    TrackingRecord,
)


def read_id(payload: Payload, key: str) -> str:
    """A text without which the record is nobody's."""
    text = payload.text(key)
    if not text:
        raise Unreadable(f"{payload.path}.{key}: empty")
    return text


def read_product(payload: Payload) -> ProductRecord:
    fields = wire.read(payload, wire.PRODUCT)
    return ProductRecord(
        sku=read_id(payload, "sku"),
        fields={name: fields[name] for name in fields if name not in ("sku", "variations")},
        variations=tuple(read_product(variation) for variation in payload.each("variations")),
    )


def read_price(payload: Payload) -> PriceRecord:
    return PriceRecord(
        sku=read_id(payload, "sku"),
        price=payload.money("price"),
        special_price=payload.optional_money("special_price"),
    )


def read_stock(payload: Payload) -> StockRecord:
    return StockRecord(sku=read_id(payload, "sku"), quantity=payload.whole("quantity"))


def read_fulfilment(payload: Payload) -> FulfilmentRecord:
    return FulfilmentRecord(
        status=read_status(payload),
        hub_id=read_id(payload, "order_id"),
        external_id=payload.optional_text("id"),
        invoice=None if payload.is_blank("invoice") else read_invoice(payload.one("invoice")),
        tracking=None if payload.is_blank("tracking") else read_tracking(payload.one("tracking")),
    )


def read_order_state(payload: Payload) -> OrderState:
    return OrderState(
        external_id=read_id(payload, "id"),
        hub_id=read_id(payload, "order_id"),
        status=read_status(payload),
    )


def read_status(payload: Payload) -> OrderStatus:
    theirs = payload.text("status")
    if theirs not in OrderStatus.values:
        raise Unreadable(f"{payload.path}.status: {theirs!r} is new to us")
    return OrderStatus(theirs)


def read_invoice(payload: Payload) -> InvoiceRecord:
    return InvoiceRecord(
        key=payload.optional_text("key"),
        number=payload.optional_text("number"),
        series=payload.optional_text("series"),
        issued_at=payload.optional_moment("issued_at"),
        link=payload.optional_text("link"),
        cfops=payload.optional_text("cfops"),
    )


def read_tracking(payload: Payload) -> TrackingRecord:
    return TrackingRecord(
        company=payload.optional_text("company"),
        method=payload.optional_text("method"),
        code=payload.optional_text("code"),
        url=payload.optional_text("url"),
        shipped_at=payload.optional_moment("shipped_at"),
        delivered_at=payload.optional_moment("delivered_at"),
    )


def write_order(order: OrderRecord) -> dict[str, Any]:
    """The hub's order object, every field of it. `external` is the platform's own id."""
    head = {
        **order.fields,
        "id": order.hub_id,
        "status": order.status.value,
        "original_id": order.original_id,
        "external": order.external_id or None,
        "channel": order.channel,
        "channel_account": order.channel_account or None,
        "total": order.total,
        "items": [write_line(line) for line in order.lines],
        "payments": [wire.write(payment, wire.PAYMENT) for payment in order.payments],
        "shipments": [wire.write(shipment, wire.SHIPMENT) for shipment in order.shipments],
    }
    return wire.write(head, wire.ORDER)


def write_line(line: LineRecord) -> dict[str, Any]:
    """An item without a variation has one nevertheless, its members null (section 6.6)."""
    item = {
        **line.fields,
        "sku": line.sku,
        "quantity": line.quantity,
        "price": line.unit_price,
        "variation": wire.write(line.fields.get("variation") or {}, wire.ITEM_VARIATION),
    }
    return wire.write(item, wire.ITEM)
