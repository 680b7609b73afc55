"""What was switched on, as it was at that moment."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation


class Receipt(models.Model):
    """Everything it says is in `facts`, so that what changes later does not change it."""

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="receipts"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("emitido por"), related_name="+"
    )
    created_at = models.DateTimeField(_("emitido em"), default=timezone.now, editable=False)
    facts = models.JSONField(editable=False)

    class Meta:
        verbose_name = _("recibo de ativação")
        verbose_name_plural = _("recibos de ativação")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.activation} · {timezone.localtime(self.created_at):%d/%m/%Y %H:%M}"
