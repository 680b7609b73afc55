"""Filters by the situation of what is listed, each situation a condition."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

ALL = "all"


class SituationFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"
    situations: tuple[tuple[str, Any, Q], ...]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, label, _which in self.situations]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        conditions = {name: which for name, _label, which in self.situations}
        chosen = self.value()
        return queryset.filter(conditions[chosen]) if chosen in conditions else queryset


class OpenFirst(SituationFilter):
    """Without a choice, the first situation: what is over is one click away."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*super().lookups(request, model_admin), (ALL, _("Tudo"))]

    def value(self) -> str:
        chosen = super().value()
        known = {name for name, _label in self.lookup_choices}
        return chosen if chosen in known else self.situations[0][0]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's own adds one for no choice, which here is the first."""
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": label,
            }
