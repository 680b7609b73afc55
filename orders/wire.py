"""Orders in the hub's JSON (pluggto-api.md, sections 5 and 6)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.errors import Unreadable
from connectors.hub import wire
from connectors.models import Activation
from connectors.payload import Payload, is_no, read_value, to_decimal
from connectors.records import Document, OrderRecord, OrderStatus
from orders.models import Line, Order, Payment, Shipment, StatusChange


@dataclass
class OrderDocument:
    """What somebody says of an order. A part that is None was not spoken of."""

    head: Document
    status: OrderStatus | None = None
    items: list[Document] | None = None
    payments: list[Document] | None = None
    shipments: list[Document] | None = None
    external: str | None = None
    acknowledged: bool | None = None
    announce: bool = True


NOT_OF_THE_HEAD = wire.ORDER_COMPUTED | {"items", "payments", "shipments"}
INTERMEDIARY, INTERMEDIARY_SETTING = "sale_intermediary", "intermediary_cnpj"


def read_order(payload: Payload, by: Activation | None = None) -> OrderDocument:
    """A body of `by`, with or without the `{"Order": …}` that some clients put around it. What the
    hub computes is ignored. Raises `Unreadable` with the place of what is wrong."""
    if isinstance(payload.data.get("Order"), dict):
        payload = payload.one("Order")
    payload = wire.with_own_external(payload, by.client_id if by else None)
    head = wire.read(payload, wire.ORDER, without=NOT_OF_THE_HEAD)
    status = head.pop("status", None)
    external, acknowledged = head.pop("external", None), head.pop("ack", None)
    update = head.pop("update", True)
    if head.get("total") is None:
        head.pop("total", None)  # typed clients' word for what they do not speak of
    if by and head.get(INTERMEDIARY) == by.settings.get(INTERMEDIARY_SETTING):
        head.pop(INTERMEDIARY, None)  # our own answer, sent back
    return OrderDocument(
        head=head,
        status=read_status(payload) if status else None,
        items=_items(payload),
        payments=_each(payload, "payments", wire.PAYMENT),
        shipments=_shipments(payload),
        external=str(external) if external is not None else None,
        acknowledged=acknowledged,
        announce=update is None or not is_no(update),
    )


def read_status(payload: Payload) -> OrderStatus:
    """Raises `Unreadable` for a word that the hub does not know."""
    word = payload.text("status")
    if word not in OrderStatus.values:
        known = ", ".join(OrderStatus.values)
        raise Unreadable(f"{payload.path}.status: {word[:40]!r} is not a status; use {known}")
    return OrderStatus(word)


def _items(payload: Payload) -> list[Document] | None:
    if payload.data.get("items") is None:
        return None
    documents = []
    for item in payload.each("items"):
        document = wire.read(item, wire.ITEM)
        if document.get("variation"):
            document["variation"] = _without_nulls(item.one("variation")) or None
        if document.get("price") is None:
            document.pop("price", None)
        documents.append(document)
    return documents


SUMMED = frozenset({"shipping", "discount"})  # beside the items


def total_of(items: Iterable[Document], head: Document) -> Decimal:
    """What nobody said: the items, with shipping, less the discount; never below zero, for prices
    may not be said either."""
    total = Decimal(head.get("shipping") or 0) - Decimal(head.get("discount") or 0)
    for item in items:
        total += Decimal(item.get("price") or 0) * (item.get("quantity") or 0)
    return read_value(max(total, Decimal(0)), to_decimal, "$.total")


def _without_nulls(variation: Payload) -> Document:
    """Our answers have every member: without the null ones, a copy of them is no change. A form
    has "" for null, and clients take any `variation.sku` that is not null for the sold one."""
    read = wire.read(variation, wire.ITEM_VARIATION)
    known = wire.ITEM_VARIATION
    return {k: v for k, v in read.items() if v not in (None, [], "") or k not in known}


def _each(payload: Payload, name: str, table: wire.Table) -> list[Document] | None:
    if payload.data.get(name) is None:
        return None
    return [wire.read(element, table) for element in payload.each(name)]


def _shipments(payload: Payload) -> list[Document] | None:
    shipments = _each(payload, "shipments", wire.SHIPMENT)
    for position, shipment in enumerate(shipments or []):
        for number, document in enumerate(shipment.get("documents") or []):
            Payload(document, f"{payload.path}.shipments[{position}].documents[{number}]")
    return shipments


def from_record(record: OrderRecord) -> OrderDocument:
    """What a channel's client read."""
    return OrderDocument(
        head={
            **record.fields,
            "original_id": record.original_id,
            "channel": record.channel,
            "channel_account": record.channel_account,
            "total": wire.decimal_text(record.total),
        },
        status=record.status,
        items=[
            {
                # A variation's line keeps its product's SKU beside its own.
                "sku": line.sku,
                **line.fields,
                "quantity": line.quantity,
                "price": wire.decimal_text(line.unit_price),
            }
            for line in record.lines
        ],
        payments=list(record.payments),
        shipments=list(record.shipments),
        external=record.external_id or None,
    )


