from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import (
    BATCH_CALLS,
    CALLS,
    FulfilmentSource,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.olist.v3.transport import TOKEN_URL
from connectors.olist.version import EitherOlist
from connectors.records import OrderStatus
from connectors.spec import (
    FULFILMENT,
    IMAGES,
    ORDERS,
    PREPARATION_DAYS,
    Activating,
    Cadence,
    Contact,
    CredentialField,
    Does,
    End,
    Following,
    Mode,
    Products,
    Report,
    Route,
    Spec,
    Step,
    Through,
)
from connectors.steps import CREDENTIALS, RING_AT, TEST

# The ERP's webhooks tell what changed; they can be lost.
ON_CHANGE = Cadence(timedelta(minutes=10), on_change=True)

SPEC = Spec(
    slug="olist",
    name="Olist ERP",
    modes={Mode.MANAGED: _("sim: a API v2 dele é chamada, os webhooks dele são recebidos")},
    catalogue=Route(End.ERP, End.HUB),
    orders=Route(End.HUB, End.ERP),
    products=Products(),
    flows={
        ProductSource: ON_CHANGE,
        PriceSource: ON_CHANGE,
        StockSource: ON_CHANGE,
        OrderSink: ORDERS,
        FulfilmentSource: FULFILMENT,
    },
    consumes=frozenset({OrderStatus.APPROVED}),
    cancels=Following.YES,
    invoice=Report(OrderStatus.INVOICED, INVOICE_FIELDS, freely=True),
    tracking=Report(
        OrderStatus.SHIPPING_INFORMED,
        TRACKING_FIELDS,
        beside=(OrderStatus.SHIPPED, OrderStatus.DELIVERED),
        freely=True,
    ),
    activating=Activating(
        steps=(
            Step(
                "record",
                Does.FILL_IN,
                _("Identificador e token"),
                _("Estão no ERP, em Integrações, na aba Conexão: copie os dois de lá e cole aqui."),
                fields=("name", CREDENTIALS, "plugin_url", TOKEN_URL.key),
                described=(_("registrar o identificador do integrador e o token do ERP"),),
            ),
            replace(
                RING_AT,
                text=_(
                    "Copie o endereço e cole-o no ERP, na aba Notificações, em cada aviso que ele"
                    " oferece."
                ),
            ),
            Step(
                "reserves",
                Does.NOTE,
                _("Reserva de estoques"),
                _(
                    "Ligue no ERP a extensão Reserva de estoques, em início, extensões,"
                    " Suprimentos. Sem ela o ERP informa como livres as unidades dos pedidos em"
                    " aberto, e elas seriam vendidas outra vez."
                ),
            ),
            TEST,
            Step(
                "products",
                Does.FILL_IN,
                _("Envio de produtos"),
                _("Se não souber, deixe como está: muda-se depois."),
                fields=(PREPARATION_DAYS.key, IMAGES.key),
            ),
        ),
        default_url="https://api.tiny.com.br/api2/",
    ),
    credentials=(
        CredentialField("integrator_id", _("Identificador do integrador"), secret=False),
        # Three values in one field: a specification's credentials are all needed, and an account
        # has either the one or the three.
        CredentialField(
            "token", _("Token da API v2; ou, da API v3, Client ID, Client Secret e refresh token")
        ),
    ),
    settings=(
        replace(
            PREPARATION_DAYS,
            special=_("enviar os dias de preparação (só se preenchidos)"),
            after_first_save=True,
        ),
        replace(
            IMAGES,
            special=_("enviar imagens: sempre, ou só para produtos novos"),
            after_first_save=True,
        ),
        TOKEN_URL,
    ),
    contacts=(Contact(Through.HELP_CENTRE),),
    client=EitherOlist,
    # The smallest plan with an API; each answer says what the account's own limit is. With the API
    # v3 the second is that of all writes.
    calls_per_minute={CALLS: 20, BATCH_CALLS: 5},
)
