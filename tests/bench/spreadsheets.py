"""How long a spreadsheet of products takes, against openpyxl reading it alone.

    PYTHONPATH=. manage.py shell -c "from tests.bench.spreadsheets import measure; print(measure())"

In an empty, migrated database; it leaves a store behind.
"""

import io
from time import process_time
from typing import Any

from openpyxl import load_workbook

from catalog.models import Spreadsheet
from catalog.spreadsheets import jobs
from catalog.spreadsheets.columns import PRODUCTS
from tests.catalog.spreadsheets.sheets import xlsx
from tests.conftest import make_operator, make_store

SAID = {"ean": "", "special_price": "", "parent": ""}


def measure(rows: int = 50_000) -> dict[str, float]:
    """In seconds of this process; the import is judging and writing."""
    content = xlsx([column.header for column in PRODUCTS], *map(_row, range(rows)))
    began = process_time()
    book = load_workbook(io.BytesIO(content), read_only=True)
    assert sum(1 for _ in book.worksheets[0].iter_rows(values_only=True)) == rows + 1
    read = process_time()
    kind = Spreadsheet.Kind.PRODUCTS
    sheet = jobs.upload(make_store(), kind, "a.xlsx", content, make_operator())
    while not jobs.confirm(sheet.pk):
        jobs.work(sheet.pk)
    while Spreadsheet.objects.at_work().filter(pk=sheet.pk).exists():
        jobs.work(sheet.pk)
    whole = process_time() - read
    return {"openpyxl": read - began, "import": whole, "ratio": (read - began) / whole}


def _row(number: int) -> list[Any]:
    said = SAID | {"sku": f"S-{number:06}", "name": f"Produto {number}", "quantity": number % 50}
    return [said.get(column.name, column.example) for column in PRODUCTS]
