"""What a store's tools are told of its products: flat, one event for each SKU."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import F

from catalog.models import Product
from connectors.hub.wire import as_number
from connectors.messages.hooks import Happening, has_listeners, publish
from connectors.models import Store
from connectors.records import Document
from connectors.spec import Hook

LEVELS: Mapping[str, Hook] = {
    "price": Hook.PRICE_CHANGED,
    "special_price": Hook.PRICE_CHANGED,
    "quantity": Hook.STOCK_CHANGED,
}
ONE_BY_ONE = ("brand", "model", "ncm", "link", "short_description", "description")
SIZES = ("length", "width", "height", "weight")


def hooks_of(created: bool, names: Collection[str]) -> set[Hook]:
    """Which events a write to one product was, by the names of what it changed."""
    hooks = {hook for name, hook in LEVELS.items() if name in names}
    if created:
        hooks.add(Hook.PRODUCT_CREATED)
    elif set(names) - LEVELS.keys() - {"external"}:
        hooks.add(Hook.PRODUCT_UPDATED)
    return hooks


def publish_products(store: Store, changed: Mapping[int, Collection[Hook]]) -> None:
    """What happened to each of these products, by their ids, in the caller's transaction."""
    changed = {pk: hooks for pk, hooks in changed.items() if hooks}
    if not changed or not has_listeners(store.activations.consuming().select_related("connector")):
        return
    products = with_facts(store.products.filter(pk__in=changed)).in_bulk()
    publish(
        store,
        [
            Happening(hook, products[pk].sku, write_flat_product(products[pk], hook))
            for pk, hooks in changed.items()
            if pk in products
            for hook in Hook
            if hook in hooks
        ],
    )


def with_facts(products: Any) -> Any:
    """Everything that an event says of a product."""
    facts = products.with_levels().with_quantities().annotate(sold=F("available"))
    return facts.select_related("price_row", "stock_row", "parent")


def write_flat_product(product: Product, hook: Hook) -> Document:
    """Of a change of price or stock, no more than that. What a variation does not say of itself
    is its parent's. Needs `with_facts`."""
    own: Document = {
        "sku": product.sku,
        "parent_sku": product.parent.sku if product.parent else None,
        "name": product.name or (product.parent.name if product.parent else ""),
        "price": as_number(product.price_row.price),
        "special_price": as_number(product.price_row.special_price),
        "quantity": product.sold,  # type: ignore[attr-defined]  # with_facts
    }
    if hook in (Hook.PRICE_CHANGED, Hook.STOCK_CHANGED):
        return own
    images = [photo["url"] for photo in _said(product, "photos") or [] if photo.get("url")]
    sizes = _said(product, "dimension") or {}
    own |= {"ean": product.ean or None, **{name: _said(product, name) for name in ONE_BY_ONE}}
    own |= {name: sizes.get(name) for name in SIZES}
    own |= {
        "categories_text": _joined(c.get("name") for c in _said(product, "categories") or []),
        "attributes_text": _joined(map(_attribute, product.fields.get("attributes") or [])),
        "image": images[0] if images else None,
        "images_text": "\n".join(images),
    }
    if days := _said(product, "handling_time"):
        own["preparation_days"] = days
    return own


def _said(product: Product, name: str) -> Any:
    return product.fields.get(name) or (product.parent.fields.get(name) if product.parent else None)


def _attribute(attribute: Document) -> str:
    value = attribute.get("value")
    shown = value.get("label") if isinstance(value, dict) else value
    return f"{attribute.get('label') or attribute.get('code')}: {shown}"


def _joined(texts: Iterable[Any]) -> str:
    return "; ".join(str(text) for text in texts if text)
