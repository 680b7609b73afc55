"""Where platforms ring, and what they rang for."""

from typing import Any
from urllib.parse import urljoin

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.messages.doorbells import doorbell_secret
from connectors.models import Doorbell, Ring


class DoorbellInline(ReadOnlyInline):
    """Whoever knows the address may ring: only those see it who may change the integration."""

    model = Doorbell
    fields = ("address", "last_rung_at")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.change_activation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Doorbell]:
        here = request.build_absolute_uri("/")
        doorbells: QuerySet[Doorbell] = super().get_queryset(request)
        return doorbells.select_related("activation__connector").annotate(portal=Value(here))

    @display(description=_("endereço a informar no sistema, que avisa nele o que mudou"))
    def address(self, doorbell: Any) -> SafeString:
        secret = doorbell_secret(doorbell.activation)
        return format_html(
            '<code class="block break-all select-all" data-address>{}</code>',
            urljoin(doorbell.portal, reverse("webhook", args=[secret])) if secret else "-",
        )


@admin.register(Ring)
class RingAdmin(ReadOnlyAdmin):
    list_display = ("record_id", "activation", "ability", "rung_at", "times", "handled_at")
    list_filter = ("ability", ("handled_at", admin.EmptyFieldListFilter), "activation__connector")
    list_select_related = ("activation__store",)
    search_fields = ("record_id", "activation__store__name")
