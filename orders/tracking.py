"""The tracking that a merchant types, where whoever took his order never reports it
(`Spec.merchant_types_tracking`), or where the store has nobody who would."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from connectors.errors import NotAllowed
from connectors.hub.wire import write_shipment
from connectors.records import OrderStatus, TrackingRecord
from orders.invoicing import record_typed, shipment_of, takers
from orders.models import Order
from orders.services import update_order
from orders.status import STAGE
from orders.wire import OrderDocument

# From the invoice on, and until the buyer has it: a wrong code may be put right.
FIRST, LAST = STAGE[OrderStatus.INVOICED], STAGE[OrderStatus.SHIPPED]
REFUSED = OrderStatus.SHIPPING_ERROR


def takes_tracking(order: Order) -> bool:
    """It is the merchant's to say how this order was sent. Needs `with_everything`."""
    if not FIRST <= STAGE[OrderStatus(order.status)] <= LAST:
        return False
    return all(spec.merchant_types_tracking for spec in takers(order))


@transaction.atomic
def inform_tracking(order_id: int, tracking: TrackingRecord, by: User) -> Order:
    """Note the tracking and move the order on as far as it says; the channel is told.

    Raises `NotAllowed` where the tracking is not the merchant's to type or the order is not at
    that point, and `NothingChanged` where all of it was known.
    """
    Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    order = Order.objects.with_everything().get(pk=order_id)
    if not takes_tracking(order):
        raise NotAllowed(_("O rastreio deste pedido não se informa aqui, ou não agora."))
    document = write_shipment(None, tracking)
    # What he emptied goes: the link of before is another parcel's.
    document |= {"shipping_method": tracking.method, "track_url": tracking.url}
    if known := shipment_of(order):
        document["id"] = known.public_id
    status = _status(tracking)
    # What the channel refused is informed anew.
    further = STAGE[status] > STAGE[OrderStatus(order.status)] or order.status == REFUSED
    order = update_order(
        order_id,
        OrderDocument(head={}, status=status if further else None, shipments=[document]),
        by,
    )
    record_typed(by, order_id, _("Rastreio informado."), known)
    return order


def _status(tracking: TrackingRecord) -> OrderStatus:
    if tracking.delivered_at:
        return OrderStatus.DELIVERED
    return OrderStatus.SHIPPED if tracking.shipped_at else OrderStatus.SHIPPING_INFORMED
