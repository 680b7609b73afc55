"""Units kept for sales, so that nothing is sold twice.

    available = on hand − reserved − safety

What is on hand goes to the sales that want it, the oldest first; reserved is what they hold. So
it is never more than what is on hand, and of two sales of a last unit the later one is short:
visible as such, and served by itself when there are units again. Nobody who holds a unit loses it
while there are enough; where a level is told that is too low for all, the youngest lose theirs.

A sale stops wanting its units

- when it is cancelled, or wants fewer: they are free again;
- when it is invoiced: they are gone, and leave the stock on hand as well;
- when whoever tells us stock levels has the sale, and tells a level that we asked for after it had
  it: such a level is without the units of the orders that its sender has taken (the store
  contract and Olist both say so), and with the reservation they would be taken off twice.

A level that we asked for before its sender had the sale, and that came after that, may be either
with the units or without them. Until another one comes they are held, which sells nothing twice.
If none has come when the order is invoiced, it was without them: else taking the order would have
changed the level, and every change is told, long before an invoice. Then they are not taken off
the stock on hand again. Nor are they where the sender tells differences: its own decrease has done
that, or will.

So it is where the sale was sent to that sender and no answer came: from the first time on it may
have it, and what it tells may be either.

A level that a person enters is what he counted, and says nothing of any order.

Locks: the products' rows by their ids, as everywhere in the catalogue; an order's row before those
of its products.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from catalog.announcing import Circle, announce_levels
from catalog.models import Reservation, Stock, touch
from catalog.shelves import Shelves
from catalog.taking import forget
from connectors.models import Activation, Store

# By hand: the ORM takes several times as long to write this as PostgreSQL to run it.
RESTOCK = f"""
    UPDATE {Stock._meta.db_table} SET on_hand = %s
    WHERE product_id = %s AND on_hand <> %s AND NOT EXISTS
        (SELECT 1 FROM {Reservation._meta.db_table} WHERE product_id = %s AND quantity > 0)
