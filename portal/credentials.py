"""A credential's own page: how long it is good for, who used it last, and what stops without it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from connectors.admin.asking import ask, page_of
from connectors.admin.columns import INTEGRATION, IntegrationColumn, moment_of
from connectors.admin.credentials import CredentialFacts
from connectors.admin.operators import operator_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.errors import Refused
from connectors.forms import check_year
from connectors.models import Credential
from connectors.models.credentials import ENDS_SOON
from connectors.services import end_credential, revoke_credential
from connectors.store_field import RowFilter
from portal.stopping import what_stops


class EndingFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ending", _("Vencem em breve"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.ending(ENDS_SOON) if self.value() == "ending" else queryset


class EndForm(forms.Form):
    ends_at = forms.SplitDateTimeField(
        label=_("Deixa de valer em"),
        validators=[check_year],
        widget=UnfoldAdminSplitDateTimeWidget(),
    )


@admin.register(Credential)
class CredentialAdmin(CredentialFacts, IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "kind", "fingerprint", "situation", "shown_used", "last_used_from",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma credencial ainda: ela nasce quando uma integração é ativada. Abra os aplicativos"
        " e ative um conector para uma loja."
    )
    shown_used = moment_of(Credential, "last_used_at")
    list_filter = (
        EndingFilter,
        ("activation__store", RowFilter), "kind",
        ("revoked_at", admin.EmptyFieldListFilter), ("ends_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    list_select_related = INTEGRATION
    search_fields = ("fingerprint", "activation__name__called", "activation__store__name__called")
    fields = (
        "activation", "kind", "fingerprint", "situation", "created_by", "created_at",
        "last_used_at", "last_used_from", "ends_at", "revoked_at", "revoked_by",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = ("revoke", "end")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return (
            super().get_queryset(request).defer("sealed", "client_secret_hash", "api_secret_hash")
        )

    @action(description=_("Revogar agora"), url_path="revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        credential = self._credential(object_id)
        if request.method == "POST":
            with transaction.atomic():  # with its record, or not at all
                if revoked := revoke_credential(credential.pk, operator_of(request)):
                    self.log_change(request, credential, str(_("Credencial revogada.")))
            if revoked:
                messages.success(request, _("Credencial revogada."))
            else:
                messages.info(request, _("Esta credencial não vale mais."))
            return HttpResponseRedirect(page_of(credential))
        return ask(
            self,
            request,
            credential,
            _("Revogar agora"),
            _("O que para se eu fizer isto? Quem usa esta credencial deixa de entrar na hora."),
            facts=what_stops(credential.activation, [credential]),
        )

    @action(description=_("Antecipar o fim"), url_path="end", permissions=["revoke"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        credential = self._credential(object_id)
        initial = {"ends_at": credential.ends_at or timezone.now()}
        form = EndForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    end_credential(credential.pk, form.cleaned_data["ends_at"])
                    self.log_change(request, credential, str(_("Fim da credencial antecipado.")))
                messages.success(request, _("Fim da credencial antecipado."))
            except Refused as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(page_of(credential))
        question = _("Até esta data a credencial continua valendo; depois para sozinha.")
        facts = what_stops(credential.activation, [credential])
        return ask(self, request, credential, _("Antecipar o fim"), question, form, facts)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.revoke_credential")

    def _credential(self, object_id: str) -> Credential:
        rows = Credential.objects.select_related(
            "activation__store", "activation__connector", "activation__moved_to"
        )
        return get_object_or_404(rows, pk=object_id)
