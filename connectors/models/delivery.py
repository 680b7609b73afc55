"""Addresses that we tell things, and the messages on their way there
(connectors/messages/delivery.py)."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Breaker(models.TextChoices):
    """Whether messages go to an address now."""

    CLOSED = "closed", _("Ligadas")
    OPEN = "open", _("Em espera: o endereço não responde")
    HALF_OPEN = "half_open", _("Em espera de um teste")
    DISABLED = "disabled", _("Desligadas")


class AddressQuerySet(models.QuerySet[Any]):
    def ready(self, now: datetime) -> Self:
        """Those that may be called now, and nobody is calling."""
        return self.filter(
            Q(open_until=None) | Q(open_until__lte=now),
            Q(busy_until=None) | Q(busy_until__lte=now),
            disabled_at=None,
        )

    def forget_failures(self) -> None:
        self.update(failures_in_a_row=0, failing_since=None, open_until=None)


class Address(models.Model):
    """How an address has answered lately, and what we make of it."""

    HEALTH = (
        "failures_in_a_row", "failing_since", "last_success_at", "open_until", "disabled_at",
        "disabled_reason", "busy_until",
    )  # fmt: skip

    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    last_success_at = models.DateTimeField(_("última entrega"), null=True)
    open_until = models.DateTimeField(_("em espera até"), null=True)
    disabled_at = models.DateTimeField(_("notificações desligadas em"), null=True)
    disabled_reason = models.CharField(_("motivo"), max_length=500, blank=True)
    # One deliverer at a time. If he dies, the address is free after this.
    busy_until = models.DateTimeField(null=True)

    activation_id: int  # whose address it is

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(failures_in_a_row=0, failing_since=None)
                | Q(failures_in_a_row__gt=0, failing_since__isnull=False),
                name="%(class)s_fails_since_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="%(class)s_disabled_for_a_reason",
            ),
        ]

    @property
    def breaker(self) -> Breaker:
        if self.disabled_at:
            return Breaker.DISABLED
        if self.open_until is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self.open_until > timezone.now() else Breaker.HALF_OPEN

    def may_be_tried(self, now: datetime) -> bool:
        waits = self.open_until is not None and self.open_until > now
        return self.disabled_at is None and not waits


class MessageQuerySet(models.QuerySet[Any]):
    def waiting(self) -> Self:
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self, now: datetime) -> Self:
        return self.waiting().filter(due_at__lte=now)

    def begin_anew(self) -> None:
        """Those that wait are due, and are not given up for how often they failed until now."""
        failing = self.waiting().exclude(failing_since=None)
        failing.update(failing_since=None, due_at=timezone.now())


class Message(models.Model):
    """One message to one address: tried until it is delivered or given up."""

    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tentativas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    due_at = models.DateTimeField(_("próxima tentativa"), default=timezone.now)
    delivered_at = models.DateTimeField(_("entregue em"), null=True)
    given_up_at = models.DateTimeField(_("desistimos em"), null=True)
    last_status = models.PositiveSmallIntegerField(_("último status HTTP"), null=True)
    last_error = models.CharField(_("último erro"), max_length=500, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None),
                name="%(class)s_ends_in_one_way",
            )
        ]
