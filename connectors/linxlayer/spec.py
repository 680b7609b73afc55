from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from connectors.contract import ProductSource
from connectors.linxlayer.client import LinxLayer
from connectors.spec import (
    Activating,
    ActivationKind,
    Cadence,
    Contact,
    CredentialField,
    End,
    Mode,
    Products,
    Route,
    Spec,
    Through,
)

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
        ActivationKind.RECORD,
        steps=(
            _(
                "pedir ao lojista a página Swagger da loja e um usuário de integração; conferir"
                " nela as chamadas que este conector faz"
            ),
            _("registrar o endereço da Layer API da loja, o usuário e a senha"),
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
