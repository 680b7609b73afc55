"""The platforms' codes for our products."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Product
from connectors.models import Activation


class SkuMapping(models.Model):
    """De/Para: the code by which one activation's platform calls a product of ours."""

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="sku_mappings",
        db_index=False,
    )
    code = models.CharField(_("código no sistema"), max_length=100)
    product = models.ForeignKey(
        Product, models.CASCADE, verbose_name=_("produto"), related_name="sku_mappings"
    )

    class Meta:
        verbose_name = _("De/Para")
        verbose_name_plural = _("De/Para")
        constraints = [
            models.UniqueConstraint(fields=["activation", "code"], name="code_once_per_activation"),
            models.UniqueConstraint(
                fields=["activation", "product"], name="product_mapped_once_per_activation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} → {self.product.sku}"

    def clean(self) -> None:
        if not self.activation_id or not self.product_id:
            return  # the form says so already
        if self.activation.store_id != self.product.store_id:
            raise ValidationError({"product": _("Este produto é de outra loja que a integração.")})
