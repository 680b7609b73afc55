"""The billing terms of activations: setting them, and how much of each is used at a date."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from connectors.errors import Refused
from connectors.models import Activation, BillingTerm


@dataclass(frozen=True)
class Term:
    months: int
    price: Decimal
    used: int  # months that began until the date that was asked for

    def __str__(self) -> str:
        months = _("%(n)d meses") if self.months > 1 else _("%(n)d mês")
        price = number_format(self.price, 2, use_l10n=True, force_grouping=True)
        used = _("%(n)d usados") if self.used != 1 else _("%(n)d usado")
        return f"{months % {'n': self.months}} × R$ {price} ({used % {'n': self.used}})"


@dataclass(frozen=True)
class Billing:
    starts_on: date
    terms: tuple[Term, ...]

    @property
    def used(self) -> int:
        return sum(term.used for term in self.terms)

    @property
    def months(self) -> int:
        return sum(term.months for term in self.terms)

    def __str__(self) -> str:
        return "; ".join(str(term) for term in self.terms)


def billing_of(activation_ids: Iterable[int], on: date) -> dict[int, Billing]:
    """Of those that have terms, in one query."""
    rows = BillingTerm.objects.filter(activation__in=list(activation_ids))
    return {
        activation_id: _billing(list(terms), on)
        for activation_id, terms in groupby(rows, key=lambda row: row.activation_id)
    }


def described(billing: Billing | None) -> str:
    return str(billing) if billing else _("Nada configurado")


def _billing(rows: list[BillingTerm], on: date) -> Billing:
    starts_on = rows[0].starts_on
    assert starts_on is not None  # noqa: S101  the first has one: a constraint
    left = months_begun(starts_on, on)
    terms = []
    for row in rows:
        used = min(row.months, left)
        left -= used
        terms.append(Term(row.months, row.price, used))
    return Billing(starts_on, tuple(terms))


def months_begun(start: date, on: date) -> int:
    """The first month begins on the first day. One that began on the 31st begins again on the last
    day of a shorter month."""
    if on < start:
        return 0
    whole = (on.year - start.year) * 12 + on.month - start.month
    last_day = monthrange(on.year, on.month)[1]
    return whole + (on.day >= min(start.day, last_day))


@transaction.atomic
def set_billing(
    activation_id: int, starts_on: date | None, terms: Sequence[tuple[int, Decimal]]
) -> None:
    """These terms, one after the other, instead of whatever there was. Raises `Refused`."""
    Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    if terms and starts_on is None:
        raise Refused(_("Informe quando a primeira condição começa."))
    BillingTerm.objects.filter(activation_id=activation_id).delete()
    BillingTerm.objects.bulk_create(
        BillingTerm(
            activation_id=activation_id,
            number=number,
            starts_on=starts_on if number == 1 else None,
            months=months,
            price=price,
        )
        for number, (months, price) in enumerate(terms, 1)
    )
