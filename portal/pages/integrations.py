"""Plataformas: the integrations of a merchant's stores, those that he is to conclude, and those
that he may ask for."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from connectors.activating import merchants_step, note, waiting_for_merchant
from connectors.acts import record_act
from connectors.asks import LONGEST, ask_for
from connectors.errors import Refused
from connectors.hub.tokens import address_to_open
from connectors.models import Ask, Connector, Store
from portal.pages.health import health_of
from portal.pages.own import OwnStoreForm, OwnStores


class IntegrationsPage(OwnStores, TemplateView):
    template_name = "pages/integrations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        stores = list(self.stores)
        asks = Ask.objects.filter(store__in=stores, answered_at=None)
        return {
            **super().get_context_data(**kwargs),
            "section": "integrations",
            "waiting": waiting_for_merchant(stores),
            "integrations": health_of(stores),
            "asks": asks.select_related("store", "connector"),
            "ask_form": kwargs.get("ask_form") or AskForm(self.stores),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """On to the partner, with a code that it swaps for its tokens."""
        asked = request.POST.get("activation", "")
        waiting = waiting_for_merchant(list(self.stores))
        activation = next((each for each in waiting if str(each.pk) == asked), None)
        step = merchants_step(activation) if activation else None
        if activation is None or step is None:
            messages.info(request, _("Esta integração já foi concluída."))
            return redirect("integrations")
        try:
            with transaction.atomic():
                if note(activation.pk, step.key, self.merchant):
                    record_act(self.merchant, activation, str(step.title))
                address = address_to_open(activation, self.merchant)
        except Refused as error:
            messages.error(request, str(error))
            return redirect("integrations")
        return HttpResponseRedirect(address)


class AskForm(OwnStoreForm):
    connector = forms.ModelChoiceField(Connector.objects.none(), label=gettext_lazy("Integração"))
    text = forms.CharField(
        label=gettext_lazy("Recado para o suporte"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=LONGEST,
        required=False,
    )

    def __init__(self, stores: dict[int, Store], *args: Any, **kwargs: Any) -> None:
        super().__init__(stores, *args, **kwargs)
        offered = [each.pk for each in _offered()]
        self.fields["connector"].queryset = Connector.objects.filter(pk__in=offered)  # type: ignore[attr-defined]


class AskPage(IntegrationsPage):
    """A request for an integration: support switches it on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Here the login leads whoever was logged out while he wrote it."""
        return redirect("integrations")

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AskForm(self.stores, request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(ask_form=form))
        typed = form.cleaned_data
        try:
            is_new = ask_for(typed["store"], typed["connector"], typed["text"], self.merchant)
        except Refused as error:
            messages.error(request, str(error))
        else:
            text = _("Pedido enviado: o suporte ativa e avisa.")
            messages.success(request, text if is_new else _("Este pedido já está com o suporte."))
        return redirect("integrations")


def _offered() -> list[Connector]:
    """The app list: what takes new integrations, and is more than an experiment."""
    enabled = Connector.objects.filter(enabled=True)
    return [each for each in enabled if each.spec.modes and not each.spec.unavailable]
