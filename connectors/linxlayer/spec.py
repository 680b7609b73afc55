from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import ProductSource
from connectors.linxlayer.client import LinxLayer
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
    Spec,
    Step,
    Through,
)
from connectors.steps import CREDENTIALS, TEST

SPEC = Spec(
    slug="linxlayer",
    name="Linx Commerce: Layer API",
    modes={
        Mode.MANAGED: _("experimental: só se lê a Layer API, pelas partes dela que se conhecem")
    },
    catalogue=Route(End.PLATFORM, End.HUB, never_back=True),
    orders=None,
    products=Products(),
    flows={ProductSource: Cadence(timedelta(minutes=15))},
    activating=Activating(
        steps=(
            Step(
                "swagger",
                Does.NOTE,
                _("Página Swagger"),
                _("O lojista deu a página Swagger e um usuário; as chamadas batem com as nossas."),
                described=(
                    _(
                        "pedir ao lojista a página Swagger da loja e um usuário de integração;"
                        " conferir nela as chamadas que este conector faz"
                    ),
                ),
            ),
            Step(
                "record",
                Does.FILL_IN,
                _("Endereço e usuário"),
                _("O endereço da Layer API da loja e o usuário de integração."),
                fields=("name", "plugin_url", CREDENTIALS),
                described=(_("registrar o endereço da Layer API da loja, o usuário e a senha"),),
            ),
            TEST,
        ),
    ),
    credentials=(
        CredentialField("user", _("Usuário de integração"), secret=False),
        CredentialField("password", _("Senha")),
    ),
    contacts=(Contact(Through.TICKET),),
    unavailable=(
        _("preços: só se conhece o nome das chamadas de leitura"),
        _("estoque: não se conhece o formato da resposta"),
        _("pedidos: não se conhece chamada que crie um"),
        _(
            "nota fiscal e rastreio: são de pedidos que esta integração não levou à loja; a"
            " integração nativa os informa"
        ),
        _("atributos, pesos e medidas: não se conhecem o formato nem as unidades"),
    ),
    client=LinxLayer,
)
