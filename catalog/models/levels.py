"""What a product costs, and how much of it there is."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Product


def price_text(price: Decimal) -> str:
    """With two decimals, or as many as it has, as the reader's language writes it."""
    decimals = -int(price.normalize().as_tuple().exponent)
    return number_format(price, max(2, decimals), force_grouping=True)


class Price(models.Model):
    """What a product costs, in BRL. Its own narrow table, because prices change in bulk."""

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="price_row"
    )
    price = models.DecimalField(_("preço"), max_digits=16, decimal_places=4, null=True)
    special_price = models.DecimalField(
        _("preço promocional"), max_digits=16, decimal_places=4, null=True
    )

    class Meta:
        verbose_name = _("preço")
        verbose_name_plural = _("preços")
        constraints = [
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0), name="price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(special_price=None) | Q(special_price__gte=0),
                name="special_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.price)


# As `Stock.available` counts; a sum of the two could be too large for the column.
OFFERED = Q(safety__lt=F("on_hand") - F("reserved"))


class Stock(models.Model):
    """How many units there are, how many of them are kept for sales (the sum of what its
    reservations hold), and how many the merchant never offers."""

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        verbose_name=_("produto"),
        primary_key=True,
        related_name="stock_row",
    )
    on_hand = models.PositiveIntegerField(_("estoque físico"), default=0)
    reserved = models.PositiveIntegerField(_("reservado"), default=0)
    safety = models.PositiveIntegerField(
        _("estoque de segurança"),
        default=0,
        help_text=_("Unidades que nunca são oferecidas aos canais."),
    )

    class Meta:
        verbose_name = _("estoque")
        verbose_name_plural = _("estoques")
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__lte=F("on_hand")), name="stock_reserved_is_on_hand"
            ),
        ]

    def __str__(self) -> str:
        return str(self.available)

    @property
    def available(self) -> int:
        """What channels are offered."""
        return max(0, self.on_hand - self.reserved - self.safety)
