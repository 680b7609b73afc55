"""Runs that stopped and asked, and the answers."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from connectors.admin.asking import ask, page_of
from connectors.admin.credentials import operator_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Brake
from connectors.runs.holding import answer_brake

WAITING = "waiting"


class AnsweredFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Aguardam resposta")), ("answered", _("Respondidos"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("open", "answered"):
            return queryset.filter(answered_at__isnull=self.value() == "open")
        return queryset


@admin.register(Brake)
class BrakeAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "flow", "danger", "reach", "asked_at", "shown_answer", "answered_by",
    )  # fmt: skip
    list_filter = (AnsweredFilter, "danger", "activation__connector")
    list_select_related = ("activation__store", "answered_by")
    search_fields = ("activation__name", "activation__store__name")
    actions_detail = ("let_through", "read_again")
    fields = (
        "activation", "flow", "danger", "reach", "limit", "asked_at", "run", "shown_sample",
        "shown_answer", "answered_at", "answered_by", "used_at",
    )  # fmt: skip
    readonly_fields = fields

    @display(description=_("SKUs atingidos"))
    def reach(self, brake: Brake) -> str:
        return _("%(count)d de %(base)d (%(percent)d %%)") % {
            "count": brake.count,
            "base": brake.base,
            "percent": brake.percent,
        }

    @display(
        description=_("resposta"),
        label={WAITING: "danger", Brake.Answer.APPLY: "success", Brake.Answer.REREAD: "info"},
    )
    def shown_answer(self, brake: Brake) -> tuple[str, Any]:
        return brake.answer or WAITING, brake.get_answer_display() or _("Aguarda resposta")

    @display(description=_("exemplos: SKU, antes, depois"))
    def shown_sample(self, brake: Brake) -> SafeString:
        rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>→ {}</td></tr>", brake.sample)
        return format_html('<table class="w-full">{}</table>', rows)

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.change_brake")

    @action(description=_("Aplicar mesmo assim"), url_path="apply", permissions=["answer"])
    def let_through(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _(
            "A próxima leitura grava tudo o que encontrar, sem perguntar de novo. Depois dela o"
            " freio volta a valer."
        )
        return self._answer(request, object_id, Brake.Answer.APPLY, question)

    @action(description=_("Ler de novo"), url_path="reread", permissions=["answer"])
    def read_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _(
            "Para quando o sistema foi corrigido: lemos de novo e, se o perigo continuar, o freio"
            " pergunta outra vez."
        )
        return self._answer(request, object_id, Brake.Answer.REREAD, question)

    def _answer(
        self, request: HttpRequest, object_id: str, answer: Brake.Answer, question: Any
    ) -> HttpResponse:
        brake = get_object_or_404(Brake.objects.select_related("activation__store"), pk=object_id)
        if request.method != "POST":
            return ask(self, request, brake, answer.label, question)
        if answer_brake(brake.pk, answer, operator_of(request)):
            self.log_change(request, brake, str(answer.label))
            messages.success(request, _("Resposta registrada: a leitura começa em um minuto."))
        else:
            messages.info(request, _("Este freio já tinha sido respondido."))
        return HttpResponseRedirect(page_of(brake))
