"""A stock flow that is started, interrupted, killed and repeated, while the clock jumps and the
platform goes on selling: in the end everything is here, and at no moment is the cursor ahead of it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from catalog import pulling
from catalog.models import Stock
from catalog.services import create_product
from catalog.tasks import pull_stock
from connectors.contract import Account, Client, Page, StockSource
from connectors.errors import Unavailable
from connectors.models import ActivationFlow, Failure, Run
from connectors.payload import Payload
from connectors.records import StockRecord
from connectors.runs import running
from connectors.runs.dispatch import make_due, start_due
from connectors.services import pause
from tests.clock import Clock
from tests.conftest import flow_of, make_managed, make_store
from tests.stateful import play

SKUS = [f"S-{number}" for number in range(5)]
SKU = st.sampled_from(SKUS)
# Few: what comes back is another change than what is new. One makes no sense.
LEVELS: tuple[Any, ...] = (20, 30, 40, "?")
CHANGES = st.lists(st.tuples(SKU, st.sampled_from(LEVELS)), min_size=2, max_size=6)
PAGE = 2
JUMPS = {"a minute": 60, "the life of a run": 361, "an hour": 3600, "an hour back": -3600}
CALM = timedelta(hours=3)  # longer than any jump back and any wait


class Died(BaseException):
    """The worker's process is gone: nothing of ours runs any more."""


class Platform(Client, StockSource):
    """It lists what changed, in the order in which it did, each thing with its level of now."""

    def __init__(self) -> None:
        super().__init__(Account("https://platform.example", {}))
        self.levels: dict[str, Any] = {}
        self.log: list[str] = []
        self.on_page: dict[int, Callable[[], None]] = {}
        self.repeats = self.is_backwards = self.says_the_end = False

    def sell(self, sku: str, level: Any) -> None:
        self.levels[sku] = level
        self.log.append(sku)

    def check(self) -> None:
        """Always there."""

    def changed_stock(self, cursor: str) -> Iterator[Page]:
        position, number = int(cursor or 0), 0
        while position < len(self.log):
            if happens := self.on_page.pop(number, None):
                happens()
            skus = sorted(set(self.log[position : position + PAGE]), reverse=self.is_backwards)
            items = [Payload({"sku": sku, "quantity": self.levels[sku]}) for sku in skus]
            page = Page(items, str(min(position + PAGE, len(self.log))))
            yield page
            if self.repeats:
                yield page
            position, number = position + PAGE, number + 1
        if self.says_the_end:
            yield Page([], str(len(self.log)))

    def read_stock(self, payload: Payload) -> StockRecord:
        return StockRecord(payload.text("sku"), payload.whole("quantity"))


