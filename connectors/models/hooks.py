"""What happens in a store, who subscribed to it, and its way there."""

from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.hub.identifiers import new_public_id
from connectors.models.activations import GOING_ON, Activation
from connectors.models.delivery import Address, AddressQuerySet, Message
from connectors.models.stores import Store
from connectors.spec import Hook

LONGEST_URL = 500


class EventQuerySet(models.QuerySet["Event"]):
    def before(self, public_id: str) -> "EventQuerySet":
        """Those behind this one, where the newest come first."""
        last = Event.objects.filter(public_id=public_id).values("at", "pk")[:1]
        if not last:
            return self.none()
        same = Q(at=last[0]["at"], pk__lt=last[0]["pk"])
        return self.filter(Q(at__lt=last[0]["at"]) | same)


class Event(models.Model):
    """Something that happened, as it was then: what is sent to hooks, and listed for who polls."""

    # The same in every list and delivery: by it a receiver knows a repetition.
    public_id = models.CharField(_("id"), max_length=24, default=new_public_id)
    store = models.ForeignKey(
        Store, models.CASCADE, verbose_name=_("loja"), related_name="events", db_index=False
    )
    hook = models.CharField(_("evento"), max_length=24, choices=Hook)
    object_id = models.CharField(_("registro"), max_length=200)
    data = models.JSONField(_("dados"))
    at = models.DateTimeField(_("quando"), default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("evento")
        verbose_name_plural = _("eventos")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["store", "hook", "-at", "-id"], name="event_list"),
            models.Index(fields=["at"], name="event_by_age"),
        ]
        # Not the field's own `unique`, which comes with a second index, for LIKE.
        constraints = [models.UniqueConstraint(fields=["public_id"], name="event_id_once")]

    def __str__(self) -> str:
        return f"{self.hook} {self.object_id}"


class SubscriptionQuerySet(AddressQuerySet):
    def going_on(self) -> Self:
        return self.filter(ended_at=None)

    def ready(self, now: datetime) -> Self:
        # A paused integration's events wait for it; a revoked one's are for nobody.
        going_on = super().ready(now).filter(ended_at=None)
        return going_on.filter(activation__state__in=GOING_ON)


class Subscription(Address):
    """An address that is told one kind of event of its activation's store."""

    public_id = models.CharField(_("id"), max_length=24, unique=True, default=new_public_id)
    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="subscriptions",
    )
    hook = models.CharField(_("evento"), max_length=24, choices=Hook)
    # Nothing else authenticates who writes there: people are shown its host alone.
    target_url = models.CharField(_("endereço"), max_length=LONGEST_URL)
    created_at = models.DateTimeField(_("assinada em"), default=timezone.now)
    ended_at = models.DateTimeField(_("encerrada em"), null=True)
    ended_reason = models.CharField(_("por que terminou"), max_length=500, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta(Address.Meta):
        verbose_name = _("assinatura")
        verbose_name_plural = _("assinaturas")
        ordering = ["-pk"]
        constraints = [
            *Address.Meta.constraints,
            models.UniqueConstraint(
                fields=["activation", "hook", "target_url"],
                condition=Q(ended_at=None),
                name="subscription_once_per_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hook} → {self.host}"

    @property
    def host(self) -> str:
        return urlsplit(self.target_url).hostname or ""


class Delivery(Message):
    """One event on its way to one subscription."""

    subscription = models.ForeignKey(
        Subscription,
        models.CASCADE,
        verbose_name=_("assinatura"),
        related_name="deliveries",
        db_index=False,  # the indexes below begin with it
    )
    event = models.ForeignKey(
        Event, models.CASCADE, verbose_name=_("evento"), related_name="deliveries"
    )

    class Meta(Message.Meta):
        verbose_name = _("envio de evento")
        verbose_name_plural = _("envios de eventos")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["subscription", "id"],
                name="delivery_waiting",
                condition=Q(delivered_at=None, given_up_at=None),
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_by_subscription"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.event)
