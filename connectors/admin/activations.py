from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from connectors.activating import way_of
from connectors.admin.activation_actions import ActivationActions
from connectors.admin.asking import ask_of_many, is_sure, page_of
from connectors.admin.columns import moment_of, short, two_lines
from connectors.admin.connectors import mode_name
from connectors.admin.credentials import CredentialInline
from connectors.admin.doorbells import DoorbellInline
from connectors.admin.flows import FlowInline
from connectors.admin.forms import (
    CREDENTIAL,
    INTERVAL,
    LAST_DAY,
    SETTING,
    ActivationForm,
)
from connectors.admin.handovers import HandoverInline
from connectors.admin.hooks import SubscriptionInline
from connectors.admin.notices import (
    BREAKER_COLOURS,
    EndpointInline,
)
from connectors.admin.operators import operator_of
from connectors.admin.receipts import ReceiptInline
from connectors.admin.wizard import WizardPages, step_url, way_url
from connectors.contract import BATCH_CALLS, CALLS
from connectors.errors import Refused
from connectors.models import Activation, Credential, State
from connectors.runs.budget import AccountMeter, Spent, meter_of
from connectors.runs.cadence import set_intervals, settable_flows
from connectors.services import (
    change_settings,
    note_received_end,
    pause,
    record_credential,
    resume,
    revoke,
)
from connectors.spec import Does, Mode

STATE_COLOURS = {
    State.DRAFT: "info",
    State.WAITING: "warning",
    State.ACTIVE: "success",
    State.PAUSED: "danger",
    State.REVOKED: "danger",
    State.MOVED: "info",
}

CALLS_OF_KIND = {
    CALLS: _("%(calls)d de %(limit)d chamadas no último minuto"),
    BATCH_CALLS: _("%(calls)d de %(limit)d chamadas em lote no último minuto"),
}


MORE = [
    "preview", "compare", "billing", "open_at_partner", "enable", "replay_window",
    "subscribe_event", "replace_address",
]  # fmt: skip


def _written(spent: Spent) -> str:
    text = CALLS_OF_KIND[spent.kind] % {"calls": spent.calls, "limit": spent.limit}
    if spent.free_at is None:
        return text
    free_at = time_format(timezone.localtime(spent.free_at), "H:i:s")
    return gettext("%(calls)s, nenhuma antes das %(time)s") % {"calls": text, "time": free_at}


