"""Everything that writes products, prices and stock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.merging import NATURAL_KEYS, merge
from catalog.models import Price, Product, ProductQuerySet, SkuMapping, Stock, external_key
from connectors import wire
from connectors.errors import Duplicate, NotAllowed, NotFound, NothingChanged, Refused
from connectors.hubobject import CENT_OF_A_CENT
from connectors.models import Activation, Store
from connectors.notices import announce, hears
from connectors.payload import is_no, to_decimal, to_whole
from connectors.records import Document, PriceRecord, StockRecord
from connectors.spec import EverythingBut, Spec

NOTHING_CHANGED = "Changes not found in the document"  # clients compare this text exactly
LEVELS = ("price", "special_price", "quantity")


@dataclass
class Changes:
    """What a write did to a product and its variations."""

    created: bool = False
    names: set[str] = field(default_factory=set)

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
    _lock(store)
    product = _locked(store).called(code, by)
    if product is not None:
        return _update(product, document, by)
    document = _allowed(document, by)
    if by is not None and not by.spec.sends_catalogue:
        raise _unknown(code)
    return _create(store, code, document, by)


@transaction.atomic
def create_product(store: Store, document: Document, by: Activation | None) -> Product:
    """A new product (a POST). Raises `NotAllowed`, `Refused`, and `Duplicate` where the SKU is
    taken."""
    if by is not None and not by.spec.sends_catalogue:
        raise _not_allowed(by, document)
    document = _allowed(document, by)
    sku = document.get("sku")
    if not sku:
        raise Refused(_("$.sku: falta o SKU do produto."))
    _lock(store)
    if store.products.filter(sku=sku).exists():
        raise Duplicate(_("Já há um produto com o SKU %(sku)s nesta loja.") % {"sku": sku})
    return _create(store, sku, document, by)


@transaction.atomic
def update_product(
    store: Store, product_id: int, document: Document, by: Activation | None
) -> Product:
    """Change what the document says of a product. Raises what `save_product` raises."""
    _lock(store)
    return _update(_get(store, product_id), document, by)


@transaction.atomic
def change_stock(
    store: Store, product_id: int, action: str, quantity: int, by: Activation | None
) -> Product:
    """Overwrite, increase or decrease one product's stock. It never falls below zero: a shop that
    sold more than it had has nothing left to sell.

    Raises `NotFound`, `NotAllowed`, `NothingChanged` and `Refused`.
    """
    _allowed({"quantity": quantity}, by)
    product = _get(store, product_id)
    stock = Stock.objects.get(product=product)
    levels = {
        "update": quantity,
        "increase": stock.on_hand + quantity,
        "decrease": max(0, stock.on_hand - quantity),
    }
    if action not in levels or quantity < 0:
        raise Refused(_("$.action: use update, increase ou decrease, com quantidade positiva."))
    if levels[action] == stock.on_hand:
        raise NothingChanged(NOTHING_CHANGED)
    stock.on_hand = _whole(levels[action], "quantity")
    stock.save(update_fields=["on_hand"])
    _touch(product, by)
    _announce(product, Changes(names={"quantity"}), by)
    return product


@transaction.atomic
def delete_product(store: Store, product_id: int, by: Activation | None) -> Product:
    """Delete a product with its variations, or one variation. Raises `NotFound`, `NotAllowed`."""
    if by is not None and not by.spec.sends_catalogue:
        raise _not_allowed(by, {"delete"})
    _lock(store)
    _get(store, product_id)
    product = store.products.with_family().get(pk=product_id)
    announce(_listeners(store, by), "skus", "deleted", product.sku, "stock", "price")
    Product.objects.filter(pk=product_id).delete()
    return product


@dataclass(frozen=True)
class Applied:
    """What a bulk write did, by the records' codes: those that changed something, and why others
    were refused."""

    changed: frozenset[str]
    refused: Mapping[str, Refused]


@transaction.atomic
def set_stock(store: Store, records: Sequence[StockRecord], by: Activation) -> Applied:
    """Absolute levels of many SKUs at once; only what differs is written."""

    def levels(record: StockRecord) -> Document:
        return {"on_hand": _whole(max(0, record.quantity), "quantity")}

    return _set_levels(Stock, ("on_hand",), levels, store, records, by)


@transaction.atomic
def set_prices(store: Store, records: Sequence[PriceRecord], by: Activation) -> Applied:
    """Prices of many SKUs at once; only what differs is written."""

    columns = ("price", "special_price")

    def levels(record: PriceRecord) -> Document:
        return {name: _money(getattr(record, name), name) for name in columns}

    return _set_levels(Price, columns, levels, store, records, by)


# -- How -------------------------------------------------------------------------------------------
# Locks are taken in one order: the store's row, by whoever creates products or writes several;
# then products' rows, by their ids. A product's row guards its price and its stock as well.


def _lock(store: Store) -> None:
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)


def _locked(store: Store) -> ProductQuerySet:
    return store.products.select_for_update(no_key=True, of=("self",)).with_levels()


def _get(store: Store, product_id: int) -> Product:
    product = _locked(store).filter(pk=product_id).first()
    if product is None:
        raise _unknown(product_id)
    return product


def _unknown(code: str | int) -> NotFound:
    return NotFound(_("Não há produto com o SKU %(sku)s nesta loja.") % {"sku": code})


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
    if allowed.get("variations"):
        allowed["variations"] = [_without_foreign(each, spec) for each in allowed["variations"]]
    return allowed


def _not_allowed(by: Activation, names: Iterable[str]) -> NotAllowed:
    return NotAllowed(
        _("%(connector)s não pode alterar produtos nestes campos: %(names)s.")
        % {"connector": by.spec.name, "names": ", ".join(sorted(names))}
    )


def _create(store: Store, sku: str, document: Document, by: Activation | None) -> Product:
    product = Product(store=store, created_by=by)
    product.take({"sku": sku})
    changes = Changes(created=True)
    _write(product, document, by, changes)
    _announce(product, changes, by)
    return product


def _update(product: Product, document: Document, by: Activation | None) -> Product:
    changes = Changes()
    _write(product, _allowed(document, by), by, changes)
    if not changes:
        raise NothingChanged(NOTHING_CHANGED)
    _announce(product, changes, by)
    return product


def _write(product: Product, document: Document, by: Activation | None, changes: Changes) -> None:
    """Apply a document to a product or a variation, and to its own variations."""
    document = {
        name: value for name, value in document.items() if name not in wire.PRODUCT_COMPUTED
    }
    levels = {name: document.pop(name) for name in LEVELS if name in document}
    variations = document.pop("variations", None) or []
    external = document.pop("external", None)
    document.pop("sku", None)
    for name, keys in NATURAL_KEYS.items():
        if name in document:
            document[name] = merge(product.fields.get(name, []), document[name], keys)
    names = product.take(document)
    if external is not None and by and product.externals.get(external_key(by)) != external:
        product.externals[external_key(by)] = external
        names.add("external")
    if names or changes.created:
        product.modified_at, product.modified_by = timezone.now(), by
        product.save()
    if levels.get("quantity") is not None and (variations or product.variations.exists()):
        # Nobody buys the parent: its quantity is the sum of its variations', and not written.
        del levels["quantity"]
    if changes.created:
        product.price_row = Price.objects.create(product=product)
        product.stock_row = Stock.objects.create(product=product)
    level_names = _write_levels(product, levels)
    if level_names and not names:
        _touch(product, by)
    changes.names |= names | level_names
    if variations:
        _write_variations(product, variations, by, changes)


def _write_levels(product: Product, levels: Document) -> set[str]:
    names: set[str] = set()
    if levels.get("quantity") is not None:
        on_hand = _whole(levels["quantity"], "quantity")
        if product.stock_row.on_hand != on_hand:
            product.stock_row.on_hand = on_hand
            product.stock_row.save(update_fields=["on_hand"])
            names.add("quantity")
    for name in ("price", "special_price"):
        if name in levels and getattr(product.price_row, name) != (
            money := _money(levels[name], name)
        ):
            setattr(product.price_row, name, money)
            names.add(name)
    if prices := names - {"quantity"}:
        product.price_row.save(update_fields=prices)
    return names


def _write_variations(
    product: Product, documents: list[Any], by: Activation | None, changes: Changes
) -> None:
    if product.parent_id is not None:
        raise Refused(_("$.variations: uma variação não tem variações."))
    skus = [document.get("sku") for document in documents]
    for position, sku in enumerate(skus):
        if not sku:
            raise Refused(_("$.variations[%d].sku: falta o SKU da variação.") % position)
    known = {p.sku: p for p in _locked(product.store).filter(sku__in=skus).order_by("pk")}
    for document in documents:
        sku = document["sku"]
        found = known.get(sku)
        if found is not None and found.parent_id != product.pk:
            raise Duplicate(_("O SKU %(sku)s já é de outro produto da loja.") % {"sku": sku})
        if not is_no(document.get("remove")):
            if found is not None:
                known.pop(sku).delete()
                changes.names.add("variations")
            continue
        inner = Changes(created=found is None)
        if found is None:
            found = known[sku] = Product(store=product.store, parent=product, created_by=by)
            found.take({"sku": sku})
        _write(found, document, by, inner)
        if inner:
            changes.names |= inner.names | {"variations"}
            if inner.created:
                changes.names |= {"price", "quantity"}


def _touch(product: Product, by: Activation | None) -> None:
    Product.objects.filter(pk=product.pk).update(modified_at=timezone.now(), modified_by=by)


def _set_levels(
    model: type[Price] | type[Stock],
    columns: tuple[str, ...],
    levels_of: Callable[[Any], Document],
    store: Store,
    records: Sequence[PriceRecord | StockRecord],
    by: Activation,
) -> Applied:
    _lock(store)
    products = _by_code(store, [record.sku for record in records], by)
    wanted: dict[int, Document] = {}
    refused: dict[str, Refused] = {}
    for record in records:
        try:
            if record.sku not in products:
                raise NotFound(
                    _("A loja não tem o SKU %(sku)s nem um De/Para para ele.") % {"sku": record.sku}
                )
            wanted[products[record.sku].pk] = levels_of(record)
        except Refused as error:
            refused[record.sku] = error
    rows: list[Any] = []
    for row in model._default_manager.filter(pk__in=wanted):
        if any(getattr(row, column) != value for column, value in wanted[row.pk].items()):
            for column, value in wanted[row.pk].items():
                setattr(row, column, value)
            rows.append(row)
    model._default_manager.bulk_update(rows, columns, batch_size=500)
    changed = {row.pk for row in rows}
    Product.objects.filter(pk__in=changed).update(modified_at=timezone.now(), modified_by=by)
    _announce_levels(store, [p for p in products.values() if p.pk in changed], columns, by)
    return Applied(
        frozenset(code for code, product in products.items() if product.pk in changed), refused
    )


def _by_code(store: Store, codes: list[str], by: Activation) -> dict[str, Product]:
    """Products by the platform's codes for them: its De/Para first, else our own SKU."""
    ids = dict(store.products.filter(sku__in=codes).values_list("sku", "pk"))
    mapped = SkuMapping.objects.filter(activation=by, code__in=codes, product__store=store)
    ids.update(mapped.values_list("code", "product_id"))
    products = (
        _locked(store).filter(pk__in=ids.values()).select_related("parent").order_by("pk").in_bulk()
    )
    return {code: products[pk] for code, pk in ids.items() if pk in products}


