"""What partners are told, and how their addresses take it."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation, State


class Breaker(models.TextChoices):
    """Whether notices go to an address now (connectors/notices.py)."""

    CLOSED = "closed", _("Ligadas")
    OPEN = "open", _("Em espera: o endereço não responde")
    HALF_OPEN = "half_open", _("Em espera de um teste")
    DISABLED = "disabled", _("Desligadas")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def ready(self, now: datetime) -> "EndpointQuerySet":
        """Those that may be called now, and nobody is calling."""
        # A paused integration's notices wait for it; a revoked one's are for nobody.
        return self.filter(
            Q(open_until=None) | Q(open_until__lte=now),
            Q(busy_until=None) | Q(busy_until__lte=now),
            disabled_at=None,
            activation__state__in=[State.WAITING, State.ACTIVE],
        ).exclude(activation__plugin_url="")

    def forget_failures(self) -> None:
        self.update(failures_in_a_row=0, failing_since=None, open_until=None)


class Endpoint(models.Model):
    """How a partner's address for notices has answered lately, and what we make of it."""

    activation = models.OneToOneField(Activation, models.CASCADE, primary_key=True)
    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    last_success_at = models.DateTimeField(_("última entrega"), null=True)
    open_until = models.DateTimeField(_("em espera até"), null=True)
    disabled_at = models.DateTimeField(_("notificações desligadas em"), null=True)
    disabled_reason = models.CharField(_("motivo"), max_length=500, blank=True)
    # One deliverer at a time. If he dies, the address is free after this.
    busy_until = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endereço de notificação")
        verbose_name_plural = _("endereços de notificação")
        constraints = [
            models.CheckConstraint(
                condition=Q(failures_in_a_row=0, failing_since=None)
                | Q(failures_in_a_row__gt=0, failing_since__isnull=False),
                name="endpoint_fails_since_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="endpoint_disabled_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.activation)

    @property
    def breaker(self) -> Breaker:
        if self.disabled_at:
            return Breaker.DISABLED
        if self.open_until is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self.open_until > timezone.now() else Breaker.HALF_OPEN


def new_message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self) -> "NoticeQuerySet":
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self, now: datetime) -> "NoticeQuerySet":
        return self.waiting().filter(due_at__lte=now)


class Notice(models.Model):
    """One notification that must reach a plugin's URL (pluggto-api.md, section 12)."""

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="notices",
        db_index=False,  # two of the indexes below begin with it
    )
    # The same however often it is sent, and for a replay: by it a receiver knows a repetition.
    message_id = models.CharField(_("mensagem"), max_length=36, default=new_message_id)
    topic = models.CharField(_("assunto"), max_length=12)  # "orders", "products", "skus"
    action = models.CharField(_("ação"), max_length=12)  # "created", "updated", "deleted"
    object_id = models.CharField(_("registro"), max_length=200)
    changes = models.JSONField(_("mudanças"), default=dict)
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tentativas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    due_at = models.DateTimeField(_("próxima tentativa"), default=timezone.now)
    delivered_at = models.DateTimeField(_("entregue em"), null=True)
    given_up_at = models.DateTimeField(_("desistimos em"), null=True)
    last_status = models.PositiveSmallIntegerField(_("último status HTTP"), null=True)
    last_error = models.CharField(_("último erro"), max_length=500, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notificação")
        verbose_name_plural = _("notificações")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None), name="notice_ends_in_one_way"
            )
        ]
        indexes = [
            # By activation first: whether an address has something due, and what is next for it,
            # is one look into the index, however many thousands wait for a dead one.
            models.Index(
                fields=["activation", "due_at", "id"],
                name="notice_due",
                condition=Q(delivered_at=None, given_up_at=None),
            ),
            models.Index(fields=["activation", "-id"], name="notice_by_activation"),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.action} {self.object_id}"
