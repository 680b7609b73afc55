"""What happened in each of the last 24 hours.

An hour that is over and settled changes no more: each is counted once, and kept. So the front page
costs the same whether a thousand integrations run in an hour or a million.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.models import Run
from orders.models import Order

HOURS = 24
HOUR = timedelta(hours=1)
# A run that began in an hour may end after it.
SETTLED = timedelta(minutes=15)
KEPT_SECONDS = 25 * 60 * 60
ENDED_BADLY = (Run.Outcome.FAILED, Run.Outcome.ABANDONED)


@dataclass(frozen=True)
class Hour:
    begins_at: datetime
    orders: int = 0
    runs: int = 0
    failed: int = 0

    @property
    def went_well(self) -> int:
        return self.runs - self.failed


def last_hours(now: datetime) -> list[Hour]:
    """The oldest first; the last one is still going on."""
    current = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    begins = [current - n * HOUR for n in reversed(range(HOURS))]
    kept = cache.get_many(map(_key, begins))
    since = next(each for each in begins if _key(each) not in kept)
    counted = _count(since)
    hours = [kept.get(_key(each)) or counted.get(each) or Hour(each) for each in begins]
    done = [each for each in hours if now - each.begins_at > HOUR + SETTLED]
    cache.set_many({_key(each.begins_at): each for each in done}, KEPT_SECONDS)
    return hours


def _key(begins_at: datetime) -> str:
    return f"hour-{begins_at.timestamp():.0f}"


def _count(since: datetime) -> Mapping[datetime, Hour]:
    # Counted by what their indexes hold.
    orders = _by_hour(Order.objects.filter(created_at__gte=since), "created_at")
    runs = _by_hour(
        Run.objects.filter(started_at__gte=since),
        "started_at",
        failed=Count("outcome", filter=Q(outcome__in=ENDED_BADLY)),
    )
    return {
        hour: Hour(
            hour,
            orders.get(hour, {}).get("n", 0),
            runs.get(hour, {}).get("n", 0),
            runs.get(hour, {}).get("failed", 0),
        )
        for hour in {*orders, *runs}
    }


def _by_hour(rows: QuerySet[Any], moment: str, **counts: Count) -> dict[datetime, dict[str, int]]:
    hours = rows.order_by().values(hour=TruncHour(moment)).annotate(n=Count(moment), **counts)
    return {row["hour"]: row for row in hours}


# -- As charts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    """One bar for each hour; each series has a name, a colour of the theme, and a number per hour.
    The rows are the same again, for who reads better than he sees."""

    title: str
    series: Sequence[tuple[str, str, list[int]]]
    labels: list[str]

    @property
    def data(self) -> str:
        """As the theme's Chart.js takes it."""
        return json.dumps(
            {
                "labels": self.labels,
                "datasets": [
                    {
                        "label": name,
                        "data": numbers,
                        "backgroundColor": f"var(--color-{colour})",
                        "stack": "hour",
                        "maxBarThickness": 14,
                        "borderRadius": 3,
                        "displayYAxis": True,
                        "maxTicksXLimit": 8,
                    }
                    for name, colour, numbers in self.series
                ],
            }
        )

    @property
    def names(self) -> list[str]:
        return [name for name, *_rest in self.series]

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The newest first."""
        columns = [numbers for *_rest, numbers in self.series]
        rows = zip(self.labels, map(list, zip(*columns, strict=True)), strict=True)
        return list(rows)[::-1]

    @property
    def total(self) -> int:
        return sum(sum(numbers) for *_rest, numbers in self.series)


def charts_of(hours: Sequence[Hour]) -> list[Chart]:
    labels = [f"{timezone.localtime(hour.begins_at):%H}h" for hour in hours]
    orders = [(_("Pedidos"), "primary-500", [hour.orders for hour in hours])]
    runs = [
        (_("Bem-sucedidas"), "green-500", [hour.went_well for hour in hours]),
        (_("Com falha"), "red-500", [hour.failed for hour in hours]),
    ]
    return [
        Chart(_("Pedidos por hora"), orders, labels),
        Chart(_("Sincronizações por hora"), runs, labels),
    ]
