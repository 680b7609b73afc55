"""What a client promises: one small base class per ability.

A client talks to one account at one platform. It yields what it reads page by page, unread: the
portal stores the page's cursor only after everything on the page is stored, and reads each
record on its own, so that one bad record never stops the others.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from connectors.payload import Payload
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    OrderStatus,
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


class Replay(TextChoices):
    """What happens where the same is tried once more: never a difference is applied twice."""

    ONCE = "once", _("repetir é seguro: o que já entrou não entra outra vez")
    LATEST = "latest", _("repetir grava o último valor que chegou, inteiro, nunca uma diferença")
    NOW = "now", _("repetir envia o que vale agora, e não o que se tentou antes; lá fica um só")


# The kinds of calls that a platform counts, each against a limit of its own
# (Spec.calls_per_minute).
CALLS, BATCH_CALLS = "calls", "batch_calls"


class Meter:
    """Counts one account's calls at a platform that limits them, over all stores, flows and
    machines (connectors/runs/budget.py). This one counts nothing.

    A client spends before each attempt at a call, whatever becomes of it. A page should be no
    more than a few calls: a run that is out of budget goes on later, from the last page's cursor.
    """

    def spend(self, kind: str = CALLS) -> None:
        """Take one call from the minute. Raises `OutOfBudget`, and nothing may be called, where
        the part of it that this flow may use is used up."""

    def learn(self, per_minute: int, kind: str = CALLS) -> None:
        """The platform said what its limit is: from here on it counts, not the specification's."""

    def exhaust(self, kind: str = CALLS) -> None:
        """The platform said that the minute's calls are used up, perhaps by somebody else."""


@dataclass(frozen=True)
class Token:
    """What a platform gave for the credentials. `repr` shows no secret."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    renew_at: datetime


class TokenStore:
    """Where an account's token is kept, for whoever calls in its name: one asks for a new one while
    the others wait for it (connectors/shared_tokens.py). This one keeps it for its own life."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def get(self) -> Token | None:
        return self._token

    def renew(self, worn: Token | None, ask: Callable[[Token | None], Token]) -> Token:
        """A token other than `worn`: somebody else's newer one, or what `ask` answers, which is
        given the one that is kept."""
        self._token = ask(self._token)
        return self._token

    def current(self, ask: Callable[[Token | None], Token]) -> Token:
        """The one that is kept, or another where there is none or its time is over."""
        token = self.get()
        if token is None or token.renew_at <= datetime.now(UTC):
            return self.renew(token, ask)
        return token


