"""The billing terms on an integration's page: support leads only."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.admin.asking import page_of
from connectors.admin.confirming import ConfirmingAdmin
from connectors.billing import Billing, billing_of, described, set_billing
from connectors.errors import Refused
from connectors.forms import WholeField, check_year
from connectors.models import Activation


class StartForm(forms.Form):
    starts_on = forms.DateField(
        label=_("A primeira condição começa em"),
        required=False,
        validators=[check_year],
        widget=UnfoldAdminSingleDateWidget(),
    )


class TermForm(forms.Form):
    """A line is filled in, or left empty or emptied; half of it is none."""

    months = WholeField(
        label=_("meses"),
        min_value=1,
        max_value=600,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    price = forms.DecimalField(
        label=_("preço por mês (R$)"),
        min_value=0,
        max_digits=10,
        decimal_places=2,
        required=False,
        localize=True,
        # Browsers show nothing of “99,90” in a field of numbers.
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, other in (("months", "price"), ("price", "months")):
            if cleaned.get(name, "") is None and cleaned.get(other) is not None:
                self.add_error(name, self.fields[name].error_messages["required"])
        return cleaned


TermFormSet = forms.formset_factory(TermForm, extra=3, max_num=24, validate_max=True)


class BillingActions(ConfirmingAdmin):
    @action(description=_("Condições comerciais"), url_path="billing", permissions=["billing"])
    def billing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One after the other: each begins where the one before ends. A line left empty is none."""
        activation = get_object_or_404(Activation.objects.select_related("store"), pk=object_id)
        now = billing_of([activation.pk], timezone.localdate()).get(activation.pk)
        start = StartForm(request.POST or None, initial={"starts_on": now and now.starts_on})
        initial = [{"months": t.months, "price": t.price} for t in now.terms] if now else []
        terms = TermFormSet(request.POST or None, initial=initial)
        if request.method == "POST" and start.is_valid() and terms.is_valid():
            typed = [
                (line["months"], line["price"]) for line in terms.cleaned_data if line.get("months")
            ]
            try:
                self._set_billing(request, activation, start.cleaned_data["starts_on"], typed, now)
                return HttpResponseRedirect(page_of(activation))
            except Refused as error:
                start.add_error("starts_on", str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Condições comerciais de %(activation)s") % {"activation": activation},
            "opts": self.opts,
            "original": activation,
            "page": page_of(activation),
            "now": described(now),
            "start": start,
            "terms": terms,
        }
        return TemplateResponse(request, "admin/connectors/activation/billing.html", context)

    @transaction.atomic  # with its record, or not at all
    def _set_billing(
        self,
        request: HttpRequest,
        activation: Activation,
        starts_on: date | None,
        typed: list[tuple[int, Any]],
        before: Billing | None,
    ) -> None:
        set_billing(activation.pk, starts_on, typed)
        after = billing_of([activation.pk], timezone.localdate()).get(activation.pk)
        what = str(_("Condições comerciais alteradas."))
        self.record(
            request, activation, what, {str(_("Condições")): [described(before), described(after)]}
        )
        messages.success(request, what)

    def has_billing_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.change_billingterm")
