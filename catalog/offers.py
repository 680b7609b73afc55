"""The catalogue as a channel is to be told it: records, from our products and its De/Para."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from catalog.models import Product
from connectors.hub import wire
from connectors.hub.wire import NATURAL_KEYS
from connectors.records import Document, PriceRecord, ProductRecord, StockRecord

# What has a flow of its own, what only the hub itself knows, and what we say in another way.
NOT_OFFERED = wire.PRODUCT_COMPUTED | {
    "sku", "price", "special_price", "quantity", "external", "variations", "raw", "supplier_id",
}  # fmt: skip
Codes = Mapping[int, str]  # De/Para: what the channel calls our products
# By variation ("" for the product itself) and list: the name and value of each element's key.
Elements = dict[str, dict[str, list[list[Any]]]]
Record = ProductRecord | PriceRecord | StockRecord


def code_of(product: Product, codes: Codes) -> str:
    return codes.get(product.pk, product.sku)


def product_record(product: Product, codes: Codes) -> ProductRecord:
    """Needs its variations."""
    variations = sorted(product.variations.all(), key=lambda variation: variation.pk)
    return ProductRecord(
        code_of(product, codes),
        _fields(product),
        tuple(ProductRecord(code_of(each, codes), _fields(each)) for each in variations),
    )


def _fields(product: Product) -> Document:
    document = product.document()
    fields = {name: document[name] for name in wire.PRODUCT if name in document}
    for name in NATURAL_KEYS:
        # Our ids for the elements say nothing to others.
        fields[name] = [
            {key: value for key, value in element.items() if key != "id"}
            for element in fields.get(name) or []
        ]
    offered = {name: value for name, value in fields.items() if name not in NOT_OFFERED}
    return {"external": product.public_id, **offered}


def price_record(product: Product, codes: Codes) -> PriceRecord | None:
    """None where it has no price. Needs its parent."""
    price = product.price_row
    if price.price is None:
        return None
    parent_code = code_of(product.parent, codes) if product.parent else ""
    return PriceRecord(code_of(product, codes), price.price, price.special_price, parent_code)


def stock_record(product: Product, codes: Codes) -> StockRecord | None:
    """None where its variations are sold, and not itself. Needs its variations."""
    if product.variations.all():
        return None
    return StockRecord(code_of(product, codes), product.stock_row.available)


def digest_of(record: Record) -> str:
    """The same for what says the same."""
    said = asdict(record)
    said.pop("if_known", None)  # is of what arrives: no channel hears of it
    text = json.dumps(said, sort_keys=True, default=_plain)
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    return sorted(value) if isinstance(value, frozenset) else wire.decimal_text(value)


# -- What has left ---------------------------------------------------------------------------------


def elements_of(record: ProductRecord) -> Elements:
    own = {"": _keys(record.fields)}
    return own | {variation.sku: _keys(variation.fields) for variation in record.variations}


def _keys(fields: Document) -> dict[str, list[list[Any]]]:
    keys = {name: [_key(name, each) for each in fields.get(name) or []] for name in NATURAL_KEYS}
    return {name: [key for key in found if key] for name, found in keys.items() if any(found)}


def _key(name: str, element: Document) -> list[Any]:
    """Its name and its value; nothing for an element that nobody can tell from another."""
    return next(([key, element[key]] for key in NATURAL_KEYS[name] if element.get(key)), [])


def both(some: Elements, others: Elements) -> Elements:
    """What is in the one or in the other."""
    merged = {sku: dict(lists) for sku, lists in some.items()}
    for sku, lists in others.items():
        mine = merged.setdefault(sku, {})
        for name, keys in lists.items():
            known = mine.get(name, [])
            mine[name] = known + [key for key in keys if key not in known]
    return merged


def with_removals(record: ProductRecord, sent: Elements) -> ProductRecord:
    """The record, and in it, marked `remove`, what was sent once and is not in it any more."""
    now = elements_of(record)
    gone = tuple(ProductRecord(sku, {"remove": True}) for sku in sent if sku not in now)
    variations = tuple(
        replace(each, fields=_with_left(each.fields, sent.get(each.sku, {}), now[each.sku]))
        for each in record.variations
    )
    fields = _with_left(record.fields, sent.get("", {}), now[""])
    return replace(record, fields=fields, variations=variations + gone)


def _with_left(fields: Document, sent: Document, now: Document) -> Document:
    left = {
        name: [{key: value, "remove": True} for key, value in keys if [key, value] not in still]
        for name, keys in sent.items()
        for still in [now.get(name, [])]
    }
    return fields | {name: (fields.get(name) or []) + each for name, each in left.items() if each}
