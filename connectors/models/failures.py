"""What went wrong with one record, and what becomes of it."""

from datetime import datetime

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import BY_NAME, SINK_NAMES, Flow, Replay
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.models.activations import Activation
from connectors.models.flows import Run
from connectors.models.repairs import Repair
from connectors.trouble.causes import CAUSES, OTHER, Cause


class FailureQuerySet(models.QuerySet["Failure"]):
    def open(self) -> "FailureQuerySet":
        return self.filter(resolved_at=None)

    def due(self, now: datetime) -> "FailureQuerySet":
        return self.open().filter(retry_at__lte=now)

    def resolve(self, resolution: str) -> int:
        """Those that are open. Nobody needs what arrived any more."""
        return self.open().update(
            resolved_at=timezone.now(), resolution=resolution[:200], sealed=""
        )

    def without_content(self) -> "FailureQuerySet":
        """What was kept may be long, and lists show nothing of it."""
        return self.defer("payload", "translated", "exchange", "edited", "sealed")


class Failure(models.Model):
    """One record that could not be taken or delivered: what, why, and whether it is mended."""

    class Kind(models.TextChoices):
        """What the portal does next (connectors.errors)."""

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
    # A code of connectors.trouble.causes, where who must act and how is known.
    cause = models.CharField(_("causa"), max_length=40, default=OTHER)
    reason = models.TextField(_("motivo"))
    # The ability's class name: it says the direction. Unknown for what did not fail in a run.
    ability = models.CharField(_("capacidade"), max_length=32, blank=True)
    # In these four, and in the reason, personal data is masked.
    # What arrived, of a pull; our record as it was, of a push.
    payload = models.JSONField(_("conteúdo"), null=True, encoder=DjangoJSONEncoder)
    # The record as it was read, of a pull; as it was sent, of a push.
    translated = models.JSONField(_("traduzido"), null=True, encoder=DjangoJSONEncoder)
    # The call that was refused, and its answer (connectors/exchanges.py).
    exchange = models.JSONField(_("resposta"), null=True, encoder=DjangoJSONEncoder)
    # What arrived as a person corrected it: tried in the place of the original.
    edited = models.JSONField(_("corrigido"), null=True, encoder=DjangoJSONEncoder)
    edited_at = models.DateTimeField(_("corrigido em"), null=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("corrigido por"),
        null=True,
        related_name="+",
    )
    # What arrived and its correction as they are, where masking hid something and they may yet be
    # tried again (connectors/trouble/originals.py).
    sealed = models.TextField(blank=True, default="", editable=False)
    # The latest thing that a person did about it.
    repair = models.ForeignKey(
        Repair, models.SET_NULL, verbose_name=_("reparo"), null=True, related_name="failures"
    )
    times = models.PositiveIntegerField(_("vezes"), default=1)
    first_at = models.DateTimeField(_("primeira vez"), default=timezone.now)
    last_at = models.DateTimeField(_("última vez"), default=timezone.now)
    # None where what arrived could not be kept as it was: only the other side can send it again.
    retry_at = models.DateTimeField(_("próxima tentativa"), null=True)
    resolved_at = models.DateTimeField(_("resolvida em"), null=True)
    resolution = models.CharField(_("resolução"), max_length=200, blank=True)

    objects = FailureQuerySet.as_manager()

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
            ),
            models.CheckConstraint(
                condition=Q(edited_at=None, edited_by=None)
                | Q(edited_at__isnull=False, edited_by__isnull=False),
                name="failure_edited_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(sealed=""),
                name="failure_resolved_keeps_no_original",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="failure_list"),
            models.Index(fields=["first_at"], name="failure_by_first"),
            models.Index(fields=["resolved_at"], name="failure_by_resolution"),
            models.Index(fields=["cause"], name="failure_open", condition=Q(resolved_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.record_id or self.get_flow_display()}"

    @property
    def is_push(self) -> bool:
        return self.ability in SINK_NAMES

    @property
    def replay(self) -> Replay | None:
        """What trying it again does; unknown for what did not fail in a run."""
        ability = BY_NAME.get(self.ability)
        return ability.replay if ability else None

    @property
    def can_be_edited(self) -> bool:
        """Of what we send, the original is here: it is mended on its own page."""
        open_pull = self.resolved_at is None and not self.is_push and bool(self.ability)
        return open_pull and self.payload is not None and self.retry_at is not None

    @property
    def known_cause(self) -> Cause:
        return CAUSES.get(self.cause, CAUSES[OTHER])

    @classmethod
    def kind_of(cls, error: Exception) -> "Failure.Kind":
        kinds: tuple[tuple[type[ConnectorError], Failure.Kind], ...] = (
            (Unavailable, cls.Kind.UNAVAILABLE),
            (Unauthorized, cls.Kind.UNAUTHORIZED),
            (Rejected, cls.Kind.REJECTED),
            (Unreadable, cls.Kind.UNREADABLE),
        )
        return next((kind for of, kind in kinds if isinstance(error, of)), cls.Kind.REFUSED)
