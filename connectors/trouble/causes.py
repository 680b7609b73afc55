"""Why records fail, as far as we know it: what happened, who must act, how, and on which page.

An error names its cause by the code; where it names none, its kind says what little it can.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow
from connectors.errors import (
    ConnectorError,
    Duplicate,
    NotAllowed,
    Refused,
    Rejected,
    Unauthorized,
    Unavailable,
    Unreadable,
)

OTHER = "other"
UNKNOWN_SKU = "unknown_sku"
UNKNOWN_ORDER = "unknown_order"
INVALID_VALUE = "invalid_value"
MISSING_DATA = "missing_data"
SETTING = "setting"
PLAN = "plan"
DUPLICATE = "duplicate"
NOT_THERE = "not_there"
OUR_BUG = "our_bug"


class Actor(TextChoices):
    """Who must act."""

    NOBODY = "nobody", _("ninguém: passa sozinho")
    MERCHANT = "merchant", _("o lojista")
    PLATFORM = "platform", _("a plataforma")
    HUB = "hub", _("o suporte do hub")
    US = "us", _("quem mantém o portal")


@dataclass(frozen=True)
class MendedAt:
    """A page of the admin, by its URL's name. The values are fields of the failure: `at` is the
    row to open, `query` fills the page's form in."""

    name: str
    at: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    code: str
    title: str | Promise
    actor: Actor
    fix: str | Promise
    page: MendedAt | None = None
    # It is mended on the page of the record itself, which RECORDS knows.
    on_record: bool = False

    def page_for(self, flow: str) -> MendedAt | None:
        return RECORDS.get(flow) if self.on_record else self.page


ACTIVATION = MendedAt("connectors_activation_change", at="activation_id")
PRODUCT = MendedAt("catalog_product_changelist", query={"q": "record_id"})
ORDER = MendedAt("orders_order_changelist", query={"q": "record_id"})
RECORDS: Mapping[str, MendedAt] = {
    Flow.PRODUCTS: PRODUCT,
    Flow.PRICES: PRODUCT,
    Flow.STOCK: PRODUCT,
    Flow.ORDERS: ORDER,
    Flow.FULFILMENT: ORDER,
}

CAUSES: dict[str, Cause] = {
    cause.code: cause
    for cause in (
        Cause(
            "unavailable",
            _("Sistema fora do ar"),
            Actor.NOBODY,
            _("Esperar: o portal tenta de novo. Se durar, avisar a plataforma."),
        ),
        Cause(
            "credentials",
            _("Credencial recusada"),
            Actor.MERCHANT,
            _("Pedir ao lojista uma credencial nova e registrá-la na integração."),
            page=ACTIVATION,
        ),
        Cause(
            UNKNOWN_SKU,
            _("SKU sem produto nem De/Para"),
            Actor.HUB,
            _("Criar o De/Para deste código, ou o produto; o registro passa em seguida."),
            page=MendedAt(
                "catalog_skumapping_add",
                query={"activation": "activation_id", "code": "record_id"},
            ),
        ),
        Cause(
            UNKNOWN_ORDER,
            _("Pedido que o hub não conhece"),
            Actor.HUB,
            _("Conferir se o pedido é desta loja e se o hub já o recebeu."),
            page=ORDER,
        ),
        Cause(
            NOT_THERE,
            _("O outro sistema não tem este registro"),
            Actor.MERCHANT,
            _("Cadastrar lá o que falta, ou criar o De/Para com o código que lá se usa; depois"
              " tentar de novo."),
            on_record=True,
        ),
        Cause(
            INVALID_VALUE,
            _("Valor impossível no cadastro"),
            Actor.MERCHANT,
            _("Corrigir o valor onde ele foi cadastrado, que o envia outra vez; ou corrigir aqui o"
              " que chegou e reenviar."),
            on_record=True,
        ),
        Cause(
            MISSING_DATA,
            _("Falta um dado que o outro sistema exige"),
            Actor.MERCHANT,
            _("Preencher o dado no cadastro ou no pedido e tentar de novo."),
            on_record=True,
        ),
        Cause(
            SETTING,
            _("Configuração da integração"),
            Actor.HUB,
            _("Acertar as configurações da integração; o que parou passa em seguida."),
            page=ACTIVATION,
        ),
        Cause(
            PLAN,
            _("O plano do lojista não permite"),
            Actor.MERCHANT,
            _("Contratar na plataforma o plano ou a extensão que a integração usa."),
        ),
        Cause(
            OUR_BUG,
            _("O portal montou mal a chamada"),
            Actor.US,
            _("Baixar as evidências desta falha e mandá-las a quem mantém o portal."),
        ),
        Cause(
            DUPLICATE,
            _("Já existe um igual"),
            Actor.MERCHANT,
            _("Deixar um só com este código no cadastro."),
            on_record=True,
        ),
        Cause(
            "not_allowed",
            _("O conector não prevê isto"),
            Actor.HUB,
            _("Conferir a ficha do conector: ele não envia ou não recebe isto."),
            page=ACTIVATION,
        ),
        Cause(
            "rejected",
            _("Recusado pelo outro sistema"),
            Actor.HUB,
            _("Ler o motivo, corrigir o que ele pede e tentar de novo; senão, abrir um chamado"
              " na plataforma com o conteúdo desta falha."),
        ),
        Cause(
            "unreadable",
            _("Formato que o portal não conhece"),
            Actor.US,
            _("Mandar o conteúdo desta falha a quem mantém o portal."),
        ),
        Cause(
            "refused",
            _("Recusado por uma regra do portal"),
            Actor.HUB,
            _("Ler o motivo e corrigir o que ele diz."),
            on_record=True,
        ),
        Cause(
            OTHER,
            _("Causa desconhecida"),
            Actor.US,
            _("Mandar o conteúdo desta falha a quem mantém o portal."),
        ),
    )
}  # fmt: skip
# What an error that names no cause is taken for: the first that fits.
BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (Unavailable, "unavailable"),
    (Unauthorized, "credentials"),
    (Rejected, "rejected"),
    (Unreadable, "unreadable"),
    (Duplicate, DUPLICATE),
    (NotAllowed, "not_allowed"),
    (Refused, "refused"),
)


def cause_of(error: Exception) -> Cause:
    code = error.cause if isinstance(error, ConnectorError | Refused) else ""
    if code not in CAUSES:
        code = next((code for kind, code in BY_KIND if isinstance(error, kind)), OTHER)
    return CAUSES[code]


def codes_for(actor: str) -> list[str]:
    return [cause.code for cause in CAUSES.values() if cause.actor == actor]
