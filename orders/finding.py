"""How an order is found by what people know of it: its number, the buyer, a SKU, the tracking code,
the invoice's key.

Each is kept as a word of capitals and digits, and a word is found by how it begins. Between two
such words every database has the same order, so that one plain index serves.
"""

import re
import unicodedata
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from orders.models import Line, Order, OrderQuerySet, OrderWord, Shipment

LENGTH = 100
MOST_WORDS = 8  # of a question
NAMES = tuple(
    f"{who}_{name}"
    for who in ("payer", "receiver")
    for name in ("name", "lastname", "razao_social", "fantasy_name", "cpf", "cnpj", "email")
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


def _add(order: Order, words: set[str]) -> None:
    OrderWord.objects.bulk_create(
        OrderWord(order=order, store_id=order.store_id, word=word) for word in sorted(words)
    )


def concerns_words(changed: set[str]) -> bool:
    return not HEAD.isdisjoint(changed)


def find(orders: OrderQuerySet, question: str) -> OrderQuerySet:
    """Those with a word that begins like the whole question, or with one for each of its words."""
    whole = word_of(question)
    parts = [word for part in question.split()[:MOST_WORDS] if (word := word_of(part))]
    if not whole:
        return orders.none()
    each = Q()
    for word in parts:
        each &= _has(word)
    return orders.filter(_has(whole) | each) if len(parts) > 1 else orders.filter(_has(whole))


def _has(beginning: str) -> Q:
    words = OrderWord.objects.filter(
        order=OuterRef("pk"),
        store=OuterRef("store"),
        word__range=(beginning, beginning + "Z" * LENGTH),
    )
    return Q(Exists(words))
