from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import (
    INTEGRATION,
    IntegrationColumn,
    moment_of,
    text_of,
    two_lines,
)
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.admin.situations import OpenFirst
from connectors.models import Alert, Incident
from connectors.store_field import RowFilter

OPEN, HEALED, ENDED = "open", "healed", "ended"
LABELS = {OPEN: _("Aberto"), HEALED: _("Normalizou"), ENDED: _("Encerrado")}


class EndFilter(OpenFirst):
    situations = (
        (OPEN, LABELS[OPEN], Q(ended_at=None)),
        (HEALED, LABELS[HEALED], Q(ended_at__isnull=False, healed=True)),
        (ENDED, LABELS[ENDED], Q(ended_at__isnull=False, healed=False)),
    )


@admin.register(Incident)
class IncidentAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "shown_kind", "shown_end", "shown_opened", "shown_ended", "shown_reason",
    )  # fmt: skip
    when_empty = _(
        "Nenhum incidente aqui: um aparece quando um fluxo atrasa, para ou é recusado. Para ver os"
        " que já terminaram, troque o filtro de situação."
    )
    list_filter = (EndFilter, "kind", ("activation__store", RowFilter))
    list_filter_submit = True
    list_select_related = (*INTEGRATION, "flow")
    search_fields = ("activation__name__called", "activation__store__name__called")
    shown_opened = moment_of(Incident, "opened_at")
    shown_ended = moment_of(Incident, "ended_at")
    shown_reason = text_of(Incident, "reason")

    @display(description=_("o que houve"))
    def shown_kind(self, incident: Incident) -> SafeString:
        flow = incident.flow.get_flow_display() if incident.flow else ""
        return two_lines(incident.get_kind_display(), flow)

    @display(description=_("situação"), label={OPEN: "danger", HEALED: "success", ENDED: "info"})
    def shown_end(self, incident: Incident) -> tuple[str, Any]:
        end = OPEN if incident.ended_at is None else HEALED if incident.healed else ENDED
        return end, LABELS[end]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = (
        "subject", "channel", "shown_created", "shown_sent", "attempts", "shown_due",
        "shown_error",
    )  # fmt: skip
    list_filter = ("channel", ("sent_at", admin.EmptyFieldListFilter))
    search_fields = ("subject",)
    when_empty = _(
        "Nenhum alerta ainda: um sai por e-mail ou webhook quando um incidente abre ou normaliza."
        " Os destinatários estão nas configurações do portal."
    )
    shown_created = moment_of(Alert, "created_at")
    shown_sent = moment_of(Alert, "sent_at")
    shown_due = moment_of(Alert, "due_at")
    shown_error = text_of(Alert, "last_error")