def known_codes(activation: Activation, codes: Iterable[str]) -> set[str]:
    """Those of these codes behind which the store has a product."""
    codes = list(codes)
    if not codes:
        return set()
    skus = activation.store.products.filter(sku__in=codes).values_list("sku", flat=True)
    mapped = activation.sku_mappings.filter(code__in=codes).values_list("code", flat=True)
    return {*skus, *mapped}


def _listeners(store: Store, by: Activation | None) -> list[Activation]:
    """Partners whose specification says that they are told of the hub's own products."""
    return [
        activation
        for activation in store.activations.consuming().select_related("connector")
        if activation.spec.is_told_products and hears(activation, by)
    ]


def _announce(product: Product, changes: Changes, by: Activation | None) -> None:
    head = product.parent or product
    action = "created" if changes.created and product.parent is None else "updated"
    announce(_listeners(product.store, by), "products", action, head.public_id, *changes.flags)


def _announce_levels(
    store: Store, products: list[Product], columns: tuple[str, ...], by: Activation
) -> None:
    flags = ("price",) if "price" in columns else ("stock",)
    listeners = _listeners(store, by)
    for public_id in {(product.parent or product).public_id for product in products}:
        announce(listeners, "products", "updated", public_id, *flags)


def _whole(value: Any, name: str) -> int:
    number = to_whole(value)
    if not 0 <= number < 2**31:
        raise Refused(
            _("%(name)s: %(value)s não é uma quantidade.") % {"name": name, "value": value}
        )
    return number


def _money(value: Any, name: str) -> Decimal | None:
    if value is None:
        return None
    number = to_decimal(value).quantize(CENT_OF_A_CENT)
    if number < 0:
        raise Refused(_("%(name)s: um preço não é negativo.") % {"name": name})
    return number
