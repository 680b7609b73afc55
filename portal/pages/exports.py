"""Orders as a file for a spreadsheet program. What a channel wrote is a text there, never a
formula."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from connectors import downloads
from connectors.payload import LOCAL
from connectors.workbooks import Cell
from orders.models import Order, OrderQuerySet

AT_ONCE = 500


def as_csv(orders: OrderQuerySet) -> StreamingHttpResponse:
    """As Excel reads it in Brazil."""
    return downloads.as_csv(([_as_text(c) for c in row] for row in _rows(orders)), "pedidos.csv")


def as_xlsx(orders: OrderQuerySet) -> StreamingHttpResponse:
    return downloads.as_xlsx(_rows(orders), "pedidos.xlsx", _("Pedidos"))


# Each leaves row by row, as the database gives them: a store's whole life fits into a file.
FORMATS: dict[str, Callable[[OrderQuerySet], StreamingHttpResponse]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
}


def _as_text(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S")
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else str(cell)


def _money(amount: Decimal | None) -> Cell:
    """With two decimals, or as many as it has: of reais, the column adds up to what the pages
    say."""
    if amount is None:
        return ""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.normalize()


def _rows(orders: OrderQuerySet) -> Iterator[list[Cell]]:
    yield [
        _("Pedido"), _("Id no hub"), _("Recebido em"), _("Loja"), _("Canal"), _("Situação"),
        _("Comprador"), _("Itens"), _("Frete"), _("Desconto"), _("Total"),
        _("Nota fiscal"), _("Chave de acesso"), _("Transportadora"), _("Rastreio"),
        _("Moeda"),
    ]  # fmt: skip
    for order in orders.prefetch_related("lines", "shipments").iterator(chunk_size=AT_ONCE):
        yield _row(order)


def _row(order: Order) -> list[Cell]:
    shipments = order.shipments.all()

    def each(name: str) -> str:
        return ", ".join(dict.fromkeys(filter(None, (getattr(s, name) for s in shipments))))

    return [
        str(order),
        order.public_id,
        order.created_at,
        order.store.name,
        order.channel,
        str(order.get_status_display()),
        order.buyer,
        "; ".join(f"{line.quantity} × {line.sold_sku}" for line in order.lines.all()),
        *(_money(order.amount(name)) for name in ("shipping", "discount")),
        _money(order.total),
        each("nfe_number"),
        each("nfe_key"),
        each("shipping_company"),
        each("track_code"),
        order.currency,
    ]
