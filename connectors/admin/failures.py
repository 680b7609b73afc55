"""What failed: why, who must act, on which page, and what the operator can do about it here."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Failure
from connectors.trouble.causes import CAUSES, Actor, codes_for
from connectors.trouble.failures import dismiss, retry

ACTOR_COLOURS = {
    Actor.NOBODY: "success",
    Actor.MERCHANT: "warning",
    Actor.PLATFORM: "warning",
    Actor.HUB: "danger",
    Actor.US: "danger",
}


def fix_url(failure: Failure) -> str:
    """The page on which the cause is mended, filled in as far as the failure knows."""
    page = failure.known_cause.page
    if page is None:
        return ""
    args = [getattr(failure, page.at)] if page.at else []
    query = urlencode({name: getattr(failure, field) for name, field in page.query.items()})
    return reverse(f"admin:{page.name}", args=args) + (f"?{query}" if query else "")


class OpenFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Abertas")), ("resolved", _("Resolvidas"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Failure]) -> QuerySet[Failure]:
        if self.value() in ("open", "resolved"):
            return queryset.filter(resolved_at__isnull=self.value() == "open")
        return queryset


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


class DismissForm(forms.Form):
    reason = forms.CharField(
        label=_("Por que ninguém precisa resolver?"),
        max_length=120,
        widget=UnfoldAdminTextInputWidget(),
    )


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    list_display = (
        "record_id", "activation", "flow", "shown_cause", "shown_fix", "shown_actor", "reason",
        "times", "last_at", "resolved_at",
    )  # fmt: skip
    list_filter = (
        OpenFilter, ActorFilter, CauseFilter, "kind", "flow", "activation__connector",
        ("activation__store", AutocompleteSelectFilter),
        ("activation", AutocompleteSelectFilter),
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("activation__store",)
    search_fields = ("record_id", "activation__store__name")
    actions = ("retry_selected", "dismiss_selected")
    fields = (
        "activation", "flow", "record_id", "kind", "shown_cause", "reason", "who_acts",
        "how_to_fix", "shown_fix", "times", "first_at", "last_at", "retry_at", "resolved_at",
        "resolution", "run", "payload",
    )  # fmt: skip

    @display(description=_("causa"), ordering="cause")
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

    def has_mend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_failure")

    @admin.action(description=_("Tentar de novo"), permissions=["mend"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Failure]) -> None:
        if count := retry(queryset):
            text = _("Falhas que serão tentadas na próxima execução: %(n)d.")
            messages.success(request, text % {"n": count})
        else:
            messages.info(
                request,
                _("Nada a tentar: já estão resolvidas, ou só o outro sistema pode reenviar."),
            )

    @admin.action(description=_("Dispensar"), permissions=["mend"])
    def dismiss_selected(
        self, request: HttpRequest, queryset: QuerySet[Failure]
    ) -> HttpResponse | None:
        """Asks for the reason first, which stays with the failure."""
        form = DismissForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            count = dismiss(queryset, form.cleaned_data["reason"], str(request.user))
            messages.success(request, _("Falhas dispensadas: %(n)d.") % {"n": count})
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dispensar"),
            "count": queryset.filter(resolved_at=None).count(),
            "form": form,
            "opts": self.opts,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/connectors/failure/dismiss.html", context)
