"""What a store's tools are told of its orders: flat, without lists."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils.translation import override

from catalog.models import Product
from connectors.hub import wire
from connectors.messages.hooks import Happening, publish
from connectors.records import Document, OrderStatus
from connectors.spec import Hook
from orders.models import Line, Order, Payment
from orders.status import ENDED, INVOICED, STAGE
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
        if _was_invoiced_on_the_way(order, OrderStatus(previous), parts):
            hooks.insert(1, Hook.ORDER_INVOICED)
    data = write_event_order(order, parts) | {"previous_status": previous or None}
    happenings = [Happening(hook, order.public_id, data) for hook in hooks]
    publish(order.store, happenings, to_somebody=to_somebody)


def _was_invoiced_on_the_way(order: Order, previous: OrderStatus, parts: Parts) -> bool:
    """Some tell the invoice and the dispatch at once: the order then never stood at `invoiced`."""
    goes_past = STAGE[previous] < INVOICED < STAGE[OrderStatus(order.status)]
    if not goes_past or order.status in ENDED:
        return False
    return any(shipment.nfe_key or shipment.nfe_number for shipment in parts.shipments)


def write_event_order(order: Order, parts: Parts) -> Document:
    """As any of the store's tools is told it: items are called as the store calls them, for the
    words of the channel that brought it say nothing to others."""
    products = {line.product_id for line in parts.lines if line.product_id is not None}
    skus = dict(Product.objects.filter(pk__in=products).values_list("pk", "sku"))
    return write_flat_order(order, parts, skus)


def write_flat_order(order: Order, parts: Parts, skus: Mapping[int, str] | None = None) -> Document:
    """The order by the hub's names, its lists as texts; every key, always. The values of
    `items_sku`, `items_quantity` … stand in the same order, as they do in an order that comes in
    (flat.py). Items are called as their channel calls them; otherwise, where `skus` says how."""
    lines, payments, shipments = list(parts.lines), list(parts.payments), list(parts.shipments)
    called = [_cell((skus or {}).get(line.product_id or 0, line.sold_sku)) for line in lines]
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
        "items_sku": JOIN.join(called),
        "items_name": JOIN.join(_cell(line.name) for line in lines),
        "items_quantity": JOIN.join(str(line.quantity) for line in lines),
        "items_price": JOIN.join(str(wire.as_number(line.price) or 0) for line in lines),
        "items_text": JOIN.join(
            _line_text(line, sku, order.money_sign) for line, sku in zip(lines, called, strict=True)
        ),
        **{name: payment[name] for name in PAYMENT},
        "payments_text": JOIN.join(
            _payment_text(payment, order.money_sign) for payment in payments
        ),
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


def _line_text(line: Line, sku: str, sign: str) -> str:
    words = f"{line.quantity} × {sku} {_cell(line.name)}".strip()
    return f"{words} ({_amount(line.price, sign)})" if line.price is not None else words


def _payment_text(payment: Payment, sign: str) -> str:
    words = _cell(payment.payment_type)
    total = payment.payment_total
    return f"{words} {_amount(total, sign)}" if total else words


def _amount(amount: Decimal, sign: str) -> str:
    return f"{sign} {amount.quantize(CENT, ROUND_HALF_UP)}".replace(".", ",")
