"""Which products a platform's codes mean."""

from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet, Value

from catalog.models import Product, SkuMapping
from connectors.models import Activation, Store
from connectors.prepared import Prepared, Slot, many, slot_of_many


def _meant() -> QuerySet[Any, tuple[str, int, int]]:
    codes = slot_of_many("codes", "text")
    ours = Product.objects.filter(store=Slot("store"), sku__in=codes)
    mapped = SkuMapping.objects.filter(
        activation=Slot("by"), code__in=codes, product__store=Slot("store")
    )
    return (
        ours.order_by()
        .values_list("sku", "pk", Value(0))
        .union(mapped.order_by().values_list("code", "product_id", Value(1)), all=True)
    )


MEANT = Prepared(_meant)


def product_ids(store: Store, codes: Collection[str], by: Activation) -> dict[str, int]:
    """The products that a platform's codes mean: by its De/Para first, else by our own SKU."""
    found = MEANT(store=store.pk, by=by.pk, codes=many(codes))
    return {code: pk for code, pk, _by_mapping in sorted(found, key=itemgetter(2))}


def known_codes(activation: Activation, codes: Iterable[str]) -> set[str]:
    """Those of these codes behind which the store has a product."""
    codes = list(codes)
    if not codes:
        return set()
    skus = activation.store.products.filter(sku__in=codes).values_list("sku", flat=True)
    mapped = activation.sku_mappings.filter(code__in=codes).values_list("code", flat=True)
    return {*skus, *mapped}
