"""Where an order names its buyer: in itself, its parts, and in what was written about it elsewhere.

What is a person's is known by its place, or by its shape. While the order still says who the buyer
is, his own name and numbers are looked for as well, in what was written about that order.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet
from django_q.models import OrmQ, Task

from connectors.hub.wire import Table
from connectors.models import Act, Event, Failure, Receipt, Store
from connectors.records import Document
from connectors.redaction import MASK, people_in, without_people
from orders.models import (
    BuyerMail,
    Line,
    Order,
    OrderLink,
    Payment,
    Shipment,
    StatusChange,
    names_somebody,
)

PARTS: dict[str, type[Line] | type[Payment] | type[Shipment]] = {
    "items": Line, "payments": Payment, "shipments": Shipment,
}  # fmt: skip
# Of the fields that we know, those into which people write what they like.
FREE = {
    "log_history", "log_permanent", "tags", "discount_description", "delivery_description",
    "comment", "description", "error_message", "issues", "label_info", "payment_additional_info",
    "attributes", "quote",
}  # fmt: skip
M = TypeVar("M", bound=Model)
ID_IN_TEXT = re.compile(r"[\w.-]{4,}")


@dataclass(frozen=True)
class Trace:
    """A row that names somebody, and its columns without that. Without columns it is left as it is:
    the queue would not run it any more."""

    kind: str
    row: Model
    columns: dict[str, Any]


@dataclass
class Known:
    """These orders, and the words by which their buyers are found, by the orders' ids."""

    store: Store
    orders: list[Order]
    # What others write to as well is held until it is written.
    holds: bool = False
    by_pk: dict[str, set[str]] = field(default_factory=dict)
    by_id: dict[str, set[str]] = field(default_factory=dict)  # ours and the far sides'

    def __post_init__(self) -> None:
        links = OrderLink.objects.filter(order__in=self.orders).exclude(external_id="")
        theirs: dict[int, list[str]] = {}
        for order_id, external_id in links.values_list("order_id", "external_id"):
            theirs.setdefault(order_id, []).append(external_id)
        for order in self.orders:
            words = _people_of(order)
            self.by_pk[str(order.pk)] = words
            for each in (order.public_id, order.original_id, *theirs.get(order.pk, [])):
                if each:
                    self.by_id.setdefault(each, set()).update(words)

    def rows(self, found: QuerySet[M]) -> QuerySet[M]:
        """In one order, so that two who hold them do not wait for each other."""
        rows = found.order_by("pk")
        return rows.select_for_update(of=("self",)) if self.holds else rows

    def words_for(self, text: str) -> set[str] | None:
        """None for a text that is about none of these orders."""
        about = set(ID_IN_TEXT.findall(text)) & self.by_id.keys()
        return set().union(*(self.by_id[each] for each in about)) if about else None


def traces(known: Known) -> Iterator[Trace]:
    """In a constant number of queries."""
    yield from _in_orders(known)
    yield from _in_mails(known)
    for event in Event.objects.filter(store=known.store, object_id__in=known.by_id):
        masked = masked_document(event.data, {}, known.by_id[event.object_id])
        yield from _trace("events", event, data=masked)
    yield from _in_failures(known)
    history = StatusChange.objects.filter(order__in=known.orders, user=None, activation=None)
    for step in history:  # a person of the shop or of ours is no buyer
        masked = without_people(step.author, known.by_pk[str(step.order_id)])
        yield from _trace("history", step, author=masked)
    yield from _in_receipts(known)


def in_the_queue(known: Known) -> Iterator[Trace]:
    """What waits there, and what is told of a task that failed. Reads all of it."""
    for waiting in OrmQ.objects.iterator():
        text = str(waiting.task)
        if (words := known.words_for(text)) is not None and without_people(text, words) != text:
            yield Trace("queue", waiting, {})
    for task in Task.objects.iterator():
        text = f"{task.args} {task.kwargs} {task.result}"
        if (words := known.words_for(text)) is not None:
            yield from _trace("queue", task, result=without_people(task.result, words))


