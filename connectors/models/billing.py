"""What an activation costs: terms of months at a price, one after the other."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation


class BillingTerm(models.Model):
    """So many months at a price each. Only the first has a date: the others begin where the one
    before ends, so that terms can neither overlap nor leave a gap."""

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="billing_terms",
        db_index=False,
    )
    number = models.PositiveSmallIntegerField(_("ordem"))
    starts_on = models.DateField(_("início"), null=True)
    months = models.PositiveSmallIntegerField(_("meses"), validators=[MinValueValidator(1)])
    price = models.DecimalField(
        _("preço por mês (R$)"),
        max_digits=10,
        decimal_places=2,
        validators=[MinValueValidator(0)],
    )

    class Meta:
        verbose_name = _("condição comercial")
        verbose_name_plural = _("condições comerciais")
        ordering = ["activation", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "number"], name="billing_terms_one_after_the_other"
            ),
            models.CheckConstraint(
                condition=Q(number=1, starts_on__isnull=False) | Q(number__gt=1, starts_on=None),
                name="billing_only_the_first_term_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(months__gt=0, price__gte=0), name="billing_term_months_and_price"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.activation} · {self.number}"
