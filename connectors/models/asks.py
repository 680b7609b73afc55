"""What merchants ask support to switch on."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Connector
from connectors.models.stores import Store


class Ask(models.Model):
    """A merchant wants a connector for a store. Support activates it, or says why not."""

    store = models.ForeignKey(Store, models.CASCADE, verbose_name=_("loja"), related_name="asks")
    connector = models.ForeignKey(
        Connector, models.CASCADE, verbose_name=_("conector"), related_name="asks"
    )
    text = models.TextField(_("recado"), blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("pedido por"), related_name="+"
    )
    asked_at = models.DateTimeField(_("pedido em"), default=timezone.now)
    answered_at = models.DateTimeField(_("atendido em"), null=True)

    class Meta:
        verbose_name = _("pedido de integração")
        verbose_name_plural = _("pedidos de integração")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "connector"],
                condition=Q(answered_at=None),
                name="one_open_ask_per_connector",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connector} · {self.store}"
