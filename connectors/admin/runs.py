from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import (
    INTEGRATION,
    IntegrationColumn,
    moment,
    small,
    text_of,
    two_lines,
)
from connectors.admin.paging import IntegrationsFirst, one_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.admin.situations import SituationFilter
from connectors.contract import ABILITIES
from connectors.models import Run
from connectors.runs.outcomes import release_run
from connectors.store_field import RowFilter

CURSOR_SHOWN = 200  # characters: some platforms' rows wait in it
ABILITY_CHOICES = [(each.__name__, each.__name__) for each in ABILITIES]


class WorthFilter(SituationFilter):
    title = _("o que aconteceu")
    parameter_name = "worth"
    situations = (
        (
            "notable",
            _("Com mudança ou falha"),
            Q(changed__gt=0) | ~Q(outcome__in=[Run.Outcome.DONE, Run.Outcome.RUNNING]),
        ),
    )


@admin.register(Run)
class RunAdmin(IntegrationsFirst, IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "shown_flow", "shown_outcome", "shown_started", "seen", "changed",
        "shown_failed", "shown_reason",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma execução ainda: cada fluxo de uma integração ativa roda na sua cadência e aparece"
        " aqui. Ative um conector, ou sincronize um fluxo agora na lista de fluxos."
    )
    list_filter = (
        WorthFilter, "outcome", "flow", one_of("ability", _("capacidade"), ABILITY_CHOICES),
        "activation__connector",
        ("activation__store", RowFilter),
        ("activation", RowFilter),
        "started_at",
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = INTEGRATION
    search_fields = ("activation__name__called", "activation__store__name__called")
    actions = ("release_selected",)
    fields = (
        "activation", "flow", "ability", "outcome", "reason", "planned_at", "started_at",
        "ended_at", "duration", "seen", "changed", "shown_failed", "cursor_before", "cursor_after",
    )  # fmt: skip
    readonly_fields = fields

    shown_reason = text_of(Run, "reason", "6.5rem")

    @display(description=_("início"))
    def shown_started(self, run: Run) -> SafeString:
        """And below, how long it took."""
        below = small(self.duration(run))
        return format_html("{}{}", moment(run.started_at), below)

    @display(description=_("fluxo e cursor"))
    def shown_flow(self, run: Run) -> SafeString:
        cursor = run.cursor_after or run.cursor_before
        return two_lines(run.get_flow_display(), cursor[:CURSOR_SHOWN], "7rem")

    @display(description=_("duração"))
    def duration(self, run: Run) -> str:
        if run.ended_at is None:
            return ""
        seconds = (run.ended_at - run.started_at).total_seconds()
        return (
            f"{number_format(f'{seconds:.1f}')} s"
            if seconds < 60
            else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
        )

    @display(description=_("falharam"))
    def shown_failed(self, run: Run) -> Any:
        if not run.failed:
            return 0
        url = (
            reverse("admin:connectors_failure_changelist")
            + f"?run__id__exact={run.pk}&situation=all"
        )
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, run.failed)

    @display(
        description=_("resultado"),
        label={
            Run.Outcome.DONE: "success",
            Run.Outcome.PARTIAL: "warning",
            Run.Outcome.WAITING: "warning",
            Run.Outcome.HELD: "warning",
            Run.Outcome.FAILED: "danger",
            Run.Outcome.ABANDONED: "danger",
            Run.Outcome.RUNNING: "info",
        },
    )
    def shown_outcome(self, run: Run) -> tuple[str, str]:
        return run.outcome, run.get_outcome_display()

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_run")

    @admin.action(description=_("Liberar a trava"), permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """The flow is free for another run; who still works at this one writes no more."""
        who, what = str(request.user), _("Trava liberada.")
        released = self.do_and_record(
            request,
            queryset.filter(ended_at=None).values("activation"),
            what,
            lambda: sum(release_run(run.pk, who) for run in queryset),
        )
        if released:
            messages.success(request, _("Travas liberadas: %(n)d.") % {"n": released})
        else:
            messages.info(request, _("Nenhuma destas execuções estava em andamento."))
