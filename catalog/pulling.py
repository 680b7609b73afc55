"""What the three catalogue flows of a managed activation have in common.

A page's records that are here already as they arrived are passed over. The others are read and
gathered, over several pages, so that a change of many records is judged (catalog/brake.py) before
the first of them is written; then they are written together, and only then the cursor moves.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Generic, TypeVar

from django.utils import timezone

from catalog.brake import Gate
from catalog.taking import (
    Digester,
    WholePages,
    already_here,
    forget_pages_of,
    forget_records,
    remember_pages,
)
from connectors.contract import Ability, Page
from connectors.errors import ConnectorError, Held
from connectors.models import ActivationFlow, Run
from connectors.payload import Payload
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.runs.running import Attempt

R = TypeVar("R", ProductRecord, PriceRecord, StockRecord)

MOST_AT_ONCE = 5000
# Of what is written one by one.
PRODUCTS_AT_ONCE = 500
# Where reading is slow, what was read must not be lost with a worker that dies.
LONGEST_WAIT = 30  # seconds
FULL_PASS = timedelta(days=1)


@dataclass(frozen=True)
class Read(Generic[R]):
    record: R
    payload: Payload
    digest: int


@dataclass
class Batch(Generic[R]):
    """What was read and is not written yet, by the platform's code: of two states the later one.
    `asked_at` is before the first of it was asked for; None where it is older."""

    asked_at: datetime | None
    most: int
    reads: dict[str, Read[R]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    guessed: set[str] = field(default_factory=set)  # what they were called before they were read
    pages: list[int] = field(default_factory=list)
    repeats: bool = False
    cursor: str = ""
    began: float = field(default_factory=monotonic)

    def add(self, read: Read[R]) -> None:
        self.repeats |= read.record.sku in self.reads
        self.reads[read.record.sku] = read

    @property
    def whole_pages(self) -> list[int]:
        """Those all of whose records are here afterwards as they stand there."""
        return [] if self.failed or self.repeats else self.pages

    @property
    def is_full(self) -> bool:
        return len(self.reads) >= self.most or monotonic() - self.began > LONGEST_WAIT


def pull(
    attempt: Attempt,
    pages: Iterable[Page],
    read: Callable[[Payload], R],
    write: Callable[[Attempt, Gate, Batch[R]], None],
    mended: Collection[str] = (),
    most: int | None = None,
    forgets: bool = False,
) -> None:
    """Take these pages, and before them what failed earlier: of that, what is known to be `mended`
    does not wait for its time. `most`: how much is written at once. `forgets`: the platform shows
    a page once, so none may be asked for before the one before it is stored."""
    gate, most = Gate(attempt, reads_on=not forgets), most or MOST_AT_ONCE
    _take(attempt, gate, attempt.with_parked((), mended), read, write, lambda: Batch[R](None, most))
    _take(attempt, gate, pages, read, write, lambda: Batch[R](timezone.now(), most))
    if attempt.parted:
        parts = attempt.with_parked((), attempt.parted)
        _take(attempt, gate, parts, read, write, lambda: Batch[R](None, most))
    gate.ask()
    if not attempt.only_told:  # what it was asked about may stand in the flow's own pages
        gate.close()


def _take(
    attempt: Attempt,
    gate: Gate,
    pages: Iterable[Page],
    read: Callable[[Payload], R],
    write: Callable[[Attempt, Gate, Batch[R]], None],
    begin: Callable[[], Batch[R]],
) -> None:
    batch = begin()
    whole = WholePages(attempt.activation, attempt.flow.flow)
    try:
        for page in pages:
            _read_page(attempt, page, batch, whole, read)
            # A page without records, or without progress, is the source's way to have stored what
            # it knows before it goes on.
            must_store = not page.items or page.cursor == attempt.since
            if batch.is_full or must_store:
                _store(attempt, gate, batch, whole, write)
                batch = begin()
            if gate.is_shut and (must_store or not gate.may_read_on):
                return
    except ConnectorError:
        _store(attempt, gate, batch, whole, write)  # what came before the trouble came well
        if gate.is_shut:
            return
        raise
    _store(attempt, gate, batch, whole, write)


def _read_page(
    attempt: Attempt,
    page: Page,
    batch: Batch[R],
    whole: WholePages,
    read: Callable[[Payload], R],
) -> None:
    for payload, digest in _news(attempt, page, batch, whole):
        with attempt.item(payload, settles=False) as item:
            record = item.record = read(payload)
            item.record_id = record.sku
            batch.add(Read(record, payload, digest))
            batch.guessed.add(item.guessed)
        if item.record is None:
            batch.failed.add(item.record_id)
    batch.cursor = page.cursor
    if batch.asked_at and page.told_at:
        batch.asked_at = min(batch.asked_at, page.told_at)


def _store(
    attempt: Attempt,
    gate: Gate,
    batch: Batch[R],
    whole: WholePages,
    write: Callable[[Attempt, Gate, Batch[R]], None],
) -> None:
    activation, flow = attempt.activation, attempt.flow.flow
    if batch.reads:
        # Before: who dies after it would leave pages that show what was here until then.
        forget_pages_of(activation, flow)
        with suppress(Held):
            write(attempt, gate, batch)
    if gate.is_shut:
        return  # it is read again after the answer
    for guessed in batch.guessed - batch.reads.keys() - batch.failed:
        attempt.mend(guessed)  # it could not even be read then
    forget_records(activation, batch.failed, flow)
    remember_pages(activation, flow, batch.whole_pages)
    whole.forget()
    attempt.advance(batch.cursor or attempt.since)


def _news(
    attempt: Attempt, page: Page, batch: Batch[Any], whole: WholePages
) -> Iterator[tuple[Payload, int]]:
    """The page's records, without those that are here as they arrived. One of which another state
    is read and not written yet is news: it would be overwritten with that."""
    digester = Digester(attempt.activation, attempt.flow.flow)
    digest_of_page = digester.page(page.items)
    if not batch.reads and digest_of_page in whole:
        attempt.run.seen += len(page.items)
        return
    digests = [digester.record(payload) for payload in page.items]
    here = already_here(digests)
    for payload, digest in zip(page.items, digests, strict=True):
        if digest in here and here[digest] not in batch.reads:
            attempt.run.seen += 1
        else:
            yield payload, digest
    batch.pages.append(digest_of_page)  # not one whose reading broke off


def begin_daily_pass(attempt: Attempt, ability: type[Ability]) -> None:
    """Read from the beginning, once a day, where the specification says so: what was lost on the
    way, or changed here, is found by that."""
    cadence = attempt.activation.spec.flows[ability]
    if not cadence.daily_full_pass or not attempt.since:
        return
    now = timezone.now()
    from_the_beginning = Run.objects.filter(
        activation=attempt.activation,
        ability=ability.__name__,
        cursor_before="",
        started_at__range=(now - FULL_PASS, now),  # later: the clock was put back since
    )
    if not from_the_beginning.exists():
        attempt.flow.cursor = ""
        ActivationFlow.objects.filter(pk=attempt.flow.pk).update(cursor="")
        Run.objects.filter(pk=attempt.run.pk).update(cursor_before="")
