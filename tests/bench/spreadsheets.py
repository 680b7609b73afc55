"""How long a spreadsheet of products takes, against openpyxl reading it alone."""

import io
from collections.abc import Callable
from time import perf_counter
from typing import Any

from openpyxl import load_workbook

from catalog.models import Spreadsheet
from catalog.spreadsheets import jobs
from catalog.spreadsheets.columns import PRODUCTS
from connectors.models import Store
from tests.bench.figures import Figure, peak_mb
from tests.catalog.spreadsheets.sheets import xlsx
from tests.conftest import make_operator, make_store

MANY, FEW = 50_000, 5_000
SAID = {"ean": "", "special_price": "", "parent": ""}


def measure() -> list[Figure]:
    store, content, half = make_store(), content_of(MANY), content_of(MANY // 2)
    take_in(store, content_of(FEW))
    before = peak_mb()
    # One half before and one behind: the machine is not always as busy.
    read = _seconds_of(lambda: read_alone(half))
    whole = _seconds_of(lambda: take_in(store, content))
    read += _seconds_of(lambda: read_alone(half))
    return [
        Figure("judged and written, products per second", MANY / whole, "1/s"),
        Figure("against reading the file alone", read / whole, at_least=0.4),
        Figure(f"memory from {FEW} to {MANY} rows", peak_mb() - before, "MB", at_most=20),
    ]


def _seconds_of(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def read_alone(content: bytes) -> None:
    book = load_workbook(io.BytesIO(content), read_only=True)
    assert sum(1 for _ in book.worksheets[0].iter_rows(values_only=True)) == MANY // 2 + 1


def content_of(rows: int) -> bytes:
    return xlsx([column.header for column in PRODUCTS], *map(_row, range(rows)))


def take_in(store: Store, content: bytes) -> None:
    sheet = jobs.upload(store, Spreadsheet.Kind.PRODUCTS, "a.xlsx", content, make_operator())
    while not jobs.confirm(sheet.pk):
        jobs.work(sheet.pk)
    while Spreadsheet.objects.at_work().filter(pk=sheet.pk).exists():
        jobs.work(sheet.pk)


def _row(number: int) -> list[Any]:
    said = SAID | {"sku": f"S-{number:06}", "name": f"Produto {number}", "quantity": number % 50}
    return [said.get(column.name, column.example) for column in PRODUCTS]
