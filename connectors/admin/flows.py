"""The flows of all integrations: what is expected of each, and how it stands to that."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import (
    INTEGRATION,
    IntegrationColumn,
    moment,
    moment_of,
    seconds_as_text,
    two_lines,
)
from connectors.admin.readonly import ReadOnlyInline
from connectors.admin.recorded import RecordedAdmin
from connectors.models import ActivationFlow, Freshness, State
from connectors.runs.dispatch import make_due
from connectors.spec import Mode
from connectors.store_field import RowFilter

# Seconds. A few of these added up are still a number of 32 bits.
LONGEST_GRACE = 365 * 24 * 60 * 60
FRESHNESS_COLOURS = {
    Freshness.FRESH: "success",
    Freshness.WAITING: "info",
    Freshness.LATE: "warning",
    Freshness.STOPPED: "danger",
    Freshness.UNCHANGED: "warning",
    Freshness.OFF: "info",
}


class _Shown:
    """What both the list and an integration's page show; their query brings the freshness."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        flows: Any = super().get_queryset(request)  # type: ignore[misc]
        fresh: QuerySet[Any] = flows.with_freshness(timezone.now())
        return fresh.select_related(*INTEGRATION)

    @display(description=_("situação"))
    def freshness_now(self, flow: Any) -> str:
        return str(Freshness(flow.freshness).label)

    @display(description=_("atrasa em"))
    def shown_late_at(self, flow: Any) -> datetime | None:
        late_at: datetime | None = flow.late_at
        return late_at

    @display(description=_("próxima execução"))
    def next_run_at(self, flow: ActivationFlow) -> datetime | None:
        return flow.due_at if flow.activation.mode == Mode.MANAGED else None


DATES = (
    "last_run_at", "last_call_at", "last_success_at", "last_change_at", "shown_late_at",
)  # fmt: skip


class FlowInline(_Shown, ReadOnlyInline):
    model = ActivationFlow
    fields = ("flow", "freshness_now", "every", "grace", "next_run_at", *DATES)
    readonly_fields = fields
    show_change_link = True


class FreshnessFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "freshness"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Freshness.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(freshness=self.value()) if self.value() else queryset


@admin.register(ActivationFlow)
class FlowAdmin(_Shown, IntegrationColumn, RecordedAdmin):
    list_display = (
        "integration", "shown_flow", "shown_freshness", "shown_success", "shown_change",
        "shown_late",
    )  # fmt: skip
    list_display_links = ("integration",)
    when_empty = _(
        "Nenhum fluxo ainda: eles nascem com a integração, um para cada coisa que o conector move."
        " Abra os aplicativos e ative um conector para uma loja."
    )
    list_filter = (
        FreshnessFilter, "flow", "activation__mode", "activation__connector",
        ("activation__store", RowFilter),
    )  # fmt: skip
    list_filter_submit = True
    search_fields = ("activation__name__called", "activation__store__name__called")
    actions = ("sync_now",)
    # The tolerance alone is the operator's: he knows the partner's habits.
    fields = (
        "activation", "flow", "ability", "freshness_now", "every", "grace", "next_run_at",
        "failures_in_a_row", "watched_since", *DATES,
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "grace")

    shown_success = moment_of(ActivationFlow, "last_success_at")
    shown_change = moment_of(ActivationFlow, "last_change_at")

    @display(description=_("fluxo"))
    def shown_flow(self, flow: Any) -> SafeString:
        every = _("a cada %s") % seconds_as_text(flow.every)
        return two_lines(flow.get_flow_display(), every, "7.5rem")

    @display(description=_("atrasa"))
    def shown_late(self, flow: Any) -> SafeString | None:
        return moment(flow.late_at)

    @display(description=_("situação"), label=FRESHNESS_COLOURS)
    def shown_freshness(self, flow: Any) -> tuple[str, Any]:
        return flow.freshness, Freshness(flow.freshness).label

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "grace":
            kwargs["max_value"] = LONGEST_GRACE
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the specification has them

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Sincronizar agora"), permissions=["change"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[ActivationFlow]) -> None:
        ours = queryset.filter(activation__mode=Mode.MANAGED)
        ready, what = ours.filter(activation__state=State.ACTIVE), _("Sincronização pedida.")
        whose = ready.values("activation")
        if count := self.do_and_record(request, whose, what, lambda: make_due(ready)):
            text = _("Fluxos que começam no próximo minuto: %(n)d.") % {"n": count}
            messages.success(request, text)
        if waiting := ours.exclude(activation__state=State.ACTIVE).count():
            why = _("Fluxos que não começam, porque a integração não está ativa: %(n)d.")
            messages.warning(request, why % {"n": waiting})
        if queryset.filter(activation__mode=Mode.PARTNER).exists():
            messages.info(request, _("No modo parceiro quem começa é o parceiro."))
