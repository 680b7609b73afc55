"""What partners are told, and how their addresses take it."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import GOING_ON, Activation
from connectors.models.delivery import Address, AddressQuerySet, Message


class EndpointQuerySet(AddressQuerySet):
    def ready(self, now: datetime) -> Self:
        # A paused integration's notices wait for it; a revoked one's are for nobody.
        going_on = super().ready(now).filter(activation__state__in=GOING_ON)
        return going_on.exclude(activation__plugin_url="")


class Endpoint(Address):
    """A partner's address for notices: its plugin URL."""

    activation = models.OneToOneField(Activation, models.CASCADE, primary_key=True)

    objects = EndpointQuerySet.as_manager()

    class Meta(Address.Meta):
        verbose_name = _("endereço de notificação")
        verbose_name_plural = _("endereços de notificação")

    def __str__(self) -> str:
        return str(self.activation)


def new_message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


class Notice(Message):
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

    class Meta(Message.Meta):
        verbose_name = _("notificação")
        verbose_name_plural = _("notificações")
        ordering = ["-pk"]
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
            models.Index(fields=["object_id"], name="notice_by_object"),
            models.Index(
                fields=["-id"], name="notice_given_up", condition=Q(given_up_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.action} {self.object_id}"
