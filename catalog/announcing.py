"""Telling partners that the catalogue changed, in the transaction of the change."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from catalog.events import flat_levels, write_flat_product
from catalog.models import Product, Taken
from catalog.taking import forget
from catalog.telling import tell_channels
from connectors.contract import CATALOGUE_SINK_NAMES
from connectors.messages.hooks import Happening, has_listeners, publish
from connectors.messages.notices import announce, announce_all, hears
from connectors.models import Activation, ActivationFlow, State, Store, Subscription
from connectors.prepared import Prepared, Slot, many, slot_of_many
from connectors.spec import Hook

CHANGED = {"stock": Hook.STOCK_CHANGED, "price": Hook.PRICE_CHANGED}


def _integrations() -> Any:
    mine = OuterRef("pk")
    sinks = ActivationFlow.objects.filter(activation=mine, ability__in=CATALOGUE_SINK_NAMES)
    subscriptions = Subscription.objects.going_on().filter(activation=mine)
    integrations = Activation.objects.filter(store=Slot("store")).exclude(state=State.REVOKED)
    return (
        integrations.select_related("connector", "endpoint")
        .annotate(is_channel=Exists(sinks), subscribes=Exists(subscriptions))
        .order_by()
    )


def _and_what_they_remember() -> Any:
    remembered = Taken.objects.filter(activation=OuterRef("pk"), digest__isnull=False)
    family = remembered.filter(product__in=slot_of_many("family", "bigint"))
    return _integrations().annotate(remembers=Exists(family))


INTEGRATIONS = Prepared(_integrations)
WITH_MEMORIES = Prepared(_and_what_they_remember)


@dataclass(frozen=True)
class Circle:
    """Who is told what happens in a store, and by which ways: asked once in a transaction."""

    consuming: list[Activation]
    has_channels: bool  # that are sent the catalogue
    has_subscribers: bool  # to the store's events

    def told_of_products(self, by: Activation | None) -> list[Activation]:
        """Partners whose specification says that they are told of the hub's own products."""
        return [each for each in self.consuming if each.spec.is_told_products and hears(each, by)]


def circle_of(store: Store) -> Circle:
    return _circle(INTEGRATIONS(store=store.pk))


def _circle(integrations: list[Any]) -> Circle:
    consuming = [each for each in integrations if each.is_consuming]
    return Circle(
        consuming,
        has_channels=any(each.is_channel for each in integrations),
        has_subscribers=any(each.subscribes for each in integrations),
    )


def announce_stock(product: Product, by: Activation | None) -> None:
    """That the stock of this product, as `to_restock` gave it, changed. In one query: stock changes
    more often than anything else."""
    store, hook = product.store, Hook.STOCK_CHANGED
    family = {pk for pk in (product.pk, product.parent_id) if pk}
    integrations: list[Any] = WITH_MEMORIES(store=store.pk, family=many(family))
    if any(each.remembers and each != by for each in integrations):
        forget(by, family)
    circle = _circle(integrations)
    if has_listeners(circle.consuming):
        product.sold = product.stock_row.available  # type: ignore[attr-defined]  # with_facts
        happening = Happening(hook, product.sku, write_flat_product(product, hook))
        publish(store, [happening], to_somebody=circle.has_subscribers)
    if circle.has_channels:
        tell_channels(store, {product.pk: {hook}})
    told = circle.told_of_products(by)
    announce(told, "products", "updated", (product.parent or product).public_id, "stock")


def announce_levels(
    store: Store,
    product_ids: Collection[int],
    by: Activation | None,
    *flags: str,
    circle: Circle | None = None,
) -> None:
    """That these products' "stock" or "price" changed; of a variation, its parent's. The store's
    tools are told of each SKU."""
    if not product_ids:
        return
    circle = circle or circle_of(store)
    hooks = [CHANGED[flag] for flag in flags]
    if circle.has_channels:
        tell_channels(store, dict.fromkeys(product_ids, hooks))
    told = circle.told_of_products(by)
    heard = has_listeners(circle.consuming)
    if not told and not heard:
        return
    changed = flat_levels(store, product_ids)
    if heard:
        happenings = [Happening(hook, flat["sku"], flat) for _h, flat in changed for hook in hooks]
        publish(store, happenings, to_somebody=circle.has_subscribers)
    announce_all(told, "products", "updated", {head for head, _flat in changed}, *flags)
