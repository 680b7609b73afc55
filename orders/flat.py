"""Orders as no-code tools send them: the hub's names, flat, because their fields have no lists.

    items_sku, items_quantity, items_price, items_name
        one value per item, in the same order, between `;`, `|` or line breaks (or whatever
        `items_separator` says): "CAN-07; CAM-AZ" and "2; 1". Of the last two, either may be absent.
    payment_type, payment_method, payment_installments, payment_total …
        the one payment
    shipping_company, shipping_method, track_code …
        the one shipment

Money may be written as people do: "1.234,56". Everything else is as in any order of the hub's API.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.fields import THOUSAND_OR_ONE
from connectors.errors import Refused
from connectors.hub import wire
from connectors.hub.wire import Kind
from connectors.models import Activation
from connectors.payload import Payload, read_value, to_decimal, to_text, to_whole
from connectors.records import Document
from orders.wire import OrderDocument, read_order, total_of

SEPARATORS = re.compile(r"[;|\r\n]+")
PAYMENT = tuple(name for name in wire.PAYMENT if name not in ("id", "external"))
MOST_ITEMS = 500


def to_amount(value: Any) -> Decimal:
    """Also as people write it: `1.234,56`, `59,90`, `R$ 10`. The last of the two marks is the
    decimal one. `1.234` may be a thousand or one: it is not guessed."""
    if isinstance(value, str):
        value = value.replace("R$", "").replace("\xa0", "").strip()
        if THOUSAND_OR_ONE.fullmatch(value):
            raise ValueError
        if value.rfind(",") > value.rfind("."):
            value = value.replace(".", "").replace(",", ".")
        else:
            value = value.replace(",", "")
    return to_decimal(value)


ITEM: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "items_sku": ("sku", to_text),
    "items_quantity": ("quantity", to_whole),
    "items_price": ("price", to_amount),
    "items_name": ("name", to_text),
}
MONEY = {
    name
    for table in (wire.ORDER, wire.PAYMENT)
    for name, kind in table.items()
    if kind is Kind.MONEY
}


def read_flat_order(payload: Payload, by: Activation) -> OrderDocument:
    """Raises `Unreadable` and `Refused` with the name of the field that is wrong."""
    if payload.is_blank("original_id"):
        raise Refused(
            _("$.original_id: falta o número do pedido; por ele uma repetição é reconhecida.")
        )
    data = {name: _plain(name, value) for name, value in payload.data.items()}
    items = data["items"] = _items(data)
    payment = {name: data.pop(name) for name in PAYMENT if name in data}
    shipment = {name: data.pop(name) for name in wire.TRACKING_FIELDS if name in data}
    if data.get("total") in (None, ""):
        data["total"] = wire.decimal_text(total_of(items, data))
    if data.get("channel") in (None, ""):
        data["channel"] = by.spec.name
    if _is_said(payment):
        data["payments"] = [{"payment_total": data["total"], **payment}]
    if _is_said(shipment):
        data["shipments"] = [shipment]
    return read_order(Payload(data), by)


def _plain(name: str, value: Any) -> Any:
    if name in MONEY and value not in (None, ""):
        return wire.decimal_text(read_value(value, to_amount, f"$.{name}"))
    return value


def _is_said(part: Document) -> bool:
    return any(value not in (None, "") for value in part.values())


def _items(data: Document) -> list[Document]:
    separator = data.pop("items_separator", None) or ""
    separator = read_value(separator, to_text, "$.items_separator")
    cells = {name: _cells(name, data.pop(name), separator) for name in ITEM if data.get(name)}
    for name in ("items_sku", "items_quantity"):
        if not cells.get(name):
            raise Refused(_("$.%(name)s: falta este campo.") % {"name": name})
    count = len(cells["items_sku"])
    if count > MOST_ITEMS:
        raise Refused(_("$.items_sku: mais de %(most)d itens.") % {"most": MOST_ITEMS})
    for name, values in cells.items():
        if len(values) != count:
            raise Refused(
                _("$.%(name)s: são %(found)d valores, e em items_sku %(count)d.")
                % {"name": name, "found": len(values), "count": count}
            )
    return [
        {
            ITEM[name][0]: _cell(values[position], ITEM[name][1], f"$.{name}[{position}]")
            for name, values in cells.items()
        }
        for position in range(count)
    ]


def _cells(name: str, value: Any, separator: str) -> list[Any]:
    """A list, if it is one after all; one value; or the parts of a text."""
    if isinstance(value, list):
        return value
    text = read_value(value, to_text, f"$.{name}")
    parts = text.split(separator) if separator else SEPARATORS.split(text.strip("; |\r\n"))
    return [part.strip() for part in parts]


def _cell(value: Any, convert: Callable[[Any], Any], place: str) -> Any:
    if convert is to_amount and value in (None, ""):
        return None
    read = read_value(value, convert, place)
    if convert is to_text or read is None:
        return read
    return wire.decimal_text(read) if isinstance(read, Decimal) else read
