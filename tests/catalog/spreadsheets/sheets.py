"""Spreadsheets as merchants make them."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from django_q.models import OrmQ
from openpyxl import Workbook

from catalog.models import Spreadsheet
from catalog.spreadsheets.jobs import confirm, upload, work
from connectors.downloads import as_xlsx
from connectors.models import Activation, Store
from tests.conftest import make_operator

PRODUCTS, MAPPINGS = Spreadsheet.Kind.PRODUCTS, Spreadsheet.Kind.MAPPINGS


def xlsx(*rows: Iterable[Any]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def text(*rows: Iterable[Any], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue().encode(encoding)


def downloaded(rows: Iterable[list[str]]) -> bytes:
    """As we hand them out."""
    return as_xlsx(rows, "planilha.xlsx", "Planilha").getvalue()


def send(
    store: Store,
    content: bytes,
    kind: Spreadsheet.Kind = PRODUCTS,
    activation: Activation | None = None,
) -> Spreadsheet:
    """Uploaded and judged."""
    sheet = upload(store, kind, "planilha.xlsx", content, make_operator(), activation)
    work(sheet.pk)
    sheet.refresh_from_db()
    return sheet


def bring_in(store: Store, content: bytes, **fields: Any) -> Spreadsheet:
    """Uploaded, judged, confirmed and written."""
    sheet = send(store, content, **fields)
    confirm(sheet.pk)
    work(sheet.pk)
    sheet.refresh_from_db()
    return sheet


def report(sheet: Spreadsheet) -> list[tuple[int, str, str]]:
    return list(sheet.lines.order_by("number").values_list("number", "outcome", "reason"))


def queued(name: str) -> int:
    return sum(row.task["func"].endswith(name) for row in OrmQ.objects.all())
