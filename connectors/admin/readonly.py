from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline

from connectors.admin.recorded import RecordedAdmin


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


class ReadOnlyInline(_NothingToWrite, TabularInline):
    extra = 0
    per_page: int | None = 20
    tab = True
    can_delete = False
    show_change_link = False
