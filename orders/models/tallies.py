"""How many orders a store had, and what they were worth, by day, channel and status."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connectors.models import Store
from connectors.records import OrderStatus


class Tally(models.Model):
    """A share of one day's sum. Every change of an order adds what it changed, and takes nothing
    away: writers wait for nobody. From time to time these rows are folded into the one of their
    key."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("dia"))  # in São Paulo, of when the order was received
    channel = models.CharField(_("canal"), max_length=100, blank=True)
    status = models.CharField(_("situação"), max_length=20, choices=OrderStatus)
    orders = models.IntegerField(_("pedidos"))
    amount = models.DecimalField(_("valor"), max_digits=20, decimal_places=4)  # in reais
    # So many of the orders are in other currencies: their amounts are not in the sum.
    foreign = models.IntegerField(_("em outra moeda"), default=0, db_default=0)
    folded = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("soma do dia")
        verbose_name_plural = _("somas dos dias")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="tally_status_known"
            ),
            models.UniqueConstraint(
                fields=["store", "day", "channel", "status"],
                condition=Q(folded=True),
                name="tally_folded_once",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "day"], name="tally_by_day"),
            models.Index(fields=["id"], name="tally_to_fold", condition=Q(folded=False)),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.channel} · {self.status}"