"""  # noqa: S608


@transaction.atomic(savepoint=False)
def reserve(
    store: Store,
    sale: str,
    wanted: Mapping[int, int],
    by: Activation | None,
    *,
    locked: Collection[int] | None = None,
    circle: Circle | None = None,
) -> dict[int, int]:
    """Keep for a sale this many units of these products, and none of others, whatever it wanted
    until now; how many are missing, by product. Safe to repeat.

    Who has `locked` the rows of these products, and of those that it wanted until now, says so.
    """
    if locked is None:
        known = Reservation.objects.filter(sale=sale).values_list("product", flat=True)
        locked = _lock(store, {*known, *wanted})
    shelves = Shelves(locked, sale, wanted)
    mine = {shelf.product_id: shelf.made_for(sale) for shelf in shelves}
    for product_id, reservation in mine.items():
        quantity = max(0, wanted.get(product_id, 0) - reservation.counted)
        if quantity > reservation.quantity:
            # Whoever has the sale does not know of these.
            reservation.taken_by = reservation.taken_at = None
        reservation.quantity = quantity
    _tell(store, shelves.share_out(), by, circle)
    return {pk: reservation.missing for pk, reservation in mine.items() if reservation.missing}


def knows(sale: str) -> bool:
    """It wanted units once, whatever became of them."""
    return Reservation.objects.filter(sale=sale).exists()


def release(store: Store, sale: str, by: Activation | None) -> None:
    """The sale is off: what it held is free. What has left the stock on hand is not put back:
    whether it ever returns is for whoever counts it to say."""
    reserve(store, sale, {}, by)


@transaction.atomic
def consume(store: Store, sale: str, by: Activation | None) -> None:
    """The sale is invoiced: its units are gone."""
    wanted = Reservation.objects.open().filter(sale=sale).values_list("product", flat=True)
    shelves = Shelves(_lock(store, set(wanted)), sale)
    for shelf in shelves:
        if reservation := shelf.of(sale):
            if not _is_in_level(reservation, by):
                shelf.on_hand = max(0, shelf.on_hand - reservation.quantity)
            _count(reservation)
    _tell(store, shelves.share_out(), by)


def _is_in_level(reservation: Reservation, by: Activation | None) -> bool:
    """The last level came from somebody who has the sale. Whoever invoices it has it."""
    taken_by = reservation.taken_by_id if reservation.taken_at else None
    who_has_it = {taken_by, by.pk if by else None} - {None}
    return reservation.leveled_by_id in who_has_it


def _count(reservation: Reservation) -> None:
    reservation.counted += reservation.quantity
    reservation.quantity = 0


@transaction.atomic
def note_asked(store: Store, sale: str, by: Activation) -> None:
    """`by`, which tells us stock levels, is to be sent the sale now: it may have it before we know
    that."""
    unasked = Reservation.objects.open().filter(sale=sale, taken_by=None)
    if product_ids := set(unasked.values_list("product", flat=True)):
        _lock(store, product_ids)
        unasked.update(taken_by=by, leveled_by=None)


@transaction.atomic
def note_taken(store: Store, sale: str, by: Activation) -> None:
    """`by`, which tells us stock levels, has the sale from now on. The first that has it counts:
    a store with two masters of its stock cannot be helped."""
    untaken = Reservation.objects.open().filter(sale=sale, taken_at=None)
    if product_ids := set(untaken.values_list("product", flat=True)):
        _lock(store, product_ids)
        untaken.exclude(taken_by=by).update(leveled_by=None)  # it was not asked before
        untaken.update(taken_by=by, taken_at=timezone.now())
        forget(None, product_ids)  # a level that it told before means something else from now on


def write_levels(
    levels: Mapping[int, int], by: Activation | None, asked_at: datetime | None
) -> set[int]:
    """Set what is on hand of products, whose rows the caller has locked; which of them changed.

    `asked_at` is when `by` was asked for these levels, or told them by itself; None for what is
    only a difference to the level before.
    """
    shelves = Shelves(levels)
    for shelf in shelves:
        shelf.on_hand = levels[shelf.product_id]
        if by is None:
            continue
        for reservation in shelf.reservations:
            reservation.leveled_by = by
            has_it_since = reservation.taken_at if reservation.taken_by_id == by.pk else None
            if asked_at and has_it_since and has_it_since <= asked_at:
                _count(reservation)
    return shelves.share_out()


def write_level(
    stock: Stock, on_hand: int, by: Activation | None, asked_at: datetime | None
) -> bool:
    """As `write_levels`, of one product, whose `stock` says afterwards what is there; whether that
    changed it. Mostly nobody wants units of it: then it is one statement."""
    with connection.cursor() as cursor:
        cursor.execute(RESTOCK, [on_hand, stock.pk, on_hand, stock.pk])
        if cursor.rowcount:
            stock.on_hand = on_hand
            return True
    if not write_levels({stock.pk: on_hand}, by, asked_at):
        return False
    stock.refresh_from_db()
    return True


@transaction.atomic
def keep_safety(product_id: int, units: int) -> None:
    """How many units of a product are never offered to channels. They serve a sale that was made
    nevertheless."""
    store = Store.objects.get(products=product_id)
    _lock(store, {product_id})
    stock = Stock.objects.filter(product=product_id).exclude(safety=units)
    if stock.update(safety=units):
        _tell(store, {product_id}, None)


# -- How -------------------------------------------------------------------------------------------
def _lock(store: Store, product_ids: Collection[int]) -> list[int]:
    """Those of these products that are there."""
    products = store.products.select_for_update(no_key=True).filter(pk__in=product_ids)
    return list(products.order_by("pk").values_list("pk", flat=True))


def _tell(
    store: Store,
    changed: Collection[int],
    by: Activation | None,
    circle: Circle | None = None,
) -> None:
    """As after every other change of stock."""
    if changed:
        touch(changed, by)
        forget(None, changed)
        announce_levels(store, changed, by, "stock", circle=circle)
