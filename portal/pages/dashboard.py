"""How the business goes, on one screen. What "sold" means stands in orders/statistics.py, and on
the page; every figure leads to the orders that it counts."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from catalog.models import Product, SkuMapping
from connectors.payload import LOCAL
from connectors.records import OrderStatus
from orders.statistics import (
    SOLD,
    Figure,
    Period,
    by_field,
    same_day_of_previous_month,
    sold_by_period,
    tallies_of,
)
from portal.pages.health import Health, health_of
from portal.pages.order_filter import NO_CHANNEL, SOLD_TAB, to_id
from portal.pages.own import OwnStores

DAYS = 30
NOTHING = Figure()


class DashboardPage(OwnStores, TemplateView):
    template_name = "pages/dashboard.html"

    @cached_property
    def chosen(self) -> list[int]:
        store = to_id(self.request.GET.get("store", ""))
        return [store] if store in self.stores else list(self.stores)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = timezone.now().astimezone(LOCAL).date()
        days = self._days(today)
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
            "health": self._health(),
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
        asked = [each for _title, *periods in shown for each in periods if each]
        found = dict(zip(asked, sold_by_period(self.chosen, asked), strict=True))
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
                "label": date_format(day, "d/m"),
                "figure": sold.get(day, NOTHING),
                "url": self._orders(status=SOLD_TAB, **_dates(Period(day, day))),
            }
            for day in days
        ]

    def _statuses(self) -> list[dict[str, Any]]:
        figures = by_field(tallies_of(self.chosen), "status")
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
        sold = by_field(tallies_of(self.chosen).filter(status__in=SOLD), "channel")
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
        mapped = SkuMapping.objects.filter(product=OuterRef("pk"))
        sold = Product.objects.filter(~Exists(variations), store__in=self.chosen)
        return sold.aggregate(
            active=Count("pk"),
            out_of_stock=Count("pk", filter=Q(stock_row=None) | Q(stock_row__on_hand=0)),
            without_mapping=Count("pk", filter=~Exists(mapped)),
        )

    def _health(self) -> list[Health]:
        return health_of(self.chosen)

    def _orders(self, **query: object) -> str:
        if len(self.chosen) == 1 and len(self.stores) > 1:
            query["store"] = self.chosen[0]
        return f"{reverse('orders')}?{urlencode({k: v for k, v in query.items() if v})}"


def _dates(period: Period) -> dict[str, object]:
    return {"from": period.first or "", "to": period.last or ""}


def _span(period: Period) -> str:
    first, last = (date_format(day, "d/m") for day in (period.first, period.last) if day)
    return first if first == last else _("%(first)s a %(last)s") % {"first": first, "last": last}


def _change(now: Figure, before: Figure) -> int | None:
    """In percent; None where there was nothing to compare with."""
    return round((now.amount - before.amount) * 100 / before.amount) if before.amount else None
