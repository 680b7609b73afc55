"""Receipts of activations: listed on their activation, each a page to print."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from connectors.admin.columns import INTEGRATION, IntegrationColumn, moment_of
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.models import Receipt


class ReceiptInline(ReadOnlyInline):
    model = Receipt
    fields = ("created_by", "created_at")
    readonly_fields = fields
    show_change_link = True


@admin.register(Receipt)
class ReceiptAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = ("integration", "created_by", "shown_created")
    when_empty = _(
        "Nenhum recibo ainda: cada ativação concluída deixa o seu. Ative um conector para uma"
        " loja e ele aparece aqui, pronto para imprimir."
    )
    list_select_related = (*INTEGRATION, "created_by")
    shown_created = moment_of(Receipt, "created_at")
    search_fields = ("activation__name__called", "activation__store__name__called")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """On white, without the menu: what a printer needs."""
        receipt = get_object_or_404(
            Receipt.objects.select_related("activation__store"), pk=object_id
        )
        if not self.has_view_permission(request, receipt):
            raise PermissionDenied
        return TemplateResponse(
            request, "admin/connectors/receipt/receipt.html", {"receipt": receipt}
        )
