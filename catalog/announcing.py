"""Telling partners that the catalogue changed, in the transaction of the change."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce

from catalog.events import publish_products, write_flat_product
from catalog.models import Product, Taken
from catalog.push import SINK_NAMES, tell_channels
from catalog.taking import forget
from connectors.messages.hooks import Happening, has_listeners, publish
from connectors.messages.notices import announce, announce_all, hears
from connectors.models import Activation, ActivationFlow, State, Store, Subscription
from connectors.spec import Hook

CHANGED = {"stock": Hook.STOCK_CHANGED, "price": Hook.PRICE_CHANGED}


def listeners(store: Store, by: Activation | None) -> list[Activation]:
    """Partners whose specification says that they are told of the hub's own products."""
    return [
        activation
        for activation in store.activations.consuming().select_related("connector")
        if activation.spec.is_told_products and hears(activation, by)
    ]


def announce_stock(product: Product, by: Activation | None) -> None:
    """That this one's stock changed, which was asked for by `to_restock`. Who is to be told of it,
    and by which ways, is one question."""
    sinks = ActivationFlow.objects.filter(activation=OuterRef("pk"), ability__in=SINK_NAMES)
    remembered = Taken.objects.filter(activation=OuterRef("pk"), digest__isnull=False)
    family = {product.pk, product.parent_id} - {None}
    store = product.store
    integrations = list(
        store.activations.exclude(state=State.REVOKED)
        .select_related("connector", "endpoint")
        .annotate(
            is_sent=Exists(sinks),
            remembers=Exists(remembered.filter(product__in=family)),
            subscribes=Exists(Subscription.objects.going_on().filter(activation=OuterRef("pk"))),
        )
        .order_by()
    )
    if any(each.remembers and each != by for each in integrations):
        forget(by, family)
    hook = Hook.STOCK_CHANGED
    consuming = [each for each in integrations if each.is_consuming]
    if has_listeners(consuming):
        product.sold = product.stock_row.available  # type: ignore[attr-defined]  # with_facts
        happening = Happening(hook, product.sku, write_flat_product(product, hook))
        publish(store, [happening], to_somebody=any(each.subscribes for each in consuming))
    if any(each.is_sent for each in integrations):
        tell_channels(store, {product.pk: {hook}})
    told = [each for each in consuming if each.spec.is_told_products and hears(each, by)]
    announce(told, "products", "updated", (product.parent or product).public_id, "stock")


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
