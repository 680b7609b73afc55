"""Everything that writes an order: how it arrives, moves, and whom that concerns."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.announcing import circle_of
from connectors.bulk import insert_all
from connectors.errors import Duplicate, NothingChanged, Refused
from connectors.hub.identifiers import public_id_of
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.models import Activation
from connectors.records import Document, OrderRecord, OrderStatus
from connectors.spec import Mode
from connectors.succession import acting, hold_integrations
from connectors.trouble.causes import MISSING_DATA
from orders.finding import concerns_words, note_words, renew_words
from orders.history import By, record_refusal, record_step
from orders.links import note, notes_that_change, number_there, tell
from orders.mails import write_mail
from orders.models import Line, Order, OrderLink, Payment, Shipment
from orders.parts import (
    added_there,
    changed_lists,
    find_products,
    merge_shipments,
    rows_of,
    with_logs,
    without_defaults,
)
from orders.policy import check_may_create, check_report, passed_over
from orders.reserving import keep_stock, note_taken
from orders.statistics import Standing, count_in, standing
from orders.status import ENDED, KEEPING
from orders.untold import deal, show_changes
from orders.wire import SUMMED, OrderDocument, Parts, from_record, total_of
from orders.written import write_down

# What must reach whoever has the order even where the status stays.
DELIVERY = {*INVOICE_FIELDS, *TRACKING_FIELDS, "documents"}
NOTHING_CHANGED = "Changes not found in the order"  # clients compare this text exactly


class Backwards(Refused):
    """The order is further than that already. The attempt is kept in its history; whether that is
    the first such attempt, `is_news` says."""

    is_news = False


@transaction.atomic
def create_order(source: Activation, document: OrderDocument) -> Order:
    """Store an order that a channel brought, and offer it to whoever consumes its status.

    Raises `NotAllowed` where the source's connector creates none, `Duplicate` for the second of
    one original id in one channel account, or, without one, of the source's own number, `Refused`
    for what is missing.
    """
    check_may_create(source)
    hold_integrations(source.store_id)
    order = _new_order(source, document)
    try:
        insert_all([order])
    except IntegrityError as error:
        raise _duplicate(order.original_id or document.external) from error
    circle = circle_of(order.store)
    lines = rows_of(Line, order, [], document.items or [])
    keep_stock(order, source, lines, find_products(order, lines), circle)
    payments = rows_of(Payment, order, [], document.payments or [])
    shipments = rows_of(Shipment, order, [], document.shipments or [])
    for rows in (lines, payments, shipments):
        insert_all(rows)
    step = record_step(order, "", source)
    made_of = Parts(lines, payments, shipments, [step])
    write_down(order, made_of)
    count_in(order)
    note_words(order, lines, shipments)
    link = OrderLink(
        order=order,
        activation=source,
        external_id=number_there(document) or "",
        acknowledged=bool(document.acknowledged),
        wanted_status=order.status,
        sent_status=order.status,
    )
    tell(
        order,
        source,
        "created",
        "",
        announcing=document.announce,
        parts=made_of,
        circle=circle,
        first=link,
    )
    return order


def _new_order(source: Activation, document: OrderDocument) -> Order:
    """Its row, not yet stored."""
    if document.status is None:
        raise Refused(_("$.status: falta a situação do pedido."), cause=MISSING_DATA)
    order = Order(store=source.store, source=source, status=document.status, modified_by=source)
    head = document.head
    if "total" not in head:
        head = {**head, "total": total_of(document.items or [], head)}
    order.take(head)
    if number := order.original_id or (document.external and f"external {document.external}"):
        # Platforms know the order by it. A portal that was restored from a backup, and is told of
        # the order again, must find it there.
        order.public_id = public_id_of(source.pk, order.channel, order.channel_account, number)
    if document.status in (OrderStatus.APPROVED, OrderStatus.PAID):
        order.approved_at = order.created_at
    return order


def _duplicate(number: str | None) -> Duplicate:
    return Duplicate(_("Já existe um pedido %(number)s deste canal.") % {"number": number})


def create_order_once(source: Activation, document: OrderDocument) -> Order:
    """For a channel that repeats what it got no answer to: the same order once more is the one
    that there is. Raises what `create_order` raises, `Duplicate` only for another order of that
    number."""
    try:
        return create_order(source, document)
    except Duplicate:
        known = Order.objects.filter(
            source=source,
            **{name: document.head.get(name) or "" for name in ("channel", "channel_account")},
            original_id=document.head.get("original_id"),
        ).first()
        if known is None or known.news(document.head) or changed_lists(known, document):
            raise
        return known


def import_order(activation: Activation, record: OrderRecord) -> Order:
    """Create or bring up to date an order that we read from a channel. Safe to repeat.

    Raises `NothingChanged` where all of it was known, and `Backwards` where the channel goes on
    with an order that it had ended itself.
    """
    document = from_record(record)
    # Of what was cancelled nothing is left; of an order that is all cancelled, what it was.
    document.items = [item for item in document.items or [] if item["quantity"]] or None
    document.payments = document.payments or None  # of what was paid, not all can be gone
    known = _known(activation, record)
    if known is None:
        return create_order(activation, document)
    document.shipments = added_there(known, document.shipments or [])
    if known.anonymised_at is not None:
        # They may name somebody.
        document.items = document.payments = document.shipments = None
    goes_on = record.status in KEEPING and _was_ended_by(known, activation)
    if not known.may_become(record.status) and not goes_on:
        document.status = None  # the channel has not heard yet how far the order is
    return update_order(known.pk, document, activation)


def _known(channel: Activation, record: OrderRecord) -> Order | None:
    """Found by the channel's own id, since the marketplace's number may come later than the order,
    and the account's name may change; else by what names one order only in the hub."""
    brought = Order.objects.filter(source=channel)
    named = brought.filter(links__activation=channel, links__external_id=record.external_id)
    numbered = brought.filter(
        channel=record.channel,
        channel_account=record.channel_account,
        original_id=record.original_id,
    )
    return (named.first() if record.external_id else None) or numbered.first()


