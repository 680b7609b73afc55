"""How the admin's lists are paged and searched: a list of millions is neither counted nor read
through for the thirty rows that it shows."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from connectors.models import Activation

PER_PAGE = 30
# Nobody turns more pages than these rows have; who looks for something filters or searches.
COUNTED_AT_MOST = 3_000


class CappedPaginator(Paginator):
    """Counts no further than that, and shows no page behind it. It is the first to ask the
    database: what no database can look for is a filter that cannot be meant."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        try:
            return int(rows.order_by()[:COUNTED_AT_MOST].count())
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error


class CodesFirst:
    """A search for exactly somebody's code is one look into an index. Only where that finds nothing
    is the text of `search_fields` looked through."""

    code_fields: tuple[str, ...]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        code = search_term.strip()
        if code:
            exact = Q()
            for name in self.code_fields:
                exact |= Q(**{name: code})
            found = queryset.filter(exact)
            if found.exists():
                return found, False
        results: tuple[QuerySet[Any], bool] = super().get_search_results(  # type: ignore[misc]
            request, queryset, search_term
        )
        return results


class IntegrationsFirst:
    """A search for an integration or a store looks among those, which are some thousands, and not
    through the millions of rows that they have."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        activations = Activation.objects.order_by()
        for word in words:
            activations = activations.filter(
                Q(name__called=word) | Q(custom_name__called=word) | Q(store__name__called=word)
            )
        return queryset.filter(activation__in=list(activations.values_list("pk", flat=True))), False


def one_of(field: str, label: Any, values: Any) -> type[admin.SimpleListFilter]:
    """A filter by these values. Django's own asks the whole table which there are."""

    class OneOf(admin.SimpleListFilter):
        title = label
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(values)

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return OneOf
