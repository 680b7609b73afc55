"""Comparing a platform's whole catalogue with ours, and writing to neither: before the first
synchronisation to show what it would do, and once a day to find what went astray.

What a record would change is found by writing it and taking that back, so no rule is told twice. A
comparison takes steps of a minute, each a task of its own: a catalogue of any size, at a platform
of any slowness.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext as _

from catalog.fetching import SOURCES, fetch_asked
from catalog.levels import Applied, set_prices, set_stock
from catalog.models import Price, Stock, Taken
from catalog.models.levels import price_text
from catalog.services import Changes, try_product
from catalog.taking import Digester, already_here
from connectors.comparisons import STEP_SECONDS, Last, begin_daily, start_steps, take_step
from connectors.contract import (
    Flow,
    Page,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import ConnectorError, NotFound, Refused
from connectors.findings import OURS, SAME, THEIRS, Findings
from connectors.models import (
    Activation,
    ActivationFlow,
    Comparison,
    Difference,
    Listed,
    State,
)
from connectors.payload import Payload
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.services import client_of
from connectors.spec import Mode
from connectors.trouble.failures import guess_id

Kind = Difference.Kind
# Of a product that is here, by flow.
SHOWN = {
    Flow.PRODUCTS: ("name",),
    Flow.PRICES: ("price_row__price", "price_row__special_price"),
    Flow.STOCK: ("stock_row__on_hand",),
}
PURPOSES = (Comparison.Purpose.PREVIEW, Comparison.Purpose.CATALOGUE)


def compare_all_catalogues() -> None:
    flows = ActivationFlow.objects.filter(activation=OuterRef("pk"), ability__in=SOURCES)
    managed = Activation.objects.filter(Exists(flows), mode=Mode.MANAGED)
    waiting = Comparison.objects.holding().filter(activation=OuterRef("pk"))
    begin_daily(managed.filter(~Exists(waiting)), Comparison.Purpose.CATALOGUE)
    start_steps(PURPOSES, compare_catalogue)
    fetch_asked()


def compare_catalogue(comparison_id: int) -> None:
    take_step(comparison_id, _compare, compare_catalogue)


def _compare(comparison: Comparison) -> Last:
    """Go on for a minute."""
    deadline = monotonic() + STEP_SECONDS
    own = comparison.activation.flows.values_list("ability", flat=True)
    # In this order: what is sold first, for prices and stock are of what is sold.
    abilities = [name for name in SOURCES if name in set(own)]
    left = abilities[abilities.index(comparison.ability) if comparison.ability else 0 :]
    for name, following in zip(left, [*left[1:], ""], strict=True):
        findings = Findings(comparison, SOURCES[name].flow)
        for page in _pages(comparison, name, findings):
            findings.save(name, page.cursor)
            if page.items and monotonic() > deadline:
                return None
        _note_missing(findings)
        _note_undone(findings)
        if not following:
            return [findings]
        findings.save(following)
    return []


def _pages(comparison: Comparison, ability: str, findings: Findings) -> Iterator[Page]:
    """From where it stopped on; each page is compared when it is yielded."""
    client: Any = client_of(comparison.activation, SOURCES[ability].flow)
    cursor = comparison.cursor
    compare: Callable[[Findings, Any, Page], None]
    match ability:
        case ProductSource.__name__:
            pages, compare = client.all_products(cursor), _compare_products
        case PriceSource.__name__:
            pages, compare = client.all_prices(cursor), _compare_prices
        case _:
            pages, compare = client.all_stock(cursor), _compare_stock
    for page in pages:
        findings.count(THEIRS, len(page.items))
        compare(findings, client, page)
        yield page


def _read(findings: Findings, page: Page, read: Callable[[Payload], Any]) -> list[tuple[Any, int]]:
    """The page's records with their digests. What cannot be read is a finding."""
    records = []
    digester = Digester(findings.comparison.activation, findings.flow)
    for payload in page.items:
        try:
            records.append((read(payload), digester.record(payload)))
        except ConnectorError as error:
            findings.add(Kind.UNREADABLE, guess_id(payload), theirs=error)
    return records


# -- Products --------------------------------------------------------------------------------------


def _compare_products(findings: Findings, client: ProductSource, page: Page) -> None:
    activation = findings.comparison.activation
    records = _read(findings, page, client.read_product)
    here = already_here([digest for _record, digest in records])
    _note_listed(
        findings,
        [
            (each.sku, str(each.fields.get("ean") or ""), digest)
            for record, digest in records
            for each in (record, *record.variations)
        ],
    )
    for record, digest in records:
        for each in (record, *record.variations):
            if each.fields.get("price") is not None and not float(each.fields["price"]):
                findings.add(Kind.ZERO_PRICE, each.sku)
        if digest in here:
            findings.count(SAME)
            continue
        try:
            _note_changes(findings, record, try_product(record, activation))
        except Refused as error:
            findings.add(Kind.REFUSED, record.sku, theirs=error)


def _note_changes(findings: Findings, record: ProductRecord, changes: Changes) -> None:
    if changes.created:
        findings.add(Kind.CREATE, record.sku, theirs=record.fields.get("name") or "")
    elif changes:
        findings.add(Kind.UPDATE, record.sku, theirs=", ".join(sorted(changes.names)))
    else:
        findings.count(SAME)


# -- Prices and stock ------------------------------------------------------------------------------


