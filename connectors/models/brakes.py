"""Runs that stopped before something drastic, until a person answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow
from connectors.models.activations import OVER, Activation
from connectors.models.flows import Run


class BrakeQuerySet(models.QuerySet["Brake"]):
    def open(self) -> "BrakeQuerySet":
        """Those that wait for an answer; until then their flows write nothing."""
        return self.filter(answered_at=None).exclude(activation__state__in=OVER)


class Brake(models.Model):
    """A run would have emptied too much stock, or moved too many prices, and asks first."""

    class Danger(models.TextChoices):
        ZEROED = "zeroed", _("Zera estoques")
        MOVED = "moved", _("Muda muito os preços")

    class Answer(models.TextChoices):
        APPLY = "apply", _("Aplicar mesmo assim")
        REREAD = "reread", _("Ler de novo")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="brakes"
    )
    run = models.ForeignKey(
        Run, models.SET_NULL, verbose_name=_("execução"), null=True, related_name="+"
    )
    ability = models.CharField(max_length=32)
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    danger = models.CharField(_("perigo"), max_length=6, choices=Danger)
    # Of the SKUs that the integration feeds; and how many of them were written before the limit
    # was crossed, by this run and those just before it.
    count = models.PositiveIntegerField(_("SKUs atingidos"))
    written = models.PositiveIntegerField(_("já gravados antes de parar"), default=0)
    base = models.PositiveIntegerField(_("de um total de"))
    limit = models.PositiveSmallIntegerField(_("limite (%)"))
    sample = models.JSONField(_("exemplos"), default=list)  # [SKU, before, after]
    # What a yes is to: what would be written, by product. Kept until it was.
    asked = models.JSONField(default=dict, editable=False)
    asked_at = models.DateTimeField(_("parou em"), default=timezone.now)
    answer = models.CharField(_("resposta"), max_length=6, choices=Answer, blank=True)
    answered_at = models.DateTimeField(_("respondido em"), null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("respondido por"),
        null=True,
        related_name="+",
    )
    # The run that was let through has come to its end: the next one is braked again.
    used_at = models.DateTimeField(_("aplicado em"), null=True)

    objects = BrakeQuerySet.as_manager()

    class Meta:
        verbose_name = _("freio")
        verbose_name_plural = _("freios")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"],
                condition=Q(answered_at=None),
                name="one_open_brake_per_flow",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None, answered_by=None)
                | (~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="brake_answered_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(answer="apply"), name="brake_used_if_let_through"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_danger_display()}: {self.activation}"

    @property
    def percent(self) -> int:
        return 100 * self.count // self.base if self.base else 100
