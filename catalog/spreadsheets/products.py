"""What the rows of a product spreadsheet do, and doing it: hundreds of products at once, by the
rules by which catalog/services.py writes one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.announcing import circle_of
from catalog.events import hooks_of, publish_products
from catalog.fields import warnings_of
from catalog.levels import money
from catalog.merging import merge
from catalog.models import Modification, Price, Product, Spreadsheet, Stock, touch
from catalog.ownership import owner_of, owners_of
from catalog.reservations import write_levels
from catalog.spreadsheets.columns import PRODUCTS
from catalog.spreadsheets.lines import Earlier, Line, Outcome, earlier_rows
from catalog.taking import forget
from catalog.telling import tell_channels
from connectors.bulk import AT_ONCE, among, insert_all, update_rows
from connectors.errors import Refused
from connectors.hub.wire import NATURAL_KEYS
from connectors.messages.notices import announce_all
from connectors.models import Store
from connectors.records import Document
from connectors.spec import Hook

KEYS = ("sku", "parent")
PRICES = ("price", "special_price")
HEADERS = {column.name.partition(".")[0]: column.header for column in PRODUCTS}


@dataclass
class Work:
    """What the lines come to: written together, or not at all."""

    store: Store
    new: dict[str, Product] = field(default_factory=dict)
    on_hand: dict[str, int] = field(default_factory=dict)  # of the new ones
    prices: dict[str, dict[str, Decimal | None]] = field(default_factory=dict)  # of the new ones
    changed: dict[int, Product] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    repriced: dict[int, Product] = field(default_factory=dict)
    hooks: dict[int, set[Hook]] = field(default_factory=lambda: defaultdict(set))


class ProductRows:
    def __init__(self, spreadsheet: Spreadsheet, *, writes: bool) -> None:
        self.spreadsheet, self.writes = spreadsheet, writes
        self.store = spreadsheet.store

    def keys_of(self, line: Line) -> tuple[str, str]:
        return line.values.get("sku", ""), line.values.get("parent", "")

    def judge(self, lines: Sequence[Line]) -> Work:
        """Say of each line what it does. Whoever `writes` has locked the store."""
        work = Work(self.store)
        skus = {line.values[name] for line in lines for name in KEYS if name in line.values}
        products = self.store.products.with_levels().filter(sku__in=among(skus))
        if self.writes:
            products = products.select_for_update(no_key=True, of=("self",)).order_by("pk")
        known = {product.sku: product for product in products}
        owners = owners_of(self.store, known.values())
        parents = set(
            self.store.products.filter(parent__in=among([p.pk for p in known.values()]))
            .values_list("parent", flat=True)
            .distinct()
        )
        earlier = earlier_rows(self.spreadsheet, lines, KEYS)
        for line in lines:
            if line.is_refused:
                continue
            if (twin := earlier.get(line.values["sku"])) is not None:
                line.refuse(_("SKU: já está na linha %d.") % twin.number)
                continue
            try:
                parent = self._parent(line, known, earlier)
                product = known.get(line.values["sku"])
                if product is None or product.pk is None:
                    known[line.values["sku"]] = self._create(line, parent, work)
                else:
                    self._update(line, product, parent, owners, parents, work)
            except Refused as error:
                line.refuse(str(error))
                continue
            line.reasons += warnings_of(line.values)
            earlier[line.values["sku"]] = Earlier(line.number, line.values.get("parent", ""))
        return work

    def _parent(
        self, line: Line, known: Mapping[str, Product], earlier: Mapping[str, Earlier]
    ) -> Product | None:
        sku = line.values.get("parent")
        if not sku:
            return None
        if sku == line.values["sku"]:
            raise Refused(_("SKU do produto pai: um produto não é variação de si mesmo."))
        parent = known.get(sku)
        if parent is None and not self.writes and sku in earlier:
            # Not written yet: it will be, by the time this one is.
            parent = Product(store=self.store, sku=sku)
            if earlier[sku].second_key:
                parent.parent = Product(store=self.store)
        if parent is None:
            raise Refused(
                _("SKU do produto pai: não há produto %s; a linha dele vem antes desta.") % sku
            )
        if parent.parent_id is not None or parent.parent is not None:
            raise Refused(_("SKU do produto pai: %s é uma variação, e não tem variações.") % sku)
        return parent

    def _create(self, line: Line, parent: Product | None, work: Work) -> Product:
        line.outcome = Outcome.CREATE
        product = Product(store=self.store, parent=parent, sku=line.values["sku"])
        if not self.writes:
            return product
        fields, levels = _document(line.values, {})
        product.take(fields)
        work.new[product.sku] = product
        work.on_hand[product.sku] = levels.get("quantity", 0)
        work.prices[product.sku] = {n: money(levels[n], n) for n in PRICES if n in levels}
        return product

    def _update(
        self,
        line: Line,
        product: Product,
        parent: Product | None,
        owners: Mapping[int, list[Any]],
        parents: set[int | None],
        work: Work,
    ) -> None:
        if parent is not None and product.parent_id != parent.pk:
            raise Refused(_("SKU: já é de outro produto da loja."))
        fields, levels = _document(line.values, product.fields)
        news = product.news(fields)
        prices = {n: money(levels[n], n) for n in PRICES if n in levels}
        price_row, stock_row = product.price_row, product.stock_row
        names = set(news) | {n for n, value in prices.items() if getattr(price_row, n) != value}
        # What he counted, units that are kept for sales among them.
        if levels.get("quantity", stock_row.on_hand) != stock_row.on_hand:
            names.add("quantity")
        if "quantity" in names and product.pk in parents:
            names.discard("quantity")
            line.reasons.append(_("Estoque: o do produto pai é a soma do das variações."))
        for name in sorted(names):
            if owner := owner_of(name, owners.get(product.pk, [])):
                raise Refused(
                    _("%(field)s: vem de %(platform)s; altere lá.")
                    % {"field": HEADERS.get(name, name), "platform": owner}
                )
        if not names:
            return
        line.outcome = Outcome.UPDATE
        if news:
            product.take(fields)
            work.changed[product.pk] = product
        if "quantity" in names:
            work.levels[product.pk] = levels["quantity"]
        if names & set(PRICES):
            for name, value in prices.items():
                setattr(price_row, name, value)
            work.repriced[product.pk] = product
        work.hooks[product.pk] |= hooks_of(False, names)

    def write(self, lines: Sequence[Line]) -> None:
        """In the caller's transaction, and under its lock of the store."""
        work = self.judge(lines)
        created = _insert(work)
        touched = {*work.changed, *work.levels, *work.repriced}
        if work.changed:
            Product.objects.bulk_update(
                work.changed.values(), ["name", "ean", "fields"], batch_size=AT_ONCE
            )
        update_rows(
            Price,
            PRICES,
            {pk: (p.price_row.price, p.price_row.special_price) for pk, p in work.repriced.items()},
        )
        if work.levels:
            write_levels(work.levels, None, timezone.now())
        if touched:
            touch(touched, None)
            forget(None, touched)
        _announce(work, created)


