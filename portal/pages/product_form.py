"""The form in which a merchant edits a product: who owns each field stands beside it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from catalog.editing import known_values
from catalog.fields import ENTRIES, Part, warnings_of
from catalog.models import Product
from catalog.ownership import owner_of
from connectors.errors import Refused
from connectors.models import Activation


class ProductForm(forms.Form):
    def __init__(
        self, product: Product, owners: Iterable[Activation], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        owners, has_variations = list(owners), product.variations.exists()
        for entry in ENTRIES:
            if entry.name == "quantity" and has_variations:
                continue  # the sum of theirs
            known = _shown(known_values(product)[entry.name])
            field: forms.Field
            if entry.choices:
                # What came otherwise is one more: a browser would choose the first instead of it.
                other = () if known in ("", *dict(entry.choices)) else ((known, known),)
                field = forms.ChoiceField(choices=[("", "–"), *other, *entry.choices])
            elif entry.is_long:
                field = forms.CharField(widget=forms.Textarea(attrs={"rows": 6}))
            else:
                field = forms.CharField()
            owner = owner_of(entry.owner, owners)
            field.label, field.required, field.disabled = str(entry.label), False, owner is not None
            field.help_text = (
                _("Vem de %s; altere lá.") % owner.connector if owner else str(entry.help)
            )
            # What was shown goes along: who saves an old page changes only what he typed.
            field.show_hidden_initial = owner is None
            key = key_of(entry.name)
            self.fields[key] = field
            self.initial[key] = known

    def clean(self) -> dict[str, Any]:
        """Each text read by its entry; the names are the hub's afterwards."""
        values: dict[str, Any] = {}
        for entry in ENTRIES:
            key = key_of(entry.name)
            if key not in self.cleaned_data or self.fields[key].disabled:
                continue
            text = _plain(self.cleaned_data[key])
            was_shown = self.data.get(self.add_initial_prefix(key), self.initial[key])
            if text == _plain(was_shown):
                continue  # what was there before us may be in any shape
            if entry.name == "quantity" and not text:
                self.add_error(key, _("Se não há nenhuma, escreva 0."))
                continue
            try:
                values[entry.name] = entry.read(text) if text else None
            except Refused as error:
                self.add_error(key, str(error))
        return values

    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by the part of the form that they stand in."""
        return [
            (
                str(part.value),
                [
                    self[key_of(entry.name)]
                    for entry in ENTRIES
                    if entry.part is part and key_of(entry.name) in self.fields
                ],
            )
            for part in Part
        ]

    def warnings(self) -> list[str]:
        return warnings_of(self.cleaned_data)


def _plain(text: Any) -> str:
    return str(text).replace("\r\n", "\n").strip()


def key_of(name: str) -> str:
    return name.replace(".", "_")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal | float):
        # As it is typed: two decimals at least for money, and never a point for thousands.
        text = format(Decimal(str(value)).normalize(), "f")
        whole, _point, rest = text.partition(".")
        rest = rest.ljust(2, "0") if isinstance(value, Decimal) else rest
        return f"{whole},{rest}" if rest else whole
    return str(value)
