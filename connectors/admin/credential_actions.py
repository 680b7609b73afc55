"""What an operator does to the credentials of an integration."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from connectors.admin.confirming import ConfirmingAdmin
from connectors.admin.credentials import show_link, show_once
from connectors.admin.operators import operator_of
from connectors.handover import offer_handover, withdraw_handovers
from connectors.models import Activation
from connectors.services import revoke_older_credentials, rotate_credential


def _days(*days: int) -> list[tuple[int, Any]]:
    return [(n, _("%(n)d dias") % {"n": n} if n > 1 else _("1 dia")) for n in days]


class OverlapForm(forms.Form):
    days = forms.TypedChoiceField(
        label=_("As atuais continuam valendo por"),
        choices=_days(1, 7, 15, 30),
        initial=7,
        empty_value=7,  # type: ignore[arg-type]  # as coerced
        required=False,
        coerce=int,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Depois elas param sozinhas; a data aparece na aba de credenciais."),
    )


class HandoverForm(forms.Form):
    days = forms.TypedChoiceField(
        label=_("O link vale por"),
        choices=_days(1, 3, 7),
        initial=3,
        empty_value=3,  # type: ignore[arg-type]  # as coerced
        required=False,
        coerce=int,
        widget=UnfoldAdminSelectWidget(),
    )


class CredentialActions(ConfirmingAdmin):
    @action(description=_("Gerar novas credenciais"), url_path="rotate", permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The new values are shown once, in the answer to the POST."""
        form = OverlapForm(request.POST if request.method == "POST" else None)

        def do(activation: Activation) -> HttpResponse:
            overlap = timedelta(days=form.cleaned_data["days"])
            issued = rotate_credential(activation.pk, operator_of(request), overlap)
            self.log_change(request, activation, str(_("Novas credenciais geradas.")))
            return show_once(self, request, activation, issued)

        question = _(
            "Vamos gerar novos segredos para %(activation)s. Os atuais continuam valendo por um"
            " tempo, para que o parceiro troque sem parar."
        )
        title = _("Gerar novas credenciais")
        return self._once_asked(request, object_id, title, question, do, form)

    @action(description=_("Entregar por link"), url_path="hand-over", permissions=["change"])
    def hand_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The link is shown once, in the answer to the POST; we keep only its hash."""
        form = HandoverForm(request.POST if request.method == "POST" else None)

        def do(activation: Activation) -> HttpResponse:
            life = timedelta(days=form.cleaned_data["days"])
            handover, token = offer_handover(activation.pk, operator_of(request), life)
            self.log_change(request, activation, str(_("Link de entrega criado.")))
            return show_link(self, request, handover, token)

        question = _(
            "Vamos criar um link que abre uma só vez. Quem o abrir vê credenciais novas de"
            " %(activation)s; as que ninguém usou ainda param nesse momento, e as que estão em"
            " uso continuam por 7 dias. Um link anterior que ninguém abriu deixa de valer."
        )
        title = _("Entregar por link")
        return self._once_asked(request, object_id, title, question, do, form)

    @action(description=_("Retirar o link"), url_path="withdraw", permissions=["change"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(activation: Activation) -> None:
            if withdraw_handovers(activation.pk, operator_of(request)):
                self._note(request, activation, _("Link de entrega retirado."))
            else:
                messages.info(request, _("Não há link de entrega esperando."))

        question = _("O link de entrega de %(activation)s que ninguém abriu ainda deixa de valer.")
        return self._once_asked(request, object_id, _("Retirar o link"), question, do)

    @action(description=_("Revogar as anteriores"), url_path="revoke-older", permissions=["revoke"])
    def revoke_older(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(activation: Activation) -> None:
            if revoke_older_credentials(activation.pk, operator_of(request)):
                self._note(request, activation, _("Credenciais anteriores revogadas."))
            else:
                messages.info(request, _("Não há credenciais anteriores em uso."))

        question = _(
            "Os segredos de %(activation)s anteriores aos últimos deixam de valer agora. Quem"
            " ainda os usa para de conseguir entrar."
        )
        return self._once_asked(request, object_id, _("Revogar as anteriores"), question, do)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.revoke_activation")
