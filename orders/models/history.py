"""What became of an order, step by step."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import Activation
from connectors.records import OrderStatus


class StatusChange(models.Model):
    """One step of an order's life, and who took it. What was refused is kept as well."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="status_changes")
    status = models.CharField(_("situação"), max_length=20, choices=OrderStatus)
    previous = models.CharField(_("antes"), max_length=20, choices=OrderStatus, blank=True)
    at = models.DateTimeField(_("quando"), default=timezone.now)
    activation = models.ForeignKey(Activation, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # As it was called then: an author may be renamed or deleted, the history stays.
    author = models.CharField(_("quem"), max_length=200)
    applied = models.BooleanField(_("aplicada"), default=True)

    class Meta:
        verbose_name = _("mudança de situação")
        verbose_name_plural = _("mudanças de situação")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_status_display()} · {self.author}"


def author_of(by: Any) -> str:
    """How history names whoever did something: a person, an integration, or the portal."""
    return str(by) if by is not None else "Tomada"
