"""What a merchant writes of his catalogue himself."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from catalog.fields import BY_NAME, ENTRIES
from catalog.levels import lock_store
from catalog.models import Product
from catalog.ownership import owner_of, owners_of
from catalog.services import update_product
from connectors.acts import record_act, shown
from connectors.errors import NothingChanged, Refused
from connectors.records import Document


def known_values(product: Product) -> dict[str, Any]:
    """What the product says of each entry. Needs its levels."""
    document = product.document()
    levels = {
        "price": product.price_row.price,
        "special_price": product.price_row.special_price,
        "quantity": product.stock_row.on_hand,
    }
    values: dict[str, Any] = {}
    for entry in ENTRIES:
        head, _dot, part = entry.name.partition(".")
        value: Any = levels[head] if head in levels else document.get(head)
        values[entry.name] = (value or {}).get(part) if part else value
    return values


@transaction.atomic
def edit_product(product_id: int, values: Mapping[str, Any], by: User) -> list[str]:
    """Change what differs of these entries, announced as any other change; the labels of what
    changed. Raises `Refused` for a field that a platform owns, and `NothingChanged`."""
    product = Product.objects.select_related("store").get(pk=product_id)
    lock_store(product.store)
    product = (
        product.store.products.with_levels().select_for_update(of=("self",)).get(pk=product_id)
    )
    known, owners = known_values(product), owners_of(product.store, [product])
    changed = {name: value for name, value in values.items() if not _same(value, known[name])}
    for name in changed:
        if owner := owner_of(BY_NAME[name].owner, owners.get(product.pk, [])):
            raise Refused(
                _("%(field)s: vem de %(platform)s; altere lá.")
                % {"field": BY_NAME[name].label, "platform": owner.connector}
            )
    if not changed:
        raise NothingChanged(_("Nada mudou."))
    document: Document = {}
    for name, value in changed.items():
        head, _dot, part = name.partition(".")
        if part:
            size = document.setdefault(head, dict(product.fields.get(head) or {}))
            size[part] = value
        else:
            document[head] = value
    update_product(product.store, product.pk, document, None)
    labels = {name: str(BY_NAME[name].label) for name in changed}
    record_act(
        by,
        product,
        _("Produto alterado pelo lojista."),
        {labels[name]: [shown(known[name]), shown(changed[name])] for name in changed},
    )
    return list(labels.values())


def _same(value: Any, known: Any) -> bool:
    """Nothing is nothing, however it is written; a number is compared as one."""
    empty = (None, "")
    if value in empty or known in empty:
        return value in empty and known in empty
    if isinstance(known, Decimal):
        return Decimal(value) == known
    return bool(value == known)
