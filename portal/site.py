"""The admin site: its name, its front page and its menu."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from portal.front import front_page


class PortalSite(UnfoldAdminSite):
    index_title = _("Portal de integrações")

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Afterwards to the front page; the theme's form does not say so, and without it everybody
        lands on the merchants' page."""
        if request.method == "GET" and REDIRECT_FIELD_NAME not in request.GET:
            query = urlencode({REDIRECT_FIELD_NAME: reverse("admin:index")})
            return HttpResponseRedirect(f"{request.path}?{query}")
        return super().login(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        facts = {"front": front_page(request.user.has_perm)}
        return super().index(request, {**facts, **(extra_context or {})})


def _item(title: Any, icon: str, name: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_changelist"),
        "permission": lambda request: request.user.has_perm(
            "{}.view_{}".format(*name.split("_", 1))
        ),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "title": _("Integração"),
            "items": [
                _item(_("Conectores"), "extension", "connectors_connector"),
                _item(_("Integrações"), "power", "connectors_activation"),
                _item(_("Lojas"), "storefront", "connectors_store"),
            ],
        },
        {
            "title": _("Loja"),
            "items": [
                _item(_("Pedidos"), "receipt_long", "orders_order"),
                _item(_("Produtos"), "inventory_2", "catalog_product"),
                _item(_("De/Para"), "swap_horiz", "catalog_skumapping"),
            ],
        },
        {
            "title": _("O que aconteceu"),
            "items": [
                _item(_("Fluxos"), "schedule", "connectors_activationflow"),
                _item(_("Incidentes"), "notification_important", "connectors_incident"),
                _item(_("Falhas"), "error", "connectors_failure"),
                _item(_("Freios"), "pan_tool", "connectors_brake"),
                _item(_("Comparações"), "compare_arrows", "connectors_comparison"),
                _item(_("Execuções"), "sync", "connectors_run"),
                _item(_("Notificações"), "notifications", "connectors_notice"),
                _item(_("Avisos recebidos"), "notifications_active", "connectors_ring"),
                _item(_("Assinaturas"), "webhook", "connectors_subscription"),
                _item(_("Envios de eventos"), "send", "connectors_delivery"),
            ],
        },
        {
            "title": _("Acesso"),
            "items": [
                _item(_("Usuários"), "person", "auth_user"),
                _item(_("Grupos"), "group", "auth_group"),
            ],
        },
    ]