def _document(values: Document, known: Document) -> tuple[Document, Document]:
    """A row as the hub's document, and its levels apart. `known`: the product's fields, of which
    a row may say a part."""
    fields: Document = {}
    levels: Document = {}
    for name, value in values.items():
        head, _dot, part = name.partition(".")
        if name in KEYS:
            continue
        if name in (*PRICES, "quantity"):
            levels[name] = value
        elif part:
            fields.setdefault(head, dict(known.get(head) or {}))[part] = value
        elif name in NATURAL_KEYS:
            fields[name] = merge(known.get(name) or [], value, NATURAL_KEYS[name])
        else:
            fields[name] = value
    return fields, levels


def _insert(work: Work) -> list[Product]:
    """Heads first: their variations name them."""
    heads = [product for product in work.new.values() if product.parent is None]
    insert_all(heads)
    variations = [product for product in work.new.values() if product.parent is not None]
    for variation in variations:
        variation.parent = variation.parent  # it has its id by now
    insert_all(variations)
    created = heads + variations
    insert_all([Price(product=p, **work.prices[p.sku]) for p in created])
    insert_all([Stock(product=p, on_hand=work.on_hand[p.sku]) for p in created])
    insert_all([Modification(product=p, store=work.store) for p in created])
    for product in created:
        levels = {*work.prices[product.sku], *(("quantity",) if work.on_hand[product.sku] else ())}
        work.hooks[product.pk] |= hooks_of(True, levels)
    return created


def _announce(work: Work, created: list[Product]) -> None:
    store, told = work.store, circle_of(work.store).told_of_products(None)
    publish_products(store, work.hooks)
    tell_channels(store, work.hooks)
    if not told:
        return
    new = {product.public_id for product in created if product.parent_id is None}
    announce_all(told, "products", "created", new, "price", "stock")
    changed: dict[tuple[str, ...], set[str]] = defaultdict(set)
    rows = store.products.filter(pk__in=among(list(work.hooks))).select_related("parent")
    for product in rows:
        head, hooks = product.parent or product, work.hooks[product.pk]
        price = bool(hooks & {Hook.PRICE_CHANGED, Hook.PRODUCT_CREATED})
        stock = bool(hooks & {Hook.STOCK_CHANGED, Hook.PRODUCT_CREATED})
        flags = tuple(flag for flag, on in (("price", price), ("stock", stock)) if on)
        if head.public_id not in new:
            changed[flags].add(head.public_id)
    for flags, ids in changed.items():
        announce_all(told, "products", "updated", ids, *flags)
