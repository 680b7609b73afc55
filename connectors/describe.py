"""The design's table (product.md), printed from the specifications.

Each cell is one function of the specification; in English the texts are the design's own.
"""

from collections.abc import Callable, Iterable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow, FulfilmentSink, Replay
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.records import OrderStatus
from connectors.spec import (
    EVERY_STATUS,
    End,
    EverythingBut,
    Following,
    Hook,
    Mode,
    Report,
    Route,
    Shape,
    Spec,
    Text,
)

NOTHING = "–"
# The fields that a specification may name one by one, in the order in which they are printed.
FIELD_LABELS: dict[str, Text] = {
    "handling_time": _("prazo de manuseio (dias)"),
    "manufacture_time": _("prazo de fabricação (dias)"),
    "warranty_time": _("meses de garantia"),
    "warranty_message": _("mensagem de garantia"),
    "ncm": "NCM",
    "isbn": "ISBN",
    "nbm": "NBM",
    "cest": "CEST",
    "quantity": _("estoque"),
    "price": _("preço"),
    "nfe_date": _("data"),
    "nfe_number": _("número"),
    "nfe_serie": _("série"),
    "nfe_key": _("chave"),
}
FOLLOWING: dict[Following, Text] = {
    Following.NO: NOTHING,
    Following.YES: _("sim"),
    Following.BY_STATUS: _("sim (atualização de status)"),
}
MODE_LABELS: dict[Mode, Text] = {Mode.PARTNER: _("parceiro"), Mode.MANAGED: _("gerenciado")}


def rows(spec: Spec) -> list[tuple[str, str]]:
    """Label and cell of every row, in the language that is active."""
    return [(str(label), cell(spec)) for label, cell in ROWS]


def mode_rows(spec: Spec) -> list[tuple[str, str]]:
    """How the connector runs in each mode: a row of the design's table of modes, turned."""
    return [(str(label), str(spec.modes.get(mode, NOTHING))) for mode, label in MODE_LABELS.items()]


def unavailable_row(spec: Spec) -> list[tuple[str, str]]:
    """What an experimental connector has not; no row for the others."""
    texts = "; ".join(str(text) for text in spec.unavailable)
    return [(gettext("Não disponível"), texts)] if texts else []


def replay_row(spec: Spec) -> list[tuple[str, str]]:
    """What trying again does, of each flow; no row where nothing flows."""
    flows: dict[Replay, list[str]] = {}
    for ability in spec.flows:
        flows.setdefault(ability.replay, []).append(str(ability.flow.label))
    texts = "; ".join(f"{_and(names)}: {replay.label}" for replay, names in flows.items())
    return [(gettext("Quando se tenta de novo"), texts)] if texts else []


def kind_of(spec: Spec) -> End:
    """What the connector is: the end of its routes that is not the hub."""
    routes = [route for route in (spec.orders, spec.catalogue) if route]
    ends = [end for route in routes for end in (route.source, route.target)]
    return next(end for end in ends if end is not End.HUB)


def abilities(spec: Spec) -> list[tuple[str, bool]]:
    """What people ask first, each with yes or no: what flows or is told, in whichever mode."""
    flows = {ability.flow for ability in spec.flows}
    told = spec.hooks
    back = FulfilmentSink in spec.flows  # it is told what became of its orders
    follows = spec.cancels is not Following.NO
    return [
        (gettext("Produtos"), Flow.PRODUCTS in flows or Hook.PRODUCT_UPDATED in told),
        (gettext("Preços"), Flow.PRICES in flows or Hook.PRICE_CHANGED in told),
        (gettext("Estoque"), Flow.STOCK in flows or Hook.STOCK_CHANGED in told),
        (gettext("Pedidos"), spec.orders is not None),
        (gettext("Cancelamento"), follows or back or Hook.ORDER_STATUS_CHANGED in told),
        (gettext("Nota fiscal"), bool(spec.invoice) or back or Hook.ORDER_INVOICED in told),
        (gettext("Rastreio"), bool(spec.tracking) or back or Hook.ORDER_SHIPPED in told),
    ]


def _catalogue(spec: Spec) -> str:
    if spec.catalogue is None:
        return gettext("nenhuma: o lojista cadastra por planilha")
    return _route(spec.catalogue, spec)


def _orders(spec: Spec) -> str:
    return _route(spec.orders, spec) if spec.orders else NOTHING


def _route(route: Route, spec: Spec) -> str:
    text = f"{_end(route.source, spec)} → {_end(route.target, spec)}"
    if route.never_back:
        text = gettext("%(route)s, nunca de volta") % {"route": text}
    if route.as_customised:
        text = gettext("%(route)s, conforme o canal é personalizado") % {"route": text}
    if route.by_webhook:
        text = gettext("%(route)s por webhook") % {"route": text}
    return text


def _end(end: End, spec: Spec) -> str:
    return str(end.label) % {"name": spec.name}


def _products(spec: Spec) -> str:
    if spec.products is None:
        # Where no catalogue is exchanged at all, that must be said; else the direction says it.
        return gettext("não (nem atualizações)") if spec.catalogue is None else NOTHING
    if spec.products.shapes:
        return _and(str(shape.label) for shape in Shape if shape in spec.products.shapes)
    if spec.products.custom_attributes:
        return gettext("sim, com atributos de produto personalizados")
    if any(setting.about is Flow.PRODUCTS for setting in spec.settings):
        return gettext("sim; opções abaixo")
    return gettext("sim")


