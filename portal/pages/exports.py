"""Orders as a file for a spreadsheet program. What a channel wrote is a text there, never a
formula."""

import csv
from collections.abc import Callable, Iterator
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from openpyxl import Workbook

from connectors.payload import LOCAL
from orders.models import Order, OrderQuerySet

AT_ONCE = 500
# Such a file is made before it leaves, and somebody waits for it.
MOST_IN_WORKBOOK = 20_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BEGIN_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# A workbook is XML, which has no place for these.
NOT_IN_XML = {code: None for code in range(32) if code not in (9, 10, 13)}


class TooMany(Exception):
    """More than the format takes."""


def as_csv(orders: OrderQuerySet) -> HttpResponseBase:
    """Row by row as the database gives them, as Excel reads it in Brazil."""
    writer = csv.writer(Echo(), delimiter=";")
    lines = (writer.writerow([_as_text(cell) for cell in row]) for row in _rows(orders))
    return StreamingHttpResponse(
        (line.encode() for line in _with_mark(lines)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="pedidos.csv"'},
    )


def as_workbook(orders: OrderQuerySet) -> HttpResponseBase:
    """Raises `TooMany`."""
    if orders[MOST_IN_WORKBOOK : MOST_IN_WORKBOOK + 1].exists():
        raise TooMany(
            _("São mais de %d pedidos: escolha um período, ou exporte em CSV.") % MOST_IN_WORKBOOK
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Pedidos"))
    for row in _rows(orders):
        sheet.append(row)
    file = TemporaryFile()  # noqa: SIM115  the answer closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="pedidos.xlsx", content_type=XLSX)


FORMATS: dict[str, Callable[[OrderQuerySet], HttpResponseBase]] = {
    "csv": as_csv,
    "xlsx": as_workbook,
}


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def harmless(text: str) -> str:
    """What a spreadsheet program would take for a formula, told to be a text."""
    text = text.translate(NOT_IN_XML)
    return f"'{text}" if text.startswith(BEGIN_A_FORMULA) else text


def _with_mark(lines: Iterator[Any]) -> Iterator[str]:
    yield "\ufeff"  # without it Excel reads no accents
    yield from lines


def _as_text(cell: str | Decimal | int) -> str:
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else str(cell)


def _rows(orders: OrderQuerySet) -> Iterator[list[Any]]:
    yield [
        _("Pedido"), _("Id no hub"), _("Recebido em"), _("Loja"), _("Canal"), _("Situação"),
        _("Comprador"), _("Itens"), _("Total"), _("Nota fiscal"), _("Chave de acesso"),
        _("Transportadora"), _("Rastreio"),
    ]  # fmt: skip
    for order in orders.prefetch_related("lines", "shipments").iterator(chunk_size=AT_ONCE):
        yield [harmless(cell) if isinstance(cell, str) else cell for cell in _row(order)]


def _row(order: Order) -> list[str | Decimal]:
    shipments = order.shipments.all()

    def each(name: str) -> str:
        return ", ".join(dict.fromkeys(filter(None, (getattr(s, name) for s in shipments))))

    return [
        str(order),
        order.public_id,
        order.created_at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S"),
        order.store.name,
        order.channel,
        str(order.get_status_display()),
        order.buyer,
        "; ".join(f"{line.quantity} × {line.sold_sku}" for line in order.lines.all()),
        order.total.quantize(Decimal("0.01")),
        each("nfe_number"),
        each("nfe_key"),
        each("shipping_company"),
        each("track_code"),
    ]
