"""What a store's tools are told of its orders: flat, without lists."""

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils.translation import override

from connectors.hub import wire
from connectors.messages.hooks import Happening, publish
from connectors.records import Document, OrderStatus
from connectors.spec import Hook
from orders.models import Line, Order, Payment, Shipment
from orders.wire import Parts

# The steps that have an event of their own, beside the one that every step is.
STEPS = {
    OrderStatus.INVOICED: Hook.ORDER_INVOICED,
    OrderStatus.SHIPPED: Hook.ORDER_SHIPPED,
    OrderStatus.DELIVERED: Hook.ORDER_DELIVERED,
}
PEOPLE = tuple(name for name in wire.ORDER if name.startswith(("payer_", "receiver_")))
HEAD = (
    "original_id", "channel", "channel_account", "status", "total", "subtotal", "shipping",
    "discount", "delivery_type", "expected_send_date", "expected_delivery_date",
    "sale_intermediary", *PEOPLE,
)  # fmt: skip
PAYMENT = ("payment_type", "payment_method", "payment_installments", "payment_total")
JOIN = "; "
CENT = Decimal("0.01")


def publish_order(order: Order, previous: str, parts: Parts, *, to_somebody: bool) -> None:
    """The order came into being (it had no status before), or took a step."""
    if not previous:
        hooks = [Hook.ORDER_CREATED]
    else:
        step = STEPS.get(OrderStatus(order.status))
        hooks = [Hook.ORDER_STATUS_CHANGED, *([step] if step else [])]
    flat = flatten(order, list(parts.lines), list(parts.payments), list(parts.shipments))
    data = flat | {"previous_status": previous or None}
    happenings = [Happening(hook, order.public_id, data) for hook in hooks]
    publish(order.store, happenings, to_somebody=to_somebody)


def write_flat_order(order: Order) -> Document:
    """The order by the hub's names, its lists as texts; every key, always. The values of
    `items_sku`, `items_quantity` … stand in the same order, as they do in an order that comes in
    (flat.py)."""
    lines, payments = order.lines.all(), order.payments.all()
    return flatten(order, list(lines), list(payments), list(order.shipments.all()))


def flatten(
    order: Order, lines: list[Line], payments: list[Payment], shipments: list[Shipment]
) -> Document:
    written = wire.write(order.document(), wire.ORDER)
    # A partner may have put them into two: a shipment without an id is a new one.
    invoiced = next((s for s in shipments if s.nfe_key or s.nfe_number), None)
    tracked = next((s for s in shipments if s.track_code or s.date_shipped), None)
    invoice = wire.write(invoiced.document() if invoiced else {}, wire.SHIPMENT)
    tracking = wire.write(tracked.document() if tracked else {}, wire.SHIPMENT)
    payment = wire.write(payments[0].document() if payments else {}, wire.PAYMENT)
    return {
        "order_id": order.public_id,
        **{name: written[name] for name in HEAD},
        "status_name": _status_name(order),
        "source": order.source.spec.name,
        "created": wire.moment_text(order.created_at),
        "modified": wire.moment_text(order.modified_at),
        "approved_date": wire.moment_text(order.approved_at),
        "items_sku": JOIN.join(_cell(line.sold_sku) for line in lines),
        "items_name": JOIN.join(_cell(line.name) for line in lines),
        "items_quantity": JOIN.join(str(line.quantity) for line in lines),
        "items_price": JOIN.join(str(wire.as_number(line.price) or 0) for line in lines),
        "items_text": JOIN.join(map(_line_text, lines)),
        **{name: payment[name] for name in PAYMENT},
        "payments_text": JOIN.join(map(_payment_text, payments)),
        **{name: invoice[name] for name in wire.INVOICE_FIELDS},
        **{name: tracking[name] for name in wire.TRACKING_FIELDS},
    }


def _status_name(order: Order) -> str:
    """In the stores' language, whoever made the change."""
    with override(settings.LANGUAGE_CODE):
        return str(OrderStatus(order.status).label)


def _cell(text: str) -> str:
    """One value of a joined text: it holds no separator."""
    return " ".join(text.replace(";", ",").replace("|", "/").split())


def _line_text(line: Line) -> str:
    words = f"{line.quantity} × {_cell(line.sold_sku)} {_cell(line.name)}".strip()
    return f"{words} ({_money(line.price)})" if line.price is not None else words


def _payment_text(payment: Payment) -> str:
    words = _cell(payment.payment_type)
    return f"{words} {_money(payment.payment_total)}" if payment.payment_total else words


def _money(amount: Decimal) -> str:
    return f"R$ {amount.quantize(CENT, ROUND_HALF_UP)}".replace(".", ",")
