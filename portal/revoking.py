"""Revoking a whole integration: what stops is said first."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from connectors.admin.confirming import ConfirmingAdmin
from connectors.admin.operators import operator_of
from connectors.models import Activation
from connectors.services import revoke
from portal.stopping import what_stops


class RevocableActivation(ConfirmingAdmin):
    @action(description=_("Revogar para sempre"), url_path="revoke", permissions=["revoke"])
    def revoke_for_good(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(activation: Activation) -> None:
            if revoke(activation.pk, operator_of(request)):
                self._note(request, activation, _("Revogada."))
            else:
                messages.info(request, _("Esta integração já estava revogada."))

        def facts(activation: Activation) -> list[tuple[Any, Any]]:
            return what_stops(activation, list(activation.credentials.all()))

        question = _(
            "O que para se eu fizer isto? %(activation)s e todas as suas credenciais deixam de"
            " valer agora, sem volta. O histórico fica."
        )
        title = _("Revogar para sempre")
        return self._once_asked(request, object_id, title, question, do, facts=facts)
