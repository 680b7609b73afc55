"""Everything the portal knows about a connector, as data (product.md, the table).

The admin, the API, the scheduler and the merchant pages read the same `Spec`; the table that
people see is printed from it by describe.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.contract import CATALOGUE_SOURCES, Ability, Account, CatalogueIndex, Client, Flow
from connectors.records import OrderStatus

Text = str | Promise  # a text that people read, translated when shown


class Mode(TextChoices):
    PARTNER = "partner", _("Parceiro: o sistema chama a nossa API")
    MANAGED = "managed", _("Gerenciado: o portal chama o sistema")


class End(TextChoices):
    """An end of a route, by the connector's part in it; `%(name)s` is the connector."""

    HUB = "hub", _("hub")
    PLATFORM = "platform", _("plataforma")
    ERP = "erp", _("ERP")
    TOOLS = "tools", _("ferramentas da %(name)s")
    CHANNEL = "channel", _("canal")


@dataclass(frozen=True)
class Route:
    """Which way something goes."""

    source: End
    target: End
    never_back: bool = False
    as_customised: bool = False  # the channel says what goes
    by_webhook: bool = False


class Shape(TextChoices):
    SIMPLE = "simple", _("simples")
    WITH_VARIATIONS = "with_variations", _("com variações")


@dataclass(frozen=True)
class Products:
    """What a catalogue holds. No shapes: whatever the platform has."""

    shapes: frozenset[Shape] = frozenset()
    custom_attributes: bool = False


@dataclass(frozen=True)
class Cadence:
    """How often a flow runs; in partner mode, how often we expect to be called.

    With `on_change` the other side is told, or tells us, at once; `every` is the net under it.
    """

    every: timedelta
    client_may_set: bool = False
    on_change: bool = False
    daily_full_pass: bool = False
    as_: Flow | None = None  # this other flow's cadence, whatever it is


class Following(Enum):
    """Whether, and how, the platform follows what the hub does to an order."""

    NO = auto()
    YES = auto()
    BY_STATUS = auto()


@dataclass(frozen=True)
class Report:
    """A status that a connector may set on an order, and the shipment's fields that go with it.

    `only` means that these fields are all that it may send: others are refused. `beside` are
    further statuses that it may set, at once with invoice and dispatch. `freely` means that it
    sets whichever of the statuses its own process has come to.
    """

    status: OrderStatus
    fields: tuple[str, ...]
    only: bool = False
    beside: tuple[OrderStatus, ...] = ()
    freely: bool = False

    @property
    def statuses(self) -> frozenset[OrderStatus]:
        return frozenset({self.status, *self.beside})


@dataclass(frozen=True)
class EverythingBut:
    """For a connector that can send only a few fields."""

    fields: frozenset[str]

    def __contains__(self, name: str) -> bool:
        return name not in self.fields


class Scope(TextChoices):
    MERCHANT = "merchant", _("do lojista")
    INTERNAL = "internal", _("interna: só o suporte altera")


class Field(TextChoices):
    """How a setting or a credential is entered."""

    TEXT = "text", _("texto")
    SECRET = "secret", _("segredo")
    LONG_TEXT = "long_text", _("texto longo")
    FLAG = "flag", _("sim ou não")
    CHOICE = "choice", _("escolha")
    CNPJ = "cnpj", _("CNPJ")
    URL = "url", _("endereço")
    PERCENT = "percent", _("porcentagem")


@dataclass(frozen=True)
class Setting:
    key: str
    label: Text
    field: Field = Field.TEXT
    scope: Scope = Scope.MERCHANT
    choices: tuple[tuple[str, Text], ...] = ()
    default: str | bool | int = ""
    help: Text = ""
    special: Text = ""  # what the table's row "special" says of it
    about: Flow | None = None  # it is an option of this flow
    after_first_save: bool = False
    placeholders: tuple[str, ...] = ()  # what the text may contain in braces, and nothing else


@dataclass(frozen=True)
class CredentialField:
    """One value that the platform gave us; we seal it, because we must present it."""

    key: str
    label: Text
    secret: bool = True


# Every partner's: a connector declares nothing for them.
FREIGHT_URL = Setting(
    "freight_url",
    _("URL de cotação de frete"),
    Field.URL,
    help=_("Onde o hub pergunta o preço do frete; em branco, ele não pergunta."),
    after_first_save=True,
)
NOTIFY_OWN_WRITES = Setting(
    "notify_own_writes",
    _("Notificar também o que a própria integração escreveu"),
    Field.FLAG,
    scope=Scope.INTERNAL,
    default=False,
    after_first_save=True,
)


# Every managed connector's that brings a catalogue (catalog/brake.py).
BRAKE_ZEROED = Setting(
    "brake_zeroed",
    _("Perguntar antes de zerar mais do que esta parte dos SKUs com estoque (%)"),
    Field.PERCENT,
    scope=Scope.INTERNAL,
    default=30,
    help=_("100: nunca pergunta. Menos de dez SKUs de uma vez não param a sincronização."),
    after_first_save=True,
)
BRAKE_MOVED = Setting(
    "brake_moved",
    _("Perguntar antes de mudar muito mais do que esta parte dos preços (%)"),
    Field.PERCENT,
    scope=Scope.INTERNAL,
    default=30,
    help=_("Muda muito o preço que fica abaixo da metade ou acima de uma vez e meia do que era."),
    after_first_save=True,
)


