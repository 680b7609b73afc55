"""Everything that writes products, prices and stock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.announcing import announce_stock, circle_of
from catalog.codes import product_ids
from catalog.events import hooks_of, publish_products
from catalog.levels import lock_store, money, units, whole
from catalog.merging import merge, still_told
from catalog.models import (
    Modification,
    Price,
    Product,
    ProductQuerySet,
    SkuMapping,
    Stock,
    external_key,
    is_called,
    touch,
)
from catalog.ownership import owners_of
from catalog.reservations import write_level, write_levels
from catalog.taking import forget, forget_pages, remember
from catalog.telling import tell_channels
from connectors.bulk import among
from connectors.contract import Flow, StockSource
from connectors.errors import Duplicate, NotAllowed, NotFound, NothingChanged, Refused
from connectors.hub import wire
from connectors.messages.notices import announce
from connectors.models import Activation, Store
from connectors.payload import is_no, to_whole
from connectors.prepared import Prepared, Slot
from connectors.records import Document, ProductRecord
from connectors.spec import EverythingBut, Hook, Mode, Spec
from connectors.trouble.causes import MISSING_DATA, UNKNOWN_SKU

NOTHING_CHANGED = "Changes not found in the document"  # clients compare this text exactly
LEVELS = ("price", "special_price", "quantity")
# Lists that a platform which we read tells whole: it has no words for what it took away.
WHOLE = {"categories", "attributes", "photos"}


@dataclass
class Changes:
    """What a write did to a product and its variations."""

    created: bool = False
    names: set[str] = field(default_factory=set)
    product_ids: set[int] = field(default_factory=set)
    hooks: dict[int, set[Hook]] = field(default_factory=dict)  # by product

    def __bool__(self) -> bool:
        return self.created or bool(self.names)

    @property
    def flags(self) -> tuple[str, ...]:
        """As a notification tells them (pluggto-api.md, section 12)."""
        price = self.created or bool(self.names & {"price", "special_price"})
        stock = self.created or "quantity" in self.names
        return tuple(flag for flag, on in (("price", price), ("stock", stock)) if on)


@transaction.atomic
def save_product(store: Store, code: str, document: Document, by: Activation | None) -> Product:
    """Create the product with this SKU, or change what the document says of it (a PUT).

    `code` may also be a code that the activation's De/Para knows, or a variation's SKU. Fields
    that the activation's connector cannot send are the merchant's and stay as they are.
    Raises `NothingChanged`, `NotAllowed` where the connector can send nothing of it, `NotFound`
    where it may not create it, and `Refused`.
    """
    lock_store(store)
    return _save(store, _called(store, code, by), code, document, by, timezone.now())


@transaction.atomic
def take_product(
    record: ProductRecord,
    digest: int,
    by: Activation,
    asked_at: datetime | None,
    gone: Iterable[Document] = (),
) -> bool:
    """Create or change what a platform's record says of a product, and remember that it said so;
    whether that changed something. `asked_at`: before it was asked for, and None where it is older
    (catalog/reservations.py); `gone`: what `gone_variations` says of it. Raises what `save_product`
    raises, but for `NothingChanged`."""
    store = by.store
    lock_store(store)
    known = _called(store, record.sku, by)
    changed = True
    try:
        saved = _save(store, known, record.sku, document_of(record, known, gone), by, asked_at)
    except NothingChanged:
        changed = False
    remember(by, Flow.PRODUCTS, [(record.sku, (known or saved).pk, digest)])
    return changed


def gone_variations(records: Iterable[ProductRecord], by: Activation) -> dict[str, list[Document]]:
    """By record: of the variations that its platform has no more, that they are sold out. Nobody
    else would ever tell their levels."""
    records = [each for each in records if each.variations]
    if not records or StockSource not in by.spec.flows:
        return {}
    skus = {sku for each in records for sku in (each.sku, *(one.sku for one in each.variations))}
    ids = product_ids(by.store, skus, by)
    heads = {ids[each.sku]: each.sku for each in records if each.sku in ids}
    left = by.store.products.with_levels().filter(parent__in=among(heads))
    others = list(left.filter(stock_row__on_hand__gt=0).exclude(pk__in=among(set(ids.values()))))
    owners = owners_of(by.store, others)
    mapped = by.sku_mappings.filter(product__in=among([each.pk for each in others]))
    words = {each.pk: each.sku for each in others} | dict(mapped.values_list("product", "code"))
    # The SKU of one may be what it calls another.
    meant = product_ids(by.store, set(words.values()), by)
    gone = [
        each
        for each in others
        if owners.get(each.pk) == [by] and meant.get(words[each.pk]) == each.pk
    ]
    forget(None, [each.pk for each in gone])
    documents: dict[str, list[Document]] = {}
    for each in gone:
        sold_out = {"sku": words[each.pk], "quantity": 0}
        documents.setdefault(heads[each.parent_id or 0], []).append(sold_out)
    return documents


def try_product(record: ProductRecord, by: Activation) -> Changes:
    """What `take_product` would change; nothing of it stays. Raises what that raises."""
    with transaction.atomic():
        lock_store(by.store)
        product = _called(by.store, record.sku, by)
        changes = Changes(created=product is None)
        document = _allowed(document_of(record, product), by)
        if product is None:
            if not by.spec.sends_catalogue:
                raise _unknown(record.sku)
            product = _new(by.store, record.sku, by)
        _write(product, document, by, changes, None)
        transaction.set_rollback(True)
    return changes


def document_of(
    record: ProductRecord, known: Product | None, gone: Iterable[Document] = ()
) -> Document:
    """What the record says of a product that we know, or of a new one."""
    passed_over = record.new_only if known else frozenset()
    fields = {name: value for name, value in record.fields.items() if name not in passed_over}
    return {
        **fields,
        "variations": [*({**each.fields, "sku": each.sku} for each in record.variations), *gone],
    }


@transaction.atomic
def create_product(store: Store, document: Document, by: Activation | None) -> Product:
    """A new product (a POST). Raises `NotAllowed`, `Refused`, and `Duplicate` where the SKU is
    taken."""
    if by is not None and not by.spec.sends_catalogue:
        raise _not_allowed(by, document)
    document = _allowed(document, by)
    sku = document.get("sku")
    if not sku:
        raise Refused(_("$.sku: falta o SKU do produto."), cause=MISSING_DATA)
    lock_store(store)
    if _called(store, sku, by) is not None:
        raise Duplicate(_("Já há um produto com o SKU %(sku)s nesta loja.") % {"sku": sku})
    return _create(store, sku, document, by)


@transaction.atomic
def update_product(
    store: Store, product_id: int, document: Document, by: Activation | None
) -> Product:
    """Change what the document says of a product. Raises what `save_product` raises."""
    lock_store(store)
    return _update(_get(store, product_id), document, by, timezone.now())


@transaction.atomic
def change_stock(
    store: Store, which: int | str | Q, action: str, quantity: int, by: Activation | None
) -> Product:
    """Overwrite, increase or decrease the stock of one product. `which` is its id, a condition
    that is true of it alone, or, where there is a `by`, the code by which that one calls it. The
    stock never falls below zero: a shop that sold more than it had has nothing left to sell.

    Raises `NotFound`, `NotAllowed`, `NothingChanged` and `Refused`.
    """
    product = _to_restock(store, which, by)
    if product is None:
        raise NotFound(_("A loja não tem este produto."), cause=UNKNOWN_SKU)
    _allowed({"quantity": quantity}, by)
    if product.has_variations:
        raise NothingChanged(NOTHING_CHANGED)  # its quantity is the sum of theirs
    stock = product.stock_row
    levels = {
        "update": max(0, quantity),
        "increase": stock.on_hand + quantity,
        "decrease": max(0, stock.on_hand - quantity),
    }
    if action not in levels or (action != "update" and quantity < 0):
        raise Refused(_("$.action: use update, increase ou decrease, com quantidade positiva."))
    level = whole(levels[action], "quantity")
    if not write_level(stock, level, by, timezone.now() if action == "update" else None):
        raise NothingChanged(NOTHING_CHANGED)
    _touch(product, by)
    announce_stock(product, by)
    return product


@transaction.atomic
def delete_product(store: Store, product_id: int, by: Activation | None) -> Product:
    """Delete a product with its variations, or one variation. Raises `NotFound`, `NotAllowed`."""
    if by is not None and not by.spec.sends_catalogue:
        raise _not_allowed(by, {"delete"})
    lock_store(store)
    _get(store, product_id)
    # Whoever keeps units of them takes these locks in this order as well.
    list(_locked(store).filter(parent=product_id).order_by("pk"))
    product = store.products.with_family().get(pk=product_id)
    told = circle_of(store).told_of_products(by)
    announce(told, "skus", "deleted", product.sku, "stock", "price")
    tell_channels(store, {product_id: {Hook.PRODUCT_UPDATED}})
    Product.objects.filter(pk=product_id).delete()
    if product.parent_id:
        touch([product.parent_id], by)
    forget_pages(store)
    return product


# -- How -------------------------------------------------------------------------------------------


def _locked(store: Store) -> ProductQuerySet:
    return store.products.select_for_update(no_key=True, of=("self",)).with_levels()


CALLED_TO_RESTOCK = Prepared(
    lambda: (
        Product.objects.filter(is_called(Slot("store"), Slot("code"), Slot("by")))
        .to_restock()
        .order_by()
    )
)


def _to_restock(store: Store, which: int | str | Q, by: Activation | None) -> Any:
    if isinstance(which, str) and by:
        found = CALLED_TO_RESTOCK(store=store.pk, code=which, by=by.pk)
        for product in found:
            product.store = store
        return found[0] if found else None
    products = store.products.filter(which if isinstance(which, Q) else Q(pk=which))
    return products.to_restock().first()


def _called(store: Store, code: str, by: Activation | None) -> Product | None:
    return _locked(store).filter(is_called(store, code, by)).first()


def _get(store: Store, product_id: int) -> Product:
    product = _locked(store).filter(pk=product_id).first()
    if product is None:
        raise _unknown(product_id)
    return product


def _unknown(code: str | int) -> NotFound:
    text = _("Não há produto com o SKU %(sku)s nesta loja.") % {"sku": code}
    return NotFound(text, cause=UNKNOWN_SKU)


def _allowed(document: Document, by: Activation | None) -> Document:
    """The part of a document that the connector may write. Raises `NotAllowed` where that is
    nothing."""
    if by is None:
        return document
    allowed = _without_foreign(document, by.spec)
    foreign = document.keys() - allowed.keys()
    if foreign and not allowed.keys() - {"sku"}:
        raise _not_allowed(by, foreign)
    return allowed


def _without_foreign(document: Document, spec: Spec) -> Document:
    sends_levels = isinstance(spec.cannot_send, EverythingBut)
    if not spec.sends_catalogue and not sends_levels:
        return {name: value for name, value in document.items() if name == "sku"}
    allowed = {name: value for name, value in document.items() if name not in spec.cannot_send}
    if document.get("variations"):
        variations = [_without_foreign(each, spec) for each in document["variations"]]
        # Levels are those of what is sold, which stands inside its product too.
        if not sends_levels or any(each.keys() - {"sku"} for each in variations):
            allowed["variations"] = variations
    return allowed


def _not_allowed(by: Activation, names: Iterable[str]) -> NotAllowed:
    return NotAllowed(
        _("%(connector)s não pode alterar produtos nestes campos: %(names)s.")
        % {"connector": by.spec.name, "names": ", ".join(sorted(names))}
    )


def _new(store: Store, sku: str, by: Activation | None) -> Product:
    product = Product(store=store, created_by=by)
    product.take({"sku": sku})
    return product


def _create(store: Store, sku: str, document: Document, by: Activation | None) -> Product:
    product = _new(store, sku, by)
    changes = Changes(created=True)
    _write(product, document, by, changes, None)  # nobody can want units of it yet
    _announce(product, changes, by)
    return product


def _save(
    store: Store,
    known: Product | None,
    code: str,
    document: Document,
    by: Activation | None,
    asked_at: datetime | None,
) -> Product:
    if known is not None:
        return _update(known, document, by, asked_at)
    document = _allowed(document, by)
    if by is not None and not by.spec.sends_catalogue:
        raise _unknown(code)
    return _create(store, code, document, by)


def _update(
    product: Product, document: Document, by: Activation | None, asked_at: datetime | None
) -> Product:
    changes = Changes()
    _write(product, _allowed(document, by), by, changes, asked_at)
    if not changes:
        raise NothingChanged(NOTHING_CHANGED)
    forget(by, {*changes.product_ids, product.parent_id})
    _announce(product, changes, by)
    return product


def _write(
    product: Product,
    document: Document,
    by: Activation | None,
    changes: Changes,
    asked_at: datetime | None,
) -> None:
    """Apply a document to a product or a variation, and to its own variations."""
    document = {
        name: value for name, value in document.items() if name not in wire.PRODUCT_COMPUTED
    }
    levels = {name: document.pop(name) for name in LEVELS if name in document}
    variations = document.pop("variations", None) or []
    if variations and by is not None and not by.spec.sends_catalogue:
        variations = _of_this_product(product, variations, by, alone=not levels)
    external = document.pop("external", None)
    document.pop("sku", None)
    names = product.take(document | _merged_lists(product, document, by))
    if external is not None and by and product.externals.get(external_key(by), "") != external:
        product.externals[external_key(by)] = external
        names.add("external")
    if names or changes.created:
        product.save()
    if levels.get("quantity") is not None and (variations or product.variations.exists()):
        # Nobody buys the parent: its quantity is the sum of its variations', and not written.
        del levels["quantity"]
    if changes.created:
        _create_rows_of(product, by)
    names |= _write_levels(product, levels, by, asked_at)
    if names and not changes.created:
        _touch(product, by)
    changes.names |= names
    changes.hooks[product.pk] = hooks_of(changes.created, names)
    changes.product_ids.add(product.pk)
    if variations:
        _write_variations(product, variations, by, changes, asked_at)


def _merged_lists(product: Product, document: Document, by: Activation | None) -> Document:
    lists = {}
    for name, keys in wire.NATURAL_KEYS.items():
        if name in document:
            current = product.fields.get(name, [])
            if name in WHOLE and document[name] and by is not None and by.mode == Mode.MANAGED:
                current = still_told(current, document[name], keys)
            lists[name] = merge(current, document[name], keys)
    return lists


def _create_rows_of(product: Product, by: Activation | None) -> None:
    product.price_row = Price.objects.create(product=product)
    product.stock_row = Stock.objects.create(product=product)
    product.modification = Modification.objects.create(product=product, store=product.store, by=by)


def _write_levels(
    product: Product, levels: Document, by: Activation | None, asked_at: datetime | None
) -> set[str]:
    names: set[str] = set()
    if levels.get("quantity") is not None:
        told = to_whole(levels["quantity"])
        # What we showed a partner, sent back, says nothing: it is without the units that are kept.
        # People are shown what is on hand, and a platform that we read is shown nothing.
        is_shown = by is not None and by.mode == Mode.PARTNER
        is_copy = is_shown and told == product.stock_row.available
        if not is_copy and write_levels({product.pk: units(told)}, by, asked_at):
            names.add("quantity")
    for name in ("price", "special_price"):
        if name in levels and getattr(product.price_row, name) != (
            amount := money(levels[name], name)
        ):
            setattr(product.price_row, name, amount)
            names.add(name)
    if prices := names - {"quantity"}:
        product.price_row.save(update_fields=prices)
    return names


def _write_variations(
    product: Product,
    documents: list[Any],
    by: Activation | None,
    changes: Changes,
    asked_at: datetime | None,
) -> None:
    if product.parent_id is not None:
        raise Refused(_("$.variations: uma variação não tem variações."))
    skus = [document.get("sku") for document in documents]
    for position, sku in enumerate(skus):
        if not sku:
            text = _("$.variations[%d].sku: falta o SKU da variação.") % position
            raise Refused(text, cause=MISSING_DATA)
    known = _known_variations(product, skus, by)
    for document in documents:
        sku = document["sku"]
        found = known.get(sku)
        if found is not None and found.parent_id != product.pk:
            raise Duplicate(_("O SKU %(sku)s já é de outro produto da loja.") % {"sku": sku})
        if not is_no(document.get("remove")):
            if found is not None:
                known.pop(sku).delete()
                _touch(product, by)
                forget_pages(product.store)
                changes.names.add("variations")
                changes.hooks[product.pk] |= hooks_of(changes.created, {"variations"})
            continue
        inner = Changes(created=found is None)
        if found is None:
            found = known[sku] = Product(store=product.store, parent=product, created_by=by)
            found.take({"sku": sku})
        _write(found, document, by, inner, asked_at)
        if inner:
            changes.names |= inner.names | {"variations"}
            changes.product_ids |= inner.product_ids
            changes.hooks |= inner.hooks
            if inner.created:
                changes.names |= {"price", "quantity"}


def _of_this_product(
    product: Product, documents: list[Any], by: Activation, *, alone: bool
) -> list[Any]:
    """Of the levels that an ERP tells inside a product, those that have a place here: the store may
    have grouped its products otherwise. Raises `NotFound` where none has, and nothing else came."""
    known = _known_variations(product, [each.get("sku") for each in documents], by)
    ours = {code for code, variation in known.items() if variation.parent_id == product.pk}
    found = [each for each in documents if not each.get("sku") or each["sku"] in ours]
    if alone and not found:
        raise _unknown(documents[0]["sku"])
    return found


def _known_variations(
    product: Product, skus: list[str], by: Activation | None
) -> dict[str, Product]:
    """What of the store these mean, locked: by its De/Para first."""
    mapped = SkuMapping.objects.filter(activation=by, code__in=skus, product__parent=product)
    codes = dict(mapped.values_list("product", "code")) if by else {}
    meant = list(_locked(product.store).filter(Q(sku__in=skus) | Q(pk__in=codes)).order_by("pk"))
    known = {each.sku: each for each in meant}
    return known | {codes[each.pk]: each for each in meant if each.pk in codes}


def _touch(product: Product, by: Activation | None) -> None:
    product.modification.at, product.modification.by = touch([product.pk], by), by


def _announce(product: Product, changes: Changes, by: Activation | None) -> None:
    head = product.parent or product
    action = "created" if changes.created and product.parent is None else "updated"
    told = circle_of(product.store).told_of_products(by)
    announce(told, "products", action, head.public_id, *changes.flags)
    publish_products(product.store, changes.hooks)
    tell_channels(product.store, changes.hooks)
