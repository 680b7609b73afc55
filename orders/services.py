"""Everything that writes an order: how it arrives, moves, and whom that concerns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Product
from connectors.contract import FulfilmentSink, OrderSink
from connectors.errors import Duplicate, NotFound, NothingChanged, Refused
from connectors.models import Activation
from connectors.notices import announce, hears
from connectors.records import Document, FulfilmentRecord, OrderRecord, OrderStatus
from connectors.runs import start_now
from connectors.spec import Mode
from connectors.wire import moment_text
from orders import push
from orders.models import (
    Line,
    Order,
    OrderLink,
    Payment,
    Shipment,
    StatusChange,
    author_of,
)
from orders.policy import BOOKKEEPING, check_may_create, check_report, passed_over
from orders.status import STAGE
from orders.wire import OrderDocument, from_record

By = Activation | AbstractBaseUser | None

NOTHING_CHANGED = "Changes not found in the order"  # clients compare this text exactly
ENDED = frozenset({OrderStatus.CANCELED, OrderStatus.REFUNDED})


class Backwards(Refused):
    """The order is further than that already. The attempt is kept in its history."""


@transaction.atomic
def create_order(source: Activation, document: OrderDocument) -> Order:
    """Store an order that a channel brought, and offer it to whoever consumes its status.

    Raises `NotAllowed` where the source's connector creates none, `Duplicate` for the second of
    one original id in one channel account, `Refused` for what is missing.
    """
    check_may_create(source)
    if document.status is None:
        raise Refused(_("$.status: falta a situação do pedido."))
    order = Order(store=source.store, source=source, status=document.status, modified_by=source)
    order.take(document.head)
    if document.status in (OrderStatus.APPROVED, OrderStatus.PAID):
        order.approved_at = order.created_at
    try:
        with transaction.atomic():
            order.save()
    except IntegrityError as error:
        raise Duplicate(
            _("Já existe um pedido %(number)s deste canal.") % {"number": order.original_id}
        ) from error
    _write_lines(order, _parts(Line, order, [], document.items or []))
    Payment.objects.bulk_create(_parts(Payment, order, [], document.payments or []))
    Shipment.objects.bulk_create(_parts(Shipment, order, [], document.shipments or []))
    _record_step(order, "", source)
    OrderLink.objects.create(
        order=order,
        activation=source,
        external_id=_number_there(document) or "",
        acknowledged=bool(document.acknowledged),
        wanted_status=order.status,
        sent_status=order.status,
    )
    _tell(order, source, "created", announcing=document.announce)
    return order


def import_order(activation: Activation, record: OrderRecord) -> Order:
    """Create or bring up to date an order that we read from a channel. Safe to repeat.

    Raises `NothingChanged` where all of it was known.
    """
    document = from_record(record)
    known = Order.objects.filter(
        source=activation,
        channel=record.channel,
        channel_account=record.channel_account,
        original_id=record.original_id,
    ).first()
    if known is None:
        return create_order(activation, document)
    # What we told the channel comes back from it; only its own words are news.
    document.items = document.payments = document.shipments = None
    if not known.may_become(record.status):
        document.status = None  # the channel has not heard yet how far the order is
    return update_order(known.pk, document, activation)


@dataclass
class _Changes:
    """What an update would really change."""

    status: OrderStatus | None = None
    head: set[str] = field(default_factory=set)
    # "items", "payments": the rows that take the place of the order's.
    lists: dict[str, list[Any]] = field(default_factory=dict)
    shipments: set[str] = field(default_factory=set)
    link: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.status or self.head or self.lists or self.shipments or self.link)

    def pass_over(self, foreign: frozenset[str]) -> None:
        """Leave these out, where something is left then: else somebody must be told."""
        head = self.head - foreign
        lists = {name: rows for name, rows in self.lists.items() if name not in foreign}
        if self.status or head or lists or self.shipments or self.link:
            self.head, self.lists = head, lists


def update_order(order_id: int, document: OrderDocument, by: By) -> Order:
    """Change what the document says and is not so already; nobody else changes it meanwhile.

    Raises `NothingChanged`, `NotAllowed` for what is not `by`'s to change, and `Backwards` for a
    status behind the order's own, which is kept in the history and changes nothing.
    """
    order, backwards = _update_order(order_id, document, by)
    if backwards:
        raise Backwards(
            _("O pedido %(order)s já está %(status)s e não volta para %(asked)s.")
            % {
                "order": order,
                "status": str(order.get_status_display()).lower(),
                "asked": str(backwards.label).lower(),
            }
        )
    return order


@transaction.atomic
def _update_order(
    order_id: int, document: OrderDocument, by: By
) -> tuple[Order, OrderStatus | None]:
    # The order's row alone: with its store's, every order of the store would wait for this one.
    order = Order.objects.select_for_update(of=("self",)).select_related("store").get(pk=order_id)
    shipments = _merge_shipments(order, document.shipments or [])
    link = _link_of(order, by, document)
    head = _with_logs(order, document.head)
    changes = _Changes(
        head=set(order.news(head)),
        lists=_changed_lists(order, document),
        shipments=set().union(*(names for _shipment, names in shipments)),
        link=link,
    )
    if document.status and document.status != order.status:
        changes.status = document.status
    if not changes:
        raise NothingChanged(NOTHING_CHANGED)
    if isinstance(by, Activation):
        changes.pass_over(passed_over(order, by, {*changes.head, *changes.lists}))
        check_report(order, by, changes.status, changes.head, changes.shipments, changes.lists)
    order.take({name: head[name] for name in changes.head})
    if changes.status and not order.may_become(changes.status):
        _record_refusal(order, changes.status, by)
        return order, changes.status
    _apply(order, document, changes, [s for s, names in shipments if names], by)
    return order, None


def _apply(
    order: Order, document: OrderDocument, changes: _Changes, shipments: list[Shipment], by: By
) -> None:
    previous = order.status
    if changes.status:
        order.status = changes.status
        if changes.status in (OrderStatus.APPROVED, OrderStatus.PAID):
            order.approved_at = order.approved_at or timezone.now()
    order.modified_at = timezone.now()
    order.modified_by = by if isinstance(by, Activation) else None
    order.save()
    for shipment in shipments:
        shipment.save()
    if "items" in changes.lists:
        order.lines.all().delete()
        _write_lines(order, changes.lists["items"])
    if "payments" in changes.lists:
        order.payments.all().delete()
        Payment.objects.bulk_create(changes.lists["payments"])
    if changes.link and isinstance(by, Activation):
        OrderLink.objects.update_or_create(
            order=order,
            activation=by,
            defaults={
                name: value
                for name, value in (
                    ("external_id", document.external),
                    ("acknowledged", document.acknowledged),
                )
                if value is not None
            },
        )
    if changes.status:
        _record_step(order, previous, by)
    if changes.status or changes.head or changes.lists or changes.shipments:
        _tell(order, by, "updated", announcing=document.announce)


def report_fulfilment(activation: Activation, record: FulfilmentRecord) -> Order:
    """What a managed platform says became of an order: the same rules as for a partner's PUT.

    Raises `NotFound` for an order that it never took, `NothingChanged` for known news, such as
    how far the platform is before there is an invoice, and `NotAllowed` for a report that its
    specification does not provide for.
    """
    which = (
        Q(order__public_id=record.hub_id) if record.hub_id else Q(external_id=record.external_id)
    )
    link = OrderLink.objects.filter(which, activation=activation).select_related("order").first()
    if link is None:
        raise NotFound(
            _("O pedido %(id)s não foi enviado por esta integração.")
            % {"id": record.hub_id or record.external_id}
        )
    echo = record.status == link.sent_status
    if echo or STAGE[record.status] < STAGE[OrderStatus.INVOICED]:
        raise NothingChanged(NOTHING_CHANGED)
    if record.invoice and _skips_invoice(link.order, record.status, activation):
        # We looked too late to see it, but it was a step of the order's life.
        report_fulfilment(activation, replace(record, status=OrderStatus.INVOICED, tracking=None))
    shipment = _shipment_document(record)
    mine = link.order.shipments.first()
    if mine is not None:
        shipment["id"] = mine.public_id
    document = OrderDocument(
        head={},
        status=record.status,
        shipments=[shipment],
        external=record.external_id or None,
    )
    try:
        return update_order(link.order_id, document, activation)
    except Backwards:
        # The status comes late; the invoice and the tracking that came with it are news.
        document.status = None
        return update_order(link.order_id, document, activation)


def _skips_invoice(order: Order, status: OrderStatus, activation: Activation) -> bool:
    """The order would go past `invoiced`, as the connector may report, and never be there."""
    invoiced = OrderStatus.INVOICED
    goes_past = STAGE[OrderStatus(order.status)] < STAGE[invoiced] < STAGE[status]
    return goes_past and {invoiced, status} <= activation.spec.may_report


def _shipment_document(record: FulfilmentRecord) -> Document:
    shipment: Document = {}
    if invoice := record.invoice:
        shipment |= {
            "nfe_key": invoice.key,
            "nfe_number": invoice.number,
            "nfe_serie": invoice.series,
            "nfe_date": moment_text(invoice.issued_at),
            "nfe_link": invoice.link,
            "cfops": invoice.cfops,
        }
    if tracking := record.tracking:
        shipment |= {
            "shipping_company": tracking.company,
            "shipping_method": tracking.method,
            "track_code": tracking.code,
            "track_url": tracking.url,
            "date_shipped": moment_text(tracking.shipped_at),
            "date_delivered": moment_text(tracking.delivered_at),
        }
    return {name: value for name, value in shipment.items() if value}


# -- How -------------------------------------------------------------------------------------------


def _parts(
    model: type[Any], order: Order, ours: Sequence[Any], documents: Iterable[Document]
) -> list[Any]:
    """The rows of a list as the documents say it, to be stored anew: those of ours that an id
    names, or that stand in the same place and are so already, keep their ids."""
    known = {row.public_id: row for row in ours}
    rows = []
    for position, document in enumerate(documents):
        place = f"$.{NAMES[model]}[{position}]"
        row = known.pop(document.get("id"), None)
        if row is None and position < len(ours) and ours[position].public_id in known:
            same = not ours[position].news(_without_id(document), place)
            row = known.pop(ours[position].public_id) if same else None
        row = row or model(order=order)
        row.take(_without_id(document), place)
        row.pk = None
        rows.append(row)
    return rows


NAMES = {Line: "items", Payment: "payments", Shipment: "shipments"}


def _without_id(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "id"}


def _write_lines(order: Order, lines: list[Line]) -> None:
    for position, line in enumerate(lines):
        if not line.quantity:
            raise Refused(_("$.items[%d].quantity: falta a quantidade.") % position)
    products = {
        product.sku: product
        for product in Product.objects.filter(
            store=order.store, sku__in={line.sold_sku for line in lines}
        ).only("pk", "sku")
    }
    for line in lines:
        line.product = products.get(line.sold_sku)
    Line.objects.bulk_create(lines)


def _changed_lists(order: Order, document: OrderDocument) -> dict[str, list[Any]]:
    """Lists of which the document says something else than ours."""
    changed = {}
    for model, documents, manager in (
        (Line, document.items, order.lines),
        (Payment, document.payments, order.payments),
    ):
        if documents is None:
            continue
        ours = list(manager.all())
        before = [row.document() for row in ours]
        rows = _parts(model, order, ours, documents)
        if before != [row.document() for row in rows]:
            changed[NAMES[model]] = rows
    return changed


def _with_logs(order: Order, head: Document) -> Document:
    """A log is only ever added to: what it says already is not said twice (section 5.4)."""
    logs = {}
    for name in BOOKKEEPING & head.keys():
        ours = order.fields.get(name, [])
        logs[name] = ours + [entry for entry in head[name] if entry not in ours]
    return {**head, **logs}


def _merge_shipments(order: Order, documents: list[Document]) -> list[tuple[Shipment, set[str]]]:
    """An element with an id updates that shipment; one without is a new one (section 5.4)."""
    known = {shipment.public_id: shipment for shipment in order.shipments.all()}
    merged = []
    for position, document in enumerate(documents):
        if not document.get("id"):
            shipment = Shipment(order=order)
        elif document["id"] in known:
            shipment = known[document["id"]]
        else:
            raise NotFound(
                _("$.shipments[%(position)d].id: o pedido não tem a entrega %(id)s.")
                % {"position": position, "id": document["id"]}
            )
        names = shipment.take(_without_id(document), f"$.shipments[{position}]")
        merged.append((shipment, names))
    return merged


def _link_of(order: Order, by: By, document: OrderDocument) -> set[str]:
    """Which of the writer's own notes on the order would change."""
    if not isinstance(by, Activation):
        return set()
    link = OrderLink.objects.filter(order=order, activation=by).first() or OrderLink()
    changed = set()
    external = _number_there(document)
    if external is not None and external != link.external_id:
        changed.add("external")
    if document.acknowledged is not None and document.acknowledged != link.acknowledged:
        changed.add("ack")
    return changed


