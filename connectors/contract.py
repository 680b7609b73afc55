"""What a client promises: one small base class per ability.

A client talks to one account at one platform. It yields what it reads page by page, unread: the
portal stores the page's cursor only after everything on the page is stored, and reads each
record on its own, so that one bad record never stops the others.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from connectors.payload import Payload
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    PriceRecord,
    ProductRecord,
    StockRecord,
)


class Flow(TextChoices):
    """What moves. The direction is the ability's: a source pulls in, a sink pushes out."""

    PRODUCTS = "products", _("Produtos")
    PRICES = "prices", _("Preços")
    STOCK = "stock", _("Estoque")
    ORDERS = "orders", _("Pedidos")
    FULFILMENT = "fulfilment", _("Faturamento e entrega")


@dataclass(frozen=True)
class Account:
    """Where a client connects and as whom. `repr` never shows the credentials."""

    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Some records, unread, and the cursor that covers them once all of them are stored."""

    items: list[Payload]
    cursor: str


class Client(ABC):
    """Every method raises the errors of connectors.errors and no others."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @abstractmethod
    def check(self) -> None:
        """A cheap call that fails when the address or the credentials are wrong."""


class Ability(ABC):
    """What a client can do. Each moves one flow."""

    flow: Flow


class ProductSource(Ability):
    flow = Flow.PRODUCTS

    @abstractmethod
    def changed_products(self, cursor: str) -> Iterable[Page]:
        """Products created or changed since the cursor; all of them where it is empty."""

    @abstractmethod
    def read_product(self, payload: Payload) -> ProductRecord: ...


class PriceSource(Ability):
    flow = Flow.PRICES

    @abstractmethod
    def changed_prices(self, cursor: str) -> Iterable[Page]: ...

    @abstractmethod
    def read_price(self, payload: Payload) -> PriceRecord: ...


class StockSource(Ability):
    flow = Flow.STOCK

    @abstractmethod
    def changed_stock(self, cursor: str) -> Iterable[Page]: ...

    @abstractmethod
    def read_stock(self, payload: Payload) -> StockRecord: ...


class OrderSource(Ability):
    """A channel: orders come from it."""

    flow = Flow.ORDERS

    @abstractmethod
    def changed_orders(self, cursor: str) -> Iterable[Page]: ...

    @abstractmethod
    def read_order(self, payload: Payload) -> OrderRecord: ...


class OrderSink(Ability):
    """A platform or ERP: it takes orders, and is told when they are approved or cancelled."""

    flow = Flow.ORDERS

    @abstractmethod
    def push_order(self, order: OrderRecord) -> str:
        """Create the order, or tell its new status; the platform's id for it.

        May be called twice with the same order, also after an answer that was lost: whoever
        implements it makes sure that the platform holds the order once.
        """


class FulfilmentSource(Ability):
    """A platform or ERP that reports invoices and tracking."""

    flow = Flow.FULFILMENT

    @abstractmethod
    def changed_fulfilments(self, cursor: str) -> Iterable[Page]: ...

    @abstractmethod
    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord: ...


class FulfilmentSink(Ability):
    """A channel that is told what became of its orders."""

    flow = Flow.FULFILMENT

    @abstractmethod
    def push_fulfilment(self, fulfilment: FulfilmentRecord) -> None:
        """Tell the channel the order's status, invoice and tracking. May be called twice."""


ABILITIES: tuple[type[Ability], ...] = (
    ProductSource,
    PriceSource,
    StockSource,
    OrderSource,
    OrderSink,
    FulfilmentSource,
    FulfilmentSink,
)


def abilities_of(client: type[Client]) -> set[type[Ability]]:
    return {ability for ability in ABILITIES if issubclass(client, ability)}
