"""Who subscribed to what happens in a store, and what became of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from connectors.admin.asking import ask_of_many, is_sure
from connectors.admin.columns import (
    INTEGRATION,
    NARROW,
    IntegrationColumn,
    Labelled,
    moment_of,
    short,
    two_lines,
)
from connectors.admin.notices import (
    BREAKER_COLOURS,
    DELIVERED,
    GIVEN_UP,
    LABELS,
    WAITING,
    DeliveredFilter,
    tell_nothing_replayed,
)
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.errors import Refused
from connectors.forms import HttpsField
from connectors.messages.hooks import (
    enable_subscription,
    end_subscription,
    replay_events,
    replayable_events,
)
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


def state_of(subscription: Subscription) -> Labelled:
    if subscription.ended_at:
        return Labelled(ENDED, str(_("Encerrada")))
    return Labelled(subscription.breaker, str(subscription.breaker.label))


@admin.register(Subscription)
class SubscriptionAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "shown_hook", "shown_state", "shown_reason", "failures_in_a_row",
        "shown_success", "shown_created",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma assinatura ainda: a Pluga assina sozinha os eventos que usa. Para uma ferramenta"
        " que só dá um endereço, abra a integração e escolha “Assinar um evento”."
    )
    list_filter = (
        "hook",
        ("disabled_at", admin.EmptyFieldListFilter),
        ("ended_at", admin.EmptyFieldListFilter),
    )
    list_select_related = INTEGRATION
    search_fields = ("activation__name__called", "activation__store__name__called")
    # The address is a secret: its host is enough to know it by.
    fields = (
        "public_id", "activation", "hook", "host", "shown_state", "disabled_reason",
        "ended_reason", "failures_in_a_row", "open_until", "last_success_at", "created_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("enable_selected", "end_selected")
    shown_success = moment_of(Subscription, "last_success_at")
    shown_created = moment_of(Subscription, "created_at")

    @display(description=_("evento"))
    def shown_hook(self, subscription: Subscription) -> SafeString:
        return two_lines(subscription.get_hook_display(), subscription.host)

    @display(description=_("motivo"))
    def shown_reason(self, subscription: Subscription) -> SafeString | None:
        reason = subscription.ended_reason or subscription.disabled_reason
        return short(reason, NARROW) if reason else None

    @display(description=_("endereço"))
    def host(self, subscription: Subscription) -> str:
        return subscription.host

    @display(description=_("situação"), label=STATE_COLOURS)
    def shown_state(self, subscription: Subscription) -> Labelled:
        return state_of(subscription)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_subscription")

    @admin.action(description=_("Religar"), permissions=["manage"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._each(request, queryset, enable_subscription, _("Religada."))

    @admin.action(description=_("Encerrar"), permissions=["manage"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> Any:
        if not is_sure(request):
            question = _(
                "Assinaturas escolhidas: %(count)d. Nada mais é enviado por elas. Não há volta: só"
                " quem as fez pode fazer outras."
            )
            return ask_of_many(
                self, request, self.end_selected, question % {"count": queryset.count()}
            )
        reason = str(_("Encerrada por %(user)s.") % {"user": request.user})
        self._each(request, queryset, lambda pk: end_subscription(pk, reason), _("Encerrada."))
        return None

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Subscription],
        service: Callable[[int], bool],
        record: Any,
    ) -> None:
        for subscription in queryset:
            with transaction.atomic():  # with its record, or not at all
                if done := service(subscription.pk):
                    self.log_change(request, subscription, str(record))
            if done:
                messages.success(request, f"{subscription}: {record}")
            else:
                messages.info(request, _("%(name)s: nada mudou.") % {"name": subscription})


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_event", "shown_target", "shown_end", "shown_created", "attempts", "shown_due",
        "shown_answer",
    )  # fmt: skip
    when_empty = _(
        "Nenhum evento enviado ainda: um sai quando algo muda na loja e há quem o assine. Veja nas"
        " assinaturas quem assina o quê."
    )
    list_filter = (DeliveredFilter, "subscription__hook")
    list_select_related = ("event", "subscription__activation")
    search_fields = ("event__object_id", "event__public_id")
    fields = (
        "public_id", "event", "subscription", "created_at", "shown_end", "attempts", "due_at",
        "last_status", "last_error", "data",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("replay_selected",)
    shown_created = moment_of(Delivery, "created_at")
    shown_due = moment_of(Delivery, "due_at")

    @display(description=_("evento"))
    def shown_event(self, delivery: Delivery) -> SafeString:
        return short(delivery.event, NARROW)

    @display(description=_("assinatura"))
    def shown_target(self, delivery: Delivery) -> SafeString:
        subscription = delivery.subscription
        return two_lines(subscription.get_hook_display(), subscription.host)

    @display(description=_("última resposta"))
    def shown_answer(self, delivery: Delivery) -> SafeString:
        return two_lines(delivery.last_status or "–", delivery.last_error)

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
    def shown_end(self, delivery: Delivery) -> Labelled:
        end = DELIVERED if delivery.delivered_at else GIVEN_UP if delivery.given_up_at else WAITING
        return Labelled(end, LABELS[end])

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_delivery")

    @admin.action(description=_("Enviar outra vez"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        whose = replayable_events(queryset).values("subscription__activation")
        what = _("Eventos enviados outra vez.")
        try:
            count = self.do_and_record(request, whose, what, lambda: replay_events(queryset))
        except Refused as error:
            messages.error(request, str(error))
            return
        if count:
            messages.success(request, _("Eventos de volta à fila: %(n)d.") % {"n": count})
        else:
            tell_nothing_replayed(request)
