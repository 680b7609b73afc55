from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import floatformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors.admin.asking import ask, ask_of_many, is_sure, page_of, why_url
from connectors.admin.columns import moment_of, short, two_lines
from connectors.admin.failures import pretty
from connectors.admin.operators import operator_of
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.errors import NothingChanged, Refused
from connectors.records import OrderStatus
from orders.legal_hold import set_hold
from orders.models import (
    Erasure,
    Line,
    Order,
    OrderLink,
    OrderQuerySet,
    Payment,
    Shipment,
    StatusChange,
)
from orders.services import update_order
from orders.wire import OrderDocument

# The theme shows the bare code of a status that has no colour.
STATUS_COLOURS = {
    **dict.fromkeys(OrderStatus, "default"),
    OrderStatus.PENDING: "info",
    OrderStatus.APPROVED: "warning",
    OrderStatus.DELIVERED: "success",
    OrderStatus.CANCELED: "danger",
}


class HoldForm(forms.Form):
    reason = forms.CharField(
        label=_("Qual obrigação, ou por que terminou?"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
    )


class LineInline(ReadOnlyInline):
    model = Line
    fields = readonly_fields = ("sku", "name", "quantity", "price", "product")


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = readonly_fields = ("payment_type", "payment_total")


class ShipmentInline(ReadOnlyInline):
    model = Shipment
    fields = readonly_fields = (
        "status", "nfe_number", "nfe_serie", "nfe_key", "nfe_date", "shipping_company",
        "track_code", "date_shipped", "date_delivered",
    )  # fmt: skip


class StatusChangeInline(ReadOnlyInline):
    model = StatusChange
    fields = readonly_fields = ("status", "previous", "at", "author", "applied")


class OrderLinkInline(ReadOnlyInline):
    model = OrderLink
    fields = readonly_fields = (
        "activation", "external_id", "acknowledged", "wanted_status", "sent_status",
    )  # fmt: skip


class ShortageFilter(admin.SimpleListFilter):
    title = _("estoque")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("short", _("sem estoque reservado"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return cast(OrderQuerySet, queryset).short() if self.value() == "short" else queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    actions_detail = ("why", "hold", "release")
    list_display = (
        "shown_number", "shown_store", "shown_status", "shown_stock", "shown_total",
        "shown_created",
    )  # fmt: skip
    when_empty = _(
        "Nenhum pedido ainda: eles chegam dos canais das integrações ativas. Confira nos fluxos se"
        " os pedidos estão em dia, ou ative um canal para a loja."
    )
    shown_created = moment_of(Order, "created_at")
    list_filter = ("status", ShortageFilter)
    list_select_related = ("store",)
    search_fields = ("original_id__exact", "public_id__exact")
    inlines = (StatusChangeInline, LineInline, PaymentInline, ShipmentInline, OrderLinkInline)
    actions = ("approve_selected", "cancel_selected")
    fields = (
        "store", "source", "original_id", "channel", "channel_account", "status", "shown_stock",
        "shown_total", "created_at", "approved_at", "modified_at", "modified_by",
        "legal_hold", "anonymised_at", "shown_fields",
    )  # fmt: skip

    @action(description=_("Por que não sincronizou?"), url_path="why", permissions=["view"])
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(Order, pk=object_id)
        return HttpResponseRedirect(why_url(row.store_id, row.public_id))

    @action(description=_("Reter por obrigação legal"), url_path="hold", permissions=["hold"])
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("Enquanto retido, os dados pessoais do comprador não são apagados.")
        return self._hold(request, object_id, True, _("Reter por obrigação legal"), question)

    @action(description=_("Encerrar a retenção legal"), url_path="release", permissions=["hold"])
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("Os dados pessoais podem voltar a ser apagados, a pedido ou no prazo da loja.")
        return self._hold(request, object_id, False, _("Encerrar a retenção legal"), question)

    def _hold(
        self, request: HttpRequest, object_id: str, held: bool, title: Any, question: Any
    ) -> HttpResponse:
        order = get_object_or_404(Order, pk=object_id)
        form = HoldForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return ask(self, request, order, title, question, form)
        address = request.META.get("REMOTE_ADDR", "")
        try:
            set_hold(order.pk, held, form.cleaned_data["reason"], operator_of(request), address)
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                _("Os dados do pedido estão retidos.") if held else _("A retenção está encerrada."),
            )
        return HttpResponseRedirect(page_of(order))

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.hold_order")

    @display(description=_("pedido"))
    def shown_number(self, order: Order) -> SafeString:
        return two_lines(order, order.channel)

    @display(description=_("loja"))
    def shown_store(self, order: Order) -> SafeString:
        return short(order.store)

    @display(description=_("situação"), label=STATUS_COLOURS)
    def shown_status(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    def get_queryset(self, request: HttpRequest) -> OrderQuerySet:
        return cast(OrderQuerySet, super().get_queryset(request)).with_shortage()

    @display(description=_("estoque"))
    def shown_stock(self, order: Order) -> str:
        return str(_("sem estoque reservado")) if getattr(order, "is_short", False) else ""

    @display(description=_("total"))
    def shown_total(self, order: Order) -> str:
        return f"{order.money_sign} {floatformat(order.total, '2g')}"

    @display(description=_("outros campos"))
    def shown_fields(self, order: Order) -> SafeString | None:
        return pretty(order.fields)  # the theme's own escapes every accent

    @admin.action(description=_("Aprovar"), permissions=["operate"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, OrderStatus.APPROVED)

    @admin.action(description=_("Cancelar"), permissions=["operate"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> Any:
        if not is_sure(request):
            question = _(
                "Pedidos escolhidos: %(count)d. Cada um que ainda não acabou é cancelado aqui e nos"
                " sistemas que acompanham o cancelamento. Não há volta."
            )
            return ask_of_many(
                self, request, self.cancel_selected, question % {"count": queryset.count()}
            )
        self._move(request, queryset, OrderStatus.CANCELED)
        return None

    def _move(self, request: HttpRequest, queryset: QuerySet[Order], status: OrderStatus) -> None:
        operator = operator_of(request)
        for order in queryset:
            try:
                moved = update_order(order.pk, OrderDocument(head={}, status=status), operator)
            except NothingChanged:
                messages.info(request, _("O pedido %(order)s já estava assim.") % {"order": order})
            except Refused as error:
                messages.error(request, str(error))
            else:
                messages.success(
                    request,
                    _("O pedido %(order)s está %(status)s.")
                    % {"order": moved, "status": str(moved.get_status_display()).lower()},
                )

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """Proof of what was anonymised, and why."""

    list_display = ("at", "store", "why", "by")
    when_empty = _(
        "Nada foi apagado ainda: cada pedido que perde os dados pessoais deixa aqui a prova. Os"
        " prazos estão em cada loja."
    )
    list_select_related = ("store", "by")
    fields = readonly_fields = ("at", "store", "why", "by", "order_ids")
