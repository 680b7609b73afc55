"""What the forms of operators and those of merchants have in common."""

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from connectors.fiscal import cnpj_is_valid, compact
from connectors.placeholders import validators_of
from connectors.spec import Field, Setting


class WholeField(forms.IntegerField):
    """Django's own takes 1.000, a Brazilian's thousand, for 1; browsers pass it on as it is."""

    re_decimal = re.compile(r"(?!)")  # there is nothing to leave out of what was typed


def setting_field(setting: Setting) -> forms.Field:
    """The form field of one setting of a specification."""
    common: dict[str, Any] = {
        "label": setting.label,
        "help_text": setting.help,
        "required": False,
        "initial": setting.default,
    }
    match setting.field:
        case Field.FLAG:
            return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)
        case Field.CHOICE:
            return forms.ChoiceField(
                choices=setting.choices, widget=UnfoldAdminSelectWidget(), **common
            )
        case Field.LONG_TEXT:
            return forms.CharField(
                widget=UnfoldAdminTextareaWidget(), validators=validators_of(setting), **common
            )
        case Field.CNPJ:
            return CnpjField(widget=UnfoldAdminTextInputWidget(), **common)
        case Field.PERCENT:
            return WholeField(
                min_value=1, max_value=100, widget=UnfoldAdminIntegerFieldWidget(), **common
            )
        case Field.URL:
            return HttpsField(max_length=500, widget=UnfoldAdminURLInputWidget(), **common)
        case _:
            return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)


class CnpjField(forms.CharField):
    """With or without mask; the value is the compact form."""

    def clean(self, value: Any) -> str:
        cnpj = compact(super().clean(value))
        if cnpj and not cnpj_is_valid(cnpj):
            raise forms.ValidationError(_("Este CNPJ não existe: confira os dígitos."))
        return cnpj


class HttpsField(forms.URLField):
    """An address that we call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **kwargs)

    def clean(self, value: Any) -> str:
        url: str = super().clean(value)
        if url and urlsplit(url).scheme != "https" and not settings.ALLOW_PRIVATE_ADDRESSES:
            raise forms.ValidationError(_("A URL precisa começar com https://"))
        return url


def check_year(day: date) -> None:
    """A browser makes the year 26 of a typed 26, and a clock ends with the year 9999."""
    if not 2000 <= day.year <= 2100:
        raise forms.ValidationError(_("Confira o ano."))


def show_what_was(form: forms.BaseForm) -> None:
    """What was shown goes along: somebody may write while the page is open."""
    for field in form.fields.values():
        field.show_hidden_initial = not field.disabled


def keep_what_is(form: forms.BaseForm) -> None:
    """Who saves an old page changes only what he typed into it."""
    for name in form.cleaned_data.keys() - set(form.changed_data):
        if form.add_initial_prefix(name) in form.data:
            form.cleaned_data[name] = form.get_initial_for_field(form.fields[name], name)
