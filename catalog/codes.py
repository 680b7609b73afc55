"""Which products a platform's codes mean."""

from collections.abc import Collection, Iterable

from catalog.models import SkuMapping
from connectors.bulk import among
from connectors.models import Activation, Store


def product_ids(store: Store, codes: Collection[str], by: Activation) -> dict[str, int]:
    """The products that a platform's codes mean: by its De/Para first, else by our own SKU."""
    ids = dict(store.products.filter(sku__in=among(codes)).values_list("sku", "pk"))
    mapped = SkuMapping.objects.filter(activation=by, code__in=among(codes), product__store=store)
    return {**ids, **dict(mapped.values_list("code", "product_id"))}


def known_codes(activation: Activation, codes: Iterable[str]) -> set[str]:
    """Those of these codes behind which the store has a product."""
    codes = list(codes)
    if not codes:
        return set()
    skus = activation.store.products.filter(sku__in=codes).values_list("sku", flat=True)
    mapped = activation.sku_mappings.filter(code__in=codes).values_list("code", flat=True)
    return {*skus, *mapped}
