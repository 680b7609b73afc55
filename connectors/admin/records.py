from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Run
from connectors.runs.outcomes import release_run


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "flow", "shown_outcome", "planned_at", "started_at", "ended_at", "seen",
        "changed", "failed", "reason",
    )  # fmt: skip
    list_filter = (
        "outcome", "flow", "ability", "activation__connector",
        ("activation__store", AutocompleteSelectFilter),
        ("activation", AutocompleteSelectFilter),
        "started_at",
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("activation__store",)
    search_fields = ("activation__name", "activation__store__name")
    actions = ("release_selected",)

    @display(
        description=_("resultado"),
        ordering="outcome",
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
        released = sum(release_run(run.pk, str(request.user)) for run in queryset)
        if released:
            messages.success(request, _("Travas liberadas: %(n)d.") % {"n": released})
        else:
            messages.info(request, _("Nenhuma destas execuções estava em andamento."))
