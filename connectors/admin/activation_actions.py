"""What an operator does to an integration after it was activated: each asks before it is done."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from connectors.admin.asking import page_of
from connectors.admin.billing import BillingActions
from connectors.admin.credential_actions import CredentialActions
from connectors.admin.hooks import SubscribeForm
from connectors.admin.notices import ReplayForm, tell_replayed
from connectors.admin.operators import operator_of
from connectors.comparisons import compare_now
from connectors.hub.tokens import address_to_open
from connectors.messages.doorbells import replace_doorbell
from connectors.messages.hooks import subscribe
from connectors.messages.notices import enable_notices, replay
from connectors.models import Activation
from connectors.runs.holding import ask_preview
from connectors.spec import Hook


class ActivationActions(CredentialActions, BillingActions):
    @action(description=_("Abrir no parceiro"), url_path="open", permissions=["change"])
    def open_at_partner(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As the hub opens an App: with a code that it swaps for its tokens."""

        def do(activation: Activation) -> HttpResponse:
            address = address_to_open(activation, operator_of(request))
            self.log_change(request, activation, str(_("Aberta no parceiro com um código.")))
            return HttpResponseRedirect(address)

        question = _(
            "Vamos abrir o endereço do parceiro com um código que vale poucos minutos, para"
            " que ele conclua a integração de %(activation)s."
        )
        return self._once_asked(request, object_id, _("Abrir no parceiro"), question, do)

    @action(description=_("Religar notificações"), url_path="enable", permissions=["change"])
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(activation: Activation) -> None:
            if enable_notices(activation.pk):
                self._note(request, activation, _("Notificações religadas."))
            else:
                messages.info(request, _("As notificações não estavam desligadas."))

        question = _(
            "As notificações de %(activation)s voltam a ser enviadas, e com elas as que"
            " tínhamos desistido de entregar."
        )
        return self._once_asked(request, object_id, _("Religar notificações"), question, do)

    @action(description=_("Fazer uma prévia"), url_path="preview", permissions=["change"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a synchronisation would do now; nothing waits for its approval."""

        def do(activation: Activation) -> HttpResponse:
            comparison = ask_preview(activation, operator_of(request))
            self.log_change(request, activation, str(_("Prévia pedida.")))
            return HttpResponseRedirect(page_of(comparison))

        question = _(
            "Vamos ler o catálogo inteiro de %(activation)s e mostrar o que uma sincronização"
            " faria. Nada é gravado."
        )
        return self._once_asked(request, object_id, _("Fazer uma prévia"), question, do)

    @action(description=_("Comparar agora"), url_path="compare", permissions=["change"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is compared once a day, now."""

        def do(activation: Activation) -> HttpResponse:
            comparison = compare_now(activation, operator_of(request))
            self.log_change(request, activation, str(_("Comparação pedida.")))
            return HttpResponseRedirect(page_of(comparison))

        question = _(
            "Vamos ler o catálogo inteiro que %(activation)s tem e comparar com o da loja."
            " Nada é gravado: as diferenças são listadas."
        )
        return self._once_asked(request, object_id, _("Comparar agora"), question, do)

    @action(description=_("Reenviar notificações"), url_path="replay", permissions=["change"])
    def replay_window(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Those of a window of time; the records of what was delivered stay."""
        form = ReplayForm(request.POST or None)

        def do(activation: Activation) -> None:
            window = (form.cleaned_data["start"], form.cleaned_data["end"])
            count = replay(activation.notices.filter(created_at__range=window))
            if count:
                self.log_change(request, activation, str(_("Notificações enviadas outra vez.")))
            tell_replayed(request, count)

        question = _(
            "As notificações que %(activation)s recebeu neste período são enviadas outra vez."
        )
        return self._once_asked(request, object_id, _("Reenviar notificações"), question, do, form)

    @action(description=_("Assinar um evento"), url_path="subscribe", permissions=["change"])
    def subscribe_event(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For tools that only give their user an address; the others subscribe by the API."""
        form = SubscribeForm(request.POST or None)

        def do(activation: Activation) -> None:
            subscribe(
                activation.pk, Hook(form.cleaned_data["hook"]), form.cleaned_data["target_url"]
            )
            self._note(request, activation, _("Evento assinado."))

        question = _("O endereço recebe cada evento da loja de %(activation)s, em JSON.")
        return self._once_asked(request, object_id, _("Assinar um evento"), question, do, form)

    @action(
        description=_("Trocar o endereço de avisos"),
        url_path="replace-address",
        permissions=["change"],
    )
    def replace_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For an address that the wrong people know."""

        def do(activation: Activation) -> None:
            replace_doorbell(activation.pk)
            self._note(request, activation, _("Endereço de avisos trocado."))

        question = _(
            "Vamos gerar outro endereço para os avisos de %(activation)s. O atual deixa de"
            " valer agora: até que o novo esteja no sistema, só a cadência traz as mudanças."
        )
        return self._once_asked(request, object_id, _("Trocar o endereço de avisos"), question, do)
