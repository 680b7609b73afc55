"""What a merchant sees of his orders. Every query begins at the stores that he is a member of."""

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.generic import DetailView, TemplateView

from connectors.models import Store
from connectors.records import OrderStatus
from connectors.wire import INVOICE_FIELDS, TRACKING_FIELDS
from orders.models import Order, OrderQuerySet

PER_PAGE = 50


class OwnOrders(LoginRequiredMixin):
    """The orders of the merchant's stores. To another store's there is no difference between
    "not yours" and "does not exist"."""

    request: HttpRequest

    def get_queryset(self) -> OrderQuerySet:
        members = Store.objects.filter(members=cast(User, self.request.user))
        return Order.objects.filter(store__in=members).select_related("store")


class OrderListPage(OwnOrders, TemplateView):
    template_name = "pages/orders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        orders = self.get_queryset().order_by("-pk")
        status = asked.get("status", "")
        if status in OrderStatus.values:
            orders = orders.filter(status=status)
        # By the last row seen, not by counting: page 1000 costs what page 1 costs.
        before = asked.get("before", "")
        if before.isascii() and before.isdigit() and len(before) < 19:
            orders = orders.filter(pk__lt=int(before))
        page = list(orders[: PER_PAGE + 1])
        return {
            **super().get_context_data(**kwargs),
            "orders": page[:PER_PAGE],
            "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
            "first_page": not before,
            "status": status,
            "statuses": OrderStatus.choices,
        }


class OrderPage(OwnOrders, DetailView):
    template_name = "pages/order.html"
    slug_field = slug_url_kwarg = "public_id"
    context_object_name = "order"

    def get_queryset(self) -> OrderQuerySet:
        return super().get_queryset().with_everything()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # A channel's own empty shipment is only a place for what is to come.
        deliveries = [
            shipment
            for shipment in self.object.shipments.all()
            if any(getattr(shipment, name) for name in (*INVOICE_FIELDS, *TRACKING_FIELDS))
        ]
        return {**super().get_context_data(**kwargs), "deliveries": deliveries}
