"""The app list: what there is to activate, what each can and cannot do, and what of it the chosen
store has."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from connectors.admin.asking import page_of
from connectors.admin.wizard import way_url
from connectors.billing import Billing, billing_of
from connectors.describe import abilities, kind_of
from connectors.lookups import plain
from connectors.models import Activation, Connector, State, Store
from connectors.registry import SPECS
from connectors.spec import End
from connectors.store_field import store_field

KINDS = [
    (End.PLATFORM.value, _("Plataforma")),
    (End.ERP.value, _("ERP")),
    (End.CHANNEL.value, _("Canal")),
    (End.TOOLS.value, _("Ferramentas")),
]
STATE_STYLES = {State.ACTIVE: "good", State.PAUSED: "bad"}


class AppListForm(forms.Form):
    store = store_field(required=False)
    q = forms.CharField(
        label=_("Nome do aplicativo"), required=False, widget=UnfoldAdminTextInputWidget()
    )
    kind = forms.ChoiceField(
        label=_("Tipo"),
        required=False,
        choices=[("", _("Todos")), *KINDS],
        widget=UnfoldAdminSelectWidget(),
    )


@dataclass(frozen=True)
class Account:
    """An activation of the chosen store."""

    activation: Activation
    url: str
    style: str
    billing: Billing | None


@dataclass(frozen=True)
class App:
    connector: Connector
    kind: Any
    modes: list[Any]
    abilities: list[tuple[Any, bool]]
    accounts: list[Account]
    details: str
    activate: str  # empty where it takes no new integrations


class AppListPage(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.apps_view)
        return [path("apps/", view, name="connectors_connector_apps"), *super().get_urls()]

    def apps_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = AppListForm(request.GET or None)
        asked = form.cleaned_data if form.is_valid() else {}
        store: Store | None = asked.get("store")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Aplicativos"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "store": store,
            "apps": self._apps(request, store, asked.get("q", ""), asked.get("kind", "")),
        }
        return TemplateResponse(request, "admin/connectors/connector/apps.html", context)

    def _apps(self, request: HttpRequest, store: Store | None, q: str, kind: str) -> list[App]:
        connectors = Connector.objects.filter(slug__in=SPECS)
        accounts = self._accounts(store) if store else {}
        may_add = request.user.has_perm("connectors.add_activation")
        return [
            self._app(each, accounts.get(each.pk, []), store, may_add)
            for each in connectors
            if all(word in plain(each.name) for word in plain(q).split())
            and (not kind or kind_of(each.spec) == kind)
        ]

    def _accounts(self, store: Store) -> dict[int, list[Account]]:
        rows = Activation.objects.filter(store=store).exclude(state=State.REVOKED)
        activations = list(rows.select_related("store").order_by("pk"))
        billing = billing_of([each.pk for each in activations], timezone.localdate())
        accounts: dict[int, list[Account]] = {}
        for each in activations:
            url = way_url(each) if each.state == State.DRAFT else page_of(each)
            style = STATE_STYLES.get(State(each.state), "wait")
            account = Account(each, url, style, billing.get(each.pk))
            accounts.setdefault(each.connector_id, []).append(account)
        return accounts

    def _app(
        self, connector: Connector, accounts: list[Account], store: Store | None, may_add: bool
    ) -> App:
        spec = connector.spec
        query = {"connector": connector.slug} | ({"store": str(store.pk)} if store else {})
        add = f"{reverse('admin:connectors_activation_add')}?{urlencode(query)}"
        return App(
            connector=connector,
            kind=dict(KINDS)[kind_of(spec)],
            modes=[mode.label for mode in spec.modes],
            abilities=abilities(spec),
            accounts=accounts,
            details=page_of(connector),
            activate=add if connector.enabled and may_add else "",
        )
