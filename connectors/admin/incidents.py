from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Alert, Incident

OPEN, HEALED, ENDED = "open", "healed", "ended"
LABELS = {OPEN: _("Aberto"), HEALED: _("Normalizou"), ENDED: _("Encerrado")}


class EndFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        if self.value() == OPEN:
            return queryset.filter(ended_at=None)
        if self.value() in LABELS:
            ended = queryset.exclude(ended_at=None)
            return ended.filter(healed=self.value() == HEALED)
        return queryset


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "flow", "kind", "shown_end", "opened_at", "ended_at", "opening_told_at",
        "healing_told_at", "reason",
    )  # fmt: skip
    list_filter = (EndFilter, "kind", ("activation__store", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("activation__store", "flow__activation__store")
    search_fields = ("activation__name", "activation__store__name")

    @display(description=_("situação"), label={OPEN: "danger", HEALED: "success", ENDED: "info"})
    def shown_end(self, incident: Incident) -> tuple[str, Any]:
        end = OPEN if incident.ended_at is None else HEALED if incident.healed else ENDED
        return end, LABELS[end]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = (
        "subject", "channel", "created_at", "sent_at", "attempts", "due_at", "last_error",
    )  # fmt: skip
    list_filter = ("channel", ("sent_at", admin.EmptyFieldListFilter))
    search_fields = ("subject",)
