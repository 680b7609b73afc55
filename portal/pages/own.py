"""Whose pages these are, and how they stay true while somebody looks at them."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.db.models import Max, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Modification
from connectors.models import Store
from orders.models import Order, OrderQuerySet

VERSION = "X-Version"
UNKEPT = "no-store, private"


def tell_what_was_lost(request: HttpRequest) -> None:
    """Somebody whose session ended while he typed: the page to which the login leads him looks as
    if it had taken it."""
    if request.method == "POST" and not request.user.is_authenticated:
        text = _("Nada foi gravado: a sua sessão tinha terminado. Entre e envie outra vez.")
        messages.warning(request, text)


class OwnStores(LoginRequiredMixin):
    """Every query begins at the stores that the merchant is a member of."""

    request: HttpRequest

    @property
    def merchant(self) -> User:
        return cast(User, self.request.user)  # nobody is here without a login

    @cached_property
    def stores(self) -> dict[int, Store]:
        return {store.pk: store for store in Store.objects.filter(members=self.merchant)}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Buyers are named here: at a computer that others use too, "back" shows none of it once
        the merchant has left."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", UNKEPT)
        return response

    def handle_no_permission(self) -> Any:
        if "HX-Request" in self.request.headers:
            # Logged out in another window: the whole page goes to the login, not a part of it.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        tell_what_was_lost(self.request)
        return super().handle_no_permission()


class OwnStoreForm(forms.Form):
    """A form that asks for which of the merchant's stores."""

    store = forms.ModelChoiceField(Store.objects.none(), label=gettext_lazy("Loja"))

    def __init__(self, stores: dict[int, Store], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = Store.objects.filter(pk__in=stores)  # type: ignore[attr-defined]
        self.fields["store"].initial = next(iter(stores), None)


class OwnOrders(OwnStores):
    """The orders of the merchant's stores. To another store's there is no difference between
    "not yours" and "does not exist"."""

    def get_queryset(self) -> OrderQuerySet:
        return Order.objects.filter(store__in=list(self.stores)).select_related("store")


def last_order_change(stores: Collection[int]) -> Any:
    """When the latest of the stores' orders changed."""
    return _latest(Order, "modified_at", stores)


def last_product_change(stores: Collection[int]) -> Any:
    return _latest(Modification, "at", stores)


def _latest(model: type[Order] | type[Modification], name: str, stores: Collection[int]) -> Any:
    """Of each store, from its index."""
    latest = model._default_manager.filter(store=OuterRef("pk")).order_by(f"-{name}")
    mine = Store.objects.filter(pk__in=stores)
    found = mine.annotate(at=Subquery(latest.values(name)[:1])).aggregate(Max("at"))
    return found["at__max"]


class Live(OwnStores, ABC):
    """A page whose live part asks for itself every few seconds, saying which version it shows."""

    @abstractmethod
    def version(self) -> str:
        """In one cheap query."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        shown = request.headers.get(VERSION)
        if shown and request.user.is_authenticated and shown == self.version():
            # Kept, it would stand in for the page itself, and "back" would lead nowhere.
            return HttpResponse(status=204, headers={"Cache-Control": UNKEPT})
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "version": self.version()}  # type: ignore[misc]
