"""A store's figures: kept with every change of an order, and read without looking at one.

The day is that of São Paulo on which the order was received. What is sold is what is paid and was
not given back; everybody who shows a figure means this. Only reais are added up: orders in
other currencies are counted.
"""

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import TruncDate, Upper

from connectors.bulk import insert_all
from connectors.models import Store
from connectors.payload import LOCAL
from connectors.records import OrderStatus
from orders.models import Order, Tally
from orders.models.orders import REAIS
from orders.status import ENDED, STAGE

PAID = STAGE[OrderStatus.APPROVED]
SOLD = frozenset(status for status, stage in STAGE.items() if stage >= PAID and status not in ENDED)
Key = tuple[date, str, str]  # day, channel, status
FOLDED_AT_ONCE = 5000
SUMS = (Sum("orders"), Sum("amount"), Sum("foreign"))
# As `Order.currency` says it. SQLite says "null" for a null.
FOREIGN = Q(code__isnull=False) & ~Q(code__in=["", "NULL", REAIS])


@dataclass(frozen=True)
class Standing:
    """What an order counts for."""

    key: Key
    amount: Decimal
    foreign: bool  # the amount is not in reais


def standing(order: Order) -> Standing:
    day = order.created_at.astimezone(LOCAL).date()
    key = (day, order.channel, order.status)
    return Standing(key, order.total, order.currency != REAIS)


def count_in(order: Order, before: Standing | None = None) -> None:
    """Note what became of an order that counted as `before`; of a new one, nothing. In the
    transaction of the change."""
    now = standing(order)
    if now == before:
        return
    rows = [_row(order.store_id, now.key, *_worth(now, 1))]
    if before:
        rows.append(_row(order.store_id, before.key, *_worth(before, -1)))
    insert_all(rows)


def _worth(each: Standing, sign: int) -> tuple[int, Decimal, int]:
    """What it adds to a row's sums."""
    return (sign, Decimal(0), sign) if each.foreign else (sign, sign * each.amount, 0)


def _row(store_id: int, key: Key, orders: int, amount: Decimal, foreign: int) -> Tally:
    day, channel, status = key
    return Tally(
        store_id=store_id,
        day=day,
        channel=channel,
        status=status,
        orders=orders,
        amount=amount,
        foreign=foreign,
    )


# -- Keeping it small and true -------------------------------------------------------------------


def fold_all_tallies() -> None:
    """One row where there are several of a key."""
    keys = Tally.objects.filter(folded=False).values("store_id", "day", "channel", "status")
    for key in list(keys.order_by().distinct()[:FOLDED_AT_ONCE]):
        _fold(dict(key))


@transaction.atomic
def _fold(key: dict[str, Any]) -> None:
    # What somebody else folds at this moment is his.
    rows = list(Tally.objects.select_for_update(skip_locked=True).filter(folded=False, **key))
    Tally.objects.get_or_create(folded=True, **key, defaults={"orders": 0, "amount": 0})
    Tally.objects.filter(folded=True, **key).update(
        orders=F("orders") + sum(row.orders for row in rows),
        amount=F("amount") + sum((row.amount for row in rows), Decimal(0)),
        foreign=F("foreign") + sum(row.foreign for row in rows),
    )
    Tally.objects.filter(pk__in=[row.pk for row in rows]).delete()


def correct_tallies(store: Store) -> int:
    """Add what the sums lack of what the orders say; how many were wrong. While orders go on
    coming in: both are read in one statement, and each order is in both or in neither."""
    said = (
        Order.objects.filter(store=store)
        .alias(code=Upper(KT("fields__currency")))
        .annotate(day=TruncDate("created_at", tzinfo=LOCAL), sign=Value(1))
        .values_list("day", "channel", "status", "sign")
        .annotate(
            n=Count("pk"),
            worth=Sum(Case(When(FOREIGN, then=Decimal(0)), default="total")),
            abroad=Count("pk", filter=FOREIGN),
        )
        .order_by()
    )
    kept = (
        Tally.objects.filter(store=store)
        .annotate(sign=Value(-1))
        .values_list("day", "channel", "status", "sign")
        .annotate(n=Sum("orders"), worth=Sum("amount"), abroad=Sum("foreign"))
        .order_by()
    )
    lacking: dict[Key, Figure] = defaultdict(Figure)
    for day, channel, status, sign, orders, amount, foreign in said.union(kept, all=True):
        lacking[(day, channel, status)] += Figure(
            sign * orders, sign * Decimal(amount), sign * foreign
        )
    rows = [
        _row(store.pk, key, lacks.orders, lacks.amount, lacks.foreign)
        for key, lacks in lacking.items()
        if lacks != Figure()
    ]
    Tally.objects.bulk_create(rows, batch_size=500)
    return len(rows)


# -- Reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """Some orders: how many, what they are worth together, and how many are not in that, because
    they are in another currency."""

    orders: int = 0
    amount: Decimal = Decimal(0)
    foreign: int = 0

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.orders + other.orders, self.amount + other.amount, self.foreign + other.foreign
        )

    @property
    def average(self) -> Decimal:
        added = self.orders - self.foreign
        return self.amount / added if added else Decimal(0)


@dataclass(frozen=True)
class Period:
    """From one day to another, both within; None for no end."""

    first: date | None = None
    last: date | None = None

    @property
    def days(self) -> Q:
        days = Q()
        if self.first:
            days &= Q(day__gte=self.first)
        if self.last:
            days &= Q(day__lte=self.last)
        return days


def tallies_of(stores: Collection[int], period: Period = Period()) -> "QuerySet[Tally]":
    return Tally.objects.filter(period.days, store__in=stores)


def sold_by_period(stores: Collection[int], periods: Iterable[Period]) -> list[Figure]:
    """What was sold in each of the periods, in one query."""
    sums: dict[str, Any] = {}
    periods = list(periods)
    for number, period in enumerate(periods):
        within = Q(status__in=SOLD) & period.days
        sums[f"orders_{number}"] = Sum("orders", filter=within)
        sums[f"amount_{number}"] = Sum("amount", filter=within)
        sums[f"foreign_{number}"] = Sum("foreign", filter=within)
    firsts = [period.first for period in periods]
    whole = Period(None if None in firsts else min(filter(None, firsts), default=None))
    found = tallies_of(stores, whole).aggregate(**sums)
    return [
        Figure(
            found[f"orders_{n}"] or 0,
            Decimal(found[f"amount_{n}"] or 0),
            found[f"foreign_{n}"] or 0,
        )
        for n in range(len(periods))
    ]


def totals_of(stores: Collection[int]) -> dict[tuple[str, str], Figure]:
    """Of all days, by status and channel, in one query."""
    sums = tallies_of(stores).order_by().values_list("status", "channel")
    return {
        (status, channel): Figure(orders, Decimal(amount), foreign)
        for status, channel, orders, amount, foreign in sums.annotate(*SUMS)
        if orders
    }


def sum_of(figures: Iterable[Figure]) -> Figure:
    return reduce(operator.add, figures, Figure())


def by_field(tallies: "QuerySet[Tally]", name: str) -> dict[Any, Figure]:
    """By "day", "channel" or "status"; what nothing is left of is left out."""
    sums = tallies.order_by().values_list(name).annotate(*SUMS)
    return {
        value: Figure(orders, Decimal(amount), foreign)
        for value, orders, amount, foreign in sums
        if orders
    }


def same_day_of_previous_month(day: date) -> date:
    """Its last day, where the month before is shorter."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
