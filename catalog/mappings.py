"""The De/Para: which product an integration's platform means by a code. Whoever writes one comes by
here, so that none crosses from one store to another, and what waited for it is tried again."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Product, SkuMapping
from catalog.taking import forget_records
from catalog.telling import recompare
from connectors.bulk import AT_ONCE, among
from connectors.errors import NotAllowed
from connectors.models import Activation, Store
from connectors.trouble.causes import UNKNOWN_SKU
from connectors.trouble.failures import retry_parked


@transaction.atomic
def save_mapping(mapping: SkuMapping) -> None:
    """A new one, or one that now says something else. Raises `NotAllowed`."""
    before = SkuMapping.objects.select_related("activation__store").filter(pk=mapping.pk).first()
    _check(mapping.activation, {mapping.product_id})
    mapping.save()
    if before is not None:
        _follow(before.activation, {before.code}, {before.product_id})
    _follow(mapping.activation, {mapping.code}, {mapping.product_id})
    retry_parked(mapping.activation_id, cause=UNKNOWN_SKU)


@transaction.atomic
def delete_mapping(mapping: SkuMapping) -> None:
    code, product_id, activation = mapping.code, mapping.product_id, mapping.activation
    mapping.delete()
    _follow(activation, {code}, {product_id})


@transaction.atomic
def replace_mappings(
    activation: Activation, replaced: Collection[int], products: Mapping[str, int]
) -> None:
    """Many at once: those make room, and each of these codes means that product. Raises
    `NotAllowed`."""
    _check(activation, set(products.values()))
    old = SkuMapping.objects.filter(activation=activation, pk__in=among(replaced))
    gone = list(old.values_list("code", "product_id"))
    old.delete()
    SkuMapping.objects.bulk_create(
        [
            SkuMapping(activation=activation, code=code, product_id=product_id)
            for code, product_id in products.items()
        ],
        batch_size=AT_ONCE,
    )
    if products:
        retry_parked(activation.pk, cause=UNKNOWN_SKU)
        _follow(
            activation,
            {*products, *(code for code, _product_id in gone)},
            {*products.values(), *(product_id for _code, product_id in gone)},
        )


def _check(activation: Activation, product_ids: Collection[int]) -> None:
    """Their rows are locked until the mapping is written: neither goes meanwhile, nor elsewhere."""
    store = Store.objects.select_for_update(no_key=True).get(activations=activation)
    own = Product.objects.filter(store=store, pk__in=among(product_ids))
    if own.count() != len(product_ids):
        raise NotAllowed(_("Este produto é de outra loja que a integração."))


def _follow(activation: Activation, codes: Collection[str], product_ids: Collection[int]) -> None:
    forget_records(activation, codes)
    recompare(activation.store, product_ids)
