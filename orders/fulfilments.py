"""What a managed platform says became of an order."""

from dataclasses import replace

from django.db.models import Q
from django.utils.translation import gettext as _

from connectors.errors import NotFound, NothingChanged
from connectors.hub.wire import write_shipment
from connectors.models import Activation
from connectors.records import Document, FulfilmentRecord, OrderStatus
from connectors.trouble.causes import UNKNOWN_ORDER
from orders.models import Order, OrderLink
from orders.services import NOTHING_CHANGED, update_order
from orders.status import ENDED, KEEPING, STAGE
from orders.wire import OrderDocument


def report_fulfilment(activation: Activation, record: FulfilmentRecord) -> Order:
    """What a managed platform says became of an order: the same rules as for a partner's PUT.

    Raises `NotFound` for an order that is not there, `NothingChanged` for known news, such as
    how far the platform is before there is an invoice, `Backwards` for old news, and `NotAllowed`
    for a report that its specification does not provide for.
    """
    link = _link_of(activation, record)
    if {record.status, link.order.status} <= ENDED:
        # Many have one word for both, and were told the one that it is.
        record = replace(record, status=OrderStatus(link.order.status))
    if record.status in KEEPING and (invoice := _said_of_invoice(record)):
        # There, people may invoice an order and leave it as it was, or pack it after that.
        record = replace(record, status=_invoiced_or_further(link.order, invoice))
    echo = record.status == link.sent_status and not record.deliveries
    if echo or record.status in KEEPING:
        raise NothingChanged(NOTHING_CHANGED)
    if record.invoice and _skips_invoice(link.order, record.status, activation):
        # We looked too late to see it, but it was a step of the order's life.
        report_fulfilment(activation, replace(record, status=OrderStatus.INVOICED, tracking=None))
    shipment = write_shipment(record.invoice, record.tracking)
    mine = link.order.shipments.first()
    if mine is not None:
        shipment["id"] = mine.public_id
    document = OrderDocument(
        head={},
        status=record.status,
        shipments=[shipment],
        external=record.external_id or None,
    )
    return update_order(link.order_id, document, activation)


def _link_of(activation: Activation, record: FulfilmentRecord) -> OrderLink:
    """The order at this activation. A platform that knows our id of an order has it from us: from
    an activation before this one, or from a portal that was restored from a backup since."""
    mine = OrderLink.objects.filter(activation=activation).select_related("order")
    which = Q(order__public_id=record.hub_id)
    if not record.hub_id:
        which = Q(external_id=record.external_id)
    if link := mine.filter(which).first():
        return link
    others = Order.objects.filter(store=activation.store).exclude(source=activation)
    order = record.hub_id and others.filter(public_id=record.hub_id).first()
    if not order:
        raise NotFound(
            _("A loja não tem o pedido %(id)s, ou ele não foi enviado por esta integração.")
            % {"id": record.hub_id or record.external_id},
            cause=UNKNOWN_ORDER,
        )
    link, _made = mine.get_or_create(
        order=order, activation=activation, defaults={"external_id": record.external_id}
    )
    return link


def _said_of_invoice(record: FulfilmentRecord) -> Document:
    """What an invoice is known by."""
    if record.invoice is None:
        return {}
    known_by = {"nfe_key": record.invoice.key, "nfe_number": record.invoice.number}
    return {name: value for name, value in known_by.items() if value}


def _invoiced_or_further(order: Order, invoice: Document) -> OrderStatus:
    status = OrderStatus(order.status)
    if status == OrderStatus.INVOICE_ERROR and all(s.news(invoice) for s in order.shipments.all()):
        return OrderStatus.INVOICED  # another one than the channel refused
    return OrderStatus.INVOICED if STAGE[status] < STAGE[OrderStatus.INVOICED] else status


def _skips_invoice(order: Order, status: OrderStatus, activation: Activation) -> bool:
    """The order would go past `invoiced`, as the connector may report, and never be there."""
    invoiced = OrderStatus.INVOICED
    goes_past = STAGE[OrderStatus(order.status)] < STAGE[invoiced] < STAGE[status]
    return goes_past and {invoiced, status} <= activation.spec.may_report
