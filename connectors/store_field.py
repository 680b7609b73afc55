"""Which row is meant, a store above all, where the admin searches while somebody types."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from connectors.ids import to_id
from connectors.models import Activation, Store


class IdsOnly:
    """Django's own ask the database for whatever was said, also where it is no id."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        ids = [each for each in map(str, value) if to_id(each) is not None]
        return super().optgroups(name, ids, attrs)  # type: ignore[misc]


class IdSelect(IdsOnly, AutocompleteSelect):
    pass


class IdSelectMultiple(IdsOnly, AutocompleteSelectMultiple):
    pass


class _RowForm(AutocompleteDropdownForm):
    widget = IdSelect


class RowFilter(AutocompleteSelectFilter):
    form_class = _RowForm


def store_field(**options: Any) -> forms.ModelChoiceField:
    """Searched while typing: there are thousands."""
    widget = IdSelect(Activation._meta.get_field("store"), admin.site)
    return forms.ModelChoiceField(Store.objects.all(), label=_("Loja"), widget=widget, **options)
