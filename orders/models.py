"""What was bought, what became of it, and who was told."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.merging import merge
from catalog.models import Product
from connectors import wire
from connectors.fiscal import nfe_key_is_valid
from connectors.hubobject import HubObject
from connectors.models import Activation, Store
from connectors.records import Document, OrderStatus
from connectors.spec import Mode, Spec
from orders.status import may_become

NOT_NEGATIVE = [MinValueValidator(0)]


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

    store = models.ForeignKey(Store, models.PROTECT, verbose_name=_("loja"), related_name="orders")
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

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("pedido")
        verbose_name_plural = _("pedidos")
        ordering = ["-pk"]
        constraints = [
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
            models.Index(fields=["store", "created_at"], name="order_by_created"),
            models.Index(fields=["store", "modified_at"], name="order_by_modified"),
            models.Index(fields=["store", "original_id"], name="order_by_original_id"),
        ]

    def __str__(self) -> str:
        return self.original_id or self.public_id

    def may_become(self, status: OrderStatus) -> bool:
        return may_become(OrderStatus(self.status), status)

    @property
    def buyer(self) -> str:
        """The buyer's name, else the receiver's."""
        for who in ("payer", "receiver"):
            parts = (self.fields.get(f"{who}_name"), self.fields.get(f"{who}_lastname"))
            if any(parts):
                return " ".join(part for part in parts if part)
        return ""


class Line(HubObject):
    """One item of an order."""

    TABLE = wire.ITEM
    COLUMNS = ("sku", "name", "quantity", "price")

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    # None where the store has no such SKU: an order is not lost for that.
    product = models.ForeignKey(
        Product, models.SET_NULL, verbose_name=_("produto"), null=True, related_name="+"
    )
    sku = models.CharField(_("SKU"), max_length=100, blank=True)
    name = models.CharField(_("nome"), max_length=500, blank=True)
    quantity = models.PositiveIntegerField(
        _("quantidade"), validators=[MaxValueValidator(2**31 - 1)]
    )
    price = models.DecimalField(
        _("preço"), max_digits=16, decimal_places=4, null=True, validators=NOT_NEGATIVE
    )

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("itens")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_has_quantity"),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0), name="line_price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    @property
    def sold_sku(self) -> str:
        """The variation's, where there is one: clients prefer it (section 6.6)."""
        return str((self.fields.get("variation") or {}).get("sku") or self.sku)

    @property
    def amount(self) -> Decimal:
        return (self.price or Decimal(0)) * self.quantity


class Payment(HubObject):
    TABLE = wire.PAYMENT
    COLUMNS = ("payment_type", "payment_total")

    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    payment_type = models.CharField(_("tipo"), max_length=100, blank=True)
    payment_total = models.DecimalField(_("valor"), max_digits=16, decimal_places=4, null=True)

    class Meta:
        verbose_name = _("pagamento")
        verbose_name_plural = _("pagamentos")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.payment_type} {self.payment_total}"


class Shipment(HubObject):
    """A delivery, with the invoice that goes with it."""

    TABLE = wire.SHIPMENT
    COLUMNS = (
        "status", *wire.INVOICE_FIELDS, *wire.TRACKING_FIELDS
    )  # fmt: skip

    order = models.ForeignKey(Order, models.CASCADE, related_name="shipments")
    status = models.CharField(_("situação"), max_length=30, blank=True)
    nfe_key = models.CharField(_("chave da NF-e"), max_length=60, blank=True)
    nfe_number = models.CharField(_("número da NF-e"), max_length=20, blank=True)
    nfe_serie = models.CharField(_("série da NF-e"), max_length=10, blank=True)
    nfe_date = models.DateTimeField(_("emissão da NF-e"), null=True)
    nfe_link = models.CharField(_("link da NF-e"), max_length=1000, blank=True)
    cfops = models.CharField(_("CFOPs"), max_length=200, blank=True)
    shipping_company = models.CharField(_("transportadora"), max_length=200, blank=True)
    shipping_method = models.CharField(_("forma de envio"), max_length=200, blank=True)
    track_code = models.CharField(_("código de rastreio"), max_length=200, blank=True)
    track_url = models.CharField(_("link de rastreio"), max_length=1000, blank=True)
    estimate_delivery_date = models.DateTimeField(_("previsão de entrega"), null=True)
    date_shipped = models.DateTimeField(_("enviado em"), null=True)
    date_delivered = models.DateTimeField(_("entregue em"), null=True)
    expected_collection_date = models.DateTimeField(_("previsão de coleta"), null=True)

    class Meta:
        verbose_name = _("entrega")
        verbose_name_plural = _("entregas")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.track_code or self.public_id

    def news(self, document: Document, path: str = "$") -> Document:
        """Documents that were not mentioned stay: an invoice must not take the label away."""
        if "documents" in document:
            known = self.fields.get("documents") or []
            merged = merge(known, document["documents"], ("url", "external"))
            document = {**document, "documents": merged}
        return super().news(document, path)

    @property
    def nfe_key_is_doubtful(self) -> bool:
        return bool(self.nfe_key) and not nfe_key_is_valid(self.nfe_key)


class StatusChange(models.Model):
    """One step of an order's life, and who took it. What was refused is kept as well."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="status_changes")
    status = models.CharField(_("situação"), max_length=20, choices=OrderStatus)
    previous = models.CharField(_("antes"), max_length=20, choices=OrderStatus, blank=True)
    at = models.DateTimeField(_("quando"), default=timezone.now)
    activation = models.ForeignKey(Activation, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # As it was called then: an author may be renamed or deleted, the history stays.
    author = models.CharField(_("quem"), max_length=200)
    applied = models.BooleanField(_("aplicada"), default=True)

    class Meta:
        verbose_name = _("mudança de situação")
        verbose_name_plural = _("mudanças de situação")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_status_display()} · {self.author}"


STALE = ~Q(wanted_status="") & ~Q(wanted_status=F("sent_status"))


class OrderLinkQuerySet(models.QuerySet["OrderLink"]):
    def stale(self) -> "OrderLinkQuerySet":
        """Those whose other side has not been told what is true."""
        return self.filter(STALE)


class OrderLink(models.Model):
    """An order at one activation: its number there, and which status it is to know and knows.

    `wanted_status` and `sent_status` serve managed activations; a partner reads by himself.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="links")
    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="order_links"
    )
    external_id = models.CharField(_("número no sistema"), max_length=200, blank=True)
    acknowledged = models.BooleanField(_("confirmado"), default=False)
    wanted_status = models.CharField(
        _("situação a informar"), max_length=20, choices=OrderStatus, blank=True
    )
    sent_status = models.CharField(
        _("situação informada"), max_length=20, choices=OrderStatus, blank=True
    )
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


def author_of(by: Any) -> str:
    """How history names whoever did something: a person, an integration, or the portal."""
    return str(by) if by is not None else "Tomada"
