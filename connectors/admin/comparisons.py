"""Previews and daily comparisons: what they found, and what the operator can do about it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from connectors.admin.asking import ask, page_of
from connectors.admin.columns import (
    INTEGRATION,
    NARROW,
    IntegrationColumn,
    Labelled,
    moment_of,
    text_of,
)
from connectors.admin.operators import operator_of
from connectors.admin.readonly import ProgressAdmin, ReadOnlyAdmin
from connectors.comparisons import ask_to_mend
from connectors.contract import Flow
from connectors.downloads import as_csv
from connectors.errors import Refused
from connectors.findings import OURS, SAME, THEIRS
from connectors.models import Comparison, Difference
from connectors.models.activations import OVER
from connectors.runs.holding import approve_preview

AT_ONCE = 100  # of what is asked for: thousands in one transaction would let nobody else write
GOING_ON, HELD, DONE, BROKEN = "going_on", "held", "done", "broken"
SITUATIONS = {
    GOING_ON: _("Lendo"),
    HELD: _("Espera aprovação"),
    DONE: _("Terminada"),
    BROKEN: _("Interrompida"),
}
COUNTED = {THEIRS: _("Registros lá"), OURS: _("Registros aqui"), SAME: _("Sem diferença")}


class SituationFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("holding", _("Esperam aprovação")),
            ("differing", _("Últimas com diferenças")),
            ("going_on", _("Em andamento")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "holding":
                return queryset.holding()
            case "differing":
                return queryset.differing(timezone.now())
            case "going_on":
                return queryset.filter(ended_at=None)
        return queryset


@admin.register(Comparison)
class ComparisonAdmin(IntegrationColumn, ProgressAdmin):
    list_display = (
        "integration", "purpose", "shown_situation", "seen", "differing", "shown_asked",
        "shown_ended",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma comparação ainda: cada integração gerenciada é comparada uma vez por dia, e antes"
        " da primeira sincronização. Para pedir uma agora, abra a integração e escolha a prévia."
    )
    list_filter = (SituationFilter, "purpose")
    list_select_related = INTEGRATION
    search_fields = ("activation__name__called", "activation__store__name__called")
    actions_detail = ("approve", "list_differences", "download")
    fields = (
        "activation", "purpose", "shown_situation", "seen", "shown_counts", "reason", "asked_by",
        "asked_at", "ended_at", "approved_by", "approved_at",
    )  # fmt: skip
    readonly_fields = fields

    shown_asked = moment_of(Comparison, "asked_at")
    shown_ended = moment_of(Comparison, "ended_at")

    @display(
        description=_("situação"),
        label={GOING_ON: "info", HELD: "warning", DONE: "success", BROKEN: "danger"},
    )
    def shown_situation(self, comparison: Comparison) -> Labelled:
        situation = GOING_ON if comparison.ended_at is None else DONE
        waits = comparison.holds and comparison.approved_at is None
        if comparison.ended_at and waits and comparison.activation.state not in OVER:
            situation = HELD
        if comparison.reason:
            situation = BROKEN
        return Labelled(situation, SITUATIONS[situation])

    @display(description=_("diferenças"))
    def differing(self, comparison: Comparison) -> int:
        return sum(
            number
            for counts in comparison.counts.values()
            for kind, number in counts.items()
            if kind not in COUNTED
        )

    @display(description=_("contagens"))
    def shown_counts(self, comparison: Comparison) -> SafeString:
        labels = {**COUNTED, **dict(Difference.Kind.choices)}
        rows = [
            (Flow(flow).label, labels[kind], self._link(comparison, flow, kind, number))
            for flow, counts in comparison.counts.items()
            for kind, number in counts.items()
        ]
        return format_html(
            '<table class="w-full">{}</table>',
            format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows),
        )

    def _link(self, comparison: Comparison, flow: str, kind: str, number: int) -> Any:
        if kind in COUNTED:
            return number
        url = _list_of(comparison, flow__exact=flow, kind__exact=kind)
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, number)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.change_comparison")

    @action(description=_("Sincronizar"), url_path="approve", permissions=["approve"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        comparison = get_object_or_404(Comparison, pk=object_id)
        if request.method != "POST":
            question = _(
                "Os produtos, preços e estoques passam a ser sincronizados a partir de agora."
            )
            return ask(self, request, comparison, _("Sincronizar"), question)
        try:
            with transaction.atomic():  # with its record, or not at all
                if approved := approve_preview(comparison.pk, operator_of(request)):
                    self.log_change(request, comparison, str(_("Sincronização aprovada.")))
        except Refused as error:
            messages.error(request, str(error))
        else:
            if approved:
                messages.success(request, _("Sincronização aprovada: começa em um minuto."))
            else:
                messages.info(request, _("Nada esperava por esta aprovação."))
        return HttpResponseRedirect(page_of(comparison))

    @action(description=_("Ver as diferenças"), url_path="differences", permissions=["view_all"])
    def list_differences(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(_list_of(get_object_or_404(Comparison, pk=object_id)))

    def has_view_all_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.view_difference")

    @action(description=_("Baixar CSV"), url_path="csv", permissions=["view_all"])
    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        comparison = get_object_or_404(Comparison, pk=object_id)
        name = f"comparacao-{comparison.pk}.csv"
        return as_csv(_table_of(comparison), name)


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    list_display = (
        "record_id", "flow", "kind", "shown_ours", "shown_theirs", "button", "shown_asked",
        "shown_result",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma diferença: os dois lados têm o mesmo. Elas aparecem aqui quando a comparação do"
        " dia acha um registro que falta ou que não é igual."
    )
    shown_ours = text_of(Difference, "ours", NARROW)
    shown_theirs = text_of(Difference, "theirs", NARROW)
    shown_asked = moment_of(Difference, "asked_at")
    shown_result = text_of(Difference, "result", NARROW)
    list_filter = ("kind", "flow", "comparison__purpose")
    list_select_related = ("comparison",)
    search_fields = ("record_id",)
    actions = ("mend",)
    actions_detail = ("mend_this",)

    def has_mend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("connectors.change_difference")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        may = self.has_mend_permission(request)
        return [name for name in self.list_display if may or name != "button"]

    @admin.action(description=_("Buscar, ou enviar de novo"), permissions=["mend"])
    def mend(self, request: HttpRequest, queryset: QuerySet[Difference]) -> None:
        rows, number = Difference.objects.select_related("comparison__activation__store"), 0
        asked = list(queryset.filter(asked_at=None).values_list("pk", flat=True))
        for start in range(0, len(asked), AT_ONCE):
            some = rows.filter(pk__in=asked[start : start + AT_ONCE])
            with transaction.atomic():  # with its record, or not at all
                number += ask_to_mend(some, operator_of(request))
                for difference in some.filter(asked_at__isnull=False):
                    self.log_change(request, difference, str(_("Busca pedida.")))
        if number:
            messages.success(request, _("Pedidas: %(n)d. Acontece em um minuto.") % {"n": number})
        else:
            messages.info(request, _("Estas não se resolvem buscando nem enviando de novo."))

    @display(description=_("o que fazer"))
    def button(self, difference: Difference) -> Any:
        """Within the list's own form, whose token it sends along."""
        if difference.asked_at or not difference.is_mendable:
            return ""
        return format_html(
            '<button type="submit" formmethod="post" formaction="{}"'
            ' class="text-primary-600 font-medium">{}</button>',
            reverse("admin:connectors_difference_mend_this", args=[difference.pk]),
            _("Enviar") if difference.is_mended_by_sending else _("Buscar de novo"),
        )

    @action(description=_("Buscar, ou enviar"), url_path="mend", permissions=["mend"])
    def mend_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        difference = get_object_or_404(
            self.get_queryset(request).select_related("comparison"), pk=object_id
        )
        if request.method != "POST":
            title = _("Buscar, ou enviar")
            question = _("O registro é buscado outra vez, ou enviado de novo, dentro de um minuto.")
            return ask(self, request, difference, title, question)
        self.mend(request, Difference.objects.filter(pk=difference.pk))
        return HttpResponseRedirect(_list_of(difference.comparison))


def _list_of(comparison: Comparison, **query: str) -> str:
    path = reverse("admin:connectors_difference_changelist")
    return f"{path}?{urlencode({'comparison__id__exact': comparison.pk, **query})}"


def _table_of(comparison: Comparison) -> Iterator[list[str]]:
    names = ("flow", "kind", "record_id", "ours", "theirs")
    fields: list[Any] = [Difference._meta.get_field(name) for name in names]
    yield [str(field.verbose_name) for field in fields]
    for difference in comparison.differences.iterator(chunk_size=500):
        cells = (
            difference.get_flow_display(), difference.get_kind_display(), difference.record_id,
            difference.ours, difference.theirs,
        )  # fmt: skip
        yield [str(cell) for cell in cells]
