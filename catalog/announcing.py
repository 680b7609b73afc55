"""Telling partners that the catalogue changed, in the transaction of the change."""

from collections.abc import Collection

from django.db.models.functions import Coalesce

from catalog.events import publish_products
from catalog.models import Product
from catalog.push import tell_channels
from connectors.messages.notices import announce_all, hears
from connectors.models import Activation, Store
from connectors.spec import Hook

CHANGED = {"stock": Hook.STOCK_CHANGED, "price": Hook.PRICE_CHANGED}


def listeners(store: Store, by: Activation | None) -> list[Activation]:
    """Partners whose specification says that they are told of the hub's own products."""
    return [
        activation
        for activation in store.activations.consuming().select_related("connector")
        if activation.spec.is_told_products and hears(activation, by)
    ]


def announce_levels(
    store: Store, product_ids: Collection[int], by: Activation | None, *flags: str
) -> None:
    """That these products' "stock" or "price" changed; of a variation, its parent's. The store's
    tools are told of each SKU."""
    changed = dict.fromkeys(product_ids, frozenset(CHANGED[flag] for flag in flags))
    publish_products(store, changed)
    tell_channels(store, changed)
    if product_ids and (told := listeners(store, by)):
        heads = Product.objects.filter(pk__in=product_ids).values_list(
            Coalesce("parent__public_id", "public_id"), flat=True
        )
        announce_all(told, "products", "updated", set(heads), *flags)
