"""The words by which an order is found."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from connectors.models import Store


class OrderWord(models.Model):
    """One of them, in capitals and digits alone (orders/finding.py). A buyer's name is among them:
    what makes an order anonymous writes them anew."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="words", db_index=False)
    # The order's own, to find in one index.
    store = models.ForeignKey(Store, models.CASCADE, related_name="+", db_index=False)
    word = models.CharField(_("palavra"), max_length=100)

    class Meta:
        verbose_name = _("palavra de busca")
        verbose_name_plural = _("palavras de busca")
        constraints = [
            models.UniqueConstraint(fields=["order", "word"], name="order_word_once"),
        ]
        indexes = [models.Index(fields=["store", "word", "order"], name="order_by_word")]

    def __str__(self) -> str:
        return self.word