def _compare_prices(findings: Findings, client: PriceSource, page: Page) -> None:
    records = _read(findings, page, client.read_price)
    for record, _digest in records:
        if not record.price:
            findings.add(Kind.ZERO_PRICE, record.sku)
    _compare_levels(findings, records, set_prices, Price, ("price", "special_price"))


def _compare_stock(findings: Findings, client: StockSource, page: Page) -> None:
    records = _read(findings, page, client.read_stock)
    _compare_levels(findings, records, set_stock, Stock, ("on_hand",))


def _compare_levels(
    findings: Findings,
    records: Sequence[tuple[PriceRecord | StockRecord, int]],
    apply: Callable[..., Applied],
    model: type[Price] | type[Stock],
    columns: tuple[str, ...],
) -> None:
    activation = findings.comparison.activation
    _note_listed(findings, [(record.sku, "", digest) for record, digest in records])
    by_code = {record.sku: record for record, _digest in records}
    with transaction.atomic():
        applied = apply(activation.store, list(by_code.values()), activation)
        transaction.set_rollback(True)
    pks = [applied.products[code] for code in applied.changed]
    ours = {
        pk: values for pk, *values in model.objects.filter(pk__in=pks).values_list("pk", *columns)
    }
    new = set(
        Listed.objects.filter(
            comparison=findings.comparison, flow=Flow.PRODUCTS, record_id__in=applied.refused
        ).values_list("record_id", flat=True)
    )
    for code, record in by_code.items():
        if error := applied.refused.get(code):
            if not isinstance(error, NotFound):
                findings.add(Kind.REFUSED, code, theirs=error)
            elif code in new:
                findings.add(Kind.CREATE, code, theirs=_shown(record))
            else:
                findings.add(Kind.UNMAPPED, code, theirs=_shown(record))
        elif code in applied.changed:
            known_here = ours.get(applied.products[code], [])
            findings.add(Kind.UPDATE, code, ours=_text(known_here), theirs=_shown(record))
        else:
            findings.count(SAME)


def _shown(record: PriceRecord | StockRecord) -> str:
    if isinstance(record, StockRecord):
        return str(record.quantity)
    return _text([record.price, record.special_price])


def _text(values: Sequence[object]) -> str:
    return " / ".join(
        price_text(value) if isinstance(value, Decimal) else str(value)
        for value in values
        if value is not None
    )


# -- Both sides' lists -----------------------------------------------------------------------------


def _note_listed(findings: Findings, listed: Sequence[tuple[str, str, int]]) -> None:
    """What the other side has of this page: code, GTIN, digest. The same code with something else
    behind it is there twice; a page that comes again is not."""
    comparison, flow = findings.comparison, findings.flow
    before = Listed.objects.filter(comparison=comparison, flow=flow)
    digests = dict(
        before.filter(record_id__in=[code for code, *_ in listed]).values_list(
            "record_id", "digest"
        )
    )
    wanted = {ean for _code, ean, _digest in listed if ean}
    eans = dict(before.filter(ean__in=wanted).values_list("ean", "record_id")) if wanted else {}
    for code, ean, digest in listed:
        if digests.setdefault(code, digest) != digest:
            findings.add(Kind.DUPLICATE, code, theirs=_("O mesmo SKU mais de uma vez"))
        if ean and eans.setdefault(ean, code) != code:
            findings.add(
                Kind.DUPLICATE,
                code,
                theirs=_("GTIN %(ean)s também no SKU %(sku)s") % {"ean": ean, "sku": eans[ean]},
            )
    Listed.objects.bulk_create(
        [
            Listed(comparison=comparison, flow=flow, record_id=code, ean=ean[:50], digest=digest)
            for code, ean, digest in listed
        ],
        batch_size=500,
        ignore_conflicts=True,
    )


def _note_missing(findings: Findings) -> None:
    """What came from there once, and is not there any more: with what is sold of it here still."""
    comparison, flow = findings.comparison, findings.flow
    ours = Taken.objects.filter(activation=comparison.activation, flow=flow)
    there = Listed.objects.filter(comparison=comparison, flow=flow, record_id=OuterRef("record_id"))
    findings.count(OURS, ours.count())
    gone = ours.filter(~Exists(there)).order_by("record_id")
    rows = gone.values_list("record_id", *(f"product__{name}" for name in SHOWN[flow]))
    for code, *values in rows.iterator(chunk_size=2000):
        findings.add(Kind.MISSING_THERE, code, ours=_text(values))


def _note_undone(findings: Findings) -> None:
    """What another integration, which tells it as well, has written over since: each undoes what
    the other says, and nobody knows whose word counts."""
    comparison, flow = findings.comparison, findings.flow
    told = Taken.objects.filter(flow=flow, activation__mode=Mode.MANAGED)
    # Only where it would write something else: other facts of a product may have changed.
    other_here = comparison.differences.filter(flow=flow, kind=Kind.UPDATE).values("record_id")
    mine = told.filter(activation=comparison.activation, digest=None, record_id__in=other_here)
    others = told.filter(product=OuterRef("product"), digest__isnull=False)
    others = others.filter(activation__state=State.ACTIVE).exclude(activation=comparison.activation)
    undone = mine.annotate(other=Subquery(others.values("activation__name")[:1]))
    rows = undone.exclude(other=None).order_by("record_id").values_list("record_id", "other")
    for code, other in rows.iterator(chunk_size=2000):
        text = _("Também vem de %s, e um desfaz o que o outro manda.")
        findings.add(Kind.DUPLICATE, code, theirs=text % other)
