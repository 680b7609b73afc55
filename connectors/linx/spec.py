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
    Cadence,
    Contact,
    Does,
    End,
    Field,
    Following,
    Products,
    Report,
    Route,
    Scope,
    Setting,
    Spec,
    Step,
    Through,
    Upgrade,
)
from connectors.steps import FIRST_CALL, ISSUE, RECORD, TEST

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
        steps=(
            Step(
                "acquired",
                Does.NOTE,
                _("Adquirida"),
                _("A loja adquiriu a solução no painel da Linx (Loja → Soluções)."),
                described=(
                    _(
                        "adquirir → contratar → equipe de implantação → INSTALLED → adicionar uma"
                        " conta → preencher o canal → salvar o canal"
                    ),
                ),
            ),
            Step(
                "contract",
                Does.NOTE,
                _("Contratada"),
                _("A loja assinou o contrato da solução com a Linx."),
            ),
            Step(
                "implementation",
                Does.NOTE,
                _("Implantação"),
                _("A equipe de implantação da Linx recebeu o chamado e terminou o seu trabalho."),
            ),
            Step(
                "installed",
                Does.NOTE,
                _("INSTALLED"),
                _("No painel da Linx, a solução aparece com a situação INSTALLED."),
            ),
            Step(
                "account",
                Does.FILL_IN,
                _("Conta"),
                _("Adicione a conta, como em Loja → Meus aplicativos."),
                fields=("name", "plugin_url"),
            ),
            ISSUE,
            RECORD,
            Step(
                "channel",
                Does.FILL_IN,
                _("Canal"),
                _("Preencha o canal e salve."),
                fields=("intermediary_cnpj", "custom_attributes", "store_version"),
                described=(
                    _(
                        "lojas V1 passam por uma migração de compatibilidade de versão, feita pelo"
                        " suporte"
                    ),
                ),
            ),
            FIRST_CALL,
            TEST,
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
            "custom_attributes",
            _("Atributos personalizados"),
            Field.LONG_TEXT,
            help=_("Um por linha: os que o canal envia com os produtos desta loja."),
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
