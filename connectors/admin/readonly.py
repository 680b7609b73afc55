from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from connectors.admin.recorded import RecordedAdmin

REFRESH_SECONDS = 3


class _NothingToWrite:
    """What the portal writes, people only read."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_NothingToWrite, RecordedAdmin):
    pass


class ProgressAdmin(ReadOnlyAdmin):
    """Work that goes on in the background: its page shows by itself how far it has come."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        if self.model._default_manager.filter(pk=object_id, ended_at=None).exists():
            response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response


class _Paged(PaginationInlineFormSet):
    def get_page_num(self) -> int:
        try:
            return int(super().get_page_num())
        except ValueError:  # "²" is numeric, and no number
            return 1


class ReadOnlyInline(_NothingToWrite, TabularInline):
    formset = _Paged
    extra = 0
    per_page: int | None = 20
    tab = True
    can_delete = False
    show_change_link = False