def _number_there(document: OrderDocument) -> str | None:
    """The writer's own number for the order. Raises `Refused` for one that is too long."""
    if document.external is not None:
        try:
            OrderLink._meta.get_field("external_id").run_validators(document.external)
        except ValidationError as error:
            raise Refused(f"$.external: {' '.join(error.messages)}") from error
    return document.external


def _record_step(order: Order, previous: str, by: By) -> None:
    StatusChange.objects.create(
        order=order, status=order.status, previous=previous, **_author_fields(by)
    )


def _record_refusal(order: Order, status: OrderStatus, by: By) -> None:
    """Once: somebody who asks every minute for the same says nothing new."""
    StatusChange.objects.get_or_create(
        order=order, status=status, previous=order.status, applied=False, **_author_fields(by)
    )


def _author_fields(by: By) -> dict[str, Any]:
    return {
        "activation": by if isinstance(by, Activation) else None,
        "user": by if isinstance(by, AbstractBaseUser) else None,
        "author": author_of(by)[:200],
    }


def _tell(order: Order, by: By, action: str, *, announcing: bool) -> None:
    """Offer the order to whoever consumes its status now, mark whom it must be sent to, and
    notify the partners that know it. All of it in the transaction of the change."""
    status = OrderStatus(order.status)
    links = {link.activation_id: link for link in order.links.all()}
    partners = []
    activations = order.store.activations.consuming().select_related("connector", "store")
    for activation in activations:
        if not hears(activation, by):
            continue
        spec, link = activation.spec, links.get(activation.pk)
        if activation.pk == order.source_id:
            told = status in push.CHANNEL_HEARS
        elif link is None:
            told = spec.wants(status)
        else:
            told = spec.follows(status)
        if activation.mode == Mode.MANAGED:
            if told:
                link = link or OrderLink(order=order, activation=activation)
                link.wanted_status = status
                link.save()
                # Now, and not when its turn comes: a buyer is waiting.
                start_now(activation.pk, push.push_orders, OrderSink, FulfilmentSink)
            elif link and status in ENDED and not link.sent_status:
                # It does not follow cancellations, and never got the order: it never will.
                link.wanted_status = ""
                link.save()
        elif told or link:
            if link is None:
                OrderLink.objects.create(order=order, activation=activation)
            partners.append(activation)
    if announcing:
        announce(partners, "orders", action, order.public_id, "status")
