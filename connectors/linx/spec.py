from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import (
    Flow,
    FulfilmentSource,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.linx.client import Linx
from connectors.records import OrderStatus
from connectors.spec import (
    EVERY_STATUS,
    FULFILMENT,
    ORDERS,
    STORE_CREDENTIALS,
    STORE_MODES,
    Activating,
    ActivationKind,
    Cadence,
    Contact,
    End,
    Field,
    Following,
    Products,
    Report,
    Route,
    Scope,
    Setting,
    Spec,
    Through,
    Upgrade,
)

PRODUCTS = Cadence(timedelta(minutes=15), on_change=True, daily_full_pass=True)

SPEC = Spec(
    slug="linx",
    name="Linx Commerce V2",
    modes=STORE_MODES,
    catalogue=Route(End.PLATFORM, End.HUB, as_customised=True),
    orders=Route(End.HUB, End.PLATFORM),
    products=Products(custom_attributes=True),
    flows={
        ProductSource: PRODUCTS,
        PriceSource: replace(PRODUCTS, as_=Flow.PRODUCTS),
        StockSource: replace(PRODUCTS, as_=Flow.PRODUCTS),
        OrderSink: ORDERS,
        FulfilmentSource: FULFILMENT,
    },
    consumes=EVERY_STATUS,
    cancels=Following.BY_STATUS,
    approves=Following.BY_STATUS,
    invoice=Report(OrderStatus.INVOICED, INVOICE_FIELDS, freely=True),
    tracking=Report(
        OrderStatus.SHIPPING_INFORMED,
        TRACKING_FIELDS,
        beside=(OrderStatus.SHIPPED, OrderStatus.DELIVERED),
        freely=True,
    ),
    activating=Activating(
        ActivationKind.ACQUISITION,
        steps=(
            _(
                "adquirir → contratar → equipe de implantação → INSTALLED → adicionar uma conta →"
                " preencher o canal → salvar o canal"
            ),
            _("lojas V1 passam por uma migração de compatibilidade de versão, feita pelo suporte"),
        ),
    ),
    credentials=STORE_CREDENTIALS,
    settings=(
        Setting(
            "intermediary_cnpj",
            _("CNPJ do intermediador"),
            Field.CNPJ,
            help=_("Usado nos pedidos que chegam sem o CNPJ do intermediador."),
            special=_(
                "CNPJ do intermediador: o de cada pedido; quando o pedido não traz, o do canal;"
                " repassado com o pedido"
            ),
        ),
        Setting(
            "store_version",
            _("Versão da loja"),
            Field.CHOICE,
            Scope.INTERNAL,
            choices=(("v2", _("V2")), ("v1", _("V1, migração de compatibilidade pendente"))),
            default="v2",
        ),
    ),
    contacts=(Contact(Through.TICKET),),
    upgrade=Upgrade("store_version", old="v1", new="v2"),
    client=Linx,
)