def _was_ended_by(order: Order, channel: Activation) -> bool:
    if order.status not in ENDED:
        return False
    last = order.status_changes.filter(applied=True).last()
    return last is not None and last.activation_id == channel.pk


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

    @property
    def show_that_it_has_the_order(self) -> bool:
        """Whoever writes these. A line in the log may also say that it could not take it."""
        return bool(self.status or self.shipments or self.link)

    def pass_over(self, foreign: frozenset[str]) -> None:
        """Leave these out, where something is left then: else somebody must be told."""
        lists = {name: rows for name, rows in self.lists.items() if name not in foreign}
        left = replace(self, head=self.head - foreign, lists=lists)
        if left:
            self.head, self.lists = left.head, left.lists


def update_order(order_id: int, document: OrderDocument, by: By) -> Order:
    """Change what the document says and is not so already; nobody else changes it meanwhile.

    Raises `NothingChanged`, `NotAllowed` for what is not `by`'s to change, and `Duplicate` for
    another order's original id. A status behind the order's own is kept in the history and changes
    nothing; `Backwards` where nothing else came with it, for an invoice that comes late is news,
    where it is the channel's own old look at the order, and where the order is over: a caller that
    hears no "no" ships it.
    """
    order, backwards = _update_order(order_id, document, by)
    if backwards:
        raise backwards
    return order


