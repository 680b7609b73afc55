"""Which store is meant, in the admin's forms."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext_lazy as _

from connectors.models import Activation, Store


class StoreSelect(AutocompleteSelect):
    """Django's own asks the database for whatever was said, also where it is no id."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        ids = [each for each in value if each.isascii() and each.isdigit() and len(each) < 19]
        return super().optgroups(name, ids, attrs)


def store_field(**options: Any) -> forms.ModelChoiceField:
    """Searched while typing: there are thousands."""
    widget = StoreSelect(Activation._meta.get_field("store"), admin.site)
    return forms.ModelChoiceField(Store.objects.all(), label=_("Loja"), widget=widget, **options)