def _cadence(flow: Flow) -> Callable[[Spec], str]:
    def cell(spec: Spec) -> str:
        found = [cadence for ability, cadence in spec.flows.items() if ability.flow is flow]
        if not found:
            return NOTHING
        cadence = found[0]
        minutes = int(cadence.every.total_seconds() // 60)
        if cadence.as_:
            return gettext("a mesma de %(flow)s") % {"flow": str(cadence.as_.label).lower()}
        if cadence.on_change and cadence.daily_full_pass:
            return gettext("a cada mudança, e passagem completa diária")
        if cadence.on_change:
            return gettext("a cada mudança")
        if cadence.client_may_set:
            return gettext("automática a cada %(minutes)d min, ou definida pelo cliente") % {
                "minutes": minutes
            }
        return gettext("a cada %(minutes)d min") % {"minutes": minutes}

    return cell


def _cannot_send(spec: Spec) -> str:
    if isinstance(spec.cannot_send, EverythingBut):
        return gettext("tudo, menos %(fields)s") % {
            "fields": _and(_labels(spec.cannot_send.fields))
        }
    return ", ".join(_labels(spec.cannot_send)) or NOTHING


def _labels(fields: Iterable[str]) -> list[str]:
    """Labels of those that have one: a SKU is what a record is about, a special price a price."""
    return [str(label) for name, label in FIELD_LABELS.items() if name in fields]


def _locks(spec: Spec) -> str:
    if spec.locks is None:
        return NOTHING
    return ", ".join(_labels(spec.locks)) or gettext("nenhuma")


def _consumes(spec: Spec) -> str:
    if spec.is_channel:
        return gettext("cria os pedidos")
    if not spec.consumes:
        return NOTHING
    if spec.consumes == EVERY_STATUS:
        return gettext("todo pedido novo ou alterado, por notificação")
    statuses = [status for status in OrderStatus if status in spec.consumes]
    text = _and(str(status.label).lower() for status in statuses)
    # A connector that takes one status and is not told of cancellations knows no other.
    if len(statuses) == 1 and spec.cancels is Following.NO:
        return gettext("só %(status)s") % {"status": text}
    return text


def _cancels(spec: Spec) -> str:
    return str(FOLLOWING[spec.cancels])


def _approves(spec: Spec) -> str:
    return str(FOLLOWING[spec.approves])


def _invoice(spec: Spec) -> str:
    return _report(spec.invoice) if spec.invoice else NOTHING


def _tracking(spec: Spec) -> str:
    if spec.merchant_types_tracking:
        return gettext("nunca: o lojista o digita no portal")
    return _report(spec.tracking) if spec.tracking else NOTHING


def _report(report: Report) -> str:
    if report.freely:
        return gettext("sim")
    text = gettext("muda para %(label)s (%(status)s) com %(fields)s") % {
        "label": report.status.label,
        "status": report.status.value,
        "fields": _report_fields(report),
    }
    if report.only:
        text = gettext("%(report)s, e nada mais") % {"report": text}
    beside = [
        gettext("pode mudar de uma vez para %(label)s (%(status)s) com nota fiscal e despacho")
        % {"label": status.label, "status": status.value}
        for status in report.beside
    ]
    return "; ".join([text, *beside])


def _report_fields(report: Report) -> str:
    if report.fields == INVOICE_FIELDS:
        return gettext("os dados da nota fiscal")
    if report.fields == TRACKING_FIELDS:
        return gettext("o rastreio")
    return ", ".join(_labels(report.fields))


def _activation(spec: Spec) -> str:
    return "; ".join(spec.activating.described)


def _contacts(spec: Spec) -> str:
    return ", ".join(contact.address or str(contact.through.label) for contact in spec.contacts)


def _special(spec: Spec) -> str:
    texts = [str(text) for text in spec.remarks]
    if spec.contact_roles:
        roles = ", ".join(str(role.label) for role in spec.contact_roles)
        texts.append(gettext("contatos: %(roles)s") % {"roles": roles})
    texts += [str(setting.special) for setting in spec.settings if setting.special]
    return "; ".join(texts) or NOTHING


def _and(words: Iterable[str]) -> str:
    *first, last = words
    if not first:
        return last
    return gettext("%(first)s e %(last)s") % {"first": ", ".join(first), "last": last}


ROWS: tuple[tuple[Text, Callable[[Spec], str]], ...] = (
    (_("Direção do catálogo"), _catalogue),
    (_("Direção dos pedidos"), _orders),
    (_("Catálogo de produtos"), _products),
    (_("Cadência dos produtos"), _cadence(Flow.PRODUCTS)),
    (_("Cadência dos preços"), _cadence(Flow.PRICES)),
    (_("Cadência do estoque"), _cadence(Flow.STOCK)),
    (_("Campos que não envia"), _cannot_send),
    (_("Travas que oferece"), _locks),
    (_("Pedidos que recebe"), _consumes),
    (_("Cancela quando o hub cancela"), _cancels),
    (_("Aprova um pedido pendente quando o hub o aprova"), _approves),
    (_("Informa a nota fiscal"), _invoice),
    (_("Informa o rastreio"), _tracking),
    (_("Como se ativa"), _activation),
    (_("Contatos públicos"), _contacts),
    (_("Particularidades"), _special),
)
