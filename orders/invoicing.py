"""The invoice that a merchant types, where no integration of his store reports it
(`Spec.merchant_types_invoice`)."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from connectors.acts import differences, record_act
from connectors.errors import NotAllowed
from connectors.hub.wire import write_shipment
from connectors.models import Activation
from connectors.records import InvoiceRecord, OrderStatus
from connectors.spec import Spec
from orders.models import Order, Shipment
from orders.services import update_order
from orders.status import INVOICED, STAGE
from orders.wire import OrderDocument

FIRST, LAST = STAGE[OrderStatus.APPROVED], STAGE[OrderStatus.SHIPPING_INFORMED]
REFUSED = OrderStatus.INVOICE_ERROR


def takers(order: Order) -> list[Spec]:
    """The connectors that have the order to work on it; where none has, those of the store that
    may come to. Needs `with_everything`."""
    took = [link.spec for link in order.links.all() if link.spec.consumes]
    if took:
        return took
    at_work = Activation.objects.filter(store=order.store_id).consuming()
    specs = [activation.spec for activation in at_work.select_related("connector")]
    return [spec for spec in specs if spec.consumes]


def takes_invoice(order: Order) -> bool:
    """It is the merchant's to say how this order was invoiced. Needs `with_everything`."""
    if not FIRST <= STAGE[OrderStatus(order.status)] <= LAST:
        return False
    return all(spec.merchant_types_invoice for spec in takers(order))


@transaction.atomic
def inform_invoice(order_id: int, invoice: InvoiceRecord, by: User) -> Order:
    """Note the invoice and take the order to `invoiced`; the channel is told.

    Raises `NotAllowed` where the invoice is not the merchant's to type or the order is not at that
    point, and `NothingChanged` where all of it was known.
    """
    Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    order = Order.objects.with_everything().get(pk=order_id)
    if not takes_invoice(order):
        raise NotAllowed(_("A nota fiscal deste pedido não se informa aqui, ou não agora."))
    document = write_shipment(invoice, None)
    document["nfe_link"] = invoice.link  # emptied, it goes: the one of before is another invoice's
    if known := shipment_of(order):
        document["id"] = known.public_id
    # One that the channel refused is informed anew.
    further = STAGE[OrderStatus(order.status)] < INVOICED or order.status == REFUSED
    status = OrderStatus.INVOICED if further else None
    told = OrderDocument(head={}, status=status, shipments=[document])
    order = update_order(order_id, told, by)
    record_typed(by, order_id, _("Nota fiscal informada."), known)
    return order


def shipment_of(order: Order) -> Shipment | None:
    """The one that was invoiced, else the first there is."""
    shipments = list(order.shipments.all())
    return next((each for each in shipments if each.nfe_number or each.nfe_key), None) or next(
        iter(shipments), None
    )


def record_typed(by: User, order_id: int, what: str, before: Shipment | None) -> None:
    """What of the shipment he changed; the order's history knows of its status alone."""
    order = Order.objects.with_everything().get(pk=order_id)
    if after := shipment_of(order):
        before = before or Shipment(pk=after.pk, order=order, public_id=after.public_id)
        record_act(by, order, what, differences(before, after))
