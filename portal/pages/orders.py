"""What a merchant sees of his orders. Every query begins at the stores that he is a member of."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import DetailView, TemplateView

from connectors.errors import NothingChanged, Refused
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.models import Store
from connectors.records import OrderStatus
from orders.models import Order, OrderQuerySet
from orders.tracking import inform_tracking, takes_tracking
from portal.pages.tracking import TrackingForm, what_is_known

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
        orders = self.get_queryset().with_shortage().order_by("-pk")
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
        if takes_tracking(self.object):
            kwargs.setdefault("tracking_form", TrackingForm(initial=what_is_known(self.object)))
        return {**super().get_context_data(**kwargs), "deliveries": deliveries}

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """The merchant's own tracking, where it is his to type."""
        self.object = self.get_object()
        form = TrackingForm(request.POST)
        if form.is_valid():
            try:
                inform_tracking(self.object.pk, form.record(), cast(User, request.user))
            except NothingChanged:
                messages.info(request, _("Nada mudou: este rastreio já estava aqui."))
            except Refused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Rastreio informado; o canal será avisado."))
            return redirect("order", public_id)
        return self.render_to_response(self.get_context_data(tracking_form=form))
