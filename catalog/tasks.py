"""What the queue runs for the catalogue."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

from catalog.services import Applied, known_codes, save_product, set_prices, set_stock
from connectors.contract import Page, PriceSource, ProductSource, StockSource
from connectors.errors import NothingChanged
from connectors.payload import Payload
from connectors.records import PriceRecord, StockRecord
from connectors.runs import Attempt, run_flow, start_due, start_now

R = TypeVar("R", PriceRecord, StockRecord)


def pull_all_products() -> None:
    start_due(ProductSource, pull_products)


def pull_all_prices() -> None:
    start_due(PriceSource, pull_prices)


def pull_all_stock() -> None:
    start_due(StockSource, pull_stock)


def pull_products(flow_id: int) -> None:
    run_flow(flow_id, ProductSource, _pull_products)


def pull_prices(flow_id: int) -> None:
    run_flow(flow_id, PriceSource, _pull_prices)


def pull_stock(flow_id: int) -> None:
    run_flow(flow_id, StockSource, _pull_stock)


def _pull_products(attempt: Attempt, source: ProductSource) -> None:
    activation = attempt.activation
    for page in source.changed_products(attempt.since):
        for payload in page.items:
            with attempt.item(payload) as item:
                record = source.read_product(payload)
                item.record_id = record.sku
                variations = [{**v.fields, "sku": v.sku} for v in record.variations]
                document = {**record.fields, "variations": variations}
                try:
                    save_product(activation.store, record.sku, document, activation)
                    item.changed = True
                except NothingChanged:
                    pass
        attempt.advance(page.cursor)
    if attempt.run.changed:
        # Prices and stock that came before their products wait for just this.
        start_now(activation.pk, pull_prices, PriceSource)
        start_now(activation.pk, pull_stock, StockSource)


def _pull_prices(attempt: Attempt, source: PriceSource) -> None:
    _pull_levels(attempt, source.changed_prices(attempt.since), source.read_price, set_prices)


def _pull_stock(attempt: Attempt, source: StockSource) -> None:
    _pull_levels(attempt, source.changed_stock(attempt.since), source.read_stock, set_stock)


def _pull_levels(
    attempt: Attempt,
    pages: Iterable[Page],
    read: Callable[[Payload], R],
    apply: Callable[..., Applied],
) -> None:
    """Read each record of a page on its own, then write the whole page at once."""
    activation = attempt.activation
    for page in chain([_parked(attempt)], pages):
        records: dict[str, R] = {}
        payloads: dict[str, Payload] = {}
        for payload in page.items:
            with attempt.item(payload, settles=False) as item:
                record = read(payload)
                item.record_id = record.sku
                records[record.sku], payloads[record.sku] = record, payload
        applied = apply(activation.store, list(records.values()), activation)
        attempt.run.changed += len(applied.changed)
        for sku, payload in payloads.items():
            if refusal := applied.refused.get(sku):
                attempt.fail(sku, refusal, payload)
            else:
                attempt.mend(sku)
        attempt.advance(page.cursor)


def _parked(attempt: Attempt) -> Page:
    """What came before its product did, and can be written now. Goes first: what the platform
    says today is newer."""
    known = known_codes(attempt.activation, attempt.open_failures)
    return Page(attempt.parked(known), attempt.since)
