"""What support is told without asking."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation
from connectors.models.flows import ActivationFlow


class Incident(models.Model):
    """Something that should not be, from its beginning until it is over."""

    class Kind(models.TextChoices):
        SILENT = "silent", _("Atrasado ou parado")
        UNCHANGED = "unchanged", _("Roda, mas nada muda")
        REFUSED = "refused", _("Pausada: credencial recusada")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="incidents"
    )
    # None where it is about the whole integration.
    flow = models.ForeignKey(ActivationFlow, models.CASCADE, verbose_name=_("fluxo"), null=True)
    kind = models.CharField(_("tipo"), max_length=9, choices=Kind)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)
    opened_at = models.DateTimeField(_("desde"), default=timezone.now)
    ended_at = models.DateTimeField(_("até"), null=True)
    # Ended because it is well again, and not because the integration was paused or revoked.
    healed = models.BooleanField(_("normalizou"), default=False)
    # When the alert was stored that tells of it; it leaves by itself (Alert).
    opening_told_at = models.DateTimeField(_("avisado em"), null=True)
    healing_told_at = models.DateTimeField(_("normalização avisada em"), null=True)

    class Meta:
        verbose_name = _("incidente")
        verbose_name_plural = _("incidentes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["flow", "kind"],
                condition=Q(ended_at=None, flow__isnull=False),
                name="one_open_incident_per_flow",
            ),
            models.UniqueConstraint(
                fields=["activation", "kind"],
                condition=Q(ended_at=None, flow=None),
                name="one_open_incident_per_activation",
            ),
            models.CheckConstraint(
                condition=Q(healed=False) | Q(ended_at__isnull=False),
                name="incident_heals_by_ending",
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"], name="incident_untold", condition=Q(opening_told_at=None)
            ),
            models.Index(
                fields=["ended_at"],
                name="incident_healed",
                condition=Q(healed=True, healing_told_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow or self.activation}: {self.get_kind_display()}"


class Alert(models.Model):
    """One message to support, as it is to arrive; stored with what it tells of, sent afterwards."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")

    channel = models.CharField(_("por"), max_length=7, choices=Channel)
    message_id = models.CharField(_("mensagem"), max_length=36, unique=True)
    subject = models.CharField(_("assunto"), max_length=200)
    body = models.TextField(_("texto"))
    created_at = models.DateTimeField(_("criado em"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tentativas"), default=0)
    due_at = models.DateTimeField(_("próxima tentativa"), default=timezone.now)
    sent_at = models.DateTimeField(_("enviado em"), null=True)
    last_error = models.CharField(_("último erro"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("alerta")
        verbose_name_plural = _("alertas")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["due_at"], name="alert_due", condition=Q(sent_at=None))]

    def __str__(self) -> str:
        return self.subject


class Heartbeat(models.Model):
    """When the recurring watch last looked, and since when it has looked without a gap. What was
    not watched is not late: after a night in which the portal was off, everything would be."""

    beat_at = models.DateTimeField(default=timezone.now)
    steady_since = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.beat_at)
