"""What an order is made of: items, payments, deliveries."""

from decimal import Decimal

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.merging import merge
from catalog.models import Product
from connectors.fiscal import compact, nfe_key_is_valid
from connectors.hub import wire
from connectors.hub.hubobject import PUBLIC_ID_ONCE, HubObject
from connectors.records import Document
from orders.models.orders import NOT_NEGATIVE, Order


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
            PUBLIC_ID_ONCE,
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_has_quantity"),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0), name="line_price_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["order"], name="line_without_product", condition=Q(product=None))
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    def news(self, document: Document, path: str = "$") -> Document:
        """A variation of nothing is none, as which our answer comes back."""
        news = super().news(document, path)
        if not news.get("variation", True) and not self.fields.get("variation"):
            del news["variation"]
        return news

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
        constraints = [PUBLIC_ID_ONCE]

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
        constraints = [PUBLIC_ID_ONCE]

    def __str__(self) -> str:
        return self.track_code or self.public_id

    def news(self, document: Document, path: str = "$") -> Document:
        """Documents that were not mentioned stay: an invoice must not take the label away. A key
        is one however it is written; channels want its 44 characters."""
        key = compact(document.get("nfe_key") or "")
        if nfe_key_is_valid(key):
            document = {**document, "nfe_key": key}
        if "documents" in document:
            known = self.fields.get("documents") or []
            merged = merge(known, document["documents"], ("url", "external"))
            document = {**document, "documents": merged}
        return super().news(document, path)
