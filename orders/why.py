"""Why an order is not where it should be: the chain of decisions of each integration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from connectors.contract import SINK_NAMES, Flow
from connectors.models import Activation, Notice, Store
from connectors.moments import when
from connectors.records import OrderStatus
from connectors.spec import Mode
from connectors.trouble.causes import Actor
from connectors.trouble.why import (
    GOOD,
    NOTE,
    STOP,
    WAIT,
    Chain,
    Decision,
    Scene,
    chain_of,
    not_expected,
    page,
    rows_of,
    title_of,
)
from orders.models import Order, OrderLink

OF_ORDERS = (Flow.ORDERS, Flow.FULFILMENT)
NOTICES_READ = 200


@dataclass
class Sale:
    """The order behind a number, and what each integration knows of it."""

    number: str
    order: Order | None
    links: Mapping[int, OrderLink]
    notices: Mapping[int, Notice]  # by activation, the latest
    unknown_skus: list[str]

    @property
    def codes(self) -> set[str]:
        if self.order is None:
            return {self.number}
        names = {self.order.public_id, self.order.original_id}
        return {self.number, *names, *(link.external_id for link in self.links.values())} - {""}


def find_sale(store: Store, number: str) -> Sale:
    """By our id, the channel's number, or the number at any of the store's systems."""
    mine = Order.objects.filter(store=store)
    order = mine.filter(Q(public_id=number) | Q(original_id=number)).order_by("-pk").first()
    if order is None:
        there = OrderLink.objects.filter(activation__store=store, external_id=number)
        link = there.select_related("order").order_by("-pk").first()
        order = link.order if link else None
    if order is None:
        return Sale(number, None, {}, {}, [])
    links = {link.activation_id: link for link in order.links.all()}
    told = Notice.objects.filter(
        activation__store=store, topic="orders", object_id=order.public_id
    ).order_by("pk")
    notices = {notice.activation_id: notice for notice in told[:NOTICES_READ]}
    unknown = order.lines.filter(product=None).values_list("sku", flat=True)
    return Sale(number, order, links, notices, list(unknown))


def chains_of_sale(scene: Scene, sale: Sale) -> list[Chain]:
    chains = []
    for activation in scene.activations:
        rows = rows_of(scene, activation, OF_ORDERS)
        if not rows and activation.pk not in sale.links:
            chains.append(not_expected(activation, OF_ORDERS))
            continue
        if activation.mode == Mode.PARTNER:
            chains.append(_partner_chain(scene, activation, rows, sale))
            continue
        for row in rows:
            chain = chain_of(scene, activation, title_of(row), row)
            own = _sent_decisions if row.ability in SINK_NAMES else _taken_decisions
            chain.decisions += own(sale, activation, row)
            chains.append(chain)
    return chains


def _partner_chain(scene: Scene, activation: Activation, rows: list[Any], sale: Sale) -> Chain:
    """One chain: a partner takes and reports orders by the same calls."""
    chain = chain_of(scene, activation, str(Flow.ORDERS.label), *rows[:1])
    order = sale.order
    if order is None:
        chain.decisions.append(
            Decision(WAIT, _("o hub não tem pedido com este número."), Actor.HUB.label)
        )
        return chain
    if order.source_id == activation.pk:
        chain.decisions.append(_brought(order))
    elif not _is_consumed(activation, sale):
        chain.decisions.append(_filtered(activation, order))
        return chain
    elif (link := sale.links.get(activation.pk)) is None:
        chain.decisions.append(_never_offered(activation, order))
    elif link.acknowledged or link.external_id:
        text = _("O parceiro confirmou o pedido. Número lá: %s.") % (link.external_id or "-")
        chain.decisions.append(Decision(GOOD, text))
    else:
        text = _("oferecido em %s; o parceiro ainda não o confirmou nem informou o seu número.")
        chain.decisions.append(Decision(WAIT, text % when(link.created_at), Actor.PLATFORM.label))
    chain.decisions += _notice_decisions(activation, sale)
    return chain


def _taken_decisions(sale: Sale, activation: Activation, row: Any) -> list[Decision]:
    """What came in: the order itself from a channel, or what became of it."""
    order = sale.order
    if row.flow == Flow.ORDERS:
        if order is not None and order.source_id == activation.pk:
            return [_brought(order)]
        if order is not None:
            return [Decision(NOTE, _("O pedido veio por outra integração."))]
        text = _("o canal não entregou pedido com este número ao hub.")
        return [Decision(WAIT, text, Actor.PLATFORM.label)]
    if order is None or activation.pk not in sale.links:
        return [Decision(NOTE, _("Não há o que informar: o pedido não está nesta integração."))]
    if activation.spec.invoice is None and activation.spec.tracking is None:
        return [Decision(NOTE, _("Este conector não informa nota nem entrega."))]
    changes = [each for each in order.status_changes.all() if each.activation_id == activation.pk]
    if changes:
        last = changes[-1]
        facts = {"status": last.get_status_display(), "at": when(last.at)}
        if last.applied:
            text = _("Ela informou %(status)s em %(at)s.") % facts
            return [Decision(GOOD, text)]
        text = _("ela informou %(status)s em %(at)s, e o hub recusou.") % facts
        return [Decision(STOP, text, Actor.HUB.label, page("orders_order", order.pk),
                     _("Abrir o pedido"))]  # fmt: skip
    text = _("a plataforma ainda não informou nota nem entrega deste pedido.")
    return [Decision(WAIT, text, Actor.MERCHANT.label)]


def _sent_decisions(sale: Sale, activation: Activation, row: Any) -> list[Decision]:
    """What went out."""
    order = sale.order
    if order is None:
        text = _("o hub não tem pedido com este número: não há o que enviar.")
        return [Decision(WAIT, text, Actor.HUB.label)]
    link = sale.links.get(activation.pk)
    if row.flow == Flow.FULFILMENT and order.source_id != activation.pk:
        return [Decision(NOTE, _("O pedido não veio deste canal: nada a contar a ele."))]
    if link is None or not link.wanted_status:
        if order.source_id == activation.pk:
            return [Decision(NOTE, _("Ainda não há nada a contar ao canal sobre este pedido."))]
        if not _is_consumed(activation, sale):
            return [_filtered(activation, order)]
        return [_never_offered(activation, order)]
    decisions = []
    if sale.unknown_skus and row.flow == Flow.ORDERS:
        text = _("Há itens sem produto na loja nem De/Para, que vão com o código do canal: %s.")
        decisions.append(Decision(NOTE, text % ", ".join(sale.unknown_skus[:5])))
    facts = {
        "wanted": OrderStatus(link.wanted_status).label,
        "sent": OrderStatus(link.sent_status).label if link.sent_status else "",
        "id": link.external_id or "-",
    }
    told = (link.sent_status, link.sent_version) == (link.wanted_status, link.wanted_version)
    if told:
        decisions.append(Decision(GOOD, _("Enviado como %(sent)s. Número lá: %(id)s.") % facts))
    elif link.sent_status:
        text = _("lá ele está como %(sent)s; falta contar %(wanted)s, na próxima execução.")
        decisions.append(Decision(WAIT, text % facts, Actor.NOBODY.label))
    else:
        text = _("espera ser enviado como %(wanted)s, na próxima execução.") % facts
        decisions.append(Decision(WAIT, text, Actor.NOBODY.label))
    return decisions


def _brought(order: Order) -> Decision:
    return Decision(GOOD, _("O pedido veio por esta integração em %s.") % when(order.created_at))


def _is_consumed(activation: Activation, sale: Sale) -> bool:
    order = sale.order
    wants = order is not None and activation.spec.wants(OrderStatus(order.status))
    return wants or activation.pk in sale.links


def _filtered(activation: Activation, order: Order) -> Decision:
    spec, status = activation.spec, OrderStatus(order.status)
    if not spec.consumes:
        return Decision(NOTE, _("Este conector não recebe pedidos do hub."))
    words = ", ".join(str(each.label).lower() for each in OrderStatus if each in spec.consumes)
    facts = {"status": str(status.label).lower(), "consumes": words}
    text = _("o pedido está %(status)s, e este conector só recebe pedidos nestas situações:"
             " %(consumes)s.")  # fmt: skip
    return Decision(STOP, text % facts, Actor.MERCHANT.label, page("orders_order", order.pk),
                _("Abrir o pedido"))  # fmt: skip


def _never_offered(activation: Activation, order: Order) -> Decision:
    if activation.created_at > order.created_at:
        text = _("a integração foi criada depois do pedido, que só é oferecido quando mudar.")
    else:
        text = _("o pedido não foi oferecido a esta integração quando entrou nesta situação.")
    return Decision(
        STOP, text, Actor.HUB.label, page("orders_order", order.pk), _("Abrir o pedido")
    )


def _notice_decisions(activation: Activation, sale: Sale) -> list[Decision]:
    """Whether the partner heard of it."""
    notice = sale.notices.get(activation.pk)
    endpoint = getattr(activation, "endpoint", None)
    if not activation.plugin_url:
        return [Decision(NOTE, _("Não há endereço para avisar: o parceiro tem de consultar."))]
    url = page("connectors_activation", activation.pk)
    if endpoint and endpoint.disabled_at:
        text = _("desistimos de avisar o endereço do parceiro: %s.") % endpoint.disabled_reason
        return [Decision(STOP, text, Actor.PLATFORM.label, url, _("Religar notificações"))]
    if notice is None:
        return [
            Decision(NOTE, _("Nenhuma notificação deste pedido foi criada, ou já foi apagada."))
        ]
    url = page("connectors_notice", notice.pk)
    facts = {"error": notice.last_error or notice.last_status or "", "at": when(notice.due_at)}
    if notice.delivered_at:
        text = _("Notificação entregue em %s.") % when(notice.delivered_at)
        return [Decision(NOTE, text, url=url)]
    if notice.given_up_at:
        text = _("a notificação não foi aceita e desistimos dela: %(error)s.") % facts
        return [Decision(STOP, text, Actor.PLATFORM.label, url, _("Ver a notificação"))]
    if notice.attempts:
        text = _("a notificação ainda não foi aceita: %(error)s. Próxima tentativa: %(at)s.")
        return [Decision(WAIT, text % facts, Actor.PLATFORM.label, url, _("Ver a notificação"))]
    return [Decision(WAIT, _("A notificação está na fila."), Actor.NOBODY.label, url)]
