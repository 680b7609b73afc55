"""When a product was last changed, and by whom."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Product
from connectors.models import Activation, Store
from connectors.prepared import listed, many


class Modification(models.Model):
    """The last change of a product, of its price or of its stock. Beside the product and not in its
    row, which is wide and stands in many indexes: each change of a level would write all of them
    anew."""

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="modification"
    )
    # The product's: a store's changes, in their order, are one index's.
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(_("alterado em"), default=timezone.now)
    # Without an index, which would be asked only when an activation is deleted.
    by = models.ForeignKey(
        Activation,
        models.SET_NULL,
        verbose_name=_("alterado por"),
        null=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        indexes = [models.Index(fields=["store", "at"], name="modified_in_store")]

    def __str__(self) -> str:
        return str(self.at)


# By hand: the ORM takes several times as long to write this as PostgreSQL to run it.
TOUCH = f"UPDATE {Modification._meta.db_table} SET at = %s, by_id = %s WHERE product_id IN "  # noqa: S608


def touch(product_ids: Collection[int], by: Activation | None) -> datetime:
    """These products, whose rows the caller has locked, are changed by `by`, now."""
    now = timezone.now()
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{TOUCH} ({listed('bigint')})", [at, by.pk if by else None, many(product_ids)]
        )
    return now
