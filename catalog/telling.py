"""Noting what channels must be told, in the transaction of the change: their next run
(catalog/push.py) sends it."""

from collections.abc import Iterable, Mapping

from django.db.models.functions import Coalesce

from catalog.marks import mark
from catalog.models import Product
from catalog.push import PUSHES
from connectors.contract import CATALOGUE_SINK_NAMES, Flow
from connectors.models import ActivationFlow, State, Store
from connectors.runs.dispatch import start_soon
from connectors.spec import Hook

# What may be untrue in a channel, by what happened to a product.
UNTRUE: dict[Hook, frozenset[Flow]] = {
    Hook.PRODUCT_CREATED: frozenset(PUSHES),
    Hook.PRODUCT_UPDATED: frozenset({Flow.PRODUCTS}),
    Hook.PRICE_CHANGED: frozenset({Flow.PRICES}),
    Hook.STOCK_CHANGED: frozenset({Flow.STOCK}),
}


def tell_channels(store: Store, changed: Mapping[int, Iterable[Hook]]) -> None:
    """What happened to each of these products, by their ids. Before one is deleted, it changed."""
    there = ActivationFlow.objects.filter(activation__store=store, ability__in=CATALOGUE_SINK_NAMES)
    there = there.exclude(activation__state=State.REVOKED)
    found = list(there) if changed else []
    for flow in sorted({Flow(each.flow) for each in found}):  # as they are locked (marks)
        ids = {pk for pk, hooks in changed.items() if any(flow in UNTRUE[hook] for hook in hooks)}
        if flow == Flow.PRODUCTS:
            family = Product.objects.filter(pk__in=ids)
            ids = set(family.values_list(Coalesce("parent", "pk"), flat=True))
        if ids:
            mark([each for each in found if each.flow == flow], ids)
            start_soon(PUSHES[flow][1], there.filter(flow=flow))


def recompare(store: Store, product_ids: Iterable[int]) -> None:
    """What these products are called in a channel changed."""
    tell_channels(store, dict.fromkeys(product_ids, frozenset(UNTRUE)))
