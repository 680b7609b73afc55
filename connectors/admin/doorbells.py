"""Where platforms ring, and what they rang for."""

from typing import Any
from urllib.parse import urljoin

from django.contrib import admin
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import INTEGRATION, IntegrationColumn, moment_of
from connectors.admin.paging import one_of
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.admin.runs import ABILITY_CHOICES
from connectors.admin.situations import SituationFilter
from connectors.messages.doorbells import doorbell_secret
from connectors.models import Doorbell, Ring


class DoorbellInline(ReadOnlyInline):
    """Whoever knows the address may ring: only those see it who may change the integration."""

    model = Doorbell
    per_page = None  # there is one
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


class HandledFilter(SituationFilter):
    situations = (
        ("open", _("Por buscar"), Q(handled_at=None)),
        ("handled", _("Buscados"), Q(handled_at__isnull=False)),
    )


@admin.register(Ring)
class RingAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "record_id", "integration", "ability", "shown_rung", "times", "shown_handled",
    )  # fmt: skip
    when_empty = _(
        "Nenhum aviso recebido ainda: um chega quando o sistema da loja conta que algo mudou."
        " Confira na integração o endereço de avisos e informe-o no sistema."
    )
    list_filter = (
        one_of("ability", _("capacidade"), ABILITY_CHOICES),
        HandledFilter, "activation__connector",
    )  # fmt: skip
    list_select_related = INTEGRATION
    search_fields = ("record_id", "activation__store__name__called")
    shown_rung = moment_of(Ring, "rung_at")
    shown_handled = moment_of(Ring, "handled_at")
