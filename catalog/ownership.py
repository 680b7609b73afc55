"""Whose each field of a product is: a platform's, which writes it again, or the merchant's own.

A platform has the fields that its specification does not exclude, of the products that it brought,
or changed last, or sends. What nobody sends is the merchant's, and no synchronisation blanks it.
"""

from collections.abc import Iterable

from catalog.models import Product, Taken, external_key
from connectors.bulk import among
from connectors.models import Activation, Store
from connectors.spec import EverythingBut, Spec

Owners = dict[int, list[Activation]]  # by product


def sends(spec: Spec, name: str) -> bool:
    """Whether it may write this field of a product (catalog/services.py keeps to the same)."""
    if not spec.sends_catalogue and not isinstance(spec.cannot_send, EverythingBut):
        return False
    return name not in spec.cannot_send


def owners_of(store: Store, products: Iterable[Product]) -> Owners:
    """The platforms that write these products, which have their levels, in a constant number of
    queries."""
    products = list(products)
    senders = senders_of(store)
    if not senders or not products:
        return {}
    owners: Owners = {product.pk: [] for product in products}
    taken = set(
        Taken.objects.filter(
            activation__in=senders, product__in=among([product.pk for product in products])
        ).values_list("activation_id", "product_id")
    )
    for product in products:
        for activation in senders:
            by = activation.pk in (product.created_by_id, product.modification.by_id)
            named = external_key(activation) in product.externals
            if by or named or (activation.pk, product.pk) in taken:
                owners[product.pk].append(activation)
    return owners


def senders_of(store: Store) -> list[Activation]:
    """The store's integrations from which products, prices or stock come."""
    going_on = store.activations.consuming().select_related("connector").order_by("pk")
    return [
        each
        for each in going_on
        if each.spec.sends_catalogue or isinstance(each.spec.cannot_send, EverythingBut)
    ]


def owner_of(name: str, activations: Iterable[Activation]) -> Activation | None:
    """The platform whose this field is; None: the merchant's own."""
    return next((each for each in activations if sends(each.spec, name)), None)