class Through(TextChoices):
    EMAIL = "email", _("e-mail")
    SITE = "site", _("site")
    TICKET = "ticket", _("por chamado")
    HELP_CENTRE = "help_centre", _("central de ajuda")


@dataclass(frozen=True)
class Contact:
    """How the public reaches the platform. Only an e-mail or a site has an address."""

    through: Through
    address: str = ""


class ContactRole(TextChoices):
    """Whom support may record at the partner."""

    SUPPORT = "support", _("suporte")
    DEVELOPER = "developer", _("desenvolvedor")
    SERVICE_DESK = "service_desk", _("central de atendimento")
    COMMERCIAL = "commercial", _("comercial")


class Hook(TextChoices):
    """What happens in a store and somebody's tools may hear of (connectors/messages/hooks.py)."""

    ORDER_CREATED = "order.created", _("Pedido criado")
    ORDER_STATUS_CHANGED = "order.status_changed", _("Situação do pedido mudou")
    ORDER_INVOICED = "order.invoiced", _("Pedido faturado")
    ORDER_SHIPPED = "order.shipped", _("Pedido enviado")
    ORDER_DELIVERED = "order.delivered", _("Pedido entregue")
    PRODUCT_CREATED = "product.created", _("Produto criado")
    PRODUCT_UPDATED = "product.updated", _("Produto alterado")
    PRICE_CHANGED = "price.changed", _("Preço mudou")
    STOCK_CHANGED = "stock.changed", _("Estoque mudou")


class Does(Enum):
    """What a step of an activation asks of whoever is at it."""

    FILL_IN = auto()  # its fields
    NOTE = auto()  # something is done elsewhere; who says so, and when, is on record
    ISSUE = auto()  # the portal generates the credentials, which go to the partner
    ADDRESS = auto()  # the address that the platform is to ring at goes to the platform
    MERCHANT = auto()  # the merchant concludes, on a page of his own
    CHECK = auto()  # the connection test; after it the activation is complete


@dataclass(frozen=True)
class Step:
    """One step of the way from nothing to an active integration (connectors/activating.py)."""

    key: str
    does: Does
    title: Text
    text: Text = ""  # what to do, in a sentence
    # `name`, `custom_name`, `plugin_url`, `credentials` (all of them), or a setting's key.
    fields: tuple[str, ...] = ()
    mode: Mode | None = None  # only in this one
    described: tuple[Text, ...] = ()  # the design's words for it, or for it and those behind it


@dataclass(frozen=True)
class Activating:
    """How the connector is activated. Steps behind the one that checks may be left for later."""

    steps: tuple[Step, ...]
    url_required: bool = True
    default_url: str = ""  # where the platform has one address for everybody
    own_domain: bool = False  # the plugin is at the store's own domain
    # The partner may authenticate each call with two values alone, without asking for tokens.
    integrator: bool = False

    def steps_in(self, mode: str) -> list[Step]:
        return [step for step in self.steps if step.mode in (None, mode)]

    @property
    def described(self) -> list[str]:
        return [str(text) for step in self.steps for text in step.described]


