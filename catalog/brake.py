"""The brake: a run that would empty much of the stock, or move many of the prices, stops before it
writes that, and asks.

A file exported with its columns swapped, a price table in cents, a platform that answers zero for
everything: each is a catalogue full of sound records. What betrays it is only how many there are.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.levels import Prices
from catalog.models import Price, Product, Stock, Taken
from catalog.services import LEVELS
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

Change = tuple[int, Any, Any]  # of one product, from what to what
SETTINGS: Mapping[Brake.Danger, Setting] = {
    Brake.Danger.ZEROED: BRAKE_ZEROED,
    Brake.Danger.MOVED: BRAKE_MOVED,
}


class Gate:
    """What one run passes through before it writes. `judge_…` raises `Held` where it may not."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._drastic = dict.fromkeys(Brake.Danger, 0)
        self._earlier: int | None = None  # of the runs just before, once it matters
        self._question: Brake | None = None

    def judge_stock(self, wanted: Mapping[int, int]) -> None:
        """What is to be on hand, by product."""
        emptied = [pk for pk, on_hand in wanted.items() if not on_hand]
        stocked = Stock.objects.filter(pk__in=emptied, on_hand__gt=0).values_list("pk", "on_hand")
        zeroed = [(pk, on_hand, 0) for pk, on_hand in stocked] if emptied else []
        self._judge(Brake.Danger.ZEROED, zeroed, wanted)

    def judge_prices(self, current: Mapping[int, Prices], wanted: Mapping[int, Prices]) -> None:
        """What counts is what a buyer pays."""
        moved = [
            (pk, paid, new)
            for pk, prices in wanted.items()
            if (paid := _paid(current[pk]))
            and (new := _paid(prices)) is not None
            and abs(new - paid) > MOVE * paid
        ]
        self._judge(Brake.Danger.MOVED, moved, current)

    def judge_documents(self, documents: Mapping[str, Document]) -> None:
        """Products whose platform tells prices or stock along with them."""
        levels = {
            each.get("sku") or code: each
            for code, document in documents.items()
            for each in (document, *document.get("variations", ()))
            if not each.keys().isdisjoint(LEVELS)
        }
        if not levels:
            return
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
        self.judge_prices(current, wanted)
        self.judge_stock(stock)

    def ask(self) -> None:
        """Put what it stopped for on record, once the transaction that it stopped is rolled back.
        It waits for an operator's answer."""
        if self._question is not None:
            self._question.save()

    def close(self) -> None:
        """The run came to its end: what it was let through for is done."""
        self._approvals().update(used_at=timezone.now())

    def _judge(self, danger: Brake.Danger, drastic: list[Change], judged: Collection[int]) -> None:
        if not drastic:
            return
        if self._earlier is None:
            self._earlier = self._just_before()
        count = self._earlier + self._drastic[danger] + len(drastic)
        limit = self._attempt.activation.settings.get(SETTINGS[danger].key)
        limit = int(limit or SETTINGS[danger].default)
        if count >= FEWEST and 100 * count > limit * (base := self._base(danger, judged)):
            if self._approvals().exists():
                return
            self._question = Brake(
                activation=self._attempt.activation,
                run=self._attempt.run,
                ability=self._attempt.flow.ability,
                flow=self._attempt.flow.flow,
                danger=danger,
                count=count,
                base=base,
                limit=limit,
                sample=_named(drastic[:SHOWN]),
            )
            raise Held(
                _("%(danger)s: %(count)d de %(base)d SKUs. A integração espera uma resposta.")
                % {"danger": danger.label, "count": count, "base": base}
            )
        self._drastic[danger] += len(drastic)
        Run.objects.filter(pk=self._attempt.run.pk).update(drastic=F("drastic") + len(drastic))

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
        fed = has_it[danger].filter(Exists(mine) | Q(pk__in=judged)).count()
        if danger == Brake.Danger.ZEROED:
            fed += self._drastic[danger] + (self._earlier or 0)  # they are empty by now
        return fed

    def _just_before(self) -> int:
        runs = Run.objects.filter(
            activation=self._attempt.activation,
            ability=self._attempt.flow.ability,
            started_at__gt=timezone.now() - TOGETHER,
        )
        return runs.exclude(pk=self._attempt.run.pk).aggregate(n=Sum("drastic"))["n"] or 0

    def _approvals(self) -> QuerySet[Brake]:
        return Brake.objects.filter(
            activation=self._attempt.activation,
            ability=self._attempt.flow.ability,
            answer=Brake.Answer.APPLY,
            used_at=None,
        )


def _paid(values: Prices) -> Decimal | None:
    price, special = values
    return price if special is None else special


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else to_decimal(value)


def _named(drastic: list[Change]) -> list[list[str]]:
    skus = dict(Product.objects.filter(pk__in=[pk for pk, *_ in drastic]).values_list("pk", "sku"))
    return [[skus.get(pk, ""), str(before), str(after)] for pk, before, after in drastic]
