from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import PriceSource, ProductSource, StockSource
from connectors.rockyerp.client import RockyErp
from connectors.spec import (
    Activating,
    Cadence,
    Contact,
    CredentialField,
    Does,
    End,
    Mode,
    Products,
    Route,
    Shape,
    Spec,
    Step,
    Through,
)
from connectors.steps import CREDENTIALS, TEST

SPEC = Spec(
    slug="rockyerp",
    name="Rocky E-Commerce: API para ERPs",
    modes={
        Mode.MANAGED: _("experimental: só se lê a API para ERPs, pelas partes dela que se conhecem")
    },
    catalogue=Route(End.PLATFORM, End.HUB, never_back=True),
    orders=None,
    products=Products(frozenset({Shape.SIMPLE, Shape.WITH_VARIATIONS})),
    # Each is the whole list, each time: more often than this is not asked of a stranger's server.
    flows={
        ProductSource: Cadence(timedelta(minutes=30)),
        PriceSource: Cadence(timedelta(minutes=10)),
        StockSource: Cadence(timedelta(minutes=10)),
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
    activating=Activating(
        steps=(
            Step(
                "record",
                Does.FILL_IN,
                _("Token"),
                _("A plataforma dá à loja um token para a API de ERPs."),
                fields=("name", CREDENTIALS, "plugin_url"),
                described=(_("registrar o token que a plataforma dá à loja para a API de ERPs"),),
            ),
            TEST,
        ),
        default_url="https://api.plataformarocky.com.br",
    ),
    credentials=(CredentialField("token", _("Token da API para ERPs")),),
    contacts=(Contact(Through.EMAIL, "suporte@rockyecommerce.com.br"),),
    unavailable=(
        _("pedidos: não se conhece chamada que crie, aprove ou cancele um"),
        _("nota fiscal e rastreio: não se conhece campo nem chamada"),
        _("só o que mudou: a API dá sempre a lista inteira"),
        _("pesos e medidas: não se conhecem as unidades"),
        _("os nomes das configurações de cada variação: vêm só os números"),
    ),
    client=RockyErp,
)
