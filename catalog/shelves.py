"""What is on hand of some products, and who wants how much of it: read, changed, shared out anew
and stored at once, whatever their number. Their products' rows are locked by whoever does that."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from catalog.models import Reservation, Stock
from connectors.bulk import insert_all, update_rows
from connectors.prepared import Prepared, Slot, many, slot_of_many

LEVEL = ("on_hand", "reserved")
CHANGING = ("quantity", "held", "counted", "taken_by_id", "taken_at", "leveled_by_id")
LEVELS = Prepared(
    lambda: Stock.objects.filter(pk__in=slot_of_many("products", "bigint")).values_list(
        "pk", *LEVEL
    )
)
WANTED = Prepared(
    lambda: Reservation.objects.open().filter(product__in=slot_of_many("products", "bigint"))
)
MINE = Prepared(lambda: Reservation.objects.filter(sale=Slot("sale")))


@dataclass
class Shelf:
    """One product's stock, and its reservations, the oldest first."""

    product_id: int
    on_hand: int
    reserved: int
    reservations: list[Reservation] = field(default_factory=list)
    others: int = 0  # units of reservations that were not read, since nothing changes for them

    def of(self, sale: str) -> Reservation | None:
        return next((each for each in self.reservations if each.sale == sale), None)

    def made_for(self, sale: str) -> Reservation:
        """The sale's; where it has none, a new one, behind all others."""
        reservation = self.of(sale)
        if reservation is None:
            reservation = Reservation(product_id=self.product_id, sale=sale, quantity=0)
            self.reservations.append(reservation)
        return reservation

    def share_out(self) -> None:
        """Whoever holds units keeps them while there are enough; the rest goes to the oldest."""
        left = self.on_hand - self.others
        for reservation in self.reservations:
            reservation.held = min(reservation.held, reservation.quantity, left)
            left -= reservation.held
        for reservation in self.reservations:
            more = min(reservation.missing, left)
            reservation.held += more
            left -= more
        self.reserved = self.on_hand - left


class Shelves:
    def __init__(
        self,
        product_ids: Collection[int],
        sale: str = "",
        wanted: Mapping[int, int] | None = None,
    ) -> None:
        """With a sale, also what it wanted once and does not want any more. Where nothing is to
        change but that it will want so many, and there are as many units that nobody holds, then
        nobody is short, and the others' reservations are not read: there may be hundreds."""
        products = many(product_ids)
        self._by_product = {pk: Shelf(pk, *level) for pk, *level in LEVELS(products=products)}
        scarce = {
            shelf.product_id
            for shelf in self
            if wanted is None
            or shelf.on_hand - shelf.reserved < max(1, wanted.get(shelf.product_id, 0))
        }
        rows = MINE(sale=sale) if sale else []
        if scarce:
            rows += [row for row in WANTED(products=many(scarce)) if row.sale != sale]
        for row in sorted(rows, key=attrgetter("pk")):
            if row.product_id in self._by_product:
                self._by_product[row.product_id].reservations.append(row)
        for shelf in self:
            if shelf.product_id not in scarce:
                shelf.others = shelf.reserved - sum(each.held for each in shelf.reservations)
        self._levels = self._all_levels()
        self._known = {row.pk: _values(row) for row in self._reservations()}

    def __iter__(self) -> Iterator[Shelf]:
        return iter(self._by_product.values())

    def share_out(self) -> set[int]:
        """Give what is on hand to those who want it, and store what that changes; the products
        whose stock is another now."""
        for shelf in self:
            shelf.share_out()
        levels = self._all_levels()
        changed = {pk: level for pk, level in levels.items() if level != self._levels[pk]}
        update_rows(Stock, LEVEL, changed)
        rows = list(self._reservations())
        insert_all([row for row in rows if not row.pk])
        known = {row.pk: _values(row) for row in rows if row.pk in self._known}
        altered = {pk: values for pk, values in known.items() if values != self._known[pk]}
        update_rows(Reservation, CHANGING, altered)
        return set(changed)

    def _all_levels(self) -> dict[int, tuple[int, int]]:
        return {shelf.product_id: (shelf.on_hand, shelf.reserved) for shelf in self}

    def _reservations(self) -> Iterator[Reservation]:
        for shelf in self:
            yield from shelf.reservations


def _values(reservation: Reservation) -> tuple[Any, ...]:
    return tuple(getattr(reservation, name) for name in CHANGING)
