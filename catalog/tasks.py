"""What the queue runs for the catalogue."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.db import transaction

from catalog.brake import Gate
from catalog.codes import known_codes
from catalog.levels import Applied, set_prices, set_stock
from catalog.pulling import PRODUCTS_AT_ONCE, Batch, begin_daily_pass, pull
from catalog.services import document_of, gone_variations, take_product
from catalog.taking import remember
from connectors.contract import Ability, Client, Flow, PriceSource, ProductSource, StockSource
from connectors.errors import ConnectorError, Refused
from connectors.messages.rings import Task, pages_to_pull, run_flow_or_rings
from connectors.models import Failure
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.runs.dispatch import start_due, start_now
from connectors.runs.holding import is_held
from connectors.runs.running import Attempt
from connectors.trouble.causes import UNKNOWN_SKU

A = TypeVar("A", bound=Ability)
R = TypeVar("R", PriceRecord, StockRecord)


def pull_all_products() -> None:
    start_due(ProductSource, pull_products)


def pull_all_prices() -> None:
    start_due(PriceSource, pull_prices)


def pull_all_stock() -> None:
    start_due(StockSource, pull_stock)


def pull_products(flow_id: int, why: str = "") -> None:
    _run(flow_id, ProductSource, _pull_products, pull_products, why)


def pull_prices(flow_id: int, why: str = "") -> None:
    _run(flow_id, PriceSource, _pull_prices, pull_prices, why)


def pull_stock(flow_id: int, why: str = "") -> None:
    _run(flow_id, StockSource, _pull_stock, pull_stock, why)


def _run(
    flow_id: int,
    ability: type[A],
    work: Callable[[Attempt, A], None],
    task: Task,
    why: str,
) -> None:
    if not is_held(flow_id):
        run_flow_or_rings(flow_id, ability, work, task, why)


def _pull_products(attempt: Attempt, source: ProductSource) -> None:
    begin_daily_pass(attempt, ProductSource)
    pages = pages_to_pull(attempt, ProductSource, source, source.changed_products)
    pull(
        attempt,
        pages,
        source.read_product,
        _write_products,
        most=PRODUCTS_AT_ONCE,
        forgets=_forgets(source, ProductSource),
    )
    if attempt.run.changed:
        # Prices and stock that came before their products wait for just this.
        start_now(attempt.activation.pk, pull_prices, PriceSource)
        start_now(attempt.activation.pk, pull_stock, StockSource)


def _write_products(attempt: Attempt, gate: Gate, batch: Batch[ProductRecord]) -> None:
    gone = gone_variations([read.record for read in batch.reads.values()], attempt.activation)
    gate.judge_documents(
        {
            code: document_of(read.record, None, gone.get(code, ()))
            for code, read in batch.reads.items()
        }
    )
    for code, read in batch.reads.items():
        try:
            attempt.run.changed += take_product(
                read.record, read.digest, attempt.activation, batch.asked_at, gone.get(code, ())
            )
        except (ConnectorError, Refused) as error:
            attempt.fail(code, error, read.payload.data, read.record)
            batch.failed.add(code)
        else:
            attempt.mend(code)


def _pull_prices(attempt: Attempt, source: PriceSource) -> None:
    begin_daily_pass(attempt, PriceSource)
    pages = pages_to_pull(attempt, PriceSource, source, source.changed_prices)
    pull(
        attempt,
        pages,
        source.read_price,
        _write_prices,
        _mended(attempt),
        forgets=_forgets(source, PriceSource),
    )


def _pull_stock(attempt: Attempt, source: StockSource) -> None:
    begin_daily_pass(attempt, StockSource)
    pages = pages_to_pull(attempt, StockSource, source, source.changed_stock)
    pull(
        attempt,
        pages,
        source.read_stock,
        _write_stock,
        _mended(attempt),
        forgets=_forgets(source, StockSource),
    )


def _forgets(source: Client | Ability, ability: type[Ability]) -> bool:
    return isinstance(source, Client) and ability in source.forgets


def _mended(attempt: Attempt) -> set[str]:
    """What came before its product did, and can be written now."""
    if not attempt.open_failures:
        return set()
    unknown = Failure.objects.open().filter(
        activation=attempt.activation, flow=attempt.flow.flow, cause=UNKNOWN_SKU
    )
    return known_codes(attempt.activation, unknown.values_list("record_id", flat=True))


def _write_prices(attempt: Attempt, gate: Gate, batch: Batch[PriceRecord]) -> None:
    _write_levels(attempt, batch, partial(set_prices, judge=gate.judge_prices))


def _write_stock(attempt: Attempt, gate: Gate, batch: Batch[StockRecord]) -> None:
    apply = partial(set_stock, asked_at=batch.asked_at, judge=gate.judge_stock)
    _write_levels(attempt, batch, apply)


def _write_levels(attempt: Attempt, batch: Batch[Any], apply: Callable[..., Applied]) -> None:
    activation = attempt.activation
    with transaction.atomic():
        records = [read.record for read in batch.reads.values()]
        applied = apply(activation.store, records, activation)
        here = applied.products.keys() - applied.refused.keys()
        remember(
            activation,
            Flow(attempt.flow.flow),
            [(code, applied.products[code], batch.reads[code].digest) for code in here],
        )
    attempt.run.changed += len(applied.changed)
    for code, read in batch.reads.items():
        if refusal := applied.refused.get(code):
            attempt.fail(code, refusal, read.payload.data, read.record)
        else:
            attempt.mend(code)
    # Also what the store does not miss: it may have it tomorrow.
    batch.failed |= batch.reads.keys() - here
