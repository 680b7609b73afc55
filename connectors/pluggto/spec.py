from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import FulfilmentSink, OrderSource, PriceSink, ProductSink, StockSink
from connectors.pluggto.client import Pluggto
from connectors.spec import (
    ORDERS,
    Activating,
    Cadence,
    Contact,
    CredentialField,
    Does,
    End,
    Mode,
    Products,
    Route,
    Spec,
    Step,
    Through,
)
from connectors.steps import CREDENTIALS, RING_AT, TEST

# Told at once. The rest is for what the channel could not take then, and for what we missed.
TOLD = Cadence(timedelta(minutes=5), on_change=True, daily_full_pass=True)

SPEC = Spec(
    slug="pluggto",
    name="Plugg.to",
    modes={Mode.MANAGED: _("sim: a API dele é chamada, as notificações dele são recebidas")},
    catalogue=Route(End.HUB, End.CHANNEL),
    orders=Route(End.CHANNEL, End.HUB),
    products=Products(),
    flows={
        ProductSink: TOLD,
        PriceSink: TOLD,
        StockSink: TOLD,
        OrderSource: ORDERS,
        FulfilmentSink: ORDERS,
    },
    activating=Activating(
        steps=(
            Step(
                "plugin",
                Does.NOTE,
                _("Plugin no Plugg.to"),
                _("Crie um plugin no painel do Plugg.to: ele mostra as quatro chaves."),
                described=(_("criar um plugin no painel do Plugg.to"),),
            ),
            Step(
                "record",
                Does.FILL_IN,
                _("Credenciais"),
                _("Copie as quatro chaves do plugin. Ficam guardadas com cifra."),
                fields=("name", CREDENTIALS, "plugin_url"),
                described=(_("registrar Client ID, Client Secret, API User e API Secret"),),
            ),
            replace(
                RING_AT,
                title=_("URL de notificação"),
                text=_("Copie a URL e cole-a no plugin, no painel do Plugg.to."),
                described=(_("dar ao Plugg.to a URL de notificação que o portal mostra"),),
            ),
            TEST,
        ),
        default_url="https://api.plugg.to",
    ),
    credentials=(
        CredentialField("client_id", _("Client ID"), secret=False),
        CredentialField("client_secret", _("Client Secret")),
        CredentialField("api_user", _("API User"), secret=False),
        CredentialField("api_secret", _("API Secret")),
    ),
    contacts=(Contact(Through.HELP_CENTRE),),
    remarks=(
        _("o pedido é buscado a cada notificação e entregue à plataforma da loja"),
        _("o canal recebe de volta a nota fiscal e o rastreio de cada pedido seu"),
    ),
    client=Pluggto,
)