@transaction.atomic
def _update_order(order_id: int, document: OrderDocument, by: By) -> tuple[Order, Backwards | None]:
    # The order's row alone: with its store's, every order of the store would wait for this one.
    order = Order.objects.select_for_update(of=("self",)).select_related("store").get(pk=order_id)
    hold_integrations(order.store_id)
    by = acting(by)
    before = standing(order)
    by_partner = isinstance(by, Activation) and by.pk != order.source_id
    shipments = merge_shipments(order, document.shipments or [], by_partner=by_partner)
    link = notes_that_change(order, by, document)
    head = with_logs(order, document.head)
    if by_partner:
        head = without_defaults(order, head)
    changes = _Changes(
        head=set(order.news(head)),
        lists=changed_lists(order, document, by_partner=by_partner),
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
    if changes.status and not order.may_become(changes.status):
        backwards, changes.status = _backwards(order, changes.status, by), None
        if not changes or _may_not_be_late(order, by):
            return order, backwards
    if "total" not in head and (total := _new_sum(order, head, changes)) is not None:
        head, changes.head = {**head, "total": total}, {*changes.head, "total"}
    order.take({name: head[name] for name in changes.head})
    _apply(order, before, document, changes, [s for s, names in shipments if names], by)
    return order, None


def _new_sum(order: Order, head: Document, changes: _Changes) -> Decimal | None:
    """The total, where the change does not say it, of an order whose total is the sum of its
    parts, as it is where nobody ever said one."""
    if "items" not in changes.lists and changes.head.isdisjoint(SUMMED):
        return None
    before = [line.document() for line in order.lines.all()]
    if order.total != total_of(before, order.document()):
        return None
    # As they will be stored: an item that is known by its id may be told without its price.
    lines = changes.lists.get("items")
    items = before if lines is None else [line.document() for line in lines]
    return total_of(items, order.document() | {name: head[name] for name in changes.head})


def _backwards(order: Order, asked: OrderStatus, by: By) -> Backwards:
    error = Backwards(
        _("O pedido %(order)s já está %(status)s e não volta para %(asked)s.")
        % {
            "order": order,
            "status": str(order.get_status_display()).lower(),
            "asked": str(asked.label).lower(),
        }
    )
    error.is_news = record_refusal(order, asked, by)
    return error


def _may_not_be_late(order: Order, by: By) -> bool:
    """Of a platform that we read, which nobody could tell, also what it did to an order that is
    over is news."""
    is_channel = isinstance(by, Activation) and by.pk == order.source_id
    is_read = isinstance(by, Activation) and by.mode == Mode.MANAGED
    return is_channel or (order.status in ENDED and not is_read)


def _apply(
    order: Order,
    before: Standing,
    document: OrderDocument,
    changes: _Changes,
    shipments: list[Shipment],
    by: By,
) -> None:
    previous = order.status
    if changes.status:
        order.status = changes.status
        if changes.status in (OrderStatus.APPROVED, OrderStatus.PAID):
            order.approved_at = order.approved_at or timezone.now()
    order.modified_at = timezone.now()
    order.modified_by = by if isinstance(by, Activation) else None
    try:
        order.save()
    except IntegrityError as error:
        raise _duplicate(order.original_id) from error
    for shipment in shipments:
        shipment.save()
    _apply_lists(order, before, changes, previous, by)
    if isinstance(by, Activation):
        if changes.link:
            note(order, by, document)
        if changes.show_that_it_has_the_order:
            note_taken(order, by)
    count_in(order, before)
    if concerns_words(changes.head) or "items" in changes.lists or changes.shipments:
        renew_words(order)
    if changes.status:
        record_step(order, previous, by)
        write_mail(order)
    made_of = Parts.of(order)
    write_down(order, made_of)
    if changes.status or changes.head or changes.lists or changes.shipments:
        tell(
            order,
            by,
            "updated",
            previous,
            announcing=document.announce,
            deliveries_changed=not changes.shipments.isdisjoint(DELIVERY),
            parts=made_of,
        )


def _apply_lists(order: Order, before: Standing, changes: _Changes, previous: str, by: By) -> None:
    """Its items and payments, with the stock that they keep."""
    lines = changes.lists.get("items")
    locked = None if lines is None else find_products(order, lines)
    if _concerns_stock(changes, previous):
        keep_stock(order, by, order.lines.all() if lines is None else lines, locked)
    if changes.lists or "total" in changes.head:
        ours: dict[str, Any] = {"items": order.lines.all(), "payments": order.payments.all()}
        now = deal(order.total, **(ours | changes.lists))
        show_changes(order, deal(before.amount, **ours), now)
    if lines is not None:
        order.lines.all().delete()
        Line.objects.bulk_create(lines)
    if "payments" in changes.lists:
        order.payments.all().delete()
        Payment.objects.bulk_create(changes.lists["payments"])


def _concerns_stock(changes: _Changes, previous: str) -> bool:
    moved = changes.status is not None and not {changes.status, previous} <= KEEPING
    return moved or "items" in changes.lists or "auto_reserve" in changes.head
