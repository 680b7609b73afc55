"""Prices and stock of many products at once, of which only what differs is written."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.announcing import announce_levels
from catalog.codes import product_ids
from catalog.models import Price, touch
from catalog.reservations import write_levels
from catalog.taking import forget
from connectors.bulk import among, update_rows
from connectors.errors import NotFound, Refused
from connectors.hub.hubobject import CENT_OF_A_CENT
from connectors.models import Activation, Store
from connectors.payload import to_decimal, to_whole
from connectors.records import PriceRecord, StockRecord
from connectors.trouble import causes

L = TypeVar("L")
Prices = tuple[Decimal | None, ...]  # the price, and the special one


@dataclass(frozen=True)
class Applied:
    """What a bulk write did, by the records' codes: those that changed something, why others were
    refused, and the products that they mean. One that is not among these and was not refused is of
    nothing that the store has or misses."""

    changed: frozenset[str]
    refused: Mapping[str, Refused]
    products: Mapping[str, int]


@transaction.atomic
def set_stock(
    store: Store,
    records: Sequence[StockRecord],
    by: Activation,
    asked_at: datetime | None = None,
    judge: Callable[[Mapping[int, int]], None] | None = None,
) -> Applied:
    """Absolute levels of many SKUs at once; only what differs is written. `asked_at`: before the
    first of them was asked for (catalog/reservations.py). `judge` may stop it with an error when it
    has seen what would be written (catalog/brake.py)."""

    def level(record: StockRecord) -> int:
        return units(record.quantity)

    def write(levels: Mapping[int, int]) -> Collection[int]:
        if judge:
            judge(levels)
        return write_levels(levels, by, asked_at)

    return _set_levels("stock", level, write, store, records, by)


@transaction.atomic
def set_prices(
    store: Store,
    records: Sequence[PriceRecord],
    by: Activation,
    judge: Callable[[Mapping[int, Prices], Mapping[int, Prices]], None] | None = None,
) -> Applied:
    """Prices of many SKUs at once; only what differs is written. `judge` is asked before, with the
    prices as they are and those that change."""

    columns = ("price", "special_price")

    def level(record: PriceRecord) -> Prices:
        return tuple(money(getattr(record, name), name) for name in columns)

    def write(prices: Mapping[int, Prices]) -> Collection[int]:
        current = Price.objects.filter(pk__in=among(prices)).values_list("pk", *columns)
        known = {pk: tuple(levels) for pk, *levels in current}
        changed = {pk: prices[pk] for pk, levels in known.items() if levels != prices[pk]}
        if judge:
            judge(known, changed)
        update_rows(Price, columns, changed)
        return changed

    return _set_levels("price", level, write, store, records, by)


def lock_store(store: Store) -> None:
    """Locks are taken in one order: the store's row, by whoever creates products or writes several;
    then products' rows, by their ids. A product's row guards its price and its stock as well."""
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)


def whole(value: Any, name: str) -> int:
    number = to_whole(value)
    if not 0 <= number < 2**31:
        raise Refused(
            _("%(name)s: %(value)s não é uma quantidade.") % {"name": name, "value": value},
            cause=causes.INVALID_VALUE,
        )
    return number


def units(value: Any) -> int:
    """Of a level. An ERP that sold more than it had says less than nothing: it has none to sell."""
    return whole(max(0, to_whole(value)), "quantity")


def money(value: Any, name: str) -> Decimal | None:
    """A special price of 0 is none: so ERPs and their spreadsheets write it."""
    if value is None:
        return None
    number = to_decimal(value).quantize(CENT_OF_A_CENT)
    if number < 0:
        text = _("%(name)s: um preço não é negativo.") % {"name": name}
        raise Refused(text, cause=causes.INVALID_VALUE)
    return None if name == "special_price" and not number else number


def _set_levels(
    flag: str,
    level_of: Callable[[Any], L],
    write: Callable[[Mapping[int, L]], Collection[int]],
    store: Store,
    records: Sequence[PriceRecord | StockRecord],
    by: Activation,
) -> Applied:
    lock_store(store)
    products = _by_code(store, [record.sku for record in records], by)
    wanted: dict[int, L] = {}
    refused: dict[str, Refused] = {}
    for record in records:
        try:
            if record.sku not in products:
                if record.if_known:
                    continue
                raise NotFound(
                    _("A loja não tem o SKU %(sku)s nem um De/Para para ele.")
                    % {"sku": record.sku},
                    cause=causes.UNKNOWN_SKU,
                )
            wanted[products[record.sku]] = level_of(record)
        except Refused as error:
            refused[record.sku] = error
    if changed := write(wanted):
        touch(changed, by)
        forget(by, changed)
        announce_levels(store, changed, by, flag)
    return Applied(
        frozenset(code for code, pk in products.items() if pk in changed), refused, products
    )


def _by_code(store: Store, codes: list[str], by: Activation) -> dict[str, int]:
    """Products, locked, by the platform's codes for them."""
    ids = product_ids(store, codes, by)
    locked = store.products.select_for_update(no_key=True).filter(pk__in=among(set(ids.values())))
    there = set(locked.order_by("pk").values_list("pk", flat=True))
    return {code: pk for code, pk in ids.items() if pk in there}
