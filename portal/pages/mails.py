"""What an integration writes to a store's buyers: whether, and in which words."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from connectors.models import Activation, State
from connectors.placeholders import fill, validators_of
from connectors.services import change_settings
from connectors.spec import Setting
from orders.mails import OCCASIONS, subject_of
from portal.pages.own import OwnStores

LONGEST = 5000


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
        if "form" not in kwargs:
            initial = {
                each.key: self.activation.settings.get(each.key, each.default) for each in settings
            }
            kwargs["form"] = MailsForm(settings, initial=initial)
        form: MailsForm = kwargs["form"]
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
        }

    def _example(self) -> dict[str, str]:
        return {
            "cliente": "Ana",
            "pedido": "1001",
            "loja": self.activation.store.name,
            "rastreio": "QC638247124BR",
            "link": self.request.build_absolute_uri("/status/…"),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = MailsForm(self._settings(), request.POST)
        if not form.is_valid() or request.POST.get("say") == "preview":
            return self.render_to_response(self.get_context_data(form=form))
        activation = self.activation
        # An emptied text is the connector's own again.
        values = {
            key: value if value != "" else form.fields[key].initial
            for key, value in form.cleaned_data.items()
        }
        change_settings(activation.pk, activation.custom_name, activation.plugin_url, values)
        messages.success(request, _("E-mails salvos."))
        return redirect("mails", pk)
