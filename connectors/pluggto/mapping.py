"""Plugg.to's orders, read and told (pluggto-api.md, sections 5 to 7).

Its words are the hub's own, so translating is mostly knowing which part goes where.
"""

from typing import Any

from connectors.errors import Unreadable
from connectors.hub import wire
from connectors.payload import Payload
from connectors.records import (
    DeliveryRecord,
    Document,
    FulfilmentRecord,
    LineRecord,
    OrderRecord,
    OrderStatus,
)

# Its clients disagree whether `external` is one value or a map of all clients' values.
HEAD = {**wire.ORDER, "external": wire.Kind.ANY}
# What an OrderRecord and a LineRecord hold by themselves.
OWN_OF_ORDER = {
    "status", "original_id", "channel", "channel_account", "total", "items", "payments",
    "shipments",
}  # fmt: skip
OWN_OF_LINE = {"sku", "quantity", "price"}
OVER = {OrderStatus.CANCELED, OrderStatus.REFUNDED}
# What it is told, as one follows the other.
STEPS = (
    OrderStatus.INVOICED, OrderStatus.SHIPPING_INFORMED, OrderStatus.SHIPPED, OrderStatus.DELIVERED,
)  # fmt: skip
SHIPMENT_STATUS = {
    OrderStatus.INVOICED: "invoiced",
    OrderStatus.SHIPPING_INFORMED: "shipped",
    OrderStatus.SHIPPED: "shipped",
    OrderStatus.DELIVERED: "delivered",
}


def unwrapped(payload: Payload) -> Payload:
    """The order inside `{"Order": {…}}`."""
    return payload.one("Order") if "Order" in payload.data else payload


def read_modified(order: Payload) -> str:
    """When the order changed last, as ISO 8601 in UTC; empty where that cannot be read, which is
    for `read_order` to report."""
    try:
        return wire.moment_text(order.optional_moment("modified")) or ""
    except Unreadable:
        return ""


def read_order(payload: Payload) -> OrderRecord:
    order = unwrapped(payload)
    head = wire.read(order, HEAD)
    fields = _without(head, wire.ORDER_COMPUTED | OWN_OF_ORDER)
    if head.get("created"):
        fields["purchased"] = head["created"]
    external_id = order.text("id")
    return OrderRecord(
        status=_read_status(order),
        original_id=order.optional_text("original_id") or external_id,
        channel=order.optional_text("channel"),
        channel_account=order.optional_text("channel_account"),
        total=order.money("total"),
        lines=tuple(_read_line(item) for item in order.each("items")),
        payments=tuple(wire.read(payment, wire.PAYMENT) for payment in order.each("payments")),
        shipments=tuple(wire.read(shipment, wire.SHIPMENT) for shipment in order.each("shipments")),
        external_id=external_id,
        fields=fields,
    )


def _read_status(order: Payload) -> OrderStatus:
    theirs = order.text("status")
    if theirs not in OrderStatus.values:
        raise Unreadable(f"{order.path}.status: {theirs!r} is new to us")
    return OrderStatus(theirs)


def _read_line(item: Payload) -> LineRecord:
    fields = wire.read(item, wire.ITEM)
    variation = Payload(fields.get("variation") or {}, f"{item.path}.variation")
    parent_sku = item.optional_text("sku")
    sku = variation.optional_text("sku") or parent_sku
    if not sku:
        raise Unreadable(f"{item.path}.sku: empty")
    rest = _without(fields, OWN_OF_LINE)
    if parent_sku not in ("", sku):
        rest["sku"] = parent_sku
    return LineRecord(
        sku=sku, quantity=item.whole("quantity"), unit_price=item.money("price"), fields=rest
    )


def _without(document: Document, names: set[str]) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def write_fulfilment(record: FulfilmentRecord, order: Payload) -> dict[str, Any]:
    """The body that tells `order`, as Plugg.to holds it now, what became of it.

    Names the shipments that are there: one without an id would be added beside them (section 5.4).
    An order that was cancelled there meanwhile is not revived, and one that is further there, where
    the marketplace sent it itself, not taken back: it hears of its shipments only.
    """
    told = [_write_delivery(each, record) for each in record.deliveries or (DeliveryRecord(),)]
    body: dict[str, Any] = {}
    theirs = order.optional_text("status")
    is_further = record.status in STEPS and theirs in STEPS[STEPS.index(record.status) + 1 :]
    if is_further:
        told = [_without(each, {"status"}) for each in told]
    elif theirs not in OVER:
        body["status"] = record.status.value
    if shipments := _with_ids([each for each in told if each], order.each("shipments")):
        body["shipments"] = shipments
    return body


def _write_delivery(delivery: DeliveryRecord, record: FulfilmentRecord) -> Document:
    told = wire.write_shipment(delivery.invoice, delivery.tracking)
    told["shipping_items"] = list(delivery.items)
    told["status"] = SHIPMENT_STATUS.get(record.status)
    if record.others:  # each is as far as it is itself
        on_its_way = "shipped" if delivery.tracking else "invoiced"
        told["status"] = "delivered" if told.get("date_delivered") else on_its_way
    return {name: value for name, value in told.items() if value}


def _with_ids(told: list[Document], there: list[Payload]) -> list[Document]:
    """Each with the id of the shipment that is the same there; else of one that is left, which is
    still empty, or is corrected; else a new one."""
    left = [shipment for shipment in there if not shipment.is_blank("id")]
    found: dict[int, str] = {}
    for is_same in (_is_same, _is_any):
        for position, delivery in enumerate(told):
            match = next((each for each in left if is_same(each, delivery)), None)
            if position not in found and match is not None:
                found[position] = match.text("id")
                left.remove(match)
    ids = ({"id": found[i]} if i in found else {} for i in range(len(told)))
    return [{**id, **delivery} for id, delivery in zip(ids, told, strict=True)]


def _is_same(shipment: Payload, delivery: Document) -> bool:
    keys = ("nfe_key", "track_code")
    return any(delivery.get(key) and shipment.data.get(key) == delivery[key] for key in keys)


def _is_any(shipment: Payload, delivery: Document) -> bool:
    return True
