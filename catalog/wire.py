"""Products in the hub's JSON (pluggto-api.md, section 4.6)."""

from collections.abc import Iterable
from typing import Any

from catalog.models import Product, external_key
from connectors.hub import wire
from connectors.models import Activation
from connectors.payload import Payload
from connectors.records import Document


def read_product(payload: Payload, by: Activation | None) -> Document:
    """What a body of `by` says of a product, with or without the `{"Product": …}` that our answers
    have around it. What the hub computes is ignored. Raises `Unreadable` with the place of what is
    wrong."""
    if isinstance(payload.data.get("Product"), dict):
        payload = payload.one("Product")
    payload = wire.with_own_external(payload, by.client_id if by else None)
    document = wire.read(payload, wire.PRODUCT, without=wire.PRODUCT_COMPUTED)
    for name in wire.NATURAL_KEYS:
        if document.get(name):
            document[name] = _objects(document[name], f"{payload.path}.{name}")
    if document.get("variations"):
        document["variations"] = [read_product(each, by) for each in payload.each("variations")]
    return document


def _objects(elements: list[Any], path: str) -> list[Document]:
    return [Payload(element, f"{path}[{i}]").data for i, element in enumerate(elements)]


def write_product(
    product: Product, viewer: Activation | None, family: Iterable[Product] | None = None
) -> dict[str, Any]:
    """A product with its variations; `external` is the viewer's own. Needs `with_family`, where
    its `family` is not given."""
    family = product.variations.all() if family is None else family
    variations = [_document(variation, viewer) for variation in family]
    document = _document(product, viewer)
    if variations:
        # Nobody buys the parent: what there is of it is what there is of its variations.
        document["quantity"] = sum(variation["quantity"] for variation in variations)
        document["reserved"] = sum(variation["reserved"] for variation in variations)
        # And what became of one of them became of it.
        last = max([document, *variations], key=lambda each: each["modified"])
        document |= {name: last[name] for name in ("modified", "modified_by", "timestamp")}
    return wire.write(document, wire.PRODUCT) | {
        "variations": [wire.write(variation, VARIATION) for variation in variations]
    }


VARIATION = {name: kind for name, kind in wire.PRODUCT.items() if name != "variations"}
# What the compact table shows of a product and of each variation (section 4.3).
ROW = ("id", "sku", "price", "special_price", "quantity", "timestamp")


def write_row(product: Product) -> dict[str, Any]:
    """One row of the compact table. Needs `with_family`."""
    written = write_product(product, None)
    return _row(written) | {"variations": [_row(each) for each in written["variations"]]}


def _row(written: dict[str, Any]) -> dict[str, Any]:
    return {name: written[name] for name in ROW}


def _document(product: Product, viewer: Activation | None) -> Document:
    price, stock, changed = product.price_row, product.stock_row, product.modification
    return product.document() | {
        "external": product.externals.get(external_key(viewer)) if viewer else None,
        "price": price.price,
        "special_price": price.special_price,
        "quantity": stock.available,
        "reserved": stock.reserved,
        "user_id": str(product.store_id),
        "created": product.created_at,
        "modified": changed.at,
        "created_by": product.created_by.client_id if product.created_by else None,
        "modified_by": changed.by.client_id if changed.by else None,
        "timestamp": int(changed.at.timestamp()),
    }