class Sync(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = Clock()
        self.clock.rule(self.patch)
        self.platform = Platform()
        self.patch.setattr(running, "client_of", lambda *_: self.platform)

    @initialize(pages_at_once=st.sampled_from([1, 3]))
    def open(self, pages_at_once: int) -> None:
        self.patch.setattr(pulling, "MOST_AT_ONCE", pages_at_once * PAGE)
        store = make_store()
        activation = make_managed(store, "webstore", "https://shop.example", {"token": "t"})
        for sku in SKUS:
            create_product(store, {"sku": sku, "quantity": 50}, None)
        OrmQ.objects.all().delete()
        activation.flows.update(last_success_at=timezone.now())
        self.activation, self.pk = activation, flow_of(activation, StockSource)
        # The others are not looked at here.
        activation.flows.exclude(pk=self.pk).update(due_at=timezone.now() + timedelta(days=3650))

    @rule(jump=st.sampled_from(sorted(JUMPS)))
    def jump(self, jump: str) -> None:
        self.clock.go(timedelta(seconds=JUMPS[jump]))

    @rule(
        changes=CHANGES,
        waits=st.sampled_from([False, False, True]),
        trouble=st.sampled_from(["death", "down", "sales", "twice", "jump", "jump back", "none"]),
        page=st.integers(0, 2),
        repeats=st.booleans(),
        is_backwards=st.booleans(),
        says_the_end=st.booleans(),
    )
    def work(
        self,
        changes: list[tuple[str, Any]],
        waits: bool,
        trouble: str,
        page: int,
        repeats: bool,
        is_backwards: bool,
        says_the_end: bool,
    ) -> None:
        for change in changes:
            self.platform.sell(*change)
        if not waits:  # for its turn
            make_due(ActivationFlow.objects.filter(pk=self.pk))
        self._dispatch()
        self.platform.repeats, self.platform.is_backwards = repeats, is_backwards
        self.platform.says_the_end = says_the_end
        happens = self._trouble(trouble)
        self.platform.on_page = {page: happens} if happens else {}
        self._run_queue()

    def _dispatch(self) -> None:
        """Two clusters have the same schedule."""
        assert sum(start_due(StockSource, pull_stock) for _cluster in range(2)) <= 1

    def _trouble(self, name: str) -> Callable[[], None] | None:
        def down() -> None:
            raise Unavailable("GET stock: HTTP 503")

        def death() -> None:
            raise Died

        def sales() -> None:
            for sku in SKUS[:3]:
                self.platform.sell(sku, LEVELS[len(self.platform.log) % len(LEVELS)])

        def twice() -> None:
            """The queue gives the same task to somebody else as well."""
            runs = Run.objects.count()
            pull_stock(self.pk)
            assert Run.objects.count() == runs

        def jump() -> None:
            """While it works its time is over, and somebody takes it for dead."""
            self.clock.go(timedelta(hours=1))
            pull_stock(self.pk)

        def jump_back() -> None:
            self.clock.go(-timedelta(hours=1))
            twice()

        known = {"down": down, "death": death, "sales": sales, "twice": twice, "jump": jump,
                 "jump back": jump_back}  # fmt: skip
        return known.get(name)

    def _run_queue(self) -> None:
        for row in OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk"):
            row.delete()
            if row.task["func"].endswith("pull_stock"):
                try:
                    pull_stock(*row.task["args"])
                except Died:
                    return

    # -- What is always so
    @invariant()
    def one_run_at_most_is_open(self) -> None:
        assert Run.objects.filter(activation=self.activation, ended_at=None).count() <= 1

    @invariant()
    def the_cursor_is_not_ahead_of_what_is_here(self) -> None:
        cursor = int(ActivationFlow.objects.get(pk=self.pk).cursor or 0)
        later = set(self.platform.log[cursor:])
        assert self._missing(set(self.platform.log[:cursor]) - later) == set()

    def _missing(self, skus: set[str]) -> set[str]:
        """Those that are neither here as the platform has them nor on record as a failure."""
        rows = Stock.objects.filter(product__store=self.activation.store)
        here = dict(rows.values_list("product__sku", "on_hand"))
        failed = Failure.objects.open().filter(activation=self.activation)
        there = self.platform.levels
        return {
            sku for sku in skus - set(failed.values_list("record_id", flat=True))
            if here[sku] != there[sku]
        }  # fmt: skip

    def teardown(self) -> None:
        """Nothing more happens, and everything arrives."""
        if hasattr(self, "activation"):
            for sku, level in list(self.platform.levels.items()):
                if level == "?":
                    self.platform.sell(sku, LEVELS[0])
            self.platform.repeats, self.platform.on_page = False, {}
            for _time in range(2):
                self.clock.go(CALM)
                self._dispatch()
                self._run_queue()
            self.one_run_at_most_is_open()
            flow = ActivationFlow.objects.get(pk=self.pk)
            assert (flow.cursor or "0") == str(len(self.platform.log))
            assert not Failure.objects.open().filter(activation=self.activation).exists()
            assert self._missing(set(self.platform.levels)) == set()
            assert Run.objects.latest("pk").outcome == Run.Outcome.DONE
            pause(self.activation.pk, "the next game has its own")
        self.patch.undo()


@pytest.mark.properties
@pytest.mark.django_db
def test_nothing_is_lost_on_the_way_whoever_dies_and_whatever_the_clock_says() -> None:
    play(Sync, games=8, steps=16)
