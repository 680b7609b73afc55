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
from connectors.olist.client import Olist
from connectors.records import OrderStatus
from connectors.spec import (
    FULFILMENT,
    ORDERS,
    Activating,
    ActivationKind,
    Cadence,
    Contact,
    CredentialField,
    End,
    Field,
    Following,
    Mode,
    Products,
    Report,
    Route,
    Setting,
    Spec,
    Through,
)
from connectors.wire import INVOICE_FIELDS, TRACKING_FIELDS

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
        ActivationKind.RECORD,
        steps=(_("registrar o identificador do integrador e o token do ERP"),),
        default_url="https://api.tiny.com.br/api2/",
    ),
    credentials=(
        CredentialField("integrator_id", _("Identificador do integrador"), secret=False),
        CredentialField("token", _("Token")),
    ),
    settings=(
        Setting(
            "preparation_days",
            _("Enviar os dias de preparação"),
            Field.FLAG,
            default=True,
            help=_("Só quando preenchidos no ERP."),
            special=_("enviar os dias de preparação (só se preenchidos)"),
            about=Flow.PRODUCTS,
        ),
        Setting(
            "images",
            _("Enviar imagens"),
            Field.CHOICE,
            choices=(("always", _("sempre")), ("new", _("só para produtos novos"))),
            default="always",
            special=_("enviar imagens: sempre, ou só para produtos novos"),
            about=Flow.PRODUCTS,
        ),
    ),
    contacts=(Contact(Through.HELP_CENTRE),),
    client=Olist,
)
