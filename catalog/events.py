"""What a store's tools are told of its products: flat, one event for each SKU."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from catalog.models import Product
from connectors.hub.wire import as_number
from connectors.messages.hooks import Happening, has_listeners, publish
from connectors.models import Store
from connectors.prepared import Prepared, Slot, many, slot_of_many
from connectors.records import Document
from connectors.spec import Hook

LEVELS: Mapping[str, Hook] = {
    "price": Hook.PRICE_CHANGED,
    "special_price": Hook.PRICE_CHANGED,
    "quantity": Hook.STOCK_CHANGED,
}
TOLD = (
    "sku", "name", "parent__sku", "parent__name", "price_row__price", "price_row__special_price",
    "sold",
)  # fmt: skip
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


FLAT = Prepared(
    lambda: (
        Product.objects.filter(store=Slot("store"), pk__in=slot_of_many("products", "bigint"))
        .with_quantities()
        .annotate(head=Coalesce("parent__public_id", "public_id"), sold=F("available"))
        .order_by("pk")
        .values_list("head", *TOLD)
    )
)


def flat_levels(store: Store, product_ids: Collection[int]) -> list[tuple[str, Document]]:
    """What is told of a change of these products' prices or stock, each with the id of the product
    that shows it: a variation's parent. Thousands may change at once, so no objects are made."""
    told = FLAT(store=store.pk, products=many(product_ids))
    return [(head, _write_levels(*facts)) for head, *facts in told]


def with_facts(products: Any) -> Any:
    """Everything that an event says of a product."""
    facts = products.with_levels().with_quantities().annotate(sold=F("available"))
    return facts.select_related("price_row", "stock_row", "parent")


def write_flat_product(product: Product, hook: Hook) -> Document:
    """Of a change of price or stock, no more than that. What a variation does not say of itself
    is its parent's. Needs `with_facts`."""
    parent, prices = product.parent, product.price_row
    own = _write_levels(
        product.sku,
        product.name,
        parent.sku if parent else None,
        parent.name if parent else None,
        prices.price,
        prices.special_price,
        product.sold,  # type: ignore[attr-defined]  # with_facts
    )
    if hook in (Hook.PRICE_CHANGED, Hook.STOCK_CHANGED):
        return own
    images = [str(photo["url"]) for photo in _said(product, "photos") or [] if photo.get("url")]
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


def _write_levels(
    sku: str,
    name: str,
    parent_sku: str | None,
    parent_name: str | None,
    price: Decimal | None,
    special_price: Decimal | None,
    quantity: int,
) -> Document:
    return {
        "sku": sku,
        "parent_sku": parent_sku,
        "name": name or parent_name or "",
        "price": as_number(price),
        "special_price": as_number(special_price),
        "quantity": quantity,
    }


def _said(product: Product, name: str) -> Any:
    return product.fields.get(name) or (product.parent.fields.get(name) if product.parent else None)


def _attribute(attribute: Document) -> str:
    value = attribute.get("value")
    shown = value.get("label") if isinstance(value, dict) else value
    return f"{attribute.get('label') or attribute.get('code')}: {shown}"


def _joined(texts: Iterable[Any]) -> str:
    return "; ".join(str(text) for text in texts if text)
