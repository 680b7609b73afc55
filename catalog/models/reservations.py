"""Units of stock that are kept for sales (catalog/reservations.py says by which rules)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Product
from connectors.models import Activation

OPEN = Q(quantity__gt=0)
SHORT = Q(held__lt=F("quantity"))


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def open(self) -> "ReservationQuerySet":
        """Those that still want units."""
        return self.filter(OPEN)

    def short(self) -> "ReservationQuerySet":
        """Those that want more units than there are."""
        return self.filter(SHORT)


class Reservation(models.Model):
    """What one sale wants of one product. The catalogue does not know orders: to it a sale is an
    id."""

    product = models.ForeignKey(
        Product, models.CASCADE, verbose_name=_("produto"), related_name="reservations"
    )
    sale = models.CharField(_("pedido"), max_length=24)
    quantity = models.PositiveIntegerField(_("quantidade"))
    held = models.PositiveIntegerField(_("reservado"), default=0)
    # Units of the sale that the stock on hand is without already; no longer wanted of it.
    counted = models.PositiveIntegerField(_("baixado"), default=0)
    # The source of stock levels that has the sale, and since when; None while we only know that we
    # sent it there.
    taken_by = models.ForeignKey(Activation, models.SET_NULL, null=True, related_name="+")
    taken_at = models.DateTimeField(null=True)
    # The last one that told the product's stock while the sale wanted units of it.
    leveled_by = models.ForeignKey(Activation, models.SET_NULL, null=True, related_name="+")

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reserva")
        verbose_name_plural = _("reservas")
        constraints = [
            models.UniqueConstraint(fields=["sale", "product"], name="reserved_once_per_sale"),
            models.CheckConstraint(
                condition=Q(held__lte=F("quantity")), name="reservation_holds_what_it_wants"
            ),
        ]
        indexes = [
            models.Index(fields=["product", "id"], name="reservation_open", condition=OPEN),
            models.Index(fields=["sale"], name="reservation_short", condition=SHORT),
        ]

    def __str__(self) -> str:
        return f"{self.held}/{self.quantity} · {self.sale}"

    @property
    def missing(self) -> int:
        return self.quantity - self.held
