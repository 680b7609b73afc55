"""How the business goes, on one screen. What "sold" means stands in orders/statistics.py, and on
the page; every figure leads to the orders that it counts."""

import hashlib
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, Max, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from catalog.models import Product, SkuMapping, Stock
from catalog.models.levels import OFFERED
from connectors.ids import to_id
from connectors.models import Failure
from connectors.payload import LOCAL
from connectors.records import OrderStatus
from orders.finding import asked_of_each
from orders.needing import first_needing
from orders.statistics import (
    SOLD,
    Figure,
    Period,
    by_field,
    same_day_of_previous_month,
    sold_by_period,
    sum_of,
    tallies_of,
    totals_of,
)
from portal.pages.health import Health, health_of
from portal.pages.order_filter import NEEDING_TAB, NO_CHANNEL, SOLD_TAB
from portal.pages.own import Live, last_order_change, last_product_change

DAYS = 30
NEEDING_SHOWN = 5
NOTHING = Figure()


class DashboardPage(Live, TemplateView):
    template_name = "pages/dashboard.html"

    def version(self) -> str:
        """Of the figures, by when their orders and products changed; of the integrations, by what
        is said of them; and of the day."""
        failures = Failure.objects.open().filter(activation__store__in=self.chosen)
        said = (
            self._today(),
            last_order_change(self.chosen),
            last_product_change(self.chosen),
            failures.aggregate(n=Count("pk"), last=Max("pk")),
            [(each.activation.pk, each.words) for each in self.health],
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    @cached_property
    def chosen(self) -> list[int]:
        store = to_id(self.request.GET.get("store", ""))
        return [store] if store in self.stores else list(self.stores)

    @cached_property
    def totals(self) -> dict[tuple[str, str], Figure]:
        return totals_of(self.chosen)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = self._today()
        days = self._days(today)
        needing = first_needing(self.chosen, NEEDING_SHOWN)
        statuses = self._statuses()
        channels = self._channels()
        return {
            **super().get_context_data(**kwargs),
            "section": "home",
            "stores": self.stores.values(),
            "store": self.chosen[0] if len(self.chosen) == 1 else None,
            "cards": self._cards(today),
            "days": days,
            "statuses": statuses,
            "channels": channels,
            "products": self._products(),
            "health": self.health,
            "needing": needing[:NEEDING_SHOWN],
            "more_needing": len(needing) > NEEDING_SHOWN,
            "needing_url": self._orders(status=NEEDING_TAB),
            "charts": {
                "days": [[day["label"], str(day["figure"].amount)] for day in days],
                "statuses": [[row["label"], row["figure"].orders] for row in statuses],
                "channels": [[row["label"], str(row["figure"].amount)] for row in channels],
            },
        }

    def _cards(self, today: date) -> list[dict[str, Any]]:
        before = same_day_of_previous_month(today)
        month, month_before = today.replace(day=1), before.replace(day=1)
        thirty = today - timedelta(days=DAYS - 1)
        shown = [
            (_("Hoje"), Period(today, today), Period(before, before)),
            (_("Este mês"), Period(month, today), Period(month_before, before)),
            (_("Últimos 30 dias"), Period(thirty, today), None),
            (_("Desde o começo"), Period(), None),
        ]
        ever = Period()
        days = [each for _title, *two in shown for each in two if each and each != ever]
        found = dict(zip(days, sold_by_period(self.chosen, days), strict=True))
        found[ever] = sum_of(
            each for (status, _channel), each in self.totals.items() if status in SOLD
        )
        return [
            {
                "title": title,
                "figure": found[period],
                "url": self._orders(status=SOLD_TAB, **_dates(period)),
                "before": found[other] if other else None,
                "before_label": _span(other) if other else "",
                "before_url": self._orders(status=SOLD_TAB, **_dates(other)) if other else "",
                "change": _change(found[period], found[other]) if other else None,
            }
            for title, period, other in shown
        ]

    def _days(self, today: date) -> list[dict[str, Any]]:
        period = Period(today - timedelta(days=DAYS - 1), today)
        sold = by_field(tallies_of(self.chosen, period).filter(status__in=SOLD), "day")
        days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
        return [
            {
                "label": date_format(day, "MONTH_DAY_FORMAT"),
                "figure": sold.get(day, NOTHING),
                "url": self._orders(status=SOLD_TAB, **_dates(Period(day, day))),
            }
            for day in days
        ]

    def _statuses(self) -> list[dict[str, Any]]:
        figures = {
            value: sum_of(
                each for (status, _channel), each in self.totals.items() if status == value
            )
            for value in dict.fromkeys(status for status, _channel in self.totals)
        }
        return [
            {
                "label": str(label),
                "value": value,
                "figure": figures[value],
                "url": self._orders(status=value),
            }
            for value, label in OrderStatus.choices
            if value in figures
        ]

    def _channels(self) -> list[dict[str, Any]]:
        sold: dict[str, Figure] = {}
        for (status, channel), figure in self.totals.items():
            if status in SOLD:
                sold[channel] = sold.get(channel, NOTHING) + figure
        return [
            {
                "label": name or _("sem canal"),
                "figure": figure,
                "url": self._orders(status=SOLD_TAB, channel=name or NO_CHANNEL),
            }
            for name, figure in sorted(sold.items(), key=lambda pair: -pair[1].amount)
        ]

    def _products(self) -> dict[str, int]:
        """Of what has a stock of its own: a product with variations is sold as one of them."""
        variations = Product.objects.filter(parent=OuterRef("pk"))
        mapped = asked_of_each(SkuMapping.objects.filter(product=OuterRef("pk")))
        there = asked_of_each(Stock.objects.filter(OFFERED, product=OuterRef("pk")))
        sold = Product.objects.filter(~Exists(variations), store__in=self.chosen)
        return sold.aggregate(
            active=Count("pk"),
            out_of_stock=Count("pk", filter=~there),
            without_mapping=Count("pk", filter=~mapped),
        )

    @cached_property
    def health(self) -> list[Health]:
        return health_of(self.chosen)

    def _today(self) -> date:
        return timezone.now().astimezone(LOCAL).date()

    def _orders(self, **query: object) -> str:
        if len(self.chosen) == 1 and len(self.stores) > 1:
            query["store"] = self.chosen[0]
        return f"{reverse('orders')}?{urlencode({k: v for k, v in query.items() if v})}"


def _dates(period: Period) -> dict[str, object]:
    return {"from": period.first or "", "to": period.last or ""}


def _span(period: Period) -> str:
    days = (period.first, period.last)
    first, last = (date_format(day, "MONTH_DAY_FORMAT") for day in days if day)
    return first if first == last else _("%(first)s a %(last)s") % {"first": first, "last": last}


def _change(now: Figure, before: Figure) -> int | None:
    """In percent; None where there was nothing to compare with."""
    return round((now.amount - before.amount) * 100 / before.amount) if before.amount else None
