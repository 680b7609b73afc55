"""How far an activation has come, and what the connection test found."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation

USER = settings.AUTH_USER_MODEL


class ActivationStep(models.Model):
    """A step of the specification that was taken: who did it, or last changed it, and when."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="steps", db_index=False)
    key = models.CharField(max_length=32)
    done_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["activation", "key"], name="step_once_per_activation")
        ]

    def __str__(self) -> str:
        return f"{self.activation} · {self.key}"


class Verdict(models.TextChoices):
    OK = "ok", _("Funciona")
    WARN = "warn", _("Atenção")
    FAIL = "fail", _("Não funciona")
    LATER = "later", _("No primeiro envio")


class TrialQuerySet(models.QuerySet["Trial"]):
    def ended(self) -> "TrialQuerySet":
        return self.exclude(ended_at=None)


class Trial(models.Model):
    """One connection test. `results` are lists of three texts: name, verdict, what was found and
    how it is mended."""

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="trials"
    )
    asked_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("pedido por"), related_name="+"
    )
    asked_at = models.DateTimeField(_("pedido em"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("terminado em"), null=True, editable=False)
    results = models.JSONField(_("resultados"), default=list)

    objects = TrialQuerySet.as_manager()

    class Meta:
        verbose_name = _("teste da conexão")
        verbose_name_plural = _("testes da conexão")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation"],
                condition=Q(ended_at=None),
                name="one_open_trial_per_activation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.activation} · {timezone.localtime(self.asked_at):%d/%m/%Y %H:%M}"

    @property
    def answered(self) -> bool:
        """The other side answered and let us in: the first line says so."""
        return bool(self.results) and self.results[0][1] == Verdict.OK
