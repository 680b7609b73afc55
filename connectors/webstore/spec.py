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
    Mode,
    Products,
    Report,
    Route,
    Spec,
    Step,
    Through,
)
from connectors.steps import FIRST_CALL, ISSUE, RECORD, TEST
from connectors.webstore.client import Webstore

SPEC = Spec(
    slug="webstore",
    name="Webstore",
    modes=STORE_MODES,
    catalogue=Route(End.PLATFORM, End.HUB, never_back=True),
    orders=Route(End.HUB, End.PLATFORM, never_back=True),
    products=Products(),
    flows={
        ProductSource: Cadence(timedelta(minutes=15)),
        PriceSource: Cadence(timedelta(minutes=15), daily_full_pass=True),
        StockSource: Cadence(timedelta(minutes=15), daily_full_pass=True),
        OrderSink: ORDERS,
        FulfilmentSource: FULFILMENT,
    },
    locks=frozenset(),
    consumes=frozenset({OrderStatus.APPROVED}),
    invoice=Report(OrderStatus.INVOICED, INVOICE_FIELDS),
    tracking=Report(OrderStatus.SHIPPED, TRACKING_FIELDS, beside=(OrderStatus.SHIPPING_INFORMED,)),
    activating=Activating(
        steps=(
            Step(
                "enable",
                Does.FILL_IN,
                _("Habilitar"),
                _("O endereço em que a Webstore recebe a loja para concluir a integração."),
                fields=("name", "plugin_url"),
                described=(
                    _(
                        "na lista de aplicativos, com as condições de cobrança, buscar pelo nome e"
                        " ativar"
                    ),
                ),
            ),
            ISSUE,
            RECORD,
            Step(
                "merchant",
                Does.MERCHANT,
                _("Conclusão pelo lojista"),
                _(
                    "O lojista entra no portal, abre Plataformas e clica em concluir. Ele é levado"
                    " à Webstore com um código, e lá informa o domínio da loja e o login."
                ),
                mode=Mode.PARTNER,
                described=(
                    _(
                        "depois o menu Plataformas mostra “integração quase completa, clique para"
                        " concluir” e redireciona ao parceiro com um código de autorização; lá se"
                        " informam o domínio da loja e o login"
                    ),
                ),
            ),
            FIRST_CALL,
            TEST,
        ),
    ),
    credentials=STORE_CREDENTIALS,
    contacts=(Contact(Through.EMAIL, "atendimento@webstore.net.br"),),
    contact_roles=(ContactRole.DEVELOPER, ContactRole.SERVICE_DESK, ContactRole.COMMERCIAL),
    client=Webstore,
)
