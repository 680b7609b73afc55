"""The brake: a run that would empty much of the stock, or move many of the prices, stops before it
writes that, and asks.

A file exported with its columns swapped, a price table in cents, a platform that answers zero for
everything: each is a catalogue full of sound records. What betrays it is only how many there are.

What a run writes before it crosses the limit stays written: it is less than the limit, so less than
what its operator lets pass unasked anyway; the question says how much it was. What is beyond is not
written but only read, to the end where the platform can be read on, and asked for as a whole. A yes
is to just those changes.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from time import monotonic
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.levels import Prices
from catalog.models import Price, Product, Stock, Taken
from catalog.services import LEVELS
from connectors.bulk import among
from connectors.errors import Held
from connectors.models import Brake, Run
from connectors.payload import to_decimal, to_whole
from connectors.records import Document
from connectors.runs.running import Attempt
from connectors.spec import BRAKE_MOVED, BRAKE_ZEROED, Setting

# A price that is more than this part of itself away from what it was has moved.
MOVE = Decimal("0.5")
# Fewer at once are an ordinary day of a small shop, whatever part of it they are.
FEWEST = 10
SHOWN = 50
# Runs that follow each other closely are judged as one: of an account with few calls a minute,
# each reads a little of the same change.
TOGETHER = timedelta(hours=1)

# More are not listed in a question; what is beyond them is asked for by itself.
ASKED_AT_MOST = 100_000

Change = tuple[int, Any, Any]  # of one product, from what to what
SETTINGS: Mapping[Brake.Danger, Setting] = {
    Brake.Danger.ZEROED: BRAKE_ZEROED,
    Brake.Danger.MOVED: BRAKE_MOVED,
}


@dataclass
class Question:
    """What a run may not write unasked. While it only reads on, to know all of that, it grows."""

    danger: Brake.Danger
    changes: dict[int, Change] = field(default_factory=dict)
    judged: set[int] = field(default_factory=set)

    def add(self, drastic: Iterable[Change], judged: Iterable[int]) -> None:
        self.changes |= {change[0]: change for change in drastic}
        self.judged.update(judged)


class Gate:
    """What one run passes through before it writes. `judge_…` raises `Held` where it may not, and
    from then on always: the run may go on reading (`may_read_on`), so that all of what it would
    write is asked for at once (`ask`)."""

    def __init__(self, attempt: Attempt, *, reads_on: bool) -> None:
        self._attempt = attempt
        self._reads_on = reads_on
        self._drastic = dict.fromkeys(Brake.Danger, 0)
        self._earlier: int | None = None  # of the runs just before, once it matters
        self._question: Question | None = None

    def judge_stock(self, wanted: Mapping[int, int]) -> None:
        """What is to be on hand, by product."""
        self._judge_stock(wanted)
        self._stop()

    def judge_prices(self, current: Mapping[int, Prices], wanted: Mapping[int, Prices]) -> None:
        """What counts is what a buyer pays."""
        self._judge_prices(current, wanted)
        self._stop()

    def judge_documents(self, documents: Mapping[str, Document]) -> None:
        """Products whose platform tells prices or stock along with them."""
        levels = {
            each.get("sku") or code: each
            for code, document in documents.items()
            for each in (document, *document.get("variations", ()))
            if not each.keys().isdisjoint(LEVELS)
        }
        if levels:
            self._judge_levels(levels)
        self._stop()

    @property
    def is_shut(self) -> bool:
        return self._question is not None

    @property
    def may_read_on(self) -> bool:
        """Whether all of what it would write can be asked for, and there is time to look."""
        asked = len(self._question.changes) if self._question else 0
        return self._reads_on and asked < ASKED_AT_MOST and monotonic() < self._attempt.ends_at

    def ask(self) -> None:
        """Put what it stopped for on record, if it did, and end the run. It waits for an operator's
        answer."""
        if self._question is None:
            return
        danger, changes = self._question.danger, list(self._question.changes.values())
        written = (self._earlier or 0) + self._drastic[danger]
        brake = Brake.objects.create(
            activation=self._attempt.activation,
            run=self._attempt.run,
            ability=self._attempt.flow.ability,
            flow=self._attempt.flow.flow,
            danger=danger,
            count=written + len(changes),
            written=written,
            base=self._base(danger, self._question.judged),
            limit=self._limit(danger),
            sample=_named(changes[:SHOWN]),
            asked={str(pk): str(after) for pk, _before, after in changes[:ASKED_AT_MOST]},
        )
        raise Held(
            _("%(danger)s: %(count)d de %(base)d SKUs. A integração espera uma resposta.")
            % {"danger": danger.label, "count": brake.count, "base": brake.base}
        )

    def close(self) -> None:
        """The run came to its end: what it was let through for is done."""
        self._approvals().update(used_at=timezone.now(), asked={})

    def _judge_stock(self, wanted: Mapping[int, int]) -> None:
        emptied = [pk for pk, on_hand in wanted.items() if not on_hand]
        stocked = Stock.objects.filter(pk__in=among(emptied), on_hand__gt=0)
        zeroed = [(pk, on_hand, 0) for pk, on_hand in stocked.values_list("pk", "on_hand")]
        self._judge(Brake.Danger.ZEROED, zeroed, wanted)

    def _judge_prices(self, current: Mapping[int, Prices], wanted: Mapping[int, Prices]) -> None:
        moved = [
            (pk, paid, new)
            for pk, prices in wanted.items()
            if (paid := _paid(current[pk]))
            and (new := _paid(prices)) is not None
            and abs(new - paid) > MOVE * paid
        ]
        self._judge(Brake.Danger.MOVED, moved, current)

    def _judge_levels(self, levels: Mapping[str, Document]) -> None:
        activation = self._attempt.activation
        codes = product_ids(activation.store, levels, activation)
        current = {
            pk: tuple(prices)
            for pk, *prices in Price.objects.filter(pk__in=codes.values()).values_list(
                "pk", "price", "special_price"
            )
        }
        wanted, stock = {}, {}
        for code, pk in codes.items():
            said = {**dict(zip(LEVELS, current.get(pk, ()), strict=False)), **levels[code]}
            with suppress(TypeError, ValueError, InvalidOperation):  # refused when it is written
                if pk in current:
                    wanted[pk] = (_decimal(said["price"]), _decimal(said["special_price"]))
                if said.get("quantity") is not None:
                    stock[pk] = max(0, to_whole(said["quantity"]))
        self._judge_prices(current, wanted)
        self._judge_stock(stock)

    def _judge(self, danger: Brake.Danger, drastic: list[Change], judged: Collection[int]) -> None:
        question = self._question
        if question is not None:
            if question.danger == danger:
                question.add(self._not_approved(danger, drastic), judged)
            return
        if not drastic or not (drastic := self._not_approved(danger, drastic)):
            return
        if self._earlier is None:
            self._earlier = self._just_before()
        count = self._earlier + self._drastic[danger] + len(drastic)
        if count >= FEWEST and 100 * count > self._limit(danger) * self._base(danger, judged):
            self._question = Question(danger)
            self._question.add(drastic, judged)
            return
        self._drastic[danger] += len(drastic)
        Run.objects.filter(pk=self._attempt.run.pk).update(drastic=F("drastic") + len(drastic))

    def _stop(self) -> None:
        if self._question is not None:
            raise Held(str(self._question.danger.label))

    def _not_approved(self, danger: Brake.Danger, drastic: list[Change]) -> list[Change]:
        """Those that nobody has said yes to, as they are. Of the others, the brake speaks no more:
        what comes beside them is judged as ever."""
        approved: dict[str, str] = {}
        approvals = self._approvals().filter(danger=danger).order_by("pk")
        for asked in approvals.values_list("asked", flat=True):
            approved |= asked
        return [change for change in drastic if approved.get(str(change[0])) != str(change[2])]

    def _limit(self, danger: Brake.Danger) -> int:
        limit = self._attempt.activation.settings.get(SETTINGS[danger].key)
        return int(limit or SETTINGS[danger].default)

    def _base(self, danger: Brake.Danger, judged: Collection[int]) -> int:
        """How many SKUs this integration feeds that had stock, or a price: those that were taken
        from it before, and those that it speaks of now."""
        has_it = {
            Brake.Danger.ZEROED: Stock.objects.filter(on_hand__gt=0),
            Brake.Danger.MOVED: Price.objects.filter(price__gt=0),
        }
        mine = Taken.objects.filter(
            activation=self._attempt.activation, product=OuterRef("product")
        )
        fed = has_it[danger].filter(Exists(mine) | Q(pk__in=among(judged))).count()
        if danger == Brake.Danger.ZEROED:
            fed += self._drastic[danger] + (self._earlier or 0)  # they are empty by now
        return fed

    def _just_before(self) -> int:
        """Since the last yes, if there was one: whoever gave it knew of what was written until
        then."""
        since = timezone.now() - TOGETHER
        answered = self._answered().aggregate(at=Max("answered_at"))["at"]
        runs = Run.objects.filter(
            activation=self._attempt.activation,
            ability=self._attempt.flow.ability,
            started_at__gt=max(since, answered or since),
        )
        return runs.exclude(pk=self._attempt.run.pk).aggregate(n=Sum("drastic"))["n"] or 0

    def _approvals(self) -> QuerySet[Brake]:
        return self._answered().filter(used_at=None)

    def _answered(self) -> QuerySet[Brake]:
        return Brake.objects.filter(
            activation=self._attempt.activation,
            ability=self._attempt.flow.ability,
            answer=Brake.Answer.APPLY,
        )


def _paid(values: Prices) -> Decimal | None:
    price, special = values
    return special or price


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else to_decimal(value)


def _named(drastic: list[Change]) -> list[list[str]]:
    skus = dict(Product.objects.filter(pk__in=[pk for pk, *_ in drastic]).values_list("pk", "sku"))
    return [[skus.get(pk, ""), str(before), str(after)] for pk, before, after in drastic]
