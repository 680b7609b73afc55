"""Finding products (pluggto-api.md, section 4.2)."""

from collections.abc import Callable, Mapping

from django.db.models import Q, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact

from catalog.models import Modification, Product, ProductQuerySet, external_key, is_called
from connectors.hub.filters import (
    EVERYTHING,
    NOTHING,
    Query,
    in_second,
    ordering,
    search,
    within,
)
from connectors.models import Activation
from connectors.payload import read_value, to_decimal, to_whole

CHANGED = "modification__at"
SORTS = {
    "created": "created_at", "modified": CHANGED, "timestamp": CHANGED, "sku": "sku",
    "name": "name",
}  # fmt: skip


def search_products(query: Query, caller: Activation) -> ProductQuerySet:
    """The caller's store's products, variations inside their parents, that the query asks for, in
    its order. Raises `Unreadable` and `Refused`."""
    products = Product.objects.filter(store=caller.store, parent=None)
    if query.keys() & {"quantity", "reserved"}:
        products = products.with_quantities()
    products, order = search(products, Product, query, _own(caller)), ordering(query, SORTS)
    if order[0].endswith(CHANGED):
        products = products.filter(_has_changes_of(caller))
    return products.order_by(*order)


def _has_changes_of(caller: Activation) -> Q:
    """True of each product that it may see; said for the index of a store's changes."""
    return Q(modification__store=caller.store_id)


def _own(caller: Activation) -> Mapping[str, Callable[[str], Q]]:
    """The filters on what is not simply a product's own field."""
    external = Cast(KeyTextTransform(external_key(caller), "externals"), TextField())
    store_id = str(caller.store_id)

    def changed(how: Q) -> Q:
        """The product itself, or one of its variations, which are shown as part of it."""
        changes = Modification.objects.filter(how, store=caller.store_id)
        return Q(pk__in=changes.values(head=Coalesce("product__parent", "product")))

    def named(sku: str) -> Q:
        found = Product.objects.filter(is_called(caller.store, sku, caller), store=caller.store)
        return Q(pk__in=found.values("pk")) | Q(pk__in=found.values("parent_id"))

    def supplied(account: str) -> Q:
        """A product of which nobody said whose it is is the store's own."""
        own = Q(fields__supplier_id__isnull=True) | Q(fields__supplier_id=None)
        return Q(fields__supplier_id=account) | (own if account == store_id else NOTHING)

    return {
        "id": lambda text: Q(public_id=text),
        "bysku": named,
        "external": lambda text: Q(Exact(external, text)),
        "supplier_id": supplied,
        "user_id": lambda text: EVERYTHING if text == store_id else NOTHING,
        "price": lambda text: Q(price_row__price=read_value(text, to_decimal, "?price")),
        "special_price": lambda text: Q(
            price_row__special_price=read_value(text, to_decimal, "?special_price")
        ),
        "quantity": lambda text: Q(available=read_value(text, to_whole, "?quantity")),
        "reserved": lambda text: Q(promised=read_value(text, to_whole, "?reserved")),
        "created": lambda text: within("created_at", "created", text),
        "modified": lambda text: changed(within("at", "modified", text)),
        "created_by": lambda text: Q(created_by__client_id=text),
        "modified_by": lambda text: changed(Q(by__client_id=text)),
        "timestamp": lambda text: changed(in_second("at", text)),
    }
