from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from connectors.admin.asking import ask, page_of
from connectors.admin.connectors import mode_name
from connectors.admin.doorbells import DoorbellInline
from connectors.admin.flows import FlowInline
from connectors.admin.forms import (
    CREDENTIAL,
    INTERVAL,
    SETTING,
    ActivateForm,
    ActivationForm,
)
from connectors.admin.hooks import SubscribeForm, SubscriptionInline
from connectors.admin.notices import (
    BREAKER_COLOURS,
    EndpointInline,
    ReplayForm,
    tell_replayed,
)
from connectors.admin.readonly import ReadOnlyInline
from connectors.cadence import set_intervals, settable_flows
from connectors.doorbells import replace_doorbell
from connectors.errors import Refused
from connectors.holding import ask_preview
from connectors.hooks import subscribe
from connectors.models import Activation, Connector, Credential, State
from connectors.notices import enable_notices, replay
from connectors.services import (
    IssuedSecrets,
    activate,
    change_settings,
    pause,
    record_credential,
    resume,
    revoke,
    revoke_older_credentials,
    rotate_credential,
)
from connectors.spec import Hook, Mode
from connectors.tokens import address_to_open

STATE_COLOURS = {
    State.DRAFT: "info",
    State.WAITING: "warning",
    State.ACTIVE: "success",
    State.PAUSED: "danger",
    State.REVOKED: "danger",
    State.MOVED: "info",
}