@dataclass(frozen=True)
class Upgrade:
    """Stores on an older version of the platform are brought to its new one by support
    (orders/upgrade.py). A setting says on which version a store is."""

    setting: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Spec:
    slug: str
    name: str
    # Each with what the design's table of modes says of it.
    modes: Mapping[Mode, Text]
    # None: no catalogue comes or goes; the merchant registers his products by spreadsheet.
    catalogue: Route | None
    # None: no order comes or goes.
    orders: Route | None
    products: Products | None = None
    # A flow is keyed by the ability that it needs of a client.
    flows: Mapping[type[Ability], Cadence] = field(default_factory=dict)
    # Product fields that the connector does not have: the merchant's own, never blanked.
    cannot_send: frozenset[str] | EverythingBut = frozenset()
    # What the connector lets the merchant lock; None where it does not apply.
    locks: frozenset[str] | None = None
    consumes: frozenset[OrderStatus] = frozenset()
    cancels: Following = Following.NO
    approves: Following = Following.NO
    invoice: Report | None = None
    # None for a connector that takes orders: the merchant types the tracking into the portal.
    tracking: Report | None = None
    activating: Activating
    credentials: tuple[CredentialField, ...] = ()
    settings: tuple[Setting, ...] = ()
    contacts: tuple[Contact, ...] = ()
    contact_roles: tuple[ContactRole, ...] = ()
    remarks: tuple[Text, ...] = ()
    # What the connector would need and no public document of the platform shows: not built, and
    # said so. One that has any is experimental.
    unavailable: tuple[Text, ...] = ()
    upgrade: Upgrade | None = None
    client: type[Client] | None = None
    # What of its store it may subscribe to.
    hooks: frozenset[Hook] = frozenset()
    # What the platform lets one account call in a minute, by kind (connectors.contract.CALLS …);
    # no entry, no limit. What its answers say of its limit goes before this.
    calls_per_minute: Mapping[str, int] = field(default_factory=dict)

    def settings_in(self, mode: str) -> tuple[Setting, ...]:
        """Its own, and those that every activation in this mode has."""
        every_partners = (FREIGHT_URL, NOTIFY_OWN_WRITES) if mode == Mode.PARTNER else ()
        brakes = (
            (BRAKE_ZEROED, BRAKE_MOVED) if mode == Mode.MANAGED and self.feeds_catalogue else ()
        )
        return (*self.settings, *every_partners, *brakes)

    @property
    def feeds_catalogue(self) -> bool:
        """In managed mode, products, prices or stock come from it."""
        return any(ability in self.flows for ability in CATALOGUE_SOURCES)

    @property
    def lists_catalogue(self) -> bool:
        """In managed mode, it lists what it holds of the catalogue that it was sent."""
        return self.client is not None and issubclass(self.client, CatalogueIndex)

    @property
    def reports(self) -> tuple[Report, ...]:
        return tuple(report for report in (self.invoice, self.tracking) if report)

    @property
    def may_report(self) -> frozenset[OrderStatus]:
        return frozenset(status for report in self.reports for status in report.statuses)

    @property
    def sends_catalogue(self) -> bool:
        return self.catalogue is not None and self.catalogue.target is End.HUB

    @property
    def is_told_products(self) -> bool:
        """It learns of the hub's own products by notification."""
        return self.catalogue is not None and self.catalogue.by_webhook

    @property
    def is_channel(self) -> bool:
        """Orders come from it."""
        return self.orders is not None and self.orders.target is End.HUB

    @property
    def creates_orders(self) -> bool:
        """It may create orders through our API."""
        return self.is_channel and Mode.PARTNER in self.modes

    @property
    def merchant_types_invoice(self) -> bool:
        """It takes orders, and never reports their invoices."""
        return bool(self.consumes) and self.invoice is None

    @property
    def merchant_types_tracking(self) -> bool:
        """It takes orders, and never reports how they were sent."""
        return bool(self.consumes) and self.tracking is None

    @property
    def sees(self) -> frozenset[OrderStatus]:
        """The statuses that it consumes; with `approved` also `paid`, the old word for it."""
        also = {OrderStatus.PAID} if OrderStatus.APPROVED in self.consumes else set()
        return self.consumes | also

    def wants(self, status: OrderStatus) -> bool:
        """Orders in this status are its to take."""
        return status in self.sees

    def follows(self, status: OrderStatus) -> bool:
        """An order that it took is to be told this new status. Money that was given back is a
        cancellation to it (pluggto-api.md, section 7): else it sends the goods nevertheless."""
        if status in (OrderStatus.CANCELED, OrderStatus.REFUNDED):
            return self.cancels is not Following.NO
        if status == OrderStatus.APPROVED:
            return self.approves is not Following.NO or self.wants(status)
        return self.wants(status)


def secrets_of(spec: Spec, account: Account) -> tuple[str, ...]:
    """What of an account's credentials nobody may read."""
    secret = [each.key for each in spec.credentials if each.secret]
    return tuple(account.credentials[key] for key in secret if account.credentials.get(key))


def spec_of_gone(slug: str) -> Spec:
    """Of a connector whose folder is gone: it has a history, and does nothing."""
    return Spec(
        slug=slug,
        name=slug,
        modes={},
        catalogue=None,
        orders=Route(End.HUB, End.PLATFORM),
        activating=Activating(steps=(), url_required=False),
    )


# -- What several connectors have in common -----------------------------------------------------
EVERY_STATUS = frozenset(OrderStatus)
# Orders are told at once; this is the net under it.
ORDERS = Cadence(timedelta(minutes=1), on_change=True)
FULFILMENT = Cadence(timedelta(minutes=5))
STORE_MODES: Mapping[Mode, Text] = {
    Mode.PARTNER: _("sim, da forma usual"),
    Mode.MANAGED: _("sim, se a plataforma serve o nosso contrato de loja na sua URL do pluggin"),
}
STORE_CREDENTIALS = (CredentialField("token", _("Token do contrato de loja")),)
# Of every connector that is sent, or sends, a catalogue with them; how it says so is its own.
PREPARATION_DAYS = Setting(
    "preparation_days",
    _("Enviar os dias de preparação"),
    Field.FLAG,
    default=True,
    help=_("Só quando preenchidos no produto."),
    about=Flow.PRODUCTS,
)
IMAGES = Setting(
    "images",
    _("Enviar imagens"),
    Field.CHOICE,
    choices=(("always", _("sempre")), ("new", _("só para produtos novos"))),
    default="always",
    about=Flow.PRODUCTS,
)
