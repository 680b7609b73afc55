from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.asking import page_of
from connectors.admin.confirmed import ConfirmedActions
from connectors.admin.connectors import mode_name
from connectors.admin.credentials import CredentialInline, operator_of, show_once
from connectors.admin.doorbells import DoorbellInline
from connectors.admin.flows import FlowInline
from connectors.admin.forms import (
    CREDENTIAL,
    INTERVAL,
    SETTING,
    ActivateForm,
    ActivationForm,
)
from connectors.admin.hooks import SubscriptionInline
from connectors.admin.notices import (
    BREAKER_COLOURS,
    EndpointInline,
)
from connectors.errors import Refused
from connectors.models import Activation, Connector, State
from connectors.runs.cadence import set_intervals, settable_flows
from connectors.runs.holding import ask_preview
from connectors.services import (
    activate,
    change_settings,
    pause,
    record_credential,
    resume,
    revoke,
)
from connectors.spec import Mode

STATE_COLOURS = {
    State.DRAFT: "info",
    State.WAITING: "warning",
    State.ACTIVE: "success",
    State.PAUSED: "danger",
    State.REVOKED: "danger",
    State.MOVED: "info",
}


@admin.register(Activation)
class ActivationAdmin(ConfirmedActions):
    form = ActivationForm
    list_display = (
        "shown_name", "store", "connector", "shown_mode", "shown_state", "shown_notices",
        "created_at",
    )  # fmt: skip
    list_display_links = ("shown_name",)
    list_filter = (
        "state", "mode", "connector", ("endpoint__disabled_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    list_select_related = ("store", "connector", "endpoint")
    search_fields = ("name", "custom_name", "store__name", "connector__name")
    show_full_result_count = False
    inlines = (CredentialInline, DoorbellInline, FlowInline, EndpointInline, SubscriptionInline)
    actions = ("pause_selected", "resume_selected", "revoke_selected")
    actions_detail: tuple[str, ...] = (
        "rotate", "revoke_older", "open_at_partner", "enable", "replay_window", "subscribe_event",
        "replace_address", "preview",
    )  # fmt: skip
    readonly_fields = (
        "store", "connector", "mode", "name", "state", "moved_to", "paused_reason", "client_id",
        "api_user", "created_by", "created_at", "first_called_at", "notices_now",
    )  # fmt: skip

    @display(description=_("integração"), ordering="name")
    def shown_name(self, activation: Activation) -> str:
        return activation.custom_name or activation.name

    @display(description=_("modo"), ordering="mode")
    def shown_mode(self, activation: Activation) -> str:
        return mode_name(activation.mode)

    @display(description=_("situação"), ordering="state", label=STATE_COLOURS)
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

    def get_fieldsets(self, request: HttpRequest, obj: Activation | None = None) -> Any:
        facts: list[tuple[Any, dict[str, Any]]] = [
            (None, {"fields": (*self.readonly_fields[:4], "custom_name", "plugin_url")}),
            (_("Situação"), {"fields": self.readonly_fields[4:]}),
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
            facts.append((_("Novas credenciais recebidas"), {"fields": received}))
        return facts

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
            record_credential(obj, received, operator_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is revoked, and its history stays

    # -- Activating ------------------------------------------------------------------------------

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The connector's own form, and after it the four values, once."""
        if "connector" not in request.GET:
            messages.info(request, _("Escolha o conector e abra os seus detalhes."))
            return HttpResponseRedirect(reverse("admin:connectors_connector_changelist"))
        if not self.has_add_permission(request):
            raise PermissionDenied
        connector = get_object_or_404(Connector, slug=request.GET["connector"])
        form = ActivateForm(connector, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._activate(request, connector, form)
            except Refused as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ativar %(connector)s") % {"connector": connector.name},
            "opts": self.opts,
            "connector": connector,
            "form": form,
        }
        return TemplateResponse(request, "admin/connectors/activation/activate.html", context)

    def _activate(
        self, request: HttpRequest, connector: Connector, form: ActivateForm
    ) -> HttpResponse:
        data, by = form.cleaned_data, operator_of(request)
        repeated = Activation.objects.filter(submission=data["submission"]).exists()
        with transaction.atomic():
            activation, issued = activate(
                store=data["store"],
                connector=connector,
                mode=Mode(data["mode"]),
                name=data["name"],
                custom_name=data.get("custom_name", ""),
                plugin_url=data["plugin_url"],
                values=form.settings_values(),
                received=form.received_credentials(),
                submission=data["submission"],
                by=by,
            )
            if not repeated:
                self.log_addition(request, activation, [{"added": {}}])
                if data.get("preview") and activation.mode == Mode.MANAGED:
                    ask_preview(activation, by, holds=True)
        if issued:
            return show_once(self, request, activation, issued)
        if repeated:
            messages.info(request, _("Este formulário já tinha sido enviado: nada mudou."))
        else:
            messages.success(request, _("Integração ativada; aguardando a primeira chamada."))
        return HttpResponseRedirect(page_of(activation))

    @admin.action(description=_("Pausar"), permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        reason = str(_("Pausada por %(user)s.") % {"user": request.user})
        self._each(request, queryset, lambda pk: pause(pk, reason), _("Pausada."))

    @admin.action(description=_("Retomar"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        self._each(request, queryset, resume, _("Retomada."))

    @admin.action(description=_("Revogar para sempre"), permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        by = operator_of(request)
        self._each(request, queryset, lambda pk: revoke(pk, by), _("Revogada."))

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Activation],
        service: Callable[[int], bool],
        record: Any,
    ) -> None:
        for activation in queryset:
            if service(activation.pk):
                self.log_change(request, activation, str(record))
                messages.success(request, f"{activation}: {record}")
            else:
                state = str(activation.get_state_display()).lower()
                messages.warning(
                    request,
                    _("%(activation)s está %(state)s: nada mudou.")
                    % {"activation": activation, "state": state},
                )
