"""One buyer's data: found, handed out, and taken away for good.

What is taken away: who the buyer and the receiver are, how they are reached and where they live.
What stays is what the store must account for: amounts, SKUs, dates, city and state, the invoice's
key. An order that was anonymised takes no personal data back, whoever sends it again. One that has
not ended keeps its own: it could not be delivered. So does one under a legal hold.
"""

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.acts import record_act
from connectors.errors import Refused
from connectors.hub.wire import Table
from connectors.models import Event, Failure, Store
from connectors.records import Document, OrderStatus
from connectors.redaction import MASK, without_people
from orders.finding import renew_words, word_of
from orders.models import (
    BuyerMail,
    Erasure,
    Line,
    Order,
    OrderQuerySet,
    OrderWord,
    Payment,
    Shipment,
    StatusChange,
    names_somebody,
)

ENDED = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELED, OrderStatus.REFUNDED})
PARTS: tuple[type[Line] | type[Payment] | type[Shipment], ...] = (Line, Payment, Shipment)
KEPT_OF_FAILURES = ("payload", "translated", "edited", "exchange")
# Of the fields that we know, those into which people write what they like.
FREE = {
    "log_history", "log_permanent", "tags", "discount_description", "delivery_description",
    "comment", "description", "error_message", "issues", "label_info", "payment_additional_info",
}  # fmt: skip
AT_ONCE = 200
LEAST_WORD = 4  # characters: less would be anybody


def orders_of(store: Store, who: str) -> OrderQuerySet:
    """The store's orders of the buyer with this CPF, CNPJ or e-mail, or with this number."""
    word = word_of(who)
    if len(word) < LEAST_WORD:
        return Order.objects.none()
    named = OrderWord.objects.filter(order=OuterRef("pk"), word=word)
    return Order.objects.filter(Exists(named), store=store).order_by("pk")