@admin.register(Activation)
class ActivationAdmin(WizardPages, ActivationActions):
    form = ActivationForm
    list_display = (
        "shown_name", "shown_store", "shown_state", "shown_notices", "shown_created",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma integração ainda: cada uma é um conector ligado em uma loja. Abra os aplicativos,"
        " escolha o conector e siga os passos."
    )
    shown_created = moment_of(Activation, "created_at")
    list_display_links = ("shown_name",)
    list_filter = (
        "state", "mode", "connector", ("endpoint__disabled_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    list_select_related = ("store", "connector", "endpoint")
    search_fields = (
        "name__called",
        "custom_name__called",
        "store__name__called",
        "connector__name__called",
    )
    inlines = (
        CredentialInline,
        HandoverInline,
        ReceiptInline,
        DoorbellInline,
        FlowInline,
        EndpointInline,
        SubscriptionInline,
    )
    actions = ("pause_selected", "resume_selected", "revoke_selected")
    actions_detail: tuple[str | dict[str, Any], ...] = (
        "test_connection",
        {
            "title": _("Credenciais"),
            "items": ["rotate", "hand_over", "withdraw", "revoke_older"],
        },
        {"title": _("Mais"), "items": MORE},
    )
    readonly_fields = (
        "store", "connector", "mode", "name", "state", "moved_to", "paused_reason", "client_id",
        "api_user", "created_by", "created_at", "first_called_at", "notices_now",
        "calls_now",
    )  # fmt: skip

    @display(description=_("integração"))
    def shown_name(self, activation: Activation) -> SafeString:
        below = f"{activation.connector} · {mode_name(activation.mode)}"
        return two_lines(activation.custom_name or activation.name, below, "14rem")

    @display(description=_("loja"))
    def shown_store(self, activation: Activation) -> SafeString:
        return short(activation.store)

    @display(description=_("situação"), label=STATE_COLOURS)
    def shown_state(self, activation: Activation) -> tuple[str, str]:
        return activation.state, activation.get_state_display()

    @display(description=_("notificações"), label=BREAKER_COLOURS)
    def shown_notices(self, activation: Activation) -> tuple[str, str] | None:
        endpoint = getattr(activation, "endpoint", None)  # only a partner has one
        return (endpoint.breaker, endpoint.breaker.label) if endpoint else None

    @display(description=_("notificações"))
    def notices_now(self, activation: Activation) -> str | None:
        endpoint = getattr(activation, "endpoint", None)
        if endpoint is None:
            return None
        return ". ".join(filter(None, [str(endpoint.breaker.label), endpoint.disabled_reason]))

    @display(description=_("cota de chamadas"))
    def calls_now(self, activation: Activation) -> str:
        """Of the account, whoever calls with its credentials: two integrations may share it."""
        try:
            meter = meter_of(activation.account(), activation.spec, None)
        except (Refused, Credential.DoesNotExist):
            return ""
        spent = meter.spent() if isinstance(meter, AccountMeter) else []
        return " · ".join(map(_written, spent))

    def get_inlines(self, request: HttpRequest, obj: Activation | None) -> list[Any]:
        """Those that its mode and its connector can fill."""
        inlines = list(self.inlines)
        if obj is not None:
            others = [DoorbellInline]
            if obj.mode == Mode.MANAGED:
                others = [HandoverInline, EndpointInline]
            if not obj.spec.hooks:
                others.append(SubscriptionInline)
            inlines = [each for each in inlines if each not in others]
        return inlines

    def get_fieldsets(self, request: HttpRequest, obj: Activation | None = None) -> Any:
        facts: list[tuple[Any, dict[str, Any]]] = [
            (None, {"fields": (*self.readonly_fields[:4], "custom_name", "plugin_url")}),
            (_("Situação"), {"fields": self._situation_of(obj)}),
        ]
        if obj is None or not self.has_change_permission(request, obj):
            return facts
        settings = [SETTING + setting.key for setting in obj.spec.settings_in(obj.mode)]
        if settings:
            facts.append((_("Configurações"), {"fields": settings}))
        if intervals := [INTERVAL + ability for ability in settable_flows(obj)]:
            facts.append((_("Cadência"), {"fields": intervals}))
        if obj.mode == Mode.MANAGED:
            received = [CREDENTIAL + credential.key for credential in obj.spec.credentials]
            received.append(LAST_DAY)
            facts.append((_("Novas credenciais recebidas"), {"fields": received}))
        return facts

    def _situation_of(self, activation: Activation | None) -> list[str]:
        has_quota = (
            activation is not None
            and activation.mode == Mode.MANAGED
            and activation.spec.calls_per_minute
        )
        return [name for name in self.readonly_fields[4:] if has_quota or name != "calls_now"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The settings' fields are made by the form itself, from the specification.
        return ActivationForm

    def save_model(self, request: HttpRequest, obj: Activation, form: Any, change: bool) -> None:
        data = form.cleaned_data
        change_settings(obj.pk, data["custom_name"], data["plugin_url"], form.settings_values())
        set_intervals(obj.pk, form.intervals())
        if received := form.received_credentials():
            record_credential(obj, received, operator_of(request), form.received_end())
        elif ends_at := form.received_end():
            note_received_end(obj.pk, ends_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is revoked, and its history stays

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A draft's page is the step that it has come to."""
        activation = self.get_object(request, object_id)
        is_draft = activation is not None and activation.state == State.DRAFT
        if activation is not None and is_draft and self.has_add_permission(request):
            return HttpResponseRedirect(way_url(activation))
        return super().change_view(request, object_id, form_url, extra_context)

    @action(description=_("Testar conexão"), url_path="test", permissions=["change"])
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The step of its activation that tests."""
        activation = get_object_or_404(Activation.objects.select_related("connector"), pk=object_id)
        steps = way_of(activation).stops
        checks = [stop for stop in steps if stop.step.does is Does.CHECK]
        return HttpResponseRedirect(
            step_url(activation, checks[0]) if checks else page_of(activation)
        )

    @admin.action(description=_("Pausar"), permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        reason = str(_("Pausada por %(user)s.") % {"user": request.user})
        self._each(request, queryset, lambda pk: pause(pk, reason), _("Pausada."))

    @admin.action(description=_("Retomar"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        self._each(request, queryset, resume, _("Retomada."))

    @admin.action(description=_("Revogar para sempre"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> Any:
        if not is_sure(request):
            question = _(
                "Integrações escolhidas: %(count)d. Elas param, e as credenciais deixam de valer na"
                " hora. Não há volta: para religar uma loja é preciso ativar de novo."
            )
            return ask_of_many(
                self, request, self.revoke_selected, question % {"count": queryset.count()}
            )
        by = operator_of(request)
        self._each(request, queryset, lambda pk: revoke(pk, by), _("Revogada."))
        return None

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Activation],
        service: Callable[[int], bool],
        record: Any,
    ) -> None:
        for activation in queryset:
            with transaction.atomic():  # with its record, or not at all
                if done := service(activation.pk):
                    self.log_change(request, activation, str(record))
            if done:
                messages.success(request, f"{activation}: {record}")
            else:
                state = str(activation.get_state_display()).lower()
                messages.warning(
                    request,
                    _("%(activation)s está %(state)s: nada mudou.")
                    % {"activation": activation, "state": state},
                )
