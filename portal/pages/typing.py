"""The form in which a merchant types an order's tracking."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.payload import LOCAL, to_moment
from connectors.records import TrackingRecord
from orders.models import Order, Shipment
from orders.tracking import sent_shipment


class DayField(forms.DateField):
    """A day that is not ahead."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and day > timezone.localdate(timezone=LOCAL):
            raise forms.ValidationError(_("Este dia ainda não chegou."))
        return day


class TrackingForm(forms.Form):
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
        return cleaned

    def record(self) -> TrackingRecord:
        typed = self.cleaned_data
        return TrackingRecord(
            company=typed["shipping_company"],
            method=typed["shipping_method"],
            code=typed["track_code"],
            url=typed["track_url"],
            shipped_at=_moment(typed["date_shipped"]),
            delivered_at=_moment(typed["date_delivered"]),
        )


def what_is_known(order: Order) -> dict[str, Any]:
    """What the form shows before anybody typed."""
    shipment = sent_shipment(order) or Shipment()
    known = {name: getattr(shipment, name) for name in TrackingForm.base_fields}
    return {
        name: _day(value) if isinstance(value, datetime) else value for name, value in known.items()
    }


def _moment(day: date | None) -> datetime | None:
    """Nobody is asked for the hour: as everywhere, a bare day is its first moment."""
    return to_moment(day.isoformat()) if day else None


def _day(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()
