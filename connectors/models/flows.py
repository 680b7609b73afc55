"""What runs, how far it has come, and what went wrong."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.models.activations import Activation


class ActivationFlow(models.Model):
    """One flow of one managed activation: when it runs next, and how far it has come."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="flows")
    ability = models.CharField(max_length=32)  # the ability's class name
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    # Seconds between two runs. The client may have set them, where the specification lets him.
    every = models.PositiveIntegerField(_("intervalo (segundos)"))
    due_at = models.DateTimeField(_("próxima execução"), default=timezone.now)
    cursor = models.TextField(_("cursor"), blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    last_success_at = models.DateTimeField(_("último sucesso"), null=True)
    last_change_at = models.DateTimeField(_("última mudança"), null=True)

    class Meta:
        verbose_name = _("fluxo")
        verbose_name_plural = _("fluxos")
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"], name="flow_once_per_activation"
            ),
            models.CheckConstraint(condition=Q(every__gt=0), name="flow_has_interval"),
        ]
        indexes = [models.Index(fields=["ability", "due_at"], name="flow_due")]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.activation}"


class Run(models.Model):
    """One attempt at one flow of one activation."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Em execução")
        DONE = "done", _("Concluída")
        PARTIAL = "partial", _("Concluída com falhas")
        FAILED = "failed", _("Falhou")
        ABANDONED = "abandoned", _("Interrompida")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="runs"
    )
    ability = models.CharField(_("capacidade"), max_length=32)
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    started_at = models.DateTimeField(_("início"), default=timezone.now)
    # An open run holds the flow until then; after that its owner is taken for dead.
    expires_at = models.DateTimeField(_("expira em"))
    ended_at = models.DateTimeField(_("fim"), null=True)
    outcome = models.CharField(
        _("resultado"), max_length=9, choices=Outcome, default=Outcome.RUNNING
    )
    seen = models.PositiveIntegerField(_("lidos"), default=0)
    changed = models.PositiveIntegerField(_("mudaram"), default=0)
    failed = models.PositiveIntegerField(_("falharam"), default=0)
    cursor_before = models.TextField(_("cursor antes"), blank=True)
    cursor_after = models.TextField(_("cursor depois"), blank=True)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("execução")
        verbose_name_plural = _("execuções")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"],
                condition=Q(ended_at=None),
                name="one_open_run_per_flow",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="running")
                | (Q(ended_at__isnull=False) & ~Q(outcome="running")),
                name="run_ends_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["activation", "-id"], name="run_by_activation"),
            models.Index(fields=["outcome", "-id"], name="run_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.get_outcome_display()}"


class Failure(models.Model):
    """One record that could not be taken or delivered: what, why, and whether it is mended."""

    class Kind(models.TextChoices):
        """Who must act follows from the kind (connectors.errors)."""

        UNAVAILABLE = "unavailable", _("Fora do ar: tentamos de novo")
        UNAUTHORIZED = "unauthorized", _("Credencial recusada")
        REJECTED = "rejected", _("Recusado pelo sistema")
        UNREADABLE = "unreadable", _("Formato desconhecido")
        REFUSED = "refused", _("Recusado por uma regra do portal")
        BROKEN = "broken", _("Erro do portal")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="failures"
    )
    run = models.ForeignKey(
        Run, models.SET_NULL, verbose_name=_("execução"), null=True, related_name="failures"
    )
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    record_id = models.CharField(_("registro"), max_length=200, blank=True)
    kind = models.CharField(_("tipo"), max_length=12, choices=Kind)
    reason = models.TextField(_("motivo"))
    payload = models.JSONField(_("conteúdo"), null=True, encoder=DjangoJSONEncoder)
    times = models.PositiveIntegerField(_("vezes"), default=1)
    first_at = models.DateTimeField(_("primeira vez"), default=timezone.now)
    last_at = models.DateTimeField(_("última vez"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolvida em"), null=True)
    resolution = models.CharField(_("resolução"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("falha")
        verbose_name_plural = _("falhas")
        ordering = ["-last_at", "-pk"]
        constraints = [
            # The same record failing again is the same failure, until somebody mends it.
            models.UniqueConstraint(
                fields=["activation", "flow", "record_id"],
                condition=Q(resolved_at=None),
                name="one_open_failure_per_record",
            )
        ]
        indexes = [models.Index(fields=["-last_at", "-id"], name="failure_list")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.record_id or self.get_flow_display()}"

    @classmethod
    def kind_of(cls, error: Exception) -> "Failure.Kind":
        kinds: dict[type[ConnectorError], Failure.Kind] = {
            Unavailable: cls.Kind.UNAVAILABLE,
            Unauthorized: cls.Kind.UNAUTHORIZED,
            Rejected: cls.Kind.REJECTED,
            Unreadable: cls.Kind.UNREADABLE,
        }
        return kinds[type(error)] if isinstance(error, ConnectorError) else cls.Kind.REFUSED
