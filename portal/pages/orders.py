"""The list of a merchant's orders."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from connectors.ids import to_id
from connectors.models import Activation, State
from connectors.records import OrderStatus
from orders.models import Order, OrderQuerySet
from orders.statistics import Figure, by_field, tallies_of
from portal.pages.exports import FORMATS
from portal.pages.order_filter import NEEDING_TAB, NO_CHANNEL, SOLD_TAB, OrderFilter
from portal.pages.own import Live, OwnOrders, last_order_change

PER_PAGE = 50


class Filtered(OwnOrders):
    @cached_property
    def filter(self) -> OrderFilter:
        return OrderFilter.asked(self.request.GET, self.stores)

    def get_queryset(self) -> OrderQuerySet:
        return self.filter.among(super().get_queryset(), list(self.stores))


class OrderListPage(Live, Filtered, TemplateView):
    template_name = "pages/orders.html"

    def version(self) -> str:
        return str(last_order_change(list(self.stores)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = to_id(self.request.GET.get("before", ""))
        is_last = before is None and "last" in self.request.GET
        page = self._oldest() if is_last else list(self._from(before)[: PER_PAGE + 1])
        figures = self.filter.figures(list(self.stores))
        return {
            **super().get_context_data(**kwargs),
            "section": "orders",
            "orders": page[:PER_PAGE],
            "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
            "first_page": before is None and not is_last,
            "filter": self.filter,
            "query": self.filter.query(),
            "tabs": self._tabs(figures),
            "shown": self._shown(figures),
            "channels": self._channels(),
            "integrations": self._integrations(),
            "stores": self.stores.values(),
        }

    def _from(self, before: int | None) -> OrderQuerySet:
        """By the last row seen, not by counting: page 1000 costs what page 1 costs."""
        orders = self.get_queryset().with_shortage().order_by("-created_at", "-pk")
        last = before and OwnOrders.get_queryset(self).filter(pk=before).values_list("created_at")
        at = last.first() if last else None
        if at is None:
            return orders
        older = Q(created_at__lt=at[0]) | Q(pk__lt=before)
        return orders.filter(older, created_at__lte=at[0])

    def _oldest(self) -> list[Order]:
        """The last page, read from the list's end."""
        orders = self.get_queryset().with_shortage().order_by("created_at", "pk")
        return list(orders[:PER_PAGE])[::-1]

    def _shown(self, figures: dict[str, Figure]) -> Figure | None:
        """None where it would have to be counted."""
        if not self.filter.counts or self.filter.status == NEEDING_TAB:
            return None
        return figures.get(self.filter.status, Figure())

    def _tabs(self, figures: dict[str, Figure]) -> list[dict[str, Any]]:
        """All, what needs the merchant, what was sold, and each status in which there is an
        order."""
        labels = {
            "": _("Todos"),
            NEEDING_TAB: _("Precisam de você"),
            SOLD_TAB: _("Vendas"),
            **dict(OrderStatus.choices),
        }
        return [
            {
                "label": label,
                "query": self.filter.query(status=value),
                "count": figures[value].orders if self.filter.counts and value in figures else None,
                "current": value == self.filter.status,
            }
            for value, label in labels.items()
            if value in (*figures, NEEDING_TAB, self.filter.status) or not self.filter.counts
        ]

    def _channels(self) -> list[tuple[str, str]]:
        channels = by_field(tallies_of(list(self.stores)), "channel")
        return [(name or NO_CHANNEL, name or _("sem canal")) for name in sorted(channels)]

    def _integrations(self) -> list[Activation]:
        mine = Activation.objects.filter(store__in=list(self.stores))
        return list(mine.exclude(state=State.DRAFT).select_related("store", "connector"))


class OrderExport(Filtered, View):
    """The orders that the list shows, all of them, as a file."""

    def get(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        orders = self.get_queryset().order_by("-created_at", "-pk")
        return FORMATS.get(kind, FORMATS["csv"])(orders)
