"""Runs that stopped and asked, and the answers."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import floatformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from connectors.admin.asking import ask, page_of
from connectors.admin.columns import INTEGRATION, IntegrationColumn, Labelled, moment_of, two_lines
from connectors.admin.operators import operator_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.admin.situations import OpenFirst
from connectors.models import Brake
from connectors.models.activations import OVER
from connectors.runs.holding import answer_brake

WAITING, ENDED = "waiting", "ended"


class AnsweredFilter(OpenFirst):
    situations = (
        (
            "open",
            _("Aguardam resposta"),
            Q(answered_at=None) & ~Q(activation__state__in=OVER),
        ),
        ("answered", _("Respondidos"), Q(answered_at__isnull=False)),
    )


@admin.register(Brake)
class BrakeAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "shown_danger", "reach", "shown_asked", "shown_answer", "answered_by",
    )  # fmt: skip
    when_empty = _(
        "Nenhum freio espera resposta: um aparece quando uma leitura mudaria demais de uma vez,"
        " e para até que alguém decida. Para ver os respondidos, troque o filtro de situação."
    )
    list_filter = (AnsweredFilter, "danger", "activation__connector")
    list_select_related = (*INTEGRATION, "answered_by")
    search_fields = ("activation__name__called", "activation__store__name__called")
    actions_detail = ("let_through", "read_again")
    fields = (
        "activation", "flow", "danger", "reach", "limit", "written_before", "asked_at", "run",
        "shown_sample", "shown_answer", "answered_at", "answered_by", "used_at",
    )  # fmt: skip
    readonly_fields = fields

    shown_asked = moment_of(Brake, "asked_at")

    @display(description=_("perigo"))
    def shown_danger(self, brake: Brake) -> SafeString:
        return two_lines(brake.get_danger_display(), brake.get_flow_display())

    @display(description=_("SKUs atingidos"))
    def reach(self, brake: Brake) -> str:
        return _("%(count)d de %(base)d (%(percent)d %%)") % {
            "count": brake.count,
            "base": brake.base,
            "percent": brake.percent,
        }

    @display(description=_("já gravados antes de parar"))
    def written_before(self, brake: Brake) -> str:
        return _("%(written)d SKUs: o que foi lido até então estava abaixo do limite.") % {
            "written": brake.written
        }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Brake]:
        return super().get_queryset(request).defer("asked")

    @display(
        description=_("resposta"),
        label={
            WAITING: "danger",
            Brake.Answer.APPLY: "success",
            Brake.Answer.REREAD: "info",
            ENDED: "default",
        },
    )
    def shown_answer(self, brake: Brake) -> Labelled:
        if not brake.answer and brake.activation.state in OVER:
            return Labelled(ENDED, _("Integração encerrada"))
        text = brake.get_answer_display() or _("Aguarda resposta")
        return Labelled(brake.answer or WAITING, text)

    @display(description=_("exemplos: SKU, antes, depois"))
    def shown_sample(self, brake: Brake) -> SafeString:
        row = (
            '<tr><td style="overflow-wrap: anywhere">{}</td>'
            '<td class="px-2 whitespace-nowrap">{}</td><td class="whitespace-nowrap">→ {}</td></tr>'
        )
        is_money = brake.danger == Brake.Danger.MOVED
        sample = (
            [sku, *(floatformat(each, "2g") if is_money else each for each in levels)]
            for sku, *levels in brake.sample
        )
        rows = format_html_join("", row, sample)
        return format_html('<table class="w-full">{}</table>', rows)

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.change_brake")

    @action(description=_("Aplicar mesmo assim"), url_path="apply", permissions=["answer"])
    def let_through(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _(
            "Grava o que foi perguntado, e só isso: o que vier além, ou com outro valor, é julgado"
            " de novo e, acima do limite, o freio pergunta outra vez."
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
        with transaction.atomic():  # with its record, or not at all
            if is_first := answer_brake(brake.pk, answer, operator_of(request)):
                self.log_change(request, brake, str(answer.label))
        if is_first:
            messages.success(request, _("Resposta registrada: a leitura começa em um minuto."))
        else:
            messages.info(request, _("Este freio não espera mais resposta."))
        return HttpResponseRedirect(page_of(brake))
