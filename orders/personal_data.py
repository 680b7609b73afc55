"""One buyer's data: found, handed out, and taken away for good.

What is taken away: who the buyer and the receiver are, how they are reached and where they live.
What stays is what the store must account for: amounts, SKUs, dates, city and state, the invoice's
key. An order that was anonymised takes no personal data back, whoever sends it again. One that has
not ended keeps its own: it could not be delivered. So does one under a legal hold.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.acts import record_act
from connectors.bulk import among
from connectors.errors import Refused
from connectors.models import Store
from connectors.records import OrderStatus
from orders.finding import DOCUMENTS, renew_words, word_of
from orders.models import (
    BuyerMail,
    Erasure,
    Order,
    OrderQuerySet,
    OrderWord,
    StatusChange,
)
from orders.traces import Known, erase, in_the_queue, traces
from orders.written import write_down_all

OVER = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELED, OrderStatus.REFUNDED})
AT_ONCE = 200
MOST_DAYS = 100 * 365  # nothing is older, and no calendar goes back as far as may be typed
LEAST_WORD = 4  # characters: less would be anybody
NUMBERS = tuple(f"{who}_{name}" for who in ("payer", "receiver") for name in DOCUMENTS)
ADDRESSES = ("payer_email", "receiver_email")


def orders_of(store: Store, who: str) -> OrderQuerySet:
    """The store's orders of the buyer with this CPF, CNPJ or e-mail, or with this number."""
    word = word_of(who)
    if len(word) < LEAST_WORD:
        return Order.objects.none()
    named = OrderWord.objects.filter(order=OuterRef("pk"), word=word)
    found = Order.objects.filter(Exists(named), store=store).only(
        "original_id", "public_id", "fields"
    )
    # A name, a SKU or an invoice's number is such a word as well, of other buyers' orders.
    ids = [order.pk for order in found.iterator() if _is_of(order, who, word)]
    return Order.objects.filter(pk__in=among(ids)).order_by("pk")


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
    """Of one buyer, because he asked; an order that is not over, or is held, stays as it is. Raises
    `Refused` where nothing is left to take away."""
    named = [order for order in _locked(store, order_ids) if order.anonymised_at is None]
    orders = [order for order in named if order.status in OVER and not order.legal_hold]
    if not orders:
        nothing = _("Não há dados pessoais a apagar nestes pedidos.")
        raise Refused(_why_kept(named[0]) if named else nothing)
    erasure = _erase(store, orders, Erasure.Why.ASKED, who, by)
    record_act(by, erasure, _("Dados pessoais de um comprador anonimizados."))
    return erasure


def anonymise_all_ended() -> None:
    """Of every store that says for how many days it keeps them, what is older; some at a time."""
    now = timezone.now()
    for store in Store.objects.filter(personal_data_days__isnull=False):
        days = min(store.personal_data_days or 0, MOST_DAYS)
        before = now - timedelta(days=days)
        while ids := list(_due(store, before).values_list("pk", flat=True)[:AT_ONCE]):
            with transaction.atomic():
                locked = [order.pk for order in _locked(store, ids)]
                # Asked once they are locked: somebody may have held one while we waited for it.
                orders = list(_due(store, before).filter(pk__in=locked).order_by("pk"))
                if orders:
                    _erase(store, orders, Erasure.Why.TERM, "", None)


def leftovers(store: Store) -> dict[str, int]:
    """Where data of buyers whose orders were anonymised is still found; nothing, if all is well."""
    found: Counter[str] = Counter()
    done = Order.objects.filter(store=store, anonymised_at__isnull=False).order_by("pk")
    after = 0
    while orders := list(done.filter(pk__gt=after)[:AT_ONCE]):
        after, known = orders[-1].pk, Known(store, orders)
        found.update(trace.kind for trace in chain(traces(known), in_the_queue(known)))
    return dict(found)


# -- How -------------------------------------------------------------------------------------------


def _is_of(order: Order, who: str, word: str) -> bool:
    def said(names: tuple[str, ...]) -> list[str]:
        return [str(order.fields.get(name) or "").strip() for name in names]

    if "@" in who:  # without its points it may be another's
        return who.strip().casefold() in map(str.casefold, said(ADDRESSES))
    return word in map(word_of, [order.original_id, order.public_id, *said(NUMBERS)])


def _why_kept(order: Order) -> str:
    if order.legal_hold:
        return _("O pedido %s está retido por obrigação legal.") % order
    return _("O pedido %s ainda não terminou: sem os dados não há como entregar.") % order


def _due(store: Store, before: datetime) -> OrderQuerySet:
    """Ended, and nothing has become of them since."""
    later = StatusChange.objects.filter(order=OuterRef("pk"), at__gte=before)
    return Order.objects.filter(
        ~Exists(later),
        store=store,
        status__in=OVER,
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
    known = Known(store, orders, holds=True)
    erase(list(chain(traces(known), in_the_queue(known))))
    for order in orders:
        order.anonymised_at = timezone.now()
        renew_words(order)
    Order.objects.bulk_update(orders, ["anonymised_at"])
    write_down_all([order.pk for order in orders])
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