def operator_of(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin lets nobody else in


class CredentialInline(ReadOnlyInline):
    model = Credential
    fields = (
        "kind", "fingerprint", "created_by", "created_at", "last_used_at", "last_used_from",
        "revoked_at",
    )  # fmt: skip
    readonly_fields = fields


def _values(activation: Activation, issued: IssuedSecrets) -> list[tuple[str, Any, str]]:
    """Each with its label. Where two of them are enough, these come first and say so."""
    client = [
        ("client_id", _("Client ID"), issued.client_id),
        ("client_secret", _("Client Secret"), issued.client_secret),
    ]
    integrator = activation.spec.activating.integrator
    user = [
        ("api_user", _("Identificador do integrador") if integrator else _("API User"),
         issued.api_user),
        ("api_secret", _("Token") if integrator else _("API Secret"), issued.api_secret),
    ]  # fmt: skip
    webhook = ("webhook_secret", _("Segredo das notificações"), issued.webhook_secret)
    return [*user, *client, webhook] if integrator else [*client, *user, webhook]


@admin.register(Activation)
class ActivationAdmin(ModelAdmin):
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
            return self._show_once(request, activation, issued)
        if repeated:
            messages.info(request, _("Este formulário já tinha sido enviado: nada mudou."))
        else:
            messages.success(request, _("Integração ativada; aguardando a primeira chamada."))
        return HttpResponseRedirect(self._page_of(activation))

    def _show_once(
        self, request: HttpRequest, activation: Activation, issued: IssuedSecrets
    ) -> HttpResponse:
        """The answer to the POST itself: no address leads to the values a second time."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Credenciais de %(activation)s") % {"activation": activation},
            "opts": self.opts,
            "original": activation,
            "page": self._page_of(activation),
            "values": _values(activation, issued),
        }
        return TemplateResponse(
            request,
            "admin/connectors/activation/credentials.html",
            context,
            headers={"Cache-Control": "no-store"},
        )

    def _page_of(self, activation: Activation) -> str:
        return reverse("admin:connectors_activation_change", args=[quote(activation.pk)])

    # -- Afterwards ------------------------------------------------------------------------------

    @action(description=_("Gerar novas credenciais"), url_path="rotate", permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks first; the new values are shown once, in the answer to the POST."""
        activation = get_object_or_404(Activation, pk=object_id)
        if request.method != "POST":
            question = _(
                "Vamos gerar novos segredos para %(activation)s. Os atuais continuam valendo até"
                " serem revogados, para que o parceiro troque sem parar."
            )
            return self._ask(request, activation, _("Gerar novas credenciais"), question)
        try:
            issued = rotate_credential(activation.pk, operator_of(request))
        except Refused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._page_of(activation))
        self.log_change(request, activation, str(_("Novas credenciais geradas.")))
        return self._show_once(request, activation, issued)

    @action(description=_("Revogar as anteriores"), url_path="revoke-older", permissions=["change"])
    def revoke_older(self, request: HttpRequest, object_id: str) -> HttpResponse:
        activation = get_object_or_404(Activation, pk=object_id)
        if request.method != "POST":
            question = _(
                "Os segredos de %(activation)s anteriores aos últimos deixam de valer agora. Quem"
                " ainda os usa para de conseguir entrar."
            )
            return self._ask(request, activation, _("Revogar as anteriores"), question)
        if revoke_older_credentials(activation.pk, operator_of(request)):
            self.log_change(request, activation, str(_("Credenciais anteriores revogadas.")))
            messages.success(request, _("Credenciais anteriores revogadas."))
        else:
            messages.info(request, _("Não há credenciais anteriores em uso."))
        return HttpResponseRedirect(self._page_of(activation))

    @action(description=_("Abrir no parceiro"), url_path="open", permissions=["change"])
    def open_at_partner(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As the hub opens an App: with a code that it swaps for its tokens."""
        activation = get_object_or_404(Activation, pk=object_id)
        if request.method != "POST":
            question = _(
                "Vamos abrir o endereço do parceiro com um código que vale poucos minutos, para"
                " que ele conclua a integração de %(activation)s."
            )
            return self._ask(request, activation, _("Abrir no parceiro"), question)
        try:
            address = address_to_open(activation, operator_of(request))
        except Refused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._page_of(activation))
        self.log_change(request, activation, str(_("Aberta no parceiro com um código.")))
        return HttpResponseRedirect(address)

    @action(description=_("Religar notificações"), url_path="enable", permissions=["change"])
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        activation = get_object_or_404(Activation, pk=object_id)
        if request.method != "POST":
            question = _(
                "As notificações de %(activation)s voltam a ser enviadas, e com elas as que"
                " tínhamos desistido de entregar."
            )
            return self._ask(request, activation, _("Religar notificações"), question)
        if enable_notices(activation.pk):
            self.log_change(request, activation, str(_("Notificações religadas.")))
            messages.success(request, _("Notificações religadas."))
        else:
            messages.info(request, _("As notificações não estavam desligadas."))
        return HttpResponseRedirect(self._page_of(activation))

    @action(description=_("Fazer uma prévia"), url_path="preview", permissions=["change"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a synchronisation would do now; nothing waits for its approval."""
        activation = get_object_or_404(Activation, pk=object_id)
        title = _("Fazer uma prévia")
        if request.method != "POST":
            question = _(
                "Vamos ler o catálogo inteiro de %(activation)s e mostrar o que uma sincronização"
                " faria. Nada é gravado."
            )
            return self._ask(request, activation, title, question)
        try:
            comparison = ask_preview(activation, operator_of(request))
        except Refused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._page_of(activation))
        self.log_change(request, activation, str(_("Prévia pedida.")))
        return HttpResponseRedirect(page_of(comparison))

    @action(description=_("Reenviar notificações"), url_path="replay", permissions=["change"])
    def replay_window(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Those of a window of time; the records of what was delivered stay."""
        activation = get_object_or_404(Activation, pk=object_id)
        form = ReplayForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            question = _(
                "As notificações que %(activation)s recebeu neste período são enviadas outra vez."
            )
            return self._ask(request, activation, _("Reenviar notificações"), question, form)
        window = (form.cleaned_data["start"], form.cleaned_data["end"])
        try:
            count = replay(activation.notices.filter(created_at__range=window))
        except Refused as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, activation, str(_("Notificações enviadas outra vez.")))
            tell_replayed(request, count)
        return HttpResponseRedirect(self._page_of(activation))

    @action(description=_("Assinar um evento"), url_path="subscribe", permissions=["change"])
    def subscribe_event(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For tools that only give their user an address; the others subscribe by the API."""
        activation = get_object_or_404(Activation, pk=object_id)
        form = SubscribeForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            question = _("O endereço recebe cada evento da loja de %(activation)s, em JSON.")
            return self._ask(request, activation, _("Assinar um evento"), question, form)
        hook = Hook(form.cleaned_data["hook"])
        try:
            subscribe(activation.pk, hook, form.cleaned_data["target_url"])
        except Refused as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, activation, str(_("Evento assinado.")))
            messages.success(request, _("Evento assinado."))
        return HttpResponseRedirect(self._page_of(activation))

    @action(
        description=_("Trocar o endereço de avisos"),
        url_path="replace-address",
        permissions=["change"],
    )
    def replace_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For an address that the wrong people know."""
        activation = get_object_or_404(Activation, pk=object_id)
        title = _("Trocar o endereço de avisos")
        if request.method != "POST":
            question = _(
                "Vamos gerar outro endereço para os avisos de %(activation)s. O atual deixa de"
                " valer agora: até que o novo esteja no sistema, só a cadência traz as mudanças."
            )
            return self._ask(request, activation, title, question)
        try:
            replace_doorbell(activation.pk)
        except Refused as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, activation, str(_("Endereço de avisos trocado.")))
            messages.success(request, _("Endereço de avisos trocado."))
        return HttpResponseRedirect(self._page_of(activation))

    def _ask(
        self,
        request: HttpRequest,
        activation: Activation,
        title: Any,
        question: Any,
        form: Form | None = None,
    ) -> HttpResponse:
        return ask(self, request, activation, title, question % {"activation": activation}, form)

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