def intermediary_for(order: Order, activation: Activation | None) -> Document:
    """The intermediary's CNPJ of the activation's settings, where the order itself has none
    (product.md, Linx Commerce V2)."""
    configured = activation.settings.get(INTERMEDIARY_SETTING) if activation else None
    return {INTERMEDIARY: configured} if configured and not order.fields.get(INTERMEDIARY) else {}


# What changes without the order: with who asks, or with the integrations. In the order of the hub.
NOT_SHARED = ("external", "created_by", "modified_by", "ack", INTERMEDIARY)


def write_order(
    order: Order, viewer: Activation | None, *, show_external: bool = False
) -> dict[str, Any]:
    """The order as the hub answers it. `external` and `ack` are the viewer's own; with
    `show_external` the former is the map of all clients' (section 5.2). Needs
    `with_everything`."""
    link = next((k for k in order.links.all() if viewer and k.activation_id == viewer.pk), None)
    externals = {k.activation.client_id: k.external_id for k in order.links.all() if k.external_id}
    externals.pop(None, None)  # a platform that we call is no client
    own = {
        "external": (link.external_id or None) if link else None,
        "ack": link.acknowledged if link else False,
        "created_by": order.source.client_id,
        "modified_by": order.modified_by.client_id if order.modified_by else None,
    }
    return (
        write_shared(order, Parts.of(order))
        | own
        | intermediary_for(order, viewer)
        | ({"external": externals} if show_external else {})
    )


@dataclass
class Parts:
    """What an order is made of."""

    lines: Collection[Line]
    payments: Collection[Payment]
    shipments: Collection[Shipment]
    steps: Collection[StatusChange]

    @classmethod
    def of(cls, order: Order) -> "Parts":
        """As they are stored."""
        return cls(
            order.lines.all(),
            order.payments.all(),
            order.shipments.all(),
            order.status_changes.all(),
        )


def write_shared(order: Order, parts: Parts) -> dict[str, Any]:
    """What whoever reads the order is told; `NOT_SHARED` has no value, except for an intermediary
    that the order itself has."""
    document = order.document() | {
        "order_id": order.pk,
        "user_id": str(order.store_id),
        "created": order.created_at,
        "modified": order.modified_at,
        "approved_date": order.approved_at,
        "timestamp": int(order.modified_at.timestamp()),
        "deleted": False,
        "total": wire.decimal_text(order.total),
        "tags": _tags(parts.shipments),
        INTERMEDIARY: order.fields.get(INTERMEDIARY) or None,
        "status_history": [
            {"status": change.status, "date": wire.moment_text(change.at)}
            for change in parts.steps
            if change.applied
        ],
    }
    return wire.write(document, wire.ORDER) | {
        "items": [_write_item(line.document()) for line in parts.lines],
        "payments": _write_all(parts.payments, wire.PAYMENT),
        "shipments": _write_all(parts.shipments, wire.SHIPMENT),
    }


def _write_all(rows: Any, table: wire.Table) -> list[dict[str, Any]]:
    return [wire.write(row.document(), table) for row in rows]


def _write_item(document: Document) -> dict[str, Any]:
    """An item without a variation still has the object, its members null (section 6.6)."""
    variation = wire.write(document.get("variation") or {}, wire.ITEM_VARIATION)
    return wire.write(document, wire.ITEM) | {"variation": variation}


def _tags(shipments: Collection[Shipment]) -> dict[str, int | None]:
    """Each 1 or null (section 6.1)."""

    def any_document(*types: str) -> bool:
        documents = [d for s in shipments for d in s.fields.get("documents") or []]
        return any(isinstance(d, dict) and d.get("type") in types for d in documents)

    facts = {
        "has_invoice_key": any(s.nfe_key for s in shipments),
        "has_invoice_xml": any_document("invoice"),
        "has_invoice_pdf": any_document("invoice_pdf"),
        "has_invoice_number": any(s.nfe_number for s in shipments),
        "has_invoice_label": any_document("label"),
        "has_payment_form": None,
        "has_track": any(s.track_code for s in shipments),
        "has_track_url": any(s.track_url for s in shipments),
        "has_label": any_document("label"),
        "has_category": None,
    }
    return {name: 1 if fact else None for name, fact in facts.items()}
