"""How often an account at a platform may be called, all stores and machines together.

A minute's calls are counted as they are spent, and what the last minute spent fades out over this
one: no sixty seconds hold more than the limit, wherever the platform begins its own minute. A flow
may bring the count only so far, so that the more urgent ones always get through:

    orders 100 %, fulfilment 90 %, stock 80 %, prices 70 %, products 60 % of the limit

and everything at least one call. What people ask for by hand counts like orders. The limit is the
specification's until an answer of the platform says another; the count of each kind of calls is
its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import CALLS, Account, Flow, Meter
from connectors.errors import OutOfBudget
from connectors.hashing import keyed
from connectors.models import CallBudget
from connectors.spec import Spec

PERCENT = {
    Flow.ORDERS: 100,
    Flow.FULFILMENT: 90,
    Flow.STOCK: 80,
    Flow.PRICES: 70,
    Flow.PRODUCTS: 60,
}


def meter_of(account: Account, spec: Spec, flow: Flow | None) -> Meter:
    if not spec.calls_per_minute:
        return Meter()
    # Whom the platform counts: two activations with the same secrets are one account.
    secrets = [account.credentials.get(f.key, "") for f in spec.credentials if f.secret]
    name = keyed(repr((account.base_url.rstrip("/"), secrets)))
    return AccountMeter(name, spec.calls_per_minute, PERCENT[flow] if flow else 100)


@dataclass(frozen=True)
class Spent:
    """Of an account's calls of one kind, those of the last minute, and, where none is left, when
    the next one may be made."""

    kind: str
    calls: int
    limit: int
    free_at: datetime | None


class AccountMeter(Meter):
    def __init__(self, account: str, limits: Mapping[str, int], percent: int) -> None:
        self.account = account
        self.limits = limits
        self.percent = percent
        self.learned: dict[str, int | None] = {}

    def spend(self, kind: str = CALLS) -> None:
        if kind not in self.limits:
            return
        with transaction.atomic():
            budget = self._minute(kind)
            wait = self._wait(budget)
            if not wait:
                budget.used += 1
            budget.save()
        self.learned[kind] = budget.per_minute
        if wait:
            raise OutOfBudget(_("A cota de chamadas desta conta acabou neste minuto."), wait)

    def learn(self, per_minute: int, kind: str = CALLS) -> None:
        if kind in self.limits and self.learned.get(kind) != per_minute:
            self.learned[kind] = per_minute
            CallBudget.objects.update_or_create(
                account=self.account, kind=kind, defaults={"per_minute": per_minute}
            )

    def exhaust(self, kind: str = CALLS) -> None:
        if kind not in self.limits:
            return
        with transaction.atomic():
            budget = self._minute(kind)
            budget.used = max(budget.used, self._limit(budget))
            budget.save()

    def spent(self) -> list[Spent]:
        """Read alone: whoever looks neither waits for the account nor counts."""
        known = {each.kind: each for each in CallBudget.objects.filter(account=self.account)}
        return [
            self._spent(known.get(kind) or CallBudget(account=self.account, kind=kind))
            for kind in self.limits
        ]

    def _spent(self, budget: CallBudget) -> Spent:
        now, minute = timezone.now(), settings.SECONDS_PER_MINUTE
        _begin_minute(budget, now)
        fading = 1 - (now - budget.minute).total_seconds() / minute
        calls = budget.used + ceil(round(budget.used_before * fading, 3))
        wait = self._wait(budget)
        free_at = now + timedelta(seconds=wait) if wait else None
        return Spent(budget.kind, calls, self._limit(budget), free_at)

    def _limit(self, budget: CallBudget) -> int:
        return self.limits[budget.kind] if budget.per_minute is None else budget.per_minute

    def _minute(self, kind: str) -> CallBudget:
        """The account's row, locked, with this minute in it."""
        now = timezone.now()
        CallBudget.objects.get_or_create(account=self.account, kind=kind, defaults={"minute": now})
        budget = CallBudget.objects.select_for_update().get(account=self.account, kind=kind)
        _begin_minute(budget, now)
        return budget

    def _wait(self, budget: CallBudget) -> int:
        """How many seconds until one more call is within this flow's part; 0 for none."""
        mine = max(1, self._limit(budget) * self.percent // 100)
        minute = settings.SECONDS_PER_MINUTE
        into = (timezone.now() - budget.minute).total_seconds()
        free = mine - 1 - budget.used
        if free >= 0:
            # What is left of the last minute must fade to this.
            wait = _fading(budget.used_before, free, minute) - into
        else:
            wait = minute + _fading(budget.used, mine - 1, minute) - into
        return max(0, ceil(round(wait, 3)))


def _begin_minute(budget: CallBudget, now: datetime) -> None:
    """The one that this moment is in."""
    minute = timedelta(seconds=settings.SECONDS_PER_MINUTE)
    budget.minute = min(budget.minute, now)  # the clock was put back
    passed = (now - budget.minute) // minute
    if passed > 0:
        budget.used_before = budget.used if passed == 1 else 0
        budget.used = 0
        budget.minute += passed * minute


def _fading(used: int, room: int, minute: int) -> float:
    """How far into the next minute no more than `room` of what was used counts still."""
    return minute * (1 - room / used) if used > room else 0.0
