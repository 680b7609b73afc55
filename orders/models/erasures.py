"""Proof that somebody's data was erased."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import Store


class Erasure(models.Model):
    """Which orders name nobody any more, since when, and why. It names nobody itself: whom it was
    about is a digest."""

    class Why(models.TextChoices):
        ASKED = "asked", _("Pedido do titular")
        TERM = "term", _("Fim do prazo da loja")

    store = models.ForeignKey(
        Store, models.PROTECT, verbose_name=_("loja"), related_name="erasures"
    )
    why = models.CharField(_("por quê"), max_length=5, choices=Why)
    subject = models.CharField(max_length=64, blank=True)
    order_ids = models.JSONField(_("pedidos"))
    at = models.DateTimeField(_("quando"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("quem"),
        null=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("anonimização")
        verbose_name_plural = _("anonimizações")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_why_display()} · {timezone.localtime(self.at):%d/%m/%Y}"
