"""“Por que isto não sincronizou?”: one SKU or order of one store, and every decision about it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.why import Item, chains_of_item, find_item
from connectors.downloads import as_file
from connectors.models import Failure, Store
from connectors.redaction import without_people, without_secrets
from connectors.store_field import store_field
from connectors.trouble.evidence import evidence_of
from connectors.trouble.why import GOOD, NOTE, STOP, WAIT, Chain, Decision, look_at
from orders.why import Sale, chains_of_sale, find_sale

# What may be seen here is what these lists show, one store at a time.
NEEDED = ("connectors.view_activation", "connectors.view_failure", "catalog.view_product",
          "orders.view_order")  # fmt: skip
ORDER_OF_VERDICTS = (STOP, WAIT, GOOD, NOTE)
IN_A_BUNDLE = 20  # failures


class WhyForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"] = store_field()
        self.fields["q"] = forms.CharField(
            label=_("SKU, código na plataforma ou número do pedido"),
            max_length=200,
            widget=UnfoldAdminTextInputWidget(),
        )


@dataclass
class Answer:
    """The conclusion, and what it follows from. An order or a product: whichever has the number;
    where neither has, both chains are shown."""

    store: Store
    item: Item
    sale: Sale
    chains: list[Chain]
    failures: list[Failure]

    @cached_property
    def decisive(self) -> Chain | None:
        return self.chains[0] if self.chains and self.chains[0].verdict != NOTE else None

    @property
    def decision(self) -> Decision | None:
        return self.decisive.decisive if self.decisive else None

    @property
    def arrived(self) -> int:
        return sum(chain.verdict == GOOD for chain in self.chains)

    @property
    def concerned(self) -> int:
        return sum(chain.verdict != NOTE for chain in self.chains)


def answer(store: Store, text: str) -> Answer:
    sale, item = find_sale(store, text), find_item(store, text)
    scene = look_at(store, sale.codes | item.codes)
    chains: list[Chain] = []
    if item.product is not None or sale.order is None:
        chains += chains_of_item(scene, item)
    if sale.order is not None or item.product is None:
        chains += chains_of_sale(scene, sale)
    chains.sort(key=lambda chain: ORDER_OF_VERDICTS.index(chain.verdict))
    failures = [each for found in scene.failures.values() for each in found]
    return Answer(store, item, sale, chains, failures)


def why_page(request: HttpRequest) -> HttpResponse:
    if not all(request.user.has_perm(name) for name in NEEDED):
        raise PermissionDenied
    asked = "store" in request.GET
    form = WhyForm(request.GET if asked else None)
    found = None
    if asked and form.is_valid():
        text = form.cleaned_data["q"].strip().replace("\x00", "")
        found = answer(form.cleaned_data["store"], text)
        if "evidence" in request.GET:
            return as_file(_bundle(found, text), "evidencias.json")
    context = {
        **admin.site.each_context(request),
        "title": _("Por que não sincronizou?"),
        "form": form,
        "answer": found,
        "query": request.GET.urlencode(),
        "labels": {
            STOP: _("Parou aqui"), WAIT: _("Espera"), GOOD: _("Feito"), NOTE: _("Não se aplica"),
        },
    }  # fmt: skip
    return TemplateResponse(request, "admin/why.html", context)


def _bundle(found: Answer, text: str) -> dict[str, Any]:
    """All of it, for a ticket: without secrets and without anybody's data."""
    ids = [failure.pk for failure in found.failures[:IN_A_BUNDLE]]
    failures = Failure.objects.filter(pk__in=ids).select_related(
        "activation__connector", "activation__store", "run"
    )
    decisions = [
        {
            "activation": chain.activation.pk,
            "connector": chain.activation.connector.slug,
            "flow": chain.title,
            "verdict": chain.verdict,
            "steps": [
                {"verdict": each.verdict, "text": each.text, "who_acts": str(each.actor)}
                for each in chain.decisions
            ],
        }
        for chain in found.chains
    ]
    clean: list[Any] = without_people(without_secrets(decisions))
    return {
        "made_at": timezone.now(),
        "store": found.store.pk,
        "asked": text,
        "decisions": clean,
        "failures": [evidence_of(failure) for failure in failures],
    }
