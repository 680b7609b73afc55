"""An order as a whole."""

import re
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Reservation, ReservationQuerySet
from connectors.hub import wire
from connectors.hub.hubobject import PUBLIC_ID_ONCE, HubObject
from connectors.models import Activation, Store
from connectors.records import Document, OrderStatus
from orders.models.history import StatusChange
from orders.models.links import OrderLink
from orders.status import may_become

SHORTAGES = Reservation.objects.short()
SHORT = models.Exists(SHORTAGES.filter(sale=models.OuterRef("public_id")))
REAIS = "BRL"
NOT_NEGATIVE = [MinValueValidator(0)]


# Of the buyer's and the receiver's fields, those that name nobody.
NOBODYS = re.compile(r"(payer|receiver)_(city|state|country|schedule_\w+|gender)")


def names_somebody(name: str) -> bool:
    """Whether a field of an order is about a person."""
    about = name.startswith(("payer_", "receiver_")) or name == "email_nfe"
    return about and not NOBODYS.fullmatch(name)


class OrderQuerySet(models.QuerySet["Order"]):
    def listed_for(self, activation: Activation) -> "OrderQuerySet":
        """Those that an activation's list shows: a channel's own, or those whose status the
        connector consumes."""
        mine = self.filter(store=activation.store)
        if activation.spec.is_channel:
            return mine.filter(source=activation)
        return mine.filter(status__in=activation.spec.sees)

    def readable_by(self, activation: Activation) -> "OrderQuerySet":
        """Also those that it took before they moved on: it must be able to read what changed."""
        mine = self.filter(store=activation.store)
        if activation.spec.is_channel:
            return mine.filter(source=activation)
        taken = OrderLink.objects.filter(activation=activation, order=models.OuterRef("pk"))
        return mine.filter(Q(status__in=activation.spec.sees) | models.Exists(taken))

    def with_shortage(self) -> "OrderQuerySet":
        """`is_short`, of each."""
        return self.annotate(is_short=SHORT)

    def short(self) -> "OrderQuerySet":
        """Those that want units which the store does not have."""
        return self.filter(SHORT)

    def with_everything(self) -> "OrderQuerySet":
        """All that an answer or a page shows of an order, in a constant number of queries."""
        return self.select_related("source__connector", "modified_by").prefetch_related(
            "lines",
            "payments",
            "shipments",
            models.Prefetch("status_changes", StatusChange.objects.select_related("activation")),
            models.Prefetch("links", OrderLink.objects.select_related("activation__connector")),
        )


class Order(HubObject):
    """One sale of a channel. In the hub once, on each platform once."""

    TABLE = wire.ORDER
    COLUMNS = ("status", "original_id", "channel", "channel_account", "total")

    store = models.ForeignKey(
        Store, models.PROTECT, verbose_name=_("loja"), related_name="orders", db_index=False
    )
    source = models.ForeignKey(
        Activation, models.PROTECT, verbose_name=_("veio por"), related_name="brought_orders"
    )
    original_id = models.CharField(_("número no canal"), max_length=100, blank=True)
    channel = models.CharField(_("canal"), max_length=100, blank=True)
    channel_account = models.CharField(_("conta no canal"), max_length=200, blank=True)
    status = models.CharField(_("situação"), max_length=20, choices=OrderStatus)
    total = models.DecimalField(
        _("total"), max_digits=16, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE
    )
    approved_at = models.DateTimeField(_("aprovado em"), null=True, editable=False)
    created_at = models.DateTimeField(_("recebido em"), default=timezone.now, editable=False)
    modified_at = models.DateTimeField(_("alterado em"), default=timezone.now, editable=False)
    modified_by = models.ForeignKey(
        Activation, models.SET_NULL, verbose_name=_("alterado por"), null=True, related_name="+"
    )

    # Since then it names nobody, and takes no personal data back (orders/personal_data.py).
    anonymised_at = models.DateTimeField(_("anonimizado em"), null=True, editable=False)
    legal_hold = models.BooleanField(_("retido por obrigação legal"), default=False)
    # The number of the links to its page that are good; those of before are revoked.
    buyer_links = models.PositiveIntegerField(default=0, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("pedido")
        verbose_name_plural = _("pedidos")
        ordering = ["-pk"]
        permissions = [("hold_order", _("Pode reter e liberar dados por obrigação legal"))]
        constraints = [
            PUBLIC_ID_ONCE,
            models.UniqueConstraint(
                fields=["source", "channel", "channel_account", "original_id"],
                condition=~Q(original_id=""),
                name="order_once_per_channel_account",
            ),
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="order_status_known"
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="order_list"),
            models.Index(fields=["store", "status", "-id"], name="order_by_status"),
            models.Index(fields=["store", "created_at", "id"], name="order_by_created"),
            models.Index(
                fields=["store", "status", "created_at", "id"], name="order_by_status_created"
            ),
            models.Index(
                fields=["store", "channel", "created_at", "id"], name="order_by_channel_created"
            ),
            models.Index(fields=["store", "modified_at"], name="order_by_modified"),
            models.Index(fields=["store", "original_id"], name="order_by_original_id"),
            models.Index(fields=["original_id"], name="order_by_number"),
            models.Index(fields=["created_at"], name="order_by_age"),
        ]

    def __str__(self) -> str:
        return self.original_id or self.public_id

    def news(self, document: Document, path: str = "$") -> Document:
        if self.anonymised_at is not None:
            document = {name: value for name, value in document.items() if not names_somebody(name)}
        return super().news(document, path)

    def may_become(self, status: OrderStatus) -> bool:
        return may_become(OrderStatus(self.status), status)

    @property
    def shortages(self) -> ReservationQuerySet:
        """What it wants and the store does not have."""
        return SHORTAGES.filter(sale=self.public_id).select_related("product")

    def amount(self, name: str) -> Decimal | None:
        """Of what its total is made up, where the channel said it (`shipping`, `discount`)."""
        said = self.fields.get(name)
        return None if said is None else Decimal(said)

    @property
    def currency(self) -> str:
        """The hub's amounts are in reais, where it does not say otherwise."""
        return str(self.fields.get("currency") or REAIS).upper()

    @property
    def money_sign(self) -> str:
        """What stands before its amounts."""
        return "R$" if self.currency == REAIS else self.currency

    @property
    def buyer(self) -> str:
        """The buyer's name, else the receiver's."""
        for who in ("payer", "receiver"):
            parts = (self.fields.get(f"{who}_name"), self.fields.get(f"{who}_lastname"))
            if any(parts):
                return " ".join(part for part in parts if part)
        return ""