def erase(found: Iterable[Trace]) -> None:
    by_model: dict[type[Model], list[Trace]] = {}
    for trace in found:
        if trace.columns:
            by_model.setdefault(type(trace.row), []).append(trace)
    for model, changes in by_model.items():
        for trace in changes:
            vars(trace.row).update(trace.columns)
        columns = sorted({name for trace in changes for name in trace.columns})
        model._default_manager.bulk_update([trace.row for trace in changes], columns)


def masked_document(fields: Document, table: Table, words: Collection[str] = ()) -> Document:
    """What of an order is a person's is known by name. Where people write freely, and in what we
    do not know, it is looked for; a number in a known place is not taken for somebody's."""
    masked: Document = {}
    for name, value in fields.items():
        if names_somebody(name):
            masked[name] = MASK if value else value
        elif name in table and name not in FREE:
            masked[name] = value
        else:
            masked |= without_people({name: value}, words)
    return masked


# -- How -------------------------------------------------------------------------------------------


def _people_of(order: Order) -> set[str]:
    named = {str(each) for name, each in order.fields.items() if each and names_somebody(name)}
    return (named | people_in(order.fields)) - {MASK}


def _trace(kind: str, row: Any, **columns: Any) -> Iterator[Trace]:
    changed = {name: each for name, each in columns.items() if each != getattr(row, name)}
    if changed:
        yield Trace(kind, row, changed)


def _in_orders(known: Known) -> Iterator[Trace]:
    for order in known.orders:
        words = known.by_pk[str(order.pk)]
        yield from _trace("orders", order, fields=masked_document(order.fields, Order.TABLE, words))
    for kind, model in PARTS.items():
        for part in model.objects.filter(order__in=known.orders):
            words = known.by_pk[str(part.order_id)]
            masked = masked_document(part.fields, model.TABLE, words)
            yield from _trace(kind, part, fields=masked)


def _in_mails(known: Known) -> Iterator[Trace]:
    mails = BuyerMail.objects.filter(order__in=known.orders).exclude(address="")
    for mail in known.rows(mails):
        going = mail.state == BuyerMail.State.WAITING
        state = BuyerMail.State.FAILED if going else mail.state
        yield from _trace("mails", mail, address="", subject=MASK, body=MASK, state=state)


def _in_failures(known: Known) -> Iterator[Trace]:
    """A failure names its record by our id, or by one of the far sides'. With it, what the record
    of acts and Django's own say of the failures and of the orders."""
    failures: dict[str, set[str]] = {}
    mine = Failure.objects.filter(activation__store=known.store, record_id__in=known.by_id)
    for failure in known.rows(mine):
        words = failures[str(failure.pk)] = known.by_id[failure.record_id]
        names = ("payload", "translated", "edited", "exchange", "reason")
        columns = {name: without_people(getattr(failure, name), words) for name in names}
        if failure.sealed:
            columns |= {"sealed": "", "retry_at": None}  # what is left of it is no order any more
        yield from _trace("failures", failure, **columns)
    told = {"orders.order": known.by_pk, "connectors.failure": failures}
    here = [Q(model=label, object_id__in=words) for label, words in told.items()]
    for act in Act.objects.filter(here[0] | here[1]):
        words = told[act.model][act.object_id]
        yield from _trace(
            "acts",
            act,
            what=without_people(act.what, words),
            changes=without_people(act.changes, words),
        )
    for label, about in told.items():
        app_label, model = label.split(".")
        entries = LogEntry.objects.filter(
            content_type__app_label=app_label, content_type__model=model, object_id__in=about
        )
        for entry in entries:
            message = without_people(entry.change_message, about[str(entry.object_id)])
            yield from _trace("log", entry, change_message=message)


def _in_receipts(known: Known) -> Iterator[Trace]:
    """Of what was tried out, it quotes the answers."""
    for receipt in known.rows(Receipt.objects.filter(activation__store=known.store)):
        test = receipt.facts.get("test") or {}
        results = test.get("results")
        if (words := known.words_for(str(results))) is not None:
            masked = {**test, "results": without_people(results, words)}
            yield from _trace("receipts", receipt, facts={**receipt.facts, "test": masked})
