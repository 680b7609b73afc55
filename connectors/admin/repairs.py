"""What was done about many failures, and how far it has come."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import moment_of
from connectors.admin.readonly import ProgressAdmin
from connectors.models import Repair


@admin.register(Repair)
class RepairAdmin(ProgressAdmin):
    list_display = (
        "action", "shown_situation", "total", "seen", "done", "asked_by", "shown_asked",
        "shown_ended",
    )  # fmt: skip
    when_empty = _(
        "Nenhum reparo ainda: ele começa quando alguém escolhe várias falhas e as tenta de novo,"
        " corrige ou dispensa. Abra a lista de falhas e marque as que quer resolver."
    )
    shown_asked = moment_of(Repair, "asked_at")
    shown_ended = moment_of(Repair, "ended_at")
    list_filter = ("action", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("asked_by",)
    search_fields = ("asked_by__username", "reason")
    fields = (
        "action", "shown_progress", "shown_failures", "reason", "place", "value",
        "shown_refusals", "asked_by", "asked_at", "ended_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repair]:
        repairs: QuerySet[Repair] = super().get_queryset(request)
        return repairs.defer("chosen")

    @display(description=_("situação"), label={"going_on": "info", "done": "success"})
    def shown_situation(self, repair: Repair) -> tuple[str, Any]:
        return ("done", _("Terminado")) if repair.ended_at else ("going_on", _("Em andamento"))

    @display(description=_("andamento"))
    def shown_progress(self, repair: Repair) -> SafeString:
        text = _("%(seen)d de %(total)d vistas, %(done)d feitas") % {
            "seen": repair.seen, "total": repair.total, "done": repair.done,
        }  # fmt: skip
        return format_html(
            '<progress class="w-full max-w-md" max="{}" value="{}"></progress> <span>{}</span>',
            max(repair.total, 1),
            repair.seen,
            text,
        )

    @display(description=_("falhas"))
    def shown_failures(self, repair: Repair) -> SafeString:
        counts = repair.failures.aggregate(
            open=Count("pk", filter=Q(resolved_at=None)),
            resolved=Count("pk", filter=Q(resolved_at__isnull=False)),
        )
        url = (
            reverse("admin:connectors_failure_changelist")
            + f"?repair__id__exact={repair.pk}&situation=all"
        )
        text = _("%(resolved)d resolvidas, %(open)d abertas") % counts
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, text)

    @display(description=_("o que não deu"))
    def shown_refusals(self, repair: Repair) -> SafeString | None:
        if not repair.refusals:
            return None
        return format_html_join("", "<div>{}: {}</div>", repair.refusals)