@dataclass(frozen=True)
class Account:
    """Where a client connects and as whom. `repr` never shows the credentials."""

    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter, repr=False, compare=False)
    tokens: TokenStore = field(default_factory=TokenStore, repr=False, compare=False)
    cnpj: str = ""  # the store's, where it is known

    def url_of(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"


@dataclass(frozen=True)
class Page:
    """Some records, unread, and the cursor that covers them once all of them are stored. `told_at`
    where they were asked for before the page was: they are no newer than that."""

    items: list[Payload]
    cursor: str
    told_at: datetime | None = None


class Client(ABC):
    """Every method raises the errors of connectors.errors and no others."""

    # Sources whose platform forgets a page once it has shown it: the next may be asked for only
    # when it is stored.
    forgets: "frozenset[type[Ability]]" = frozenset()

    def __init__(self, account: Account) -> None:
        self.account = account

    @abstractmethod
    def check(self) -> None:
        """A cheap call that fails when the address or the credentials are wrong."""


class Ability(ABC):
    """What a client can do. Each moves one flow."""

    flow: Flow
    replay: Replay


class ProductSource(Ability):
    flow = Flow.PRODUCTS
    replay = Replay.LATEST

    @abstractmethod
    def changed_products(self, cursor: str) -> Iterable[Page]:
        """Products created or changed since the cursor; all of them where it is empty."""

    def all_products(self, cursor: str) -> Iterable[Page]:
        """Every product, from the cursor of an earlier page on, to compare both sides: nothing may
        come of it at the platform. Ends when everything was yielded. Not the same, where reading
        what changed makes the platform forget it."""
        return self.changed_products(cursor)

    @abstractmethod
    def read_product(self, payload: Payload) -> ProductRecord: ...


class PriceSource(Ability):
    flow = Flow.PRICES
    replay = Replay.LATEST

    @abstractmethod
    def changed_prices(self, cursor: str) -> Iterable[Page]: ...

    def all_prices(self, cursor: str) -> Iterable[Page]:
        """As `all_products`."""
        return self.changed_prices(cursor)

    @abstractmethod
    def read_price(self, payload: Payload) -> PriceRecord: ...


class StockSource(Ability):
    flow = Flow.STOCK
    replay = Replay.LATEST

    @abstractmethod
    def changed_stock(self, cursor: str) -> Iterable[Page]: ...

    def all_stock(self, cursor: str) -> Iterable[Page]:
        """As `all_products`."""
        return self.changed_stock(cursor)

    @abstractmethod
    def read_stock(self, payload: Payload) -> StockRecord: ...


class OrderSource(Ability):
    """A channel: orders come from it."""

    flow = Flow.ORDERS
    replay = Replay.ONCE

    @abstractmethod
    def changed_orders(self, cursor: str) -> Iterable[Page]: ...

    @abstractmethod
    def read_order(self, payload: Payload) -> OrderRecord: ...


class OrderSink(Ability):
    """A platform or ERP: it takes orders, and is told when they are approved or cancelled."""

    flow = Flow.ORDERS
    replay = Replay.NOW

    @abstractmethod
    def push_order(self, order: OrderRecord) -> str:
        """Create the order, or tell its new status; the platform's id for it. Any that the
        specification consumes or follows may come: beside `approved` the old word for it, `paid`,
        and beside `canceled` `refunded`. Where it can tell that an order which is over never got
        there, nothing is made of it, and the id is empty.

        May be called twice with the same order, also after an answer that was lost: whoever
        implements it makes sure that the platform holds the order once.
        """


class ProductSink(Ability):
    """A channel that is sent the store's catalogue."""

    flow = Flow.PRODUCTS
    replay = Replay.NOW

    @abstractmethod
    def push_product(self, product: ProductRecord) -> str:
        """Create the product, or bring it up to date; the channel's id for it. May be called
        twice with the same product. Prices and stock are not in it: they have flows of their own.

        Elements of its lists, and variations, that are marked `remove` were sent once and left.
        """

    @abstractmethod
    def remove_product(self, sku: str) -> None:
        """Take it off sale for good. All is well where it is not there."""


class PriceSink(Ability):
    flow = Flow.PRICES
    replay = Replay.NOW

    @abstractmethod
    def push_price(self, price: PriceRecord) -> None: ...


class StockSink(Ability):
    flow = Flow.STOCK
    replay = Replay.NOW

    @abstractmethod
    def push_stock(self, stock: StockRecord) -> None:
        """Tell the absolute level."""


class FulfilmentSource(Ability):
    """A platform or ERP that reports invoices and tracking."""

    flow = Flow.FULFILMENT
    replay = Replay.ONCE

    @abstractmethod
    def changed_fulfilments(self, cursor: str) -> Iterable[Page]:
        """Orders that changed, of the hub's alone: any other would be shown as a failure. One that
        stands as the hub told it to is no news, and does no harm."""

    @abstractmethod
    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord: ...


class FulfilmentSink(Ability):
    """A channel that is told what became of its orders."""

    flow = Flow.FULFILMENT
    replay = Replay.NOW

    @abstractmethod
    def push_fulfilment(self, fulfilment: FulfilmentRecord) -> None:
        """Tell the channel the order's status, invoice and tracking. May be called twice."""


ABILITIES: tuple[type[Ability], ...] = (
    ProductSource,
    ProductSink,
    PriceSource,
    PriceSink,
    StockSource,
    StockSink,
    OrderSource,
    OrderSink,
    FulfilmentSource,
    FulfilmentSink,
)

BY_NAME: dict[str, type[Ability]] = {ability.__name__: ability for ability in ABILITIES}

SINKS: tuple[type[Ability], ...] = (
    ProductSink, PriceSink, StockSink, OrderSink, FulfilmentSink,
)  # fmt: skip

# What brings a store's catalogue into the portal.
CATALOGUE_SOURCES: tuple[type[Ability], ...] = (ProductSource, PriceSource, StockSource)

# What takes it out to a channel.
CATALOGUE_SINKS: tuple[type[Ability], ...] = (ProductSink, PriceSink, StockSink)

# As the database names them.
SINK_NAMES = tuple(each.__name__ for each in SINKS)
CATALOGUE_SOURCE_NAMES = tuple(each.__name__ for each in CATALOGUE_SOURCES)
CATALOGUE_SINK_NAMES = tuple(each.__name__ for each in CATALOGUE_SINKS)


@dataclass(frozen=True)
class OrderState:
    """One of the hub's orders as a platform holds it: both sides' ids, and where it stands."""

    external_id: str
    hub_id: str
    status: OrderStatus


class OrderIndex(ABC):
    """A platform that lists the hub's orders that it holds, so that both sides can be compared."""

    @abstractmethod
    def order_states(self, since: datetime) -> Iterable[OrderState]:
        """Of all orders that it took since then. Those that are not the hub's are left out."""


@dataclass(frozen=True)
class HeldSku:
    """One SKU as a channel holds it. None: it says nothing of that."""

    sku: str
    price: Decimal | None
    special_price: Decimal | None
    quantity: int | None


class CatalogueIndex(ABC):
    """A channel that lists what it holds of the catalogue, so that both sides can be compared."""

    @abstractmethod
    def held_products(self, cursor: str) -> Iterable[Page]:
        """Every product, from the cursor of an earlier page on. Ends when all were yielded."""

    @abstractmethod
    def read_held(self, payload: Payload) -> list[HeldSku]:
        """Its own SKU and those of its variations."""


@dataclass(frozen=True)
class Changed:
    """One record that a platform's notice says has changed, by the platform's id for it."""

    ability: type[Ability]
    record_id: str


class NoticeSource(ABC):
    """A platform that rings when something changed, at an address that is a secret of its own
    (steps.RING_AT). A notice is not believed, nor is a signature looked for: it says what to fetch.
    Whatever is lost of them, the flow's own cadence finds."""

    @abstractmethod
    def read_notice(self, body: bytes) -> list[Changed]:
        """What a notice is about; nothing where it does not concern us. Raises `Unreadable`,
        `Unauthorized` where it speaks of another account, and `Rejected` where it is of a kind
        that we do not know: it is shown, and the platform need not send it again."""

    @abstractmethod
    def answer_notice(self, body: bytes) -> Any:
        """The JSON that the platform wants to hear, once the notice is stored."""

    def number_of(self, ability: type[Ability], payload: Payload) -> str:
        """What `fetch` wants to hear for a record that arrived like this; "" where that cannot be
        told. Its own `id`, unless a client says otherwise: one whose pages hold parts of what it
        fetches, such as the variations of a product, must."""
        number = payload.data.get("id")
        return str(number) if isinstance(number, str | int) else ""

    @abstractmethod
    def fetch(self, ability: type[Ability], record_id: str) -> Iterable[Payload]:
        """The record as it is now, unread, as the ability's own pages would yield it; nothing
        where it is not ours."""


class SkuSearch(NoticeSource):
    """A platform that also finds a record of the catalogue by its SKU, other than variations."""

    @abstractmethod
    def number_of_sku(self, ability: type[Ability], sku: str) -> str:
        """What `fetch` wants to hear for it, and with its variations for that of a parent. Calls
        nothing: to search is the fetching's."""
