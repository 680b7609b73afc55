"""One buyer's data, when he asks for it: handed out, or taken away."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from connectors.acts import record_act
from connectors.downloads import as_file
from connectors.errors import Refused
from connectors.models import Store
from orders.models import Erasure, Order
from orders.personal_data import anonymise, export, leftovers, orders_of
from portal.pages.own import OwnStoreForm, OwnStores

SHOWN = 50
ORDERS_SHOWN = 500


class BuyerForm(OwnStoreForm):
    who = forms.CharField(
        label=gettext_lazy("CPF, CNPJ, e-mail ou número do pedido"), min_length=4, max_length=100
    )

    def orders(self) -> list[Order]:
        found = orders_of(self.cleaned_data["store"], self.cleaned_data["who"])
        return list(found.prefetch_related("lines", "payments", "shipments"))


class PersonalDataPage(OwnStores, TemplateView):
    template_name = "pages/personal.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        erasures = Erasure.objects.filter(store__in=list(self.stores))
        return {
            "form": BuyerForm(self.stores),
            **super().get_context_data(**kwargs),
            "section": "personal",
            "erasures": erasures.select_related("store", "by")[:SHOWN],
            "stores": self.stores.values(),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """What was searched for stays out of addresses, which are logged."""
        form, say = BuyerForm(self.stores, request.POST), request.POST.get("say", "")
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        store, who, orders = form.cleaned_data["store"], form.cleaned_data["who"], form.orders()
        shown = (request.POST.get("shown_store", str(store.pk)), request.POST.get("shown_who", who))
        if shown != (str(store.pk), who):
            say = ""  # somebody else was typed in since: that one's orders are shown first
        if say == "export" and orders:
            record_act(self.merchant, store, _("Dados pessoais de um comprador exportados."))
            return as_file(export(orders), "dados-do-comprador.json")
        if say == "anonymise" and request.POST.get("sure"):
            self._anonymise(store, who, orders)
            return redirect("personal-data")
        left = leftovers(store) if say == "leftovers" else None
        return self.render_to_response(
            self.get_context_data(
                form=form,
                found=orders[:ORDERS_SHOWN],
                total=len(orders),
                searched=True,
                left=left,
            )
        )

    def _anonymise(self, store: Store, who: str, orders: list[Order]) -> None:
        try:
            done = anonymise(store, [order.pk for order in orders], who, self.merchant).order_ids
        except Refused as error:
            messages.error(self.request, str(error))
            return
        messages.success(self.request, _("Dados apagados; o registro está abaixo."))
        kept = [o for o in orders if not o.anonymised_at and o.public_id not in done]
        if kept:
            messages.warning(
                self.request,
                _(
                    "Ficam os dados dos pedidos que não terminaram ou estão retidos: %s."
                    " Apague-os depois."
                )
                % ", ".join(map(str, kept[:SHOWN])),
            )
