"""What people do about many failures at once, and how far it has come."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Repair(models.Model):
    """One thing done about some failures: those that were chosen at that moment."""

    class Action(models.TextChoices):
        RETRY = "retry", _("Tentar de novo")
        FETCH = "fetch", _("Buscar outra vez")
        EDIT = "edit", _("Corrigir e reenviar")
        DISMISS = "dismiss", _("Dispensar")

    action = models.CharField(_("o que fazer"), max_length=7, choices=Action)
    # Why, of a dismissal; of a correction, which value of what arrived becomes what.
    reason = models.CharField(_("motivo"), max_length=120, blank=True)
    place = models.CharField(_("campo"), max_length=200, blank=True)
    value = models.JSONField(_("valor"), null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("pedido por"), related_name="+"
    )
    asked_at = models.DateTimeField(_("pedido em"), default=timezone.now)
    chosen = models.JSONField(default=list, editable=False)  # the failures' ids
    total = models.PositiveIntegerField(_("escolhidas"), default=0)
    seen = models.PositiveIntegerField(_("vistas"), default=0)
    done = models.PositiveIntegerField(_("feitas"), default=0)
    # The first reasons why others could not be done: [record, reason].
    refusals = models.JSONField(_("o que não deu"), default=list)
    ended_at = models.DateTimeField(_("terminou em"), null=True)

    class Meta:
        verbose_name = _("reparo")
        verbose_name_plural = _("reparos")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done__lte=F("seen")) & Q(seen__lte=F("total")),
                name="repair_counts_what_it_saw",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} ({self.total})"