def export(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Everything that is kept of these orders."""
    found = []
    for order in orders:
        document = order.document()
        for name, rows in (
            ("items", order.lines.all()),
            ("payments", order.payments.all()),
            ("shipments", order.shipments.all()),
        ):
            document[name] = [row.document() for row in rows]
        mails = BuyerMail.objects.filter(order=order)
        document["mails"] = [
            {"to": mail.address, "subject": mail.subject, "body": mail.body} for mail in mails
        ]
        found.append(document)
    return found


@transaction.atomic
def anonymise(store: Store, order_ids: Sequence[int], who: str, by: User) -> Erasure:
    """Of one buyer, because he asked. Raises `Refused` where an order is not over, or is held."""
    orders = list(_locked(store, order_ids))
    for order in orders:
        if order.status not in ENDED:
            raise Refused(
                _("O pedido %s ainda não terminou: sem os dados não há como entregar.") % order
            )
        if order.legal_hold:
            raise Refused(_("O pedido %s está retido por obrigação legal.") % order)
    orders = [order for order in orders if order.anonymised_at is None]
    if not orders:
        raise Refused(_("Não há dados pessoais a apagar nestes pedidos."))
    erasure = _erase(store, orders, Erasure.Why.ASKED, who, by)
    record_act(by, erasure, _("Dados pessoais de um comprador anonimizados."))
    return erasure


def anonymise_all_ended() -> None:
    """Of every store that says for how many days it keeps them, what is older; some at a time."""
    now = timezone.now()
    for store in Store.objects.filter(personal_data_days__isnull=False):
        before = now - timedelta(days=store.personal_data_days or 0)
        while ids := list(_due(store, before).values_list("pk", flat=True)[:AT_ONCE]):
            with transaction.atomic():
                still = _due(store, before).values("pk")
                orders = list(_locked(store, ids).filter(pk__in=still))
                if orders:
                    _erase(store, orders, Erasure.Why.TERM, "", None)
    redact_resolved_failures()


def redact_resolved_failures() -> None:
    """What failed is kept as it came only as long as it may be tried again."""
    done = Failure.objects.filter(resolved_at__isnull=False, redacted=False).order_by("pk")
    while failures := list(done[:AT_ONCE]):
        _redact(failures)


def leftovers(store: Store) -> dict[str, int]:
    """Where data of buyers whose orders were anonymised is still found; nothing, if all is well."""
    ids = Order.objects.filter(store=store, anonymised_at__isnull=False)
    public_ids = ids.values("public_id")
    found = {
        "orders": sum(_names_somebody(order) for order in ids.iterator(chunk_size=AT_ONCE)),
        "mails": BuyerMail.objects.filter(order__in=ids).exclude(address="").count(),
        "events": sum(
            _masked(event.data, {}) != event.data
            for event in Event.objects.filter(store=store, object_id__in=public_ids)
        ),
        "failures": sum(
            any(without_people(getattr(f, n)) != getattr(f, n) for n in KEPT_OF_FAILURES)
            for f in _failures_of(store, ids)
        ),
    }
    return {name: number for name, number in found.items() if number}


# -- How -------------------------------------------------------------------------------------------


def _due(store: Store, before: datetime) -> OrderQuerySet:
    """Ended, and nothing has become of them since."""
    later = StatusChange.objects.filter(order=OuterRef("pk"), at__gte=before)
    return Order.objects.filter(
        ~Exists(later),
        store=store,
        status__in=ENDED,
        anonymised_at=None,
        legal_hold=False,
        created_at__lt=before,
    )


def _locked(store: Store, order_ids: Sequence[int]) -> OrderQuerySet:
    wanted = Order.objects.select_for_update(of=("self",)).filter(store=store, pk__in=order_ids)
    return wanted.order_by("pk")


def _erase(
    store: Store, orders: list[Order], why: Erasure.Why, who: str, by: User | None
) -> Erasure:
    now = timezone.now()
    _redact(list(_failures_of(store, Order.objects.filter(pk__in=[o.pk for o in orders]))))
    for order in orders:
        order.fields = _masked(order.fields, Order.TABLE)
        order.anonymised_at = now
        order.save(update_fields=["fields", "anonymised_at"])
        for model in PARTS:
            for row in model.objects.filter(order=order):
                fields = _masked(row.fields, model.TABLE)
                if fields != row.fields:
                    row.fields = fields
                    row.save(update_fields=["fields"])
        renew_words(order)
    mails = BuyerMail.objects.filter(order__in=orders)
    mails.filter(state=BuyerMail.State.WAITING).update(state=BuyerMail.State.FAILED)
    mails.update(address="", subject=MASK, body=MASK)
    for event in Event.objects.filter(store=store, object_id__in=[o.public_id for o in orders]):
        event.data = _masked(event.data, {})
        event.save(update_fields=["data"])
    return Erasure.objects.create(
        store=store,
        why=why,
        subject=subject_digest(who) if who else "",
        order_ids=[order.public_id for order in orders],
        by=by,
    )


def subject_digest(who: str) -> str:
    """By it a person who asks again is known to have been erased; nobody can guess back from it."""
    return hmac.digest(settings.SECRET_KEY.encode(), word_of(who).encode(), "sha256").hex()


def _masked(fields: Document, table: Table) -> Document:
    """What of an order is a person's is known by name. Where people write freely, and in what we
    do not know, it is looked for; a number in a known place is not taken for somebody's."""
    masked: Document = {}
    for name, value in fields.items():
        if names_somebody(name):
            masked[name] = MASK if value else value
        elif name in table and name not in FREE:
            masked[name] = value
        else:
            masked |= without_people({name: value})
    return masked


def _names_somebody(order: Order) -> bool:
    return _masked(order.fields, Order.TABLE) != order.fields


def _failures_of(store: Store, orders: QuerySet[Order]) -> QuerySet[Failure]:
    """A failure names its record by our id, or by one of the far sides'."""
    ids = {
        each
        for row in orders.values_list("public_id", "original_id", "links__external_id")
        for each in row
        if each
    }
    return Failure.objects.filter(Q(record_id__in=ids), activation__store=store)


def _redact(failures: list[Failure]) -> None:
    for failure in failures:
        for name in KEPT_OF_FAILURES:
            value = getattr(failure, name)
            setattr(failure, name, without_people(value) if value is not None else None)
        failure.reason, failure.redacted = without_people(failure.reason), True
    Failure.objects.bulk_update(failures, [*KEPT_OF_FAILURES, "reason", "redacted"])
