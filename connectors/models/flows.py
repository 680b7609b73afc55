"""What runs, how far it has come, and whether it still does."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow, OrderSource, PriceSource, ProductSource, StockSource
from connectors.models.activations import Activation, State

# A task that was queued and has not begun after this is lost: its row would have come back twice.
QUEUE_LIFE = timedelta(seconds=2.5 * settings.Q_CLUSTER["retry"])
# A run whose worker was killed for overtime cannot be going on after this.
RUN_LIFE = timedelta(seconds=settings.Q_CLUSTER["retry"])
# Late after one grace, stopped after these.
GRACES_TO_STOP = 4
# What changes in any shop that sells: if it runs, and nothing changed for so long, it reads the
# wrong thing. Orders only where there were some before: perhaps nothing is sold there.
UNCHANGED_AFTER = {
    ProductSource: timedelta(days=30),
    PriceSource: timedelta(days=30),
    StockSource: timedelta(days=7),
}
NO_ORDERS_AFTER = timedelta(days=7)


class Freshness(models.TextChoices):
    """How a flow stands to what is expected of it."""

    FRESH = "fresh", _("Em dia")
    WAITING = "waiting", _("Aguardando a primeira vez")
    LATE = "late", _("Atrasado")
    STOPPED = "stopped", _("Parado")
    UNCHANGED = "unchanged", _("Roda, mas nada muda")
    OFF = "off", _("Integração não está ativa")


class FlowQuerySet(models.QuerySet["ActivationFlow"]):
    def due(self, now: datetime) -> "FlowQuerySet":
        """Those whose turn it is, and that neither wait in the queue nor run."""
        going_on = Run.objects.filter(
            activation=models.OuterRef("activation"),
            ability=models.OuterRef("ability"),
            ended_at=None,
            expires_at__gt=now,
        )
        return self.filter(
            Q(slot_at=None) | Q(slot_at__lt=now - QUEUE_LIFE),
            ~models.Exists(going_on),
            due_at__lte=now,
        )

    def after_their_products(self) -> "FlowQuerySet":
        """Prices and stock of products that were never read would all be refused."""
        never_read = ActivationFlow.objects.filter(
            activation=models.OuterRef("activation"),
            ability=ProductSource.__name__,
            last_success_at=None,
        )
        of_products = Q(ability__in=[PriceSource.__name__, StockSource.__name__])
        return self.filter(~of_products | ~models.Exists(never_read))

    def with_freshness(self, now: datetime) -> models.QuerySet[Any]:
        """`freshness`, and `late_at`: when silence becomes a sign; None where it never does."""
        heard = Greatest(Coalesce(F("last_success_at"), F("watched_since")), F("watched_since"))
        rules = (
            When(~Q(activation__state=State.ACTIVE), then=Value(Freshness.OFF)),
            When(stopped_at__lte=now, then=Value(Freshness.STOPPED)),
            When(late_at__lte=now, then=Value(Freshness.LATE)),
            When(last_success_at=None, then=Value(Freshness.WAITING)),
            When(_never_changes(now), then=Value(Freshness.UNCHANGED)),
        )
        return self.annotate(
            late_at=_after(heard, F("every") + F("grace")),
            stopped_at=_after(heard, F("every") + GRACES_TO_STOP * F("grace")),
            freshness=Case(*rules, default=Value(Freshness.FRESH), output_field=models.CharField()),
        )


def _after(moment: Any, seconds: Any) -> ExpressionWrapper:
    # Said to be an integer: SQLite's backend multiplies no other with a duration.
    whole = ExpressionWrapper(seconds, output_field=models.IntegerField())
    length = ExpressionWrapper(
        whole * Value(timedelta(seconds=1)), output_field=models.DurationField()
    )
    return ExpressionWrapper(moment + length, output_field=models.DateTimeField())


def _never_changes(now: datetime) -> Q:
    """Where nobody runs or calls, silence is the sign, and not this."""
    rule = Q(ability=OrderSource.__name__, last_change_at__lt=now - NO_ORDERS_AFTER)
    for ability, patience in UNCHANGED_AFTER.items():
        rule |= Q(ability=ability.__name__, last_change_at__lt=now - patience)
        rule |= Q(ability=ability.__name__, last_change_at=None, watched_since__lt=now - patience)
    return rule & Q(last_success_at__gt=now - timedelta(days=1))


class ActivationFlow(models.Model):
    """One flow of one activation, and what is expected of it.

    In managed mode we run it at its interval; in partner mode the partner calls, and we watch.
    """

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="flows",
        db_index=False,
    )
    ability = models.CharField(_("capacidade"), max_length=32)  # the ability's class name
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    # Seconds between two runs. The client may have set them, where the specification lets him.
    every = models.PositiveIntegerField(_("intervalo (segundos)"))
    grace = models.PositiveIntegerField(
        _("tolerância (segundos)"),
        null=True,
        blank=True,
        help_text=_("Depois do intervalo e deste tempo, está atrasado. Em branco: nunca."),
    )
    due_at = models.DateTimeField(_("próxima execução"), default=timezone.now)
    # The planned time of the run that waits in the queue.
    slot_at = models.DateTimeField(_("na fila para"), null=True, editable=False)
    cursor = models.TextField(_("cursor"), blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    # From when on something is expected; a partner begins when he likes.
    watched_since = models.DateTimeField(_("acompanhado desde"), null=True)
    last_run_at = models.DateTimeField(_("última execução"), null=True)
    last_call_at = models.DateTimeField(_("última chamada do parceiro"), null=True)
    last_success_at = models.DateTimeField(_("último sucesso"), null=True)
    last_change_at = models.DateTimeField(_("última mudança"), null=True)

    objects = FlowQuerySet.as_manager()

    class Meta:
        verbose_name = _("fluxo")
        verbose_name_plural = _("fluxos")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"], name="flow_once_per_activation"
            ),
            models.CheckConstraint(condition=Q(every__gt=0), name="flow_has_interval"),
        ]
        indexes = [models.Index(fields=["ability", "due_at"], name="flow_due")]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.activation}"


IDLE = Q(outcome="done", changed=0)


class RunQuerySet(models.QuerySet["Run"]):
    def idle(self) -> "RunQuerySet":
        """Those that went well and changed nothing."""
        return self.filter(IDLE)

    def abandon(self, reason: str) -> None:
        """Those that go on are over. Whoever runs one stops after the page that he is at."""
        self.filter(ended_at=None).update(
            ended_at=timezone.now(), outcome=Run.Outcome.ABANDONED, reason=reason
        )


class Run(models.Model):
    """One attempt at one flow of one activation."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Em execução")
        DONE = "done", _("Concluída")
        PARTIAL = "partial", _("Concluída com falhas")
        WAITING = "waiting", _("Aguardando cota")
        HELD = "held", _("Parou e perguntou")
        FAILED = "failed", _("Falhou")
        ABANDONED = "abandoned", _("Interrompida")

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="runs",
        db_index=False,
    )
    ability = models.CharField(_("capacidade"), max_length=32)
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    planned_at = models.DateTimeField(_("planejada para"), default=timezone.now)
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
    # Of what it changed: stock emptied, prices moved far (catalog/brake.py).
    drastic = models.PositiveIntegerField(default=0, editable=False)
    cursor_before = models.TextField(_("cursor antes"), blank=True)
    cursor_after = models.TextField(_("cursor depois"), blank=True)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)

    objects = RunQuerySet.as_manager()

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
            models.Index(fields=["flow", "-id"], name="run_by_flow"),
            models.Index(fields=["started_at", "outcome"], name="run_by_start"),
            models.Index(fields=["started_at"], name="run_idle", condition=IDLE),
        ]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.get_outcome_display()}"
