"""Who subscribed to what happens in a store, and what became of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from connectors.admin.forms import HttpsField
from connectors.admin.notices import BREAKER_COLOURS, DELIVERED, GIVEN_UP, LABELS, WAITING
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.errors import Refused
from connectors.messages.hooks import enable_subscription, end_subscription, replay_events
from connectors.models import Delivery, Subscription
from connectors.models.hooks import LONGEST_URL
from connectors.spec import Hook

ENDED = "ended"
STATE_COLOURS: dict[Any, str] = {**BREAKER_COLOURS, ENDED: "info"}


class SubscribeForm(forms.Form):
    """For a tool that only gives its user an address to write to."""

    hook = forms.ChoiceField(
        label=_("Evento"), choices=Hook.choices, widget=UnfoldAdminSelectWidget()
    )
    target_url = HttpsField(label=_("Endereço que a ferramenta gerou"), max_length=LONGEST_URL)


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ("hook", "host", "shown_state", "reason", "last_success_at", "created_at")
    readonly_fields = fields

    @display(description=_("situação"))
    def shown_state(self, subscription: Subscription) -> str:
        return state_of(subscription)[1]

    @display(description=_("motivo"))
    def reason(self, subscription: Subscription) -> str:
        return subscription.ended_reason or subscription.disabled_reason


def state_of(subscription: Subscription) -> tuple[str, str]:
    if subscription.ended_at:
        return ENDED, str(_("Encerrada"))
    return subscription.breaker, str(subscription.breaker.label)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "hook", "host", "shown_state", "disabled_reason", "ended_reason",
        "failures_in_a_row", "open_until", "last_success_at", "created_at",
    )  # fmt: skip
    list_filter = (
        "hook",
        ("disabled_at", admin.EmptyFieldListFilter),
        ("ended_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("activation__store",)
    search_fields = ("activation__name", "activation__store__name")
    # The address is a secret: its host is enough to know it by.
    fields = ("public_id", *list_display)
    readonly_fields = fields
    actions = ("enable_selected", "end_selected")

    @display(description=_("endereço"))
    def host(self, subscription: Subscription) -> str:
        return subscription.host

    @display(description=_("situação"), label=STATE_COLOURS)
    def shown_state(self, subscription: Subscription) -> tuple[str, str]:
        return state_of(subscription)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_subscription")

    @admin.action(description=_("Religar"), permissions=["manage"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._each(request, queryset, enable_subscription, _("Religada."))

    @admin.action(description=_("Encerrar"), permissions=["manage"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        reason = str(_("Encerrada por %(user)s.") % {"user": request.user})
        self._each(request, queryset, lambda pk: end_subscription(pk, reason), _("Encerrada."))

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Subscription],
        service: Callable[[int], bool],
        record: Any,
    ) -> None:
        for subscription in queryset:
            if service(subscription.pk):
                self.log_change(request, subscription, str(record))
                messages.success(request, f"{subscription}: {record}")
            else:
                messages.info(request, _("%(name)s: nada mudou.") % {"name": subscription})


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "event", "subscription", "created_at", "shown_end", "attempts", "due_at", "last_status",
        "last_error",
    )  # fmt: skip
    list_filter = (
        "subscription__hook",
        ("delivered_at", admin.EmptyFieldListFilter),
        ("given_up_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("event", "subscription")
    search_fields = ("event__object_id", "event__public_id")
    fields = ("public_id", *list_display, "data")
    readonly_fields = fields
    actions = ("replay_selected",)

    @display(description=_("id"))
    def public_id(self, delivery: Delivery) -> str:
        return delivery.event.public_id

    @display(description=_("dados"))
    def data(self, delivery: Delivery) -> Any:
        return delivery.event.data

    @display(
        description=_("situação"),
        label={WAITING: "info", DELIVERED: "success", GIVEN_UP: "danger"},
    )
    def shown_end(self, delivery: Delivery) -> tuple[str, Any]:
        end = DELIVERED if delivery.delivered_at else GIVEN_UP if delivery.given_up_at else WAITING
        return end, LABELS[end]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_delivery")

    @admin.action(description=_("Enviar outra vez"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        try:
            count = replay_events(queryset)
        except Refused as error:
            messages.error(request, str(error))
            return
        messages.success(request, _("Eventos de volta à fila: %(n)d.") % {"n": count})
