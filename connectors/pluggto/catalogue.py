"""Products, prices and stock, told to Plugg.to (pluggto-api.md, section 4)."""

from collections.abc import Sequence
from typing import Any

from connectors.contract import HeldSku
from connectors.hub import wire
from connectors.payload import Payload
from connectors.records import Document, PriceRecord, ProductRecord, StockRecord


def unwrapped(payload: Payload) -> Payload:
    """The product inside `{"Product": {…}}`."""
    return payload.one("Product") if "Product" in payload.data else payload


def read_held(product: Payload) -> list[HeldSku]:
    return [
        HeldSku(
            sku=each.text("sku"),
            price=each.optional_money("price"),
            special_price=each.optional_money("special_price"),
            quantity=None if each.is_blank("quantity") else each.whole("quantity"),
        )
        for each in (product, *product.each("variations"))
    ]


def write_product(record: ProductRecord, there: Payload | None) -> dict[str, Any]:
    """The body that brings `there`, the product as Plugg.to has it now, up to the record.

    Elements of lists name the ones that are there, so that nothing doubles (section 4.5).
    """
    body = _write_fields(record.fields, there)
    if record.variations:
        known = {each.optional_text("sku"): each for each in _list(there, "variations")}
        written = (_write_variation(each, known.get(each.sku)) for each in record.variations)
        body["variations"] = [variation for variation in written if variation]
    return body


def _write_variation(record: ProductRecord, there: Payload | None) -> dict[str, Any] | None:
    if record.fields.get("remove"):
        return {"sku": record.sku, "remove": True} if there else None
    return {"sku": record.sku, **_write_fields(record.fields, there)}


def _write_fields(fields: Document, there: Payload | None) -> dict[str, Any]:
    body = wire.write(fields, {name: k for name, k in wire.PRODUCT.items() if name in fields})
    for name, keys in wire.NATURAL_KEYS.items():
        if name in body:
            elements = body[name] if name != "photos" else map(_with_source, body[name])
            known = _list(there, name)
            written = (_write_element(element, known, keys) for element in elements)
            body[name] = [element for element in written if element]
    return body


def _write_element(
    element: Document, there: Sequence[Payload], keys: tuple[str, ...]
) -> Document | None:
    found = next((each for each in there if _is_same(each, element, keys)), None)
    if found is None:
        return None if element.get("remove") else element
    return {"id": found.text("id"), **element} if not found.is_blank("id") else element


def _is_same(there: Payload, element: Document, keys: tuple[str, ...]) -> bool:
    return any(not there.is_blank(key) and there.data[key] == element.get(key) for key in keys)


def _with_source(photo: Document) -> Document:
    """Its `url` becomes that of Plugg.to's copy; by `external` we know it again."""
    return {**photo, "external": photo.get("external") or photo.get("url")}


def _list(there: Payload | None, name: str) -> list[Payload]:
    return there.each(name) if there else []


def write_price(price: PriceRecord) -> tuple[str, dict[str, Any]]:
    """Whose product's it is, and the body. A variation is told as its product's: asked for by its
    own SKU, Plugg.to answers with the product."""
    levels = {
        "price": wire.as_number(price.price),
        "special_price": wire.as_number(price.special_price),
    }
    if not price.parent_sku:
        return price.sku, levels
    return price.parent_sku, {"variations": [{"sku": price.sku, **levels}]}


def write_stock(stock: StockRecord) -> dict[str, Any]:
    return {"action": "update", "quantity": stock.quantity, "sku": stock.sku}
