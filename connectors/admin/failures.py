"""What failed: why, who must act, on which page, and what the operator can do about it here."""

import json
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import (
    INTEGRATION,
    IntegrationColumn,
    moment,
    two_lines,
)
from connectors.admin.mending import MendingActions
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.admin.situations import OpenFirst
from connectors.models import Failure, FailureQuerySet
from connectors.store_field import RowFilter
from connectors.trouble.causes import CAUSES, Actor, codes_for

ACTOR_COLOURS = {
    Actor.NOBODY: "success",
    Actor.MERCHANT: "warning",
    Actor.PLATFORM: "warning",
    Actor.HUB: "danger",
    Actor.US: "danger",
}


def fix_url(failure: Failure) -> str:
    """The page on which the cause is mended, filled in as far as the failure knows."""
    page = failure.known_cause.page_for(failure.flow)
    if page is None:
        return ""
    args = [getattr(failure, page.at)] if page.at else []
    query = urlencode({name: getattr(failure, field) for name, field in page.query.items()})
    return reverse(f"admin:{page.name}", args=args) + (f"?{query}" if query else "")


class OpenFilter(OpenFirst):
    situations = (
        ("open", _("Abertas"), Q(resolved_at=None)),
        ("resolved", _("Resolvidas"), Q(resolved_at__isnull=False)),
    )


class CauseFilter(admin.SimpleListFilter):
    title = _("causa")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(cause.code, cause.title) for cause in CAUSES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Failure]) -> QuerySet[Failure]:
        return queryset.filter(cause=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title = _("quem age")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Actor.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Failure]) -> QuerySet[Failure]:
        actor = self.value()
        return queryset.filter(cause__in=codes_for(actor)) if actor else queryset


def pretty(value: Any) -> SafeString | None:
    """JSON as people read it; it scrolls in its own box, also on a telephone."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return format_html(
        '<pre class="text-xs p-3 rounded-default bg-base-50 dark:bg-base-800" tabindex="0"'
        ' style="white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem;'
        ' overflow: auto">{}</pre>',
        text,
    )


@admin.register(Failure)
class FailureAdmin(IntegrationColumn, MendingActions, ReadOnlyAdmin):
    list_display = (
        "shown_record", "integration", "shown_problem", "shown_actor", "shown_fix", "shown_last",
    )  # fmt: skip
    when_empty = _(
        "Nenhum registro falhou: o que chega e o que sai está em dia. Para ver as falhas já"
        " resolvidas, troque o filtro de situação."
    )
    list_filter = (
        OpenFilter, ActorFilter, CauseFilter, "kind", "flow", "activation__connector",
        ("activation__store", RowFilter),
        ("activation", RowFilter),
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = INTEGRATION
    search_fields = ("record_id", "activation__store__name__called")
    readonly_fields = (
        "activation", "flow", "record_id", "kind", "shown_direction", "shown_cause", "reason",
        "who_acts", "how_to_fix", "shown_fix", "shown_source", "shown_translated", "shown_request",
        "shown_answer", "shown_edited", "edited_by", "edited_at", "times", "first_at", "last_at",
        "retry_at", "resolved_at", "resolution", "repair", "run",
    )  # fmt: skip
    fieldsets = (
        (
            _("O que fazer"),
            {"fields": ("shown_cause", "who_acts", "how_to_fix", "shown_fix", "reason")},
        ),
        (
            _("O registro"),
            {
                "fields": (
                    ("activation", "flow"), ("record_id", "shown_direction"), ("times", "retry_at"),
                    ("first_at", "last_at"), ("resolved_at", "resolution"), ("run", "repair"),
                    "kind",
                )
            },
        ),
        (_("Conteúdo de origem"), {"fields": ("shown_source",)}),
        (_("Registro traduzido"), {"fields": ("shown_translated",)}),
        (_("Chamada e resposta"), {"fields": ("shown_request", "shown_answer")}),
        (_("Correção"), {"fields": ("shown_edited", ("edited_by", "edited_at"))}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Failure]:
        """The list shows nothing of what was kept, which may be long."""
        failures: QuerySet[Failure] = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "connectors_failure_changelist":
            failures = cast(FailureQuerySet, failures).without_content()
        return failures

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what there is nothing of."""
        there = [*self.fieldsets]
        if obj is not None:
            parts = (obj.payload, obj.translated, obj.exchange, obj.edited)
            there = [
                *there[:2],
                *(each for each, part in zip(there[2:], parts, strict=True) if part),
            ]
        return there

    @display(description=_("registro"))
    def shown_record(self, failure: Failure) -> SafeString:
        return two_lines(failure.record_id, failure.get_flow_display(), "8.5rem")

    @display(description=_("causa"))
    def shown_problem(self, failure: Failure) -> SafeString:
        return two_lines(failure.known_cause.title, failure.reason, "10.5rem")

    @display(description=_("última vez"))
    def shown_last(self, failure: Failure) -> SafeString:
        last = moment(failure.last_at)
        if failure.resolved_at is None and failure.times > 1:
            return format_html("{} ({}×)", last, failure.times)
        if failure.resolved_at is None:
            return format_html("{}", last)
        return format_html("{}<br>{} {}", last, _("resolvida"), moment(failure.resolved_at))

    @display(description=_("causa"))
    def shown_cause(self, failure: Failure) -> str:
        return str(failure.known_cause.title)

    @display(description=_("quem age"), label=ACTOR_COLOURS)
    def shown_actor(self, failure: Failure) -> tuple[str, Any]:
        actor = failure.known_cause.actor
        return actor, actor.label

    @display(description=_("quem age"))
    def who_acts(self, failure: Failure) -> str:
        return str(failure.known_cause.actor.label)

    @display(description=_("o que fazer"))
    def how_to_fix(self, failure: Failure) -> str:
        return str(failure.known_cause.fix)

    @display(description=_("onde resolver"))
    def shown_fix(self, failure: Failure) -> SafeString | None:
        if failure.resolved_at or not (url := fix_url(failure)):
            return None
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, _("Resolver"))

    @display(description=_("direção"))
    def shown_direction(self, failure: Failure) -> Any:
        return _("saindo daqui") if failure.is_push else _("chegando aqui")

    @display(description=_("o que chegou, ou o que tínhamos"))
    def shown_source(self, failure: Failure) -> SafeString | None:
        return pretty(_said(failure.payload) if failure.is_push else failure.payload)

    @display(description=_("como o portal o leu, ou enviou"))
    def shown_translated(self, failure: Failure) -> SafeString | None:
        return pretty(failure.translated)

    @display(description=_("o que pedimos"))
    def shown_request(self, failure: Failure) -> SafeString | None:
        return pretty(_part(failure, "method", "address", "asked_at", "seconds", "request"))

    @display(description=_("o que responderam"))
    def shown_answer(self, failure: Failure) -> SafeString | None:
        return pretty(_part(failure, "status", "error", "answer"))

    @display(description=_("o que chegou, corrigido"))
    def shown_edited(self, failure: Failure) -> SafeString | None:
        return pretty(failure.edited)


def _part(failure: Failure, *names: str) -> dict[str, Any] | None:
    told = failure.exchange or {}
    return {name: told[name] for name in names if told.get(name) not in (None, "")} or None


def _said(part: Any) -> Any:
    """Without what the record says nothing of; of what arrived, every word is shown."""
    if isinstance(part, dict):
        said = {name: _said(each) for name, each in part.items()}
        return {name: each for name, each in said.items() if each not in (None, "", [], {})}
    return [_said(each) for each in part] if isinstance(part, list) else part
