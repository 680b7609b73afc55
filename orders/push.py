"""Sending orders to managed activations, until what they were sent is what is true.

What to send is a query, not a message: after a crash, or a platform's bad day, the next run sends
what is still missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial

from django.db import transaction

from catalog.models import SkuMapping
from connectors.bulk import among
from connectors.contract import FulfilmentSink, OrderSink
from connectors.errors import Unavailable, Unreadable
from connectors.hub.wire import INVOICE_FIELDS
from connectors.models import Activation, ActivationFlow
from connectors.queue import enqueue
from connectors.records import (
    DeliveryRecord,
    Document,
    FulfilmentRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderStatus,
    TrackingRecord,
)
from connectors.runs.running import Attempt, run_flow
from connectors.succession import acting, hold_integrations
from orders.models import Line, Order, OrderLink, Shipment
from orders.reserving import note_asked, note_taken
from orders.untold import Deal, deal, show_changes
from orders.wire import intermediary_for, write_order

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
# Several calls for each, at a slow platform, must fit into a task's time.
AT_ONCE = 50
# What a channel is told of a delivery, and which of it is worth telling.
SAID = (
    *INVOICE_FIELDS, "shipping_company", "shipping_method", "track_code", "track_url",
    "date_shipped", "date_delivered",
)  # fmt: skip
INVOICE_NEWS = {"nfe_key", "nfe_number"}
TRACKING_NEWS = {"track_code", "date_shipped", "date_delivered"}
NEWS = INVOICE_NEWS | TRACKING_NEWS
# What is to be told of an order at one of its activations.
WANTED = ("wanted_status", "wanted_version")


def push_orders(flow_id: int) -> None:
    """To a platform or ERP its orders; to a channel what became of those it brought."""
    ability = ActivationFlow.objects.filter(pk=flow_id).values_list("ability", flat=True).first()
    again = False
    if ability == FulfilmentSink.__name__:
        again = run_flow(flow_id, FulfilmentSink, _push_fulfilments)
    elif ability == OrderSink.__name__:
        again = run_flow(flow_id, OrderSink, _push_orders)
    if again:
        # An order that came while this one ran waits for no dispatcher.
        enqueue(push_orders, flow_id)


def _push_orders(attempt: Attempt, sink: OrderSink) -> None:
    for links in _stale(attempt):
        codes = _platform_codes(attempt.activation, links)
        for link in _still(attempt, links):
            with attempt.item(record_id=link.order.public_id) as item:
                item.source = partial(write_order, link.order, None)
                item.record = to_record(link, codes)
                note_asked(link.order, attempt.activation)
                # Before it is asked: who dies at it can say no more whether it has the order.
                _note_unanswered(link, link.wanted_version + 1)
                try:
                    external_id = sink.push_order(item.record)
                except (Unavailable, Unreadable):
                    with transaction.atomic():
                        _show_what_changed(link, attempt.activation)
                    raise
                except Exception:
                    _note_unanswered(link, link.sent_version)  # it has it no more than before
                    raise
                with transaction.atomic():
                    note_taken(link.order, _show_what_changed(link, attempt.activation))
                    _note_sent(link, external_id=external_id)
                item.changed = True


def _note_unanswered(link: OrderLink, version: int) -> None:
    if not link.sent_status:
        OrderLink.objects.filter(pk=link.pk, sent_status="").update(sent_version=version)


def _show_what_changed(link: OrderLink, told: Activation) -> Activation:
    """While it was told the order for the first time; who has it, or may have it, now. Whoever
    changes the order from here on sees that it was sent."""
    now = Order.objects.select_for_update(of=("self",)).get(pk=link.order_id)
    hold_integrations(now.store_id)
    taker = acting(told)
    if not link.sent_status and now.modified_at != link.order.modified_at:
        show_changes(now, _deal_of(link.order), _deal_of(now), taker)
    return taker


def _deal_of(order: Order) -> Deal:
    return deal(order.total, order.lines.all(), order.payments.all())


def _push_fulfilments(attempt: Attempt, sink: FulfilmentSink) -> None:
    for links in _stale(attempt):
        for link in _still(attempt, links):
            with attempt.item(record_id=link.order.public_id) as item:
                item.source = partial(write_order, link.order, None)
                item.record = to_fulfilment(link)
                sink.push_fulfilment(item.record)
                _note_sent(link)
                item.changed = True


def _note_sent(link: OrderLink, **known: str) -> None:
    """What was wanted when we read it: if more is by now, the next run sends that."""
    OrderLink.objects.filter(pk=link.pk).update(
        sent_status=link.wanted_status, sent_version=link.wanted_version, **known
    )


def _stale(attempt: Attempt) -> Iterator[list[OrderLink]]:
    """Some at a time, and each once: those that are refused do not keep the others waiting, and
    are tried again when their time comes."""
    stale = OrderLink.objects.stale().filter(activation=attempt.activation)
    last = 0
    while links := list(
        stale.filter(pk__gt=last)
        .select_related("order", "activation")
        .prefetch_related("order__lines__product", "order__payments", "order__shipments")
        .order_by("pk")[:AT_ONCE]
    ):
        yield [link for link in links if not attempt.rests(link.order.public_id)]
        last = links[-1].pk
    attempt.mend_all_but(
        lambda failed: stale.filter(order__public_id__in=among(failed)).values_list(
            "order__public_id", flat=True
        )
    )


def _still(attempt: Attempt, links: Iterable[OrderLink]) -> Iterator[OrderLink]:
    """Those of which just this is to be told when their turn comes, of orders as they were read:
    the ones before them may have taken minutes. What is to be told instead, the next run tells."""
    for link in links:
        same = {name: getattr(link, name) for name in ("pk", "activation", *WANTED)}
        same["order__modified_at"] = link.order.modified_at
        if OrderLink.objects.stale().filter(**same).exists():
            yield link
        attempt.advance(attempt.since)


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
        lines=tuple(_line_record(line, codes) for line in order.lines.all()),
        fields=order.fields | intermediary_for(order, link.activation),
        payments=tuple(payment.document() for payment in order.payments.all()),
        shipments=tuple(shipment.document() for shipment in order.shipments.all()),
        hub_id=order.public_id,
        external_id=link.external_id,
    )


def _line_record(line: Line, codes: Mapping[int, str]) -> LineRecord:
    """The channel may call it by a code of its own, which says nothing to others; of a variation
    they take the code that stands in there (pluggto-api.md, section 6.6)."""
    sku = codes.get(line.product_id or 0) or (line.product.sku if line.product else line.sold_sku)
    fields = line.document()
    variation = fields.get("variation") or {}
    if variation.get("sku"):
        fields["variation"] = {**variation, "sku": sku}
    return LineRecord(
        sku=sku, quantity=line.quantity, unit_price=line.price or Decimal(0), fields=fields
    )


def to_fulfilment(link: OrderLink) -> FulfilmentRecord:
    first, *others = _deliveries(link.order.shipments.all()) or [DeliveryRecord()]
    return FulfilmentRecord(
        status=OrderStatus(link.wanted_status),
        hub_id=link.order.public_id,
        external_id=link.external_id,
        invoice=first.invoice,
        tracking=first.tracking,
        items=first.items,
        others=tuple(others),
    )


def _deliveries(shipments: Iterable[Shipment]) -> list[DeliveryRecord]:
    """Those that have an invoice or are under way. Shipments that do not contradict each other
    are one delivery: one that a partner sends without an id is a new one, so he may have put the
    invoice into one and the tracking into another."""
    deliveries: list[Document] = []
    for shipment in shipments:
        said: Document = {name: getattr(shipment, name) for name in SAID}
        said["items"] = shipment.fields.get("shipping_items")
        said = {name: value for name, value in said.items() if value}
        if said.keys().isdisjoint(NEWS):
            continue
        for delivery in deliveries:
            if all(delivery.get(name, value) == value for name, value in said.items()):
                delivery |= said
                break
        else:
            delivery = said
            deliveries.append(said)
        # Beside the link, and not as one: it contradicts none, which may lead to the DANFE.
        delivery["file"] = delivery.get("file") or _invoice_file(shipment)
    return [_delivery(said) for said in deliveries]


def _invoice_file(shipment: Shipment) -> str:
    """Who has the invoice's file may tell it as a document (pluggto-api.md, section 7.2)."""
    documents = shipment.fields.get("documents") or []
    files = (each.get("url") for each in documents if each.get("type") == "invoice")
    return next((str(url) for url in files if url), "")


def _delivery(said: Document) -> DeliveryRecord:
    invoice = InvoiceRecord(
        key=said.get("nfe_key", ""),
        number=said.get("nfe_number", ""),
        series=said.get("nfe_serie", ""),
        issued_at=said.get("nfe_date"),
        link=said.get("nfe_link") or said["file"],
        cfops=said.get("cfops", ""),
    )
    tracking = TrackingRecord(
        company=said.get("shipping_company", ""),
        method=said.get("shipping_method", ""),
        code=said.get("track_code", ""),
        url=said.get("track_url", ""),
        shipped_at=said.get("date_shipped"),
        delivered_at=said.get("date_delivered"),
    )
    return DeliveryRecord(
        invoice=invoice if said.keys() & INVOICE_NEWS else None,
        tracking=tracking if said.keys() & TRACKING_NEWS else None,
        items=tuple(said.get("items", ())),
    )
