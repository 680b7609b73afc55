"""What an operator does about failures, one or many: try again, fetch again, correct, dismiss; and
what he sends to the platform's support."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from connectors.admin.asking import ask, ask_of_many, page_of, why_url
from connectors.admin.operators import operator_of
from connectors.admin.recorded import RecordedAdmin
from connectors.downloads import as_file
from connectors.errors import ConnectorError, Refused
from connectors.models import Failure, Repair
from connectors.payload import to_storable
from connectors.trouble.editing import edit, read_edited
from connectors.trouble.evidence import evidence_of
from connectors.trouble.originals import to_correct
from connectors.trouble.repairs import repair

LONGEST_EDITED = 500_000  # characters


class DismissForm(forms.Form):
    reason = forms.CharField(
        label=_("Por que ninguém precisa resolver?"),
        max_length=120,
        widget=UnfoldAdminTextInputWidget(),
    )


class ValueForm(forms.Form):
    """For many at once: one value of what arrived."""

    place = forms.CharField(
        label=_("Campo"),
        max_length=200,
        help_text=_("O caminho no conteúdo de origem, por exemplo: dimensions.weight"),
        widget=UnfoldAdminTextInputWidget(),
    )
    value = forms.CharField(
        label=_("Valor novo"),
        max_length=2000,
        help_text=_("Em JSON: 12.5, true, [1, 2]; o que não for JSON é texto."),
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean_value(self) -> Any:
        try:
            return to_storable(json.loads(self.cleaned_data["value"]))
        except (ValueError, RecursionError):
            return self.cleaned_data["value"]


class EditForm(forms.Form):
    payload = forms.CharField(
        label=_("Conteúdo corrigido"),
        max_length=LONGEST_EDITED,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "class": "font-mono text-xs"}),
    )


def _open(failures: QuerySet[Failure]) -> dict[str, int]:
    return {"count": failures.filter(resolved_at=None).count()}


class MendingActions(RecordedAdmin):
    actions = ("retry_selected", "fetch_selected", "edit_selected", "dismiss_selected")
    actions_detail = (
        "retry_one",
        "fetch_one",
        "edit_one",
        {"title": _("Mais"), "items": ["dismiss_one", "why", "evidence"]},
    )

    def has_mend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.change_failure")

    def has_read_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.view_failure")

    # -- Many ----------------------------------------------------------------------------------

    @admin.action(description=_("Tentar de novo"), permissions=["mend"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Failure]) -> Any:
        return self._repair(request, Repair.Action.RETRY, queryset)

    @admin.action(description=_("Buscar outra vez"), permissions=["mend"])
    def fetch_selected(self, request: HttpRequest, queryset: QuerySet[Failure]) -> Any:
        return self._repair(request, Repair.Action.FETCH, queryset)

    @admin.action(description=_("Corrigir um campo e reenviar"), permissions=["mend"])
    def edit_selected(self, request: HttpRequest, queryset: QuerySet[Failure]) -> Any:
        form = ValueForm(request.POST if "place" in request.POST else None)
        if form.is_valid():
            return self._repair(request, Repair.Action.EDIT, queryset, **form.cleaned_data)
        question = _(
            "Falhas abertas entre as escolhidas: %(count)s. O campo muda no que chegou de cada uma;"
            " só é guardado o que o portal consegue ler, e o original continua ao lado."
        )
        return ask_of_many(self, request, self.edit_selected, question % _open(queryset), form)

    @admin.action(description=_("Dispensar"), permissions=["mend"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[Failure]) -> Any:
        """Asks for the reason first, which stays with the failure."""
        form = DismissForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            return self._repair(request, Repair.Action.DISMISS, queryset, **form.cleaned_data)
        question = _(
            "Falhas abertas entre as escolhidas: %(count)s. Elas saem da lista do que precisa de"
            " alguém e não são mais tentadas; se o registro falhar outra vez, é uma falha nova."
        )
        return ask_of_many(self, request, self.dismiss_selected, question % _open(queryset), form)

    def _repair(
        self,
        request: HttpRequest,
        what: Repair.Action,
        failures: QuerySet[Failure],
        **facts: Any,
    ) -> HttpResponse | None:
        """Do it; where they are many, to the page on which it is seen to go on."""
        with transaction.atomic():  # with its record, or not at all
            asked = repair(what, failures, operator_of(request), **facts)
            self.record(request, asked, f"{what.label}: {asked.total}", {})
        if asked.ended_at is None:
            return HttpResponseRedirect(page_of(asked))
        tell(request, asked)
        return None

    # -- One -----------------------------------------------------------------------------------

    @action(description=_("Tentar de novo"), url_path="retry", permissions=["mend"])
    def retry_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = str(_("A falha é tentada outra vez no próximo minuto."))
        replay = get_object_or_404(Failure, pk=object_id).replay
        if replay:
            question = f"{question} {capfirst(str(replay.label))}."
        return self._repair_one(request, object_id, Repair.Action.RETRY, question)

    @action(description=_("Buscar outra vez"), url_path="fetch", permissions=["mend"])
    def fetch_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _(
            "O registro é buscado outra vez na plataforma, sozinho onde ela permite; onde não,"
            " o fluxo é lido outra vez desde o início."
        )
        return self._repair_one(request, object_id, Repair.Action.FETCH, question)

    @action(description=_("Dispensar"), url_path="dismiss", permissions=["mend"])
    def dismiss_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _(
            "Ela sai da lista do que precisa de alguém e não é mais tentada; se o registro"
            " falhar outra vez, é uma falha nova."
        )
        form = DismissForm(request.POST or None)
        return self._repair_one(request, object_id, Repair.Action.DISMISS, question, form)

    def _repair_one(
        self,
        request: HttpRequest,
        object_id: str,
        what: Repair.Action,
        question: Any,
        form: forms.Form | None = None,
    ) -> HttpResponse:
        failure = get_object_or_404(Failure, pk=object_id)
        if request.method != "POST" or (form is not None and not form.is_valid()):
            return ask(self, request, failure, what.label, question, form)
        facts = form.cleaned_data if form else {}
        one = Failure.objects.filter(pk=failure.pk)
        with transaction.atomic():  # with its record, or not at all
            asked = repair(what, one, operator_of(request), **facts)
            if asked.done:
                self.log_change(request, failure, str(what.label))
        tell(request, asked)
        return HttpResponseRedirect(page_of(failure))

    @action(description=_("Corrigir e reenviar"), url_path="edit", permissions=["mend"])
    def edit_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        failure = get_object_or_404(Failure, pk=object_id)
        if not failure.can_be_edited:
            text = _("Esta falha não se corrige aqui: abra o registro de onde ela vem.")
            messages.info(request, text)
            return HttpResponseRedirect(page_of(failure))
        try:
            payload, corrected = to_correct(failure)
        except Refused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(page_of(failure))
        shown = json.dumps(corrected or payload, ensure_ascii=False, indent=2)
        form = EditForm(request.POST or None, initial={"payload": shown})
        if failure.sealed and not form.is_bound:  # its page shows it without personal data
            what = _("Conteúdo original aberto, com dados pessoais.")
            self.record(request, failure, str(what), {})
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():  # with its record, or not at all
                    edited = read_edited(form.cleaned_data["payload"])
                    edit(failure.pk, edited, operator_of(request))
                    self.log_change(request, failure, str(_("Conteúdo corrigido.")))
            except (Refused, ConnectorError) as error:
                form.add_error("payload", str(error))
            else:
                messages.success(request, _("Corrigido: é tentado outra vez no próximo minuto."))
                return HttpResponseRedirect(page_of(failure))
        question = _(
            "O portal lê a correção como leria o que chega; só a guarda se a entende. O"
            " original continua ao lado."
        )
        return ask(self, request, failure, _("Corrigir e reenviar"), question, form)

    @action(description=_("Por que não sincronizou?"), url_path="why", permissions=["read"])
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        failure = get_object_or_404(Failure.objects.select_related("activation"), pk=object_id)
        return HttpResponseRedirect(why_url(failure.activation.store_id, failure.record_id))

    @action(description=_("Baixar evidências"), url_path="evidence", permissions=["read"])
    def evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Without secrets or personal data: for a ticket to the platform's support."""
        failures = Failure.objects.select_related(
            "activation__connector", "activation__store", "run"
        )
        failure = get_object_or_404(failures, pk=object_id)
        return as_file(evidence_of(failure), f"evidencias-{failure.pk}.json")


def tell(request: HttpRequest, asked: Repair) -> None:
    texts = {
        Repair.Action.RETRY: _("Falhas que serão tentadas na próxima execução: %(n)d."),
        Repair.Action.FETCH: _("Registros que serão buscados na próxima execução: %(n)d."),
        Repair.Action.EDIT: _("Falhas corrigidas, que serão tentadas em seguida: %(n)d."),
        Repair.Action.DISMISS: _("Falhas dispensadas: %(n)d."),
    }
    if asked.done:
        messages.success(request, texts[Repair.Action(asked.action)] % {"n": asked.done})
    for record_id, reason in asked.refusals[:5]:
        messages.warning(request, f"{record_id}: {reason}")
    if not asked.done and not asked.refusals:
        messages.info(
            request,
            _("Nada a tentar: já estão resolvidas, ou só o outro sistema pode reenviar."),
        )
