"""10,000 changed prices and 10,000 changed stock levels, each from one managed run, against the
same rows by COPY to a temporary table with one upsert, and by a save() for each. What is counted of
the run is what it does with the platform's pages: compares, judges, writes, remembers, tells. Its
platform answers out of memory, and the baselines are handed the rows: reading HTTP is row 5's."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from catalog.models import Price, Product, Stock
from catalog.pulling import pull
from catalog.tasks import _write_prices, _write_stock
from connectors.contract import Page, PriceSource, StockSource
from connectors.models import Activation
from connectors.payload import Payload
from connectors.records import PriceRecord, StockRecord
from connectors.runs.running import Attempt, run_flow
from tests.bench.figures import Figure, in_turns
from tests.conftest import flow_of, make_managed, make_partner, make_store
from tests.products import make_products

MANY, ON_A_PAGE = 10_000, 500
SAVED = 500  # by a save() for each: enough to know what one costs
ROUNDS = 2
COPIED = """
    INSERT INTO {table} (product_id, {columns}) SELECT * FROM told
    ON CONFLICT (product_id) DO UPDATE SET {sets}
"""


class Levels:
    """A platform's pages, in memory; each reading shows other levels than the one before."""

    def __init__(self) -> None:
        self.turn = 0

    def pages(self) -> Iterator[Page]:
        for first in range(0, MANY, ON_A_PAGE):
            items = [Payload(self.level(n)) for n in range(first, first + ON_A_PAGE)]
            yield Page(items, str(first + ON_A_PAGE))

    def level(self, number: int) -> dict[str, Any]:
        return {"sku": sku(number), "level": 10 + (number + self.turn) % 5}


def measure() -> list[Figure]:
    store = make_store()
    products = seed(store)
    make_partner(store, "pluga", plugin_url="https://tools.example/notices")
    activation = make_managed(store, "rocky", "http://127.0.0.1:9", {"token": "x"})
    levels = Levels()
    ids = [product.pk for product in products]

    def run() -> None:
        levels.turn += 1
        take(activation, levels)

    def copy() -> None:
        levels.turn += 1
        rows = [(pk, 10 + (n + levels.turn) % 5) for n, pk in enumerate(ids)]
        copy_prices([(pk, Decimal(level), None) for pk, level in rows])
        copy_stock([(pk, level, 0, 0) for pk, level in rows])

    def save() -> None:
        levels.turn += 1
        for number, pk in enumerate(ids[:SAVED]):
            level = 10 + (number + levels.turn) % 5
            Price(product_id=pk, price=level).save()
            Stock(product_id=pk, on_hand=level).save()

    run()
    whole, copied, saved = in_turns(ROUNDS, run, copy, save)
    saved *= MANY / SAVED
    return [
        Figure("prices and levels per second", 2 * MANY / whole, "1/s"),
        Figure("against COPY and one upsert", copied / whole, at_least=0.4),
        Figure("against a save() for each", saved / whole, at_least=20),
    ]


def seed(store: Any) -> list[Product]:
    return make_products(store, map(sku, range(MANY)), price=12, on_hand=12)


def sku(number: int) -> str:
    return f"S-{number:06}"


def take(activation: Activation, levels: Levels) -> None:
    def prices(attempt: Attempt, _source: PriceSource) -> None:
        pull(attempt, levels.pages(), read_price, _write_prices)

    def stock(attempt: Attempt, _source: StockSource) -> None:
        pull(attempt, levels.pages(), read_stock, _write_stock)

    run_flow(flow_of(activation, PriceSource), PriceSource, prices)
    run_flow(flow_of(activation, StockSource), StockSource, stock)


def read_price(payload: Payload) -> PriceRecord:
    return PriceRecord(payload.text("sku"), price=payload.money("level"))


def read_stock(payload: Payload) -> StockRecord:
    return StockRecord(payload.text("sku"), payload.whole("level"))


def copy_prices(rows: list[tuple[Any, ...]]) -> None:
    _copy(Price, ("price", "special_price"), ("bigint", "numeric(16, 4)", "numeric(16, 4)"), rows)


def copy_stock(rows: list[tuple[Any, ...]]) -> None:
    columns = ("on_hand", "reserved", "safety")
    _copy(Stock, columns, ("bigint", "integer", "integer", "integer"), rows)


@transaction.atomic
def _copy(
    model: Any, columns: tuple[str, ...], types: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    fields = ", ".join(f"{n} {t}" for n, t in zip(("product_id", *columns), types, strict=True))
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE told ({fields}) ON COMMIT DROP")
        with cursor.copy("COPY told FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(COPIED.format(table=table, columns=", ".join(columns), sets=sets))
