from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import (
    FulfilmentSource,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.records import OrderStatus
from connectors.rocky.client import Rocky
from connectors.spec import (
    FULFILMENT,
    ORDERS,
    STORE_CREDENTIALS,
    STORE_MODES,
    Activating,
    Cadence,
    Contact,
    ContactRole,
    Does,
    End,
    Following,
    Products,
    Report,
    Route,
    Shape,
    Spec,
    Step,
    Through,
)
from connectors.steps import FIRST_CALL, ISSUE, RECORD, TEST

SPEC = Spec(
    slug="rocky",
    name="Rocky E-Commerce",
    modes=STORE_MODES,
    catalogue=Route(End.PLATFORM, End.HUB, never_back=True),
    orders=Route(End.HUB, End.PLATFORM, never_back=True),
    products=Products(frozenset({Shape.SIMPLE, Shape.WITH_VARIATIONS})),
    flows={
        ProductSource: Cadence(timedelta(minutes=10), client_may_set=True),
        PriceSource: Cadence(timedelta(minutes=10), daily_full_pass=True, client_may_set=True),
        StockSource: Cadence(timedelta(minutes=5), daily_full_pass=True, client_may_set=True),
        OrderSink: ORDERS,
        FulfilmentSource: FULFILMENT,
    },
    cannot_send=frozenset(
        {
            "handling_time",
            "manufacture_time",
            "warranty_time",
            "warranty_message",
            "ncm",
            "isbn",
            "nbm",
            "cest",
        }
    ),
    locks=frozenset(),
    consumes=frozenset({OrderStatus.PENDING, OrderStatus.APPROVED}),
    cancels=Following.YES,
    approves=Following.YES,
    invoice=Report(OrderStatus.INVOICED, INVOICE_FIELDS),
    tracking=Report(OrderStatus.SHIPPING_INFORMED, TRACKING_FIELDS),
    activating=Activating(
        steps=(
            Step(
                "plugin",
                Does.FILL_IN,
                _("Pluggin"),
                _("O nome que a loja vê e o endereço da loja. O domínio já vem preenchido."),
                fields=("name", "custom_name", "plugin_url"),
                described=(
                    _(
                        "o operador busca o conector pelo nome na aba Integração, abre “Mais"
                        " detalhes”, preenche o nome e a URL do pluggin (o domínio da loja) e salva"
                    ),
                ),
            ),
            replace(ISSUE, described=(_("o portal gera as credenciais, que vão para o parceiro"),)),
            RECORD,
            replace(FIRST_CALL, described=(_("o parceiro exporta o catálogo"),)),
            TEST,
        ),
        own_domain=True,
    ),
    credentials=STORE_CREDENTIALS,
    contacts=(Contact(Through.EMAIL, "suporte@rockyecommerce.com.br"),),
    contact_roles=(ContactRole.SUPPORT, ContactRole.DEVELOPER),
    client=Rocky,
)
