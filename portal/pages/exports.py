"""Orders as a file for a spreadsheet program. What a channel wrote is a text there, never a
formula."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from tempfile import TemporaryFile

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from openpyxl import Workbook

from connectors import downloads
from connectors.downloads import defused
from connectors.payload import LOCAL
from orders.models import Order, OrderQuerySet

AT_ONCE = 500
# Such a file is made before it leaves, and somebody waits for it.
MOST_IN_WORKBOOK = 20_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A workbook is XML, which has no place for these.
NOT_IN_XML = {code: None for code in range(32) if code not in (9, 10, 13)}


class TooMany(Exception):
    """More than the format takes."""


def as_csv(orders: OrderQuerySet) -> HttpResponseBase:
    """Row by row as the database gives them, as Excel reads it in Brazil."""
    lines = ([_with_comma(cell) for cell in row] for row in _rows(orders))
    return downloads.as_csv(lines, "pedidos.csv")


def as_workbook(orders: OrderQuerySet) -> HttpResponseBase:
    """Raises `TooMany`."""
    if orders[MOST_IN_WORKBOOK : MOST_IN_WORKBOOK + 1].exists():
        raise TooMany(
            _("São mais de %d pedidos: escolha um período, ou exporte em CSV.") % MOST_IN_WORKBOOK
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Pedidos"))
    for row in _rows(orders):
        sheet.append([_harmless(cell) for cell in row])
    file = TemporaryFile()  # noqa: SIM115  the answer closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="pedidos.xlsx", content_type=XLSX)


FORMATS: dict[str, Callable[[OrderQuerySet], HttpResponseBase]] = {
    "csv": as_csv,
    "xlsx": as_workbook,
}


def _with_comma(cell: str | Decimal) -> str:
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else cell


def _harmless(cell: str | Decimal) -> str | Decimal:
    return cell if isinstance(cell, Decimal) else defused(cell.translate(NOT_IN_XML))


def _rows(orders: OrderQuerySet) -> Iterator[list[str | Decimal]]:
    yield [
        _("Pedido"), _("Id no hub"), _("Recebido em"), _("Loja"), _("Canal"), _("Situação"),
        _("Comprador"), _("Itens"), _("Total"), _("Nota fiscal"), _("Chave de acesso"),
        _("Transportadora"), _("Rastreio"),
    ]  # fmt: skip
    for order in orders.prefetch_related("lines", "shipments").iterator(chunk_size=AT_ONCE):
        yield _row(order)


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
