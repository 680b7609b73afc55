"""Products in the hub's JSON (pluggto-api.md, section 4.6)."""

from typing import Any

from catalog.models import Product
from connectors import wire
from connectors.models import Activation
from connectors.payload import Payload
from connectors.records import Document


def read_product(payload: Payload) -> Document:
    """What a body says of a product. Raises `Unreadable` with the place of what is wrong."""
    document = wire.read(payload, wire.PRODUCT)
    if payload.data.get("variations"):
        document["variations"] = [
            wire.read(variation, wire.PRODUCT) for variation in payload.each("variations")
        ]
    for name in ("categories", "attributes", "photos", "price_table", "stock_table"):
        if payload.data.get(name):
            document[name] = [element.data for element in payload.each(name)]
    return document


def write_product(product: Product, viewer: Activation | None) -> dict[str, Any]:
    """A product with its variations; `external` is the viewer's own. Needs `with_family`."""
    variations = [_document(variation, viewer) for variation in product.variations.all()]
    document = _document(product, viewer)
    if variations:
        # Nobody buys the parent: what there is of it is what there is of its variations.
        document["quantity"] = sum(variation["quantity"] for variation in variations)
        document["reserved"] = sum(variation["reserved"] for variation in variations)
    return wire.write(document, wire.PRODUCT) | {
        "variations": [wire.write(variation, VARIATION) for variation in variations]
    }


VARIATION = {name: kind for name, kind in wire.PRODUCT.items() if name != "variations"}


def _document(product: Product, viewer: Activation | None) -> Document:
    price, stock = product.price_row, product.stock_row
    return product.document() | {
        "external": product.externals.get(str(viewer.pk)) if viewer else None,
        "price": price.price,
        "special_price": price.special_price,
        "quantity": stock.available,
        "reserved": stock.reserved,
        "user_id": str(product.store_id),
        "created": product.created_at,
        "modified": product.modified_at,
        "created_by": product.created_by.client_id if product.created_by else None,
        "modified_by": product.modified_by.client_id if product.modified_by else None,
        "timestamp": int(product.modified_at.timestamp()),
    }
