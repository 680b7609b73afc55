"""The forms in which a merchant types an order's invoice and tracking. What is certainly wrong is
refused; what may be right is asked about once more."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connectors.fiscal import compact
from connectors.forms import check_year
from connectors.payload import LOCAL, to_moment
from connectors.records import InvoiceRecord, TrackingRecord
from orders.carriers import is_postal, postal_digit_fits
from orders.invoice_keys import look_at, number_in, series_in
from orders.invoicing import shipment_of
from orders.models import Order, Shipment


class DayField(forms.DateField):
    """A day that is not ahead."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_validators = [check_year]

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and day > timezone.localdate(timezone=LOCAL):
            raise forms.ValidationError(_("Este dia ainda não chegou."))
        return day


class Asking(forms.Form):
    """A form that asks about what looks wrong: sent again with a tick, it takes that, and nothing
    else that looks wrong in what was typed since."""

    confirmed = forms.CharField(label=_("Conferi e está certo"), required=False)

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.doubts: list[str] = []
        self.asked = ""  # what a tick confirms, and comes with it

    @property
    def typed(self) -> list[forms.BoundField]:
        """What there is to fill in."""
        return [field for field in self if field.name != "confirmed"]

    def ask(self, about: str, doubts: list[str]) -> None:
        self.asked = " ".join([f"{about}:", *doubts])
        if doubts and self.cleaned_data.get("confirmed") != self.asked:
            self.doubts = doubts
            self.add_error(None, gettext("Confira antes de informar."))

    def moment(self, name: str) -> datetime | None:
        """Nobody is asked for the hour: as everywhere, a bare day is its first moment. Of the day
        that was shown, the hour was known."""
        day: date | None = self.cleaned_data[name]
        known: datetime | None = getattr(shipment_of(self.order) or Shipment(), name)
        if day and known and _day(known) == day:
            return known
        return to_moment(day.isoformat()) if day else None


class InvoiceForm(Asking):
    nfe_key = forms.CharField(
        label=_("Chave de acesso"),
        max_length=80,
        help_text=_("Os 44 caracteres que estão na DANFE; espaços não fazem diferença."),
    )
    nfe_number = forms.CharField(
        label=_("Número"), max_length=20, required=False, help_text=_("Em branco: o da chave.")
    )
    nfe_serie = forms.CharField(
        label=_("Série"), max_length=10, required=False, help_text=_("Em branco: a da chave.")
    )
    nfe_date = DayField(label=_("Data de emissão"), required=False)
    nfe_link = forms.URLField(
        label=_("Link da DANFE ou do XML"), max_length=1000, required=False, assume_scheme="https"
    )

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, prefix="invoice", **kwargs)

    def clean_nfe_key(self) -> str:
        return compact(self.cleaned_data["nfe_key"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        key = cleaned.get("nfe_key")
        if not key:
            return cleaned
        look = look_at(key, self.order)
        for wrong in look.wrong:
            self.add_error("nfe_key", wrong)
        if not look.wrong:
            self._take_from_key("nfe_number", number_in(key))
            self._take_from_key("nfe_serie", series_in(key))
            self.ask(key, look.doubts)
        return cleaned

    def _take_from_key(self, name: str, value: str) -> None:
        typed = self.cleaned_data.get(name, "").strip()
        if typed and typed.lstrip("0") != value.lstrip("0"):
            self.add_error(name, gettext("A chave diz %s.") % value)
        self.cleaned_data[name] = value

    def record(self) -> InvoiceRecord:
        typed = self.cleaned_data
        return InvoiceRecord(
            key=typed["nfe_key"],
            number=typed["nfe_number"],
            series=typed["nfe_serie"],
            issued_at=self.moment("nfe_date"),
            link=typed["nfe_link"],
        )


class TrackingForm(Asking):
    shipping_company = forms.CharField(label=_("Transportadora"), max_length=200)
    shipping_method = forms.CharField(label=_("Forma de envio"), max_length=200, required=False)
    track_code = forms.CharField(label=_("Código de rastreio"), max_length=200)
    track_url = forms.URLField(
        label=_("Link de rastreio"), max_length=1000, required=False, assume_scheme="https"
    )
    date_shipped = DayField(label=_("Enviado em"), required=False)
    date_delivered = DayField(label=_("Entregue em"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        shipped, delivered = cleaned.get("date_shipped"), cleaned.get("date_delivered")
        if shipped and delivered and delivered < shipped:
            self.add_error("date_delivered", _("A entrega não é anterior ao envio."))
        code = cleaned.get("track_code", "")
        if is_postal(code) and not postal_digit_fits(code):
            self.ask(code, [gettext("O último número deste código dos Correios não confere.")])
        return cleaned

    def record(self) -> TrackingRecord:
        typed = self.cleaned_data
        shipped, delivered = self.moment("date_shipped"), self.moment("date_delivered")
        return TrackingRecord(
            company=typed["shipping_company"],
            method=typed["shipping_method"],
            code=typed["track_code"],
            url=typed["track_url"],
            shipped_at=shipped,
            # On the day of shipping, not before its hour.
            delivered_at=max(delivered, shipped) if delivered and shipped else delivered,
        )


def tracking_known(order: Order) -> dict[str, Any]:
    """What the form shows before anybody typed."""
    return _known(order, TrackingForm)


def invoice_known(order: Order) -> dict[str, Any]:
    return _known(order, InvoiceForm)


def _known(order: Order, form: type[Asking]) -> dict[str, Any]:
    shipment = shipment_of(order) or Shipment()
    known = {name: getattr(shipment, name) for name in form.base_fields if name != "confirmed"}
    return {
        name: _day(value) if isinstance(value, datetime) else value for name, value in known.items()
    }


def _day(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()
