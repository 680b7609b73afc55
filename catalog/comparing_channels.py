"""Comparing once a day what a channel holds with what it is offered: SKUs, prices and stock.
Nothing is written to either side until somebody asks for a difference to be sent.

One reading of the channel's own list serves all flows. What was told a moment ago, or is about to
be, may not be in it yet, and is no difference.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.models import Product, Sent, SkuMapping
from catalog.models.levels import price_text
from catalog.offers import code_of, price_record, stock_record
from catalog.push import load_offered
from catalog.resending import send_asked
from connectors.bulk import among
from connectors.comparisons import STEP_SECONDS, Last, begin_daily, start_steps, take_step
from connectors.contract import CATALOGUE_SINK_NAMES, CatalogueIndex, Flow, HeldSku, Page
from connectors.errors import ConnectorError, NotAllowed
from connectors.findings import OURS, SAME, THEIRS, Findings
from connectors.models import (
    Activation,
    Comparison,
    Difference,
    Listed,
    Store,
)
from connectors.registry import SPECS
from connectors.services import client_of
from connectors.spec import Mode
from connectors.trouble.failures import guess_id

Kind = Difference.Kind
CHANNEL = Comparison.Purpose.CHANNEL
SETTLED = timedelta(minutes=10)


def compare_all_channels() -> None:
    begin_daily(
        Activation.objects.filter(
            connector__slug__in=[slug for slug, spec in SPECS.items() if spec.lists_catalogue],
            mode=Mode.MANAGED,
        ),
        CHANNEL,
    )
    start_steps([CHANNEL], compare_channel)
    send_asked()


def compare_channel(comparison_id: int) -> None:
    take_step(comparison_id, _compare, compare_channel)


def _compare(comparison: Comparison) -> Last:
    """Go on for a minute."""
    deadline = monotonic() + STEP_SECONDS
    activation = comparison.activation
    client = client_of(activation, Flow.PRODUCTS)
    if not isinstance(client, CatalogueIndex):
        raise NotAllowed(_("Este canal não lista o que tem."))
    sides = _Sides(comparison)
    for page in client.held_products(comparison.cursor):
        with transaction.atomic():
            sides.compare(page, client)
            sides.save(page.cursor)
        if page.items and monotonic() > deadline:
            return None
    sides.note_missing()
    return sides.findings.values()


class _Sides:
    """What the channel lists, against what it is offered."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.activation = comparison.activation
        self.store: Store = comparison.activation.store
        # Of the flows that the channel is told.
        told = self.activation.flows.filter(ability__in=CATALOGUE_SINK_NAMES)
        self.findings = {
            Flow(flow): Findings(comparison, Flow(flow))
            for flow in told.values_list("flow", flat=True)
        }
        self.listed = Listed.objects.filter(comparison=comparison, flow=Flow.PRODUCTS)

    def save(self, cursor: str) -> None:
        for findings in self.findings.values():
            findings.save(cursor=cursor)

    def compare(self, page: Page, client: CatalogueIndex) -> None:
        held = self._new(self._read(page, client))
        ids = product_ids(self.store, list(held), self.activation)
        products, codes = load_offered(self.activation, set(ids.values()))
        recent = self._recent(timezone.now())
        moving = set(recent.filter(product__in=products).values_list("flow", "product"))
        leaving = set(
            recent.filter(flow=Flow.PRODUCTS, code__in=among(held)).values_list("code", flat=True)
        )
        for code, there in held.items():
            product = products.get(ids.get(code, 0))
            # By our own SKU alone it may be found, and yet be called something else there.
            if product is None or code_of(product, codes) != code:
                if code not in leaving:
                    self._add(Flow.PRODUCTS, Kind.SURPLUS, code, theirs=_prices(there))
                continue
            self._count(Flow.PRODUCTS, SAME)
            if price := price_record(product, codes):
                ours = HeldSku(code, price.price, price.special_price, None)
                self._compare_level(
                    Flow.PRICES, product, code, _prices(ours), _prices(there), moving
                )
            if stock := stock_record(product, codes):
                theirs = str(there.quantity or 0)
                self._compare_level(Flow.STOCK, product, code, str(stock.quantity), theirs, moving)

    def _compare_level(
        self,
        flow: Flow,
        product: Product,
        code: str,
        ours: str,
        theirs: str,
        moving: Collection[tuple[str, int | None]],
    ) -> None:
        self._count(flow, OURS)
        self._count(flow, THEIRS)
        if ours == theirs:
            self._count(flow, SAME)
        elif (flow, product.pk) not in moving:
            self._add(flow, Kind.UPDATE, code, ours=ours, theirs=theirs)

    def _read(self, page: Page, client: CatalogueIndex) -> list[HeldSku]:
        """What cannot be read is a finding, and its whole family counts as being there."""
        held, unreadable = [], []
        for payload in page.items:
            try:
                held += client.read_held(payload)
            except ConnectorError as error:
                unreadable.append(guess_id(payload))
                self._add(Flow.PRODUCTS, Kind.UNREADABLE, unreadable[-1], theirs=error)
        if unreadable:
            heads = product_ids(self.store, unreadable, self.activation).values()
            family = self._offered().filter(Q(pk__in=heads) | Q(parent__in=heads))
            self._list(family.values_list("code", flat=True))
        return held

    def _new(self, held: list[HeldSku]) -> dict[str, HeldSku]:
        """By SKU; without those of a page that comes again."""
        by_code = {each.sku: each for each in held}
        before = self.listed.filter(record_id__in=among(by_code))
        for code in before.values_list("record_id", flat=True):
            del by_code[code]
        self._list(by_code)
        self._count(Flow.PRODUCTS, THEIRS, len(by_code))
        return by_code

    def _list(self, codes: Collection[str]) -> None:
        Listed.objects.bulk_create(
            [
                Listed(
                    comparison=self.comparison, flow=Flow.PRODUCTS, record_id=code[:200], digest=0
                )
                for code in codes
            ],
            batch_size=500,
            ignore_conflicts=True,
        )

    def note_missing(self) -> None:
        """What the channel is offered, and was not in its list."""
        offered = self._offered()
        self._count(Flow.PRODUCTS, OURS, offered.count())
        # What was told since it began may have come after its end.
        on_its_way = self._recent(self.comparison.asked_at).filter(
            flow=Flow.PRODUCTS, product=Coalesce(OuterRef("parent"), OuterRef("pk"))
        )
        there = self.listed.filter(record_id=OuterRef("code"))
        missing = offered.filter(~Exists(there), ~Exists(on_its_way)).order_by("pk")
        for code, name in missing.values_list("code", "name").iterator(chunk_size=2000):
            self._add(Flow.PRODUCTS, Kind.MISSING_THERE, code, ours=name)

    def _offered(self) -> Any:
        """With what the channel calls each."""
        mapped = SkuMapping.objects.filter(activation=self.activation, product=OuterRef("pk"))
        return self.store.products.annotate(
            code=Coalesce(Subquery(mapped.values("code")), F("sku"))
        )

    def _recent(self, before: datetime) -> QuerySet[Sent]:
        """What was told, or changed, from shortly before this moment on."""
        since = before - SETTLED
        return Sent.objects.filter(
            Q(answered_at__gt=since) | Q(changed_at__gt=since), activation=self.activation
        )

    def _count(self, flow: Flow, name: str, number: int = 1) -> None:
        if flow in self.findings:
            self.findings[flow].count(name, number)

    def _add(self, flow: Flow, kind: Kind, code: str, **sides: object) -> None:
        if flow in self.findings:
            self.findings[flow].add(kind, code, **sides)


def _prices(held: HeldSku) -> str:
    """For people, and to compare: no special price may be written as 0."""
    values = [held.price, held.special_price or None]
    return " / ".join(price_text(value) for value in values if value is not None)
