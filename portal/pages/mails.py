"""What an integration writes to a store's buyers: whether, in which words, and what it wrote."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from connectors.acts import record_act, shown, with_acts
from connectors.forms import keep_what_is, show_what_was
from connectors.ids import to_id
from connectors.models import Activation, State
from connectors.placeholders import fill, validators_of
from connectors.services import change_settings
from connectors.spec import Setting
from orders.mails import OCCASIONS, subject_of
from orders.models import BuyerMail
from portal.pages.own import OwnStores

LONGEST = 5000
PER_PAGE = 20


class MailsForm(forms.Form):
    """A switch and a text for each occasion, by the connector's specification."""

    def __init__(self, settings: list[Setting], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for setting in settings:
            common: dict[str, Any] = {
                "label": setting.label,
                "help_text": setting.help,
                "required": False,
                "initial": setting.default,
            }
            if setting.placeholders:
                self.fields[setting.key] = forms.CharField(
                    widget=forms.Textarea(attrs={"rows": 9}),
                    max_length=LONGEST,
                    validators=validators_of(setting),
                    **common,
                )
            else:
                self.fields[setting.key] = forms.BooleanField(**common)
        show_what_was(self)

    def clean(self) -> dict[str, Any]:
        keep_what_is(self)
        return self.cleaned_data


class MailsPage(OwnStores, TemplateView):
    template_name = "pages/mails.html"

    @cached_property
    def activation(self) -> Activation:
        mine = Activation.objects.filter(store__in=list(self.stores)).exclude(state=State.DRAFT)
        return get_object_or_404(mine.select_related("store", "connector"), pk=self.kwargs["pk"])

    def _settings(self) -> list[Setting]:
        keys = [key for each in OCCASIONS.values() for key in (each.switch, each.text)]
        known = {setting.key: setting for setting in self.activation.spec.settings}
        return [known[key] for key in keys if key in known]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        settings = self._settings()
        form: MailsForm = kwargs.setdefault("form", self._form())
        written = self._written()
        return {
            **super().get_context_data(**kwargs),
            "section": "integrations",
            "activation": self.activation,
            "writes": bool(settings),
            "previews": [
                {
                    "switch": form[each.switch],
                    "text": form[each.text],
                    "subject": subject_of(each.kind, "1001", self.activation.store.name),
                    "body": fill(str(form[each.text].value() or ""), self._example()),
                }
                for each in OCCASIONS.values()
                if each.switch in form.fields
            ],
            "mails": with_acts(written[:PER_PAGE]),
            "older": written[PER_PAGE - 1].pk if len(written) > PER_PAGE else None,
        }

    def _form(self, *args: Any) -> MailsForm:
        known, settings = self.activation.settings, self._settings()
        initial = {each.key: known.get(each.key, each.default) for each in settings}
        return MailsForm(settings, *args, initial=initial)

    def _written(self) -> list[BuyerMail]:
        """The latest, and one more where there are older ones."""
        mails = BuyerMail.objects.filter(activation=self.activation).select_related("order")
        if before := to_id(self.request.GET.get("before", "")):
            mails = mails.filter(pk__lt=before)
        return list(mails.order_by("-pk")[: PER_PAGE + 1])

    def _example(self) -> dict[str, str]:
        return {
            "cliente": "Ana",
            "pedido": "1001",
            "loja": self.activation.store.name,
            "rastreio": "QC638247124BR",
            "link": self.request.build_absolute_uri("/status/") + "…",
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = self._form(request.POST)
        if not form.is_valid() or request.POST.get("say") == "preview":
            return self.render_to_response(self.get_context_data(form=form))
        activation, fields = self.activation, form.fields
        # An emptied text is the connector's own again.
        defaults = {each.key: each.default for each in self._settings()}
        values = {key: defaults[key] if v == "" else v for key, v in form.cleaned_data.items()}
        changes = {
            str(fields[key].label): [shown(form.initial[key]), shown(value)]
            for key, value in values.items()
            if value != form.initial[key]
        }
        with transaction.atomic():
            change_settings(activation.pk, None, None, values)
            if changes:
                what = _("E-mails aos compradores alterados.")
                record_act(self.merchant, activation, what, changes)
        messages.success(request, _("E-mails salvos."))
        return redirect("mails", pk)
