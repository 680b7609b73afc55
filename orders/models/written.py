"""An order as the API answers it, written down."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WrittenOrder(models.Model):
    """The order's JSON, renewed with each change of the order (orders/written.py). Personal data is
    in it: what makes an order anonymous writes it anew."""

    order = models.OneToOneField(
        "orders.Order", models.CASCADE, primary_key=True, related_name="written"
    )
    # Of how it is written: what is of another one is not read.
    version = models.PositiveSmallIntegerField()
    body = models.TextField()

    class Meta:
        verbose_name = _("pedido escrito")
        verbose_name_plural = _("pedidos escritos")

    def __str__(self) -> str:
        return f"{self.order_id}"
