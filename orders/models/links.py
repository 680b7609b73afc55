"""Who was told of an order."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import Activation
from connectors.records import OrderStatus
from connectors.spec import Mode, Spec

STALE = ~Q(wanted_status="") & ~Q(wanted_status=F("sent_status"), wanted_version=F("sent_version"))


class OrderLinkQuerySet(models.QuerySet["OrderLink"]):
    def stale(self) -> "OrderLinkQuerySet":
        """Those whose other side has not been told what is true."""
        return self.filter(STALE)


class OrderLink(models.Model):
    """An order at one activation: its number there, and what of it is to be known there and is.

    Status and version serve managed activations; a partner reads by himself. The version counts
    the changes of invoices and tracking, which need not come with another status. A version that
    was sent without a status was not answered: it may have the order.
    """

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="links", db_index=False)
    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="order_links",
        db_index=False,
    )
    external_id = models.CharField(_("número no sistema"), max_length=200, blank=True)
    acknowledged = models.BooleanField(_("confirmado"), default=False)
    wanted_status = models.CharField(
        _("situação a informar"), max_length=20, choices=OrderStatus, blank=True
    )
    sent_status = models.CharField(
        _("situação informada"), max_length=20, choices=OrderStatus, blank=True
    )
    wanted_version = models.PositiveIntegerField(default=0)
    sent_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("oferecido em"), default=timezone.now)

    objects = OrderLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("pedido na integração")
        verbose_name_plural = _("pedidos nas integrações")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "activation"], name="order_once_per_platform"),
        ]
        indexes = [
            models.Index(
                fields=["activation", "id"],
                name="link_to_send",
                condition=STALE,
            ),
            models.Index(fields=["activation", "external_id"], name="link_by_external_id"),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.activation}"

    @property
    def spec(self) -> Spec:
        return self.activation.spec

    @property
    def is_managed(self) -> bool:
        return self.activation.mode == Mode.MANAGED
