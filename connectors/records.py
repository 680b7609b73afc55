"""What crosses the border between the portal and a platform: dataclasses and vocabularies.

A platform's own words never get further than its folder. Where a record only carries what it
does not need to understand, it does so in a `Document`: the hub's field names (wire.py), with
only the fields that the other side spoke about.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

Document = dict[str, Any]


class OrderStatus(TextChoices):
    """Every status that the hub's API knows (pluggto-api.md, section 7), in its own spelling."""

    PENDING = "pending", _("Pendente")
    PARTIAL_PAYMENT = "partial_payment", _("Pagamento parcial")
    UNDER_REVIEW = "under_review", _("Sob análise")
    APPROVED = "approved", _("Aprovado")
    PAID = "paid", _("Pago")
    PICKING = "picking", _("Em separação")
    WAITING_INVOICE = "waiting_invoice", _("Nota fiscal solicitada")
    INVOICED = "invoiced", _("Faturado")
    PARTIAL_INVOICED = "partial_invoiced", _("Faturado em parte")
    INVOICE_ERROR = "invoice_error", _("Erro ao gerar nota fiscal")
    SHIPPING_INFORMED = "shipping_informed", _("Entrega informada")
    SHIPPING_ERROR = "shipping_error", _("Erro ao enviar entrega")
    SHIPPED = "shipped", _("Enviado")
    PARTIAL_SHIPPED = "partial_shipped", _("Enviado em parte")
    DELIVERED = "delivered", _("Entregue")
    PARTIAL_DELIVERED = "partial_delivered", _("Entregue em parte")
    CANCELED = "canceled", _("Cancelado")
    PARTIAL_CANCELED = "partial_canceled", _("Cancelado em parte")
    REFUNDED = "refunded", _("Reembolsado")


@dataclass(frozen=True)
class ProductRecord:
    """A product as its platform describes it. Money in BRL, sizes in cm, weights in kg.

    Those of the fields that `new_only` names are said of a product that the other side does not
    have yet; of one that it has, they are left as they are.
    """

    sku: str
    fields: Document
    variations: tuple["ProductRecord", ...] = ()
    new_only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PriceRecord:
    """What an item costs, in BRL. A special price of None ends a promotion.

    On the way out, a variation's says whose variation it is. On the way in, `if_known`: it is not
    on sale there, and a store that does not have it misses nothing.
    """

    sku: str
    price: Decimal
    special_price: Decimal | None = None
    parent_sku: str = ""
    if_known: bool = False


@dataclass(frozen=True)
class StockRecord:
    """How many units there are now: an absolute level, never a difference. `if_known` as above."""

    sku: str
    quantity: int
    if_known: bool = False


@dataclass(frozen=True)
class LineRecord:
    sku: str
    quantity: int
    unit_price: Decimal
    fields: Document = field(default_factory=dict)


@dataclass(frozen=True)
class InvoiceRecord:
    """An NF-e. The key has 44 characters; `link` leads to its XML or its DANFE."""

    key: str = ""
    number: str = ""
    series: str = ""
    issued_at: datetime | None = None
    link: str = ""
    cfops: str = ""


@dataclass(frozen=True)
class TrackingRecord:
    company: str = ""
    method: str = ""
    code: str = ""
    url: str = ""
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class DeliveryRecord:
    """One delivery of an order. `items`, each with `sku` and `quantity`, says what lies in it
    where the order goes out in several."""

    invoice: InvoiceRecord | None = None
    tracking: TrackingRecord | None = None
    items: tuple[Document, ...] = ()


@dataclass(frozen=True)
class OrderRecord:
    """One order, on its way in (from a channel) or out (to a platform).

    `hub_id` is our own id and empty on the way in; `external_id` is the id at the other side and
    empty on the way out until the other side has answered with one. `fields` holds the head's
    remaining fields (buyer, addresses, amounts …) by the hub's names.
    """

    status: OrderStatus
    original_id: str
    channel: str
    total: Decimal
    lines: tuple[LineRecord, ...]
    fields: Document
    payments: tuple[Document, ...] = ()
    shipments: tuple[Document, ...] = ()
    hub_id: str = ""
    external_id: str = ""
    channel_account: str = ""


@dataclass(frozen=True)
class FulfilmentRecord:
    """What became of one order: its new status and, where known, its invoice and tracking. An
    order that goes out in several deliveries has `others` beside the first.

    Says which order by the hub's id or, where the other side does not keep that, by its own.
    """

    status: OrderStatus
    hub_id: str = ""
    external_id: str = ""
    invoice: InvoiceRecord | None = None
    tracking: TrackingRecord | None = None
    items: tuple[Document, ...] = ()
    others: tuple[DeliveryRecord, ...] = ()

    @property
    def deliveries(self) -> tuple[DeliveryRecord, ...]:
        """All of them, in the order in which they became known."""
        first = DeliveryRecord(self.invoice, self.tracking, self.items)
        return (*((first,) if self.invoice or self.tracking else ()), *self.others)
