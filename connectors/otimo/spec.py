from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import FulfilmentSource, OrderSink, PriceSource, StockSource
from connectors.otimo.client import Otimo
from connectors.records import OrderStatus
from connectors.spec import (
    FULFILMENT,
    ORDERS,
    STORE_CREDENTIALS,
    STORE_MODES,
    Activating,
    Cadence,
    Contact,
    Does,
    End,
    EverythingBut,
    Report,
    Route,
    Spec,
    Step,
    Through,
)
from connectors.steps import FIRST_CALL, ISSUE, RECORD, TEST

SPEC = Spec(
    slug="otimo",
    name="Ótimo Gestor",
    modes=STORE_MODES,
    catalogue=None,
    orders=Route(End.HUB, End.ERP),
    flows={
        PriceSource: Cadence(timedelta(minutes=5), daily_full_pass=True),
        StockSource: Cadence(timedelta(minutes=5), daily_full_pass=True),
        OrderSink: ORDERS,
        FulfilmentSource: FULFILMENT,
    },
    cannot_send=EverythingBut(frozenset({"sku", "price", "special_price", "quantity"})),
    consumes=frozenset({OrderStatus.APPROVED}),
    invoice=Report(
        OrderStatus.INVOICED, ("nfe_date", "nfe_number", "nfe_serie", "nfe_key"), only=True
    ),
    activating=Activating(
        steps=(
            Step(
                "plugin",
                Does.FILL_IN,
                _("Pluggin"),
                _("O nome que a loja vê e o endereço da loja. O domínio já vem preenchido."),
                fields=("name", "custom_name", "plugin_url"),
                described=(_("nome do pluggin, nome personalizado do pluggin, URL do pluggin"),),
            ),
            replace(ISSUE, described=(_("gerar chaves e token"),)),
            RECORD,
            FIRST_CALL,
            TEST,
        ),
        own_domain=True,
    ),
    credentials=STORE_CREDENTIALS,
    contacts=(Contact(Through.SITE, "www.otimogestor.com.br"),),
    remarks=(
        _("planilha De/Para para lojas que já têm catálogo"),
        _("nas demais, a planilha de produtos deve usar os códigos do próprio ERP"),
    ),
    client=Otimo,
)
