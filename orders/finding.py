"""How an order is found by what people know of it: its number, the buyer, a SKU, the tracking code,
the invoice's key.

Each is kept as a word of capitals and digits, and a word is found by how it begins. Between two
such words every database has the same order, so that one plain index serves.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from connectors.bulk import insert_all
from orders.models import Line, Order, OrderQuerySet, OrderWord, Shipment

LENGTH = 100
MOST_WORDS = 8  # of a question
# So many orders are soon looked up and sorted. Where there are more, the newest are found sooner by
# going through the store's orders until a page is full.
FEW = 5_000
READ_AT_MOST = 20_000  # of the entries of a word, to see in which orders it stands with another
DOCUMENTS = ("cpf", "cnpj", "tax_id")
NAMES = tuple(
    f"{who}_{name}"
    for who in ("payer", "receiver")
    for name in ("name", "lastname", "razao_social", "fantasy_name", *DOCUMENTS, "email")
)
# A change of these, or of the items or deliveries, changes the words.
HEAD = frozenset({"original_id", *NAMES})


def word_of(text: object) -> str:
    """Capitals and digits alone, accents off."""
    plain = unicodedata.normalize("NFKD", str(text or "")).upper()
    return re.sub(r"[^0-9A-Z]", "", plain)[:LENGTH]


def words_of(order: Order, lines: Iterable[Line], shipments: Iterable[Shipment]) -> set[str]:
    texts: list[object] = [order.original_id, order.public_id]
    for name in NAMES:
        value = order.fields.get(name)
        texts += [value, *str(value or "").split()]
    for line in lines:
        texts += [line.sku, line.sold_sku]
    for shipment in shipments:
        texts += [shipment.track_code, shipment.nfe_key, shipment.nfe_number]
    return {word for text in texts if (word := word_of(text))}


def note_words(order: Order, lines: Iterable[Line], shipments: Iterable[Shipment]) -> None:
    """Of a new order."""
    _add(order, words_of(order, lines, shipments))


def renew_words(order: Order) -> None:
    """Of one that changed, in the transaction of the change. Those that stay are left alone."""
    words = words_of(order, order.lines.all(), order.shipments.all())
    known = dict(order.words.values_list("word", "pk"))
    if gone := [pk for word, pk in known.items() if word not in words]:
        OrderWord.objects.filter(pk__in=gone).delete()
    if words - known.keys():
        _add(order, words - known.keys())


@transaction.atomic
def renew_words_of(order_ids: Collection[int]) -> None:
    """The same of several orders; nobody changes them meanwhile."""
    rows = Order.objects.select_for_update(of=("self",)).filter(pk__in=order_ids).order_by("pk")
    for order in rows.prefetch_related("lines", "shipments"):
        renew_words(order)


def _add(order: Order, words: set[str]) -> None:
    insert_all(
        [OrderWord(order=order, store_id=order.store_id, word=word) for word in sorted(words)]
    )


def concerns_words(changed: set[str]) -> bool:
    return not HEAD.isdisjoint(changed)


def find(orders: OrderQuerySet, question: str, stores: Collection[int]) -> OrderQuerySet:
    """Of these stores' orders, those with a word that begins like the whole question, or with one
    for each of its words."""
    whole = word_of(question)
    parts = [word for part in question.split()[:MOST_WORDS] if (word := word_of(part))]
    if not whole:
        return orders.none()
    found = _with_all([whole], stores)
    return orders.filter(found | _with_all(parts, stores) if len(parts) > 1 else found)


def _with_all(words: list[str], stores: Collection[int]) -> Q:
    """A database guesses badly how many words begin in some way, and then reads all orders for one,
    or sorts most of them for a page; so this looks first."""
    mine = OrderWord.objects.filter(store__in=stores).order_by()
    entries = {
        word: mine.filter(_begins(word)).values_list("order_id", flat=True) for word in words
    }
    read = [
        word
        for word in entries
        if len(words) == 1 or entries[word][: READ_AT_MOST + 1].count() <= READ_AT_MOST
    ]
    looked_at = Q()
    if read:
        first, *others = (entries[word] for word in read)
        few = list((first.intersection(*others) if others else first)[: FEW + 1])
        if len(few) <= FEW:
            looked_at = Q(pk__in=few)
            words = [word for word in words if word not in read]
    for word in words:
        of_the_order = OrderWord.objects.filter(order=OuterRef("pk"), store=OuterRef("store"))
        looked_at &= asked_of_each(of_the_order.filter(_begins(word)))
    return looked_at


def asked_of_each(rows: QuerySet[Any]) -> Q:
    """That there is one of these. Not by EXISTS, which may be turned into a join that begins at the
    rows: they are many, and a page of orders is soon full."""
    return Q(IsNull(Subquery(rows.order_by().values("pk")[:1]), False))


def _begins(beginning: str) -> Q:
    return Q(word__range=(beginning, beginning + "Z" * LENGTH))
