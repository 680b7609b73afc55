from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.applist import AppListPage
from connectors.admin.recorded import RecordedAdmin
from connectors.describe import MODE_LABELS, mode_rows, replay_row, rows, unavailable_row
from connectors.models import Connector
from connectors.registry import SPECS
from connectors.spec import Mode


def mode_name(mode: str) -> str:
    return capfirst(str(MODE_LABELS[Mode(mode)]))


@admin.register(Connector)
class ConnectorAdmin(AppListPage, RecordedAdmin):
    """What support may change of a connector, and its details."""

    list_display = ("name", "modes", "enabled")
    when_empty = _(
        "Nenhum conector com este nome. Limpe a busca para ver todos os que o portal conhece."
    )
    search_fields = ("name__called", "slug")
    readonly_fields = ("name",)
    fields = ("name", "enabled", "contacts")
    change_form_outer_before_template = "admin/connectors/connector/details.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connector]:
        # One whose folder is gone has nothing to show; its row stays for its activations.
        return super().get_queryset(request).filter(slug__in=SPECS)

    @display(description=_("modos"))
    def modes(self, connector: Connector) -> str:
        return ", ".join(mode_name(mode) for mode in connector.spec.modes)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        connector = self.get_object(request, object_id)
        described = []
        if connector:
            spec = connector.spec
            described = [*mode_rows(spec), *unavailable_row(spec), *rows(spec), *replay_row(spec)]
        context = {"connector": connector, "description": described, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a connector is a folder of code

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
