from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Failure, Run


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "flow", "shown_outcome", "started_at", "seen", "changed", "failed", "reason",
    )  # fmt: skip
    list_filter = ("outcome", "flow", "activation__connector")
    list_select_related = ("activation__store",)
    search_fields = ("activation__name", "activation__store__name")

    @display(
        description=_("resultado"),
        label={
            Run.Outcome.DONE: "success",
            Run.Outcome.PARTIAL: "warning",
            Run.Outcome.FAILED: "danger",
            Run.Outcome.ABANDONED: "danger",
            Run.Outcome.RUNNING: "info",
        },
    )
    def shown_outcome(self, run: Run) -> tuple[str, str]:
        return run.outcome, run.get_outcome_display()


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    list_display = (
        "record_id", "activation", "flow", "kind", "reason", "times", "last_at", "resolved_at",
    )  # fmt: skip
    list_filter = ("kind", "flow", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("activation__store",)
    search_fields = ("record_id", "activation__store__name")
