"""Sending orders to managed activations, until what they were sent is what is true.

What to send is a query, not a message: after a crash, or a platform's bad day, the next run sends
what is still missing.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from catalog.models import SkuMapping
from connectors.contract import FulfilmentSink, OrderSink
from connectors.models import Activation, ActivationFlow
from connectors.records import (
    FulfilmentRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderStatus,
    TrackingRecord,
)
from connectors.runs import Attempt, run_flow
from orders.models import Order, OrderLink

# What a channel is told of its own orders.
CHANNEL_HEARS = frozenset(
    {
        OrderStatus.INVOICED,
        OrderStatus.SHIPPING_INFORMED,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
        OrderStatus.CANCELED,
    }
)
AT_ONCE = 200


def push_orders(flow_id: int) -> None:
    """To a platform or ERP its orders; to a channel what became of those it brought."""
    ability = ActivationFlow.objects.filter(pk=flow_id).values_list("ability", flat=True).first()
    if ability == FulfilmentSink.__name__:
        run_flow(flow_id, FulfilmentSink, _push_fulfilments)
    elif ability == OrderSink.__name__:
        run_flow(flow_id, OrderSink, _push_orders)


def _push_orders(attempt: Attempt, sink: OrderSink) -> None:
    for links in _stale(attempt):
        codes = _platform_codes(attempt.activation, links)
        for link in links:
            with attempt.item(record_id=link.order.public_id) as item:
                external_id = sink.push_order(to_record(link, codes))
                # What was wanted when we read it: if more is by now, the next run sends that.
                OrderLink.objects.filter(pk=link.pk).update(
                    external_id=external_id, sent_status=link.wanted_status
                )
                item.changed = True


def _push_fulfilments(attempt: Attempt, sink: FulfilmentSink) -> None:
    for links in _stale(attempt):
        for link in links:
            with attempt.item(record_id=link.order.public_id) as item:
                sink.push_fulfilment(to_fulfilment(link))
                OrderLink.objects.filter(pk=link.pk).update(sent_status=link.wanted_status)
                item.changed = True


def _stale(attempt: Attempt) -> Iterator[list[OrderLink]]:
    """Some at a time, and each once: those that are refused do not keep the others waiting."""
    stale = OrderLink.objects.stale().filter(activation=attempt.activation)
    last = 0
    while links := list(
        stale.filter(pk__gt=last)
        .select_related("order", "activation")
        .prefetch_related("order__lines", "order__payments", "order__shipments")
        .order_by("pk")[:AT_ONCE]
    ):
        yield links
        last = links[-1].pk


def _platform_codes(activation: Activation, links: list[OrderLink]) -> dict[int, str]:
    """De/Para: what the platform calls the products of these orders."""
    lines = [line for link in links for line in link.order.lines.all()]
    products = {line.product_id for line in lines if line.product_id is not None}
    mappings = SkuMapping.objects.filter(activation=activation, product_id__in=products)
    return dict(mappings.values_list("product_id", "code"))


def to_record(link: OrderLink, codes: Mapping[int, str]) -> OrderRecord:
    """The order as its platform is to know it: in the wanted status, with the platform's codes."""
    order = link.order
    return OrderRecord(
        status=OrderStatus(link.wanted_status),
        original_id=order.original_id,
        channel=order.channel,
        channel_account=order.channel_account,
        total=order.total,
        lines=tuple(
            LineRecord(
                sku=codes.get(line.product_id or 0) or line.sold_sku,
                quantity=line.quantity,
                unit_price=line.price or Decimal(0),
                fields=line.document(),
            )
            for line in order.lines.all()
        ),
        fields=with_intermediary(order, link),
        payments=tuple(payment.document() for payment in order.payments.all()),
        shipments=tuple(shipment.document() for shipment in order.shipments.all()),
        hub_id=order.public_id,
        external_id=link.external_id,
    )


def with_intermediary(order: Order, link: OrderLink) -> dict[str, object]:
    """The order's fields; the intermediary's CNPJ from the channel's settings where the order
    itself has none (product.md, Linx Commerce V2)."""
    fields = dict(order.fields)
    configured = link.activation.settings.get("intermediary_cnpj")
    if configured and not fields.get("sale_intermediary"):
        fields["sale_intermediary"] = configured
    return fields


def to_fulfilment(link: OrderLink) -> FulfilmentRecord:
    shipments = list(link.order.shipments.all())
    # A partner may have put them into two: a shipment without an id is a new one.
    invoiced = next((each for each in shipments if each.nfe_key), None)
    tracked = next((each for each in shipments if each.track_code or each.date_delivered), None)
    return FulfilmentRecord(
        status=OrderStatus(link.wanted_status),
        hub_id=link.order.public_id,
        external_id=link.external_id,
        invoice=InvoiceRecord(
            key=invoiced.nfe_key,
            number=invoiced.nfe_number,
            series=invoiced.nfe_serie,
            issued_at=invoiced.nfe_date,
            link=invoiced.nfe_link,
            cfops=invoiced.cfops,
        )
        if invoiced
        else None,
        tracking=TrackingRecord(
            company=tracked.shipping_company,
            method=tracked.shipping_method,
            code=tracked.track_code,
            url=tracked.track_url,
            shipped_at=tracked.date_shipped,
            delivered_at=tracked.date_delivered,
        )
        if tracked
        else None,
    )
