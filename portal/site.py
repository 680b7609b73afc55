"""The admin site: its name, its front page and its menu."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.core.paginator import InvalidPage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse, reverse_lazy
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from connectors.acts import record_act
from connectors.ids import to_id
from portal.front import front_page
from portal.pages.own import tell_what_was_lost
from portal.why import NEEDED, why_page

SHOWN = "second_factor"  # in the session: it was shown at this login


class Search(AutocompleteJsonView):
    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may not see the list of people may name one where a page of his asks for it: a
        store's merchants, and whose acts he looks for."""
        site, asking = cast(PortalSite, self.admin_site), self.source_field.model
        names_people = self.source_field.related_model is User and site.is_registered(asking)
        return super().has_perm(request, obj) or (
            names_people and site.get_model_admin(asking).has_view_permission(request)
        )


class PortalSite(UnfoldAdminSite):
    index_title = _("Portal de integrações")

    def has_permission(self, request: HttpRequest) -> bool:
        shown = not settings.REQUIRE_STAFF_2FA or request.session.get(SHOWN, False)
        return super().has_permission(request) and shown

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Worked out where a page shows it: all are given it, and hardly one does."""
        apps = super().get_app_list
        return SimpleLazyObject(lambda: apps(request, app_label))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everybody comes in by the same page. Who is in already, and may not be here, has first to
        switch the second factor on, or is a merchant."""
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        page = "login"
        if request.user.is_authenticated:
            page = "second-factor" if request.user.is_staff else "orders"
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        query = "" if page == "orders" else "?" + urlencode({REDIRECT_FIELD_NAME: wanted})
        return HttpResponseRedirect(reverse(page) + query)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Rows are named by numbers: what is none names no row, whichever view it is."""

        @wraps(view)
        def named(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
            if any(to_id(row) is None for row in (kwargs.get("object_id", "0"), *chosen)):
                raise Http404
            return view(request, *args, **kwargs)

        inner = super().admin_view(named, cacheable)

        @wraps(inner)
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.path != reverse("admin:logout"):
                tell_what_was_lost(request)
            return inner(request, *args, **kwargs)

        return told

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":  # SQLite's only writer would have to wait
            return cast(HttpResponse, super().password_change(request, extra_context))
        with transaction.atomic():  # with its record, or not at all
            answer: HttpResponse = super().password_change(request, extra_context)
            if isinstance(answer, HttpResponseRedirect):
                user, address = cast(User, request.user), request.META.get("REMOTE_ADDR", "")
                record_act(user, user, str(_("Senha alterada.")), address=address)
        return answer

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, Search.as_view(admin_site=self)(request))

    def get_urls(self) -> list[Any]:
        return [path("why/", self.admin_view(why_page), name="why"), *super().get_urls()]

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        try:
            return super().search(request, extra_context)
        except InvalidPage as error:
            raise Http404 from error

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
                {
                    "title": _("Aplicativos"),
                    "icon": "apps",
                    "link": reverse_lazy("admin:connectors_connector_apps"),
                    "permission": lambda request: request.user.has_perm(
                        "connectors.view_connector"
                    ),
                },
                _item(_("Integrações"), "power", "connectors_activation"),
                _item(_("Lojas"), "storefront", "connectors_store"),
                _item(_("Pedidos dos lojistas"), "contact_support", "connectors_ask"),
            ],
        },
        {
            "title": _("Loja"),
            "items": [
                _item(_("Pedidos"), "receipt_long", "orders_order"),
                _item(_("Produtos"), "inventory_2", "catalog_product"),
                _item(_("Estoques"), "warehouse", "catalog_stock"),
                _item(_("De/Para"), "swap_horiz", "catalog_skumapping"),
            ],
        },
        {
            "title": _("O que aconteceu"),
            "items": [
                {
                    "title": _("Por que não sincronizou?"),
                    "icon": "help",
                    "link": reverse_lazy("admin:why"),
                    "permission": lambda request: all(map(request.user.has_perm, NEEDED)),
                },
                _item(_("Fluxos"), "schedule", "connectors_activationflow"),
                _item(_("Incidentes"), "notification_important", "connectors_incident"),
                _item(_("Alertas enviados"), "outgoing_mail", "connectors_alert"),
                _item(_("Falhas"), "error", "connectors_failure"),
                _item(_("Reparos"), "build", "connectors_repair"),
                _item(_("Freios"), "pan_tool", "connectors_brake"),
                _item(_("Comparações"), "compare_arrows", "connectors_comparison"),
                _item(_("Diferenças"), "difference", "connectors_difference"),
                _item(_("Execuções"), "sync", "connectors_run"),
                _item(_("Envios aos canais"), "upload", "catalog_sent"),
                _item(_("Notificações"), "notifications", "connectors_notice"),
                _item(_("Avisos recebidos"), "notifications_active", "connectors_ring"),
                _item(_("Assinaturas"), "webhook", "connectors_subscription"),
                _item(_("Envios de eventos"), "send", "connectors_delivery"),
            ],
        },
        {
            "title": _("Acesso"),
            "items": [
                _item(_("Registro"), "history", "connectors_act"),
                _item(_("Credenciais"), "key", "connectors_credential"),
                _item(_("Recibos de ativação"), "receipt", "connectors_receipt"),
                _item(_("Dados apagados"), "person_off", "orders_erasure"),
                _item(_("Usuários"), "person", "auth_user"),
                _item(_("Grupos"), "group", "auth_group"),
            ],
        },
    ]
