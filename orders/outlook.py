"""What happens next with an order, and what its merchant must do, in plain words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from connectors.models import Failure
from connectors.records import OrderStatus as S
from orders.models import Order, OrderLink
from orders.status import ENDED, OPEN, STAGE


@dataclass
class Outlook:
    next: str
    to_do: list[str] = field(default_factory=list)


def outlook(
    order: Order, failures: Collection[Failure], *, types_invoice: bool, types_tracking: bool
) -> Outlook:
    """Needs `with_everything`. `failures` are the open ones of this order; what the merchant
    types, `takes_invoice` and `takes_tracking` say."""
    status = S(order.status)
    to_do = []
    if any(line.product_id is None for line in order.lines.all()) and status in OPEN:
        to_do.append(_("Há itens que a loja não tem cadastrados: cadastre-os ou faça o De/Para."))
    if failures:
        to_do.append(
            _(
                "Uma integração não conseguiu levar o pedido: veja o motivo abaixo e fale com o"
                " suporte se ele não for com você."
            )
        )
    if status == S.INVOICE_ERROR:
        to_do.append(
            _("O canal recusou a nota fiscal: corrija-a e informe-a aqui de novo.")
            if types_invoice
            else _("O canal recusou a nota fiscal: corrija-a no sistema que a emite.")
        )
    if status == S.SHIPPING_ERROR:
        to_do.append(_("O canal recusou os dados da entrega: corrija-os."))
    if types_invoice and STAGE[status] < STAGE[S.INVOICED]:
        to_do.append(_("Emita a nota fiscal e informe-a aqui."))
    if types_tracking and STAGE[status] < STAGE[S.SHIPPED]:
        to_do.append(
            _("Despache o pedido e informe aqui a data de envio.")
            if status == S.SHIPPING_INFORMED
            else _("Despache o pedido e informe o rastreio aqui.")
        )
    if status in ENDED and (names := _who_do_not_cancel(order)):
        to_do.append(
            _(
                "%(names)s não cancela por aviso do hub: se o pedido já chegou lá, cancele-o lá"
                " também."
            )
            % {"names": names}
        )
    return Outlook(_next(order, status, types_invoice, types_tracking), to_do)


def _next(order: Order, status: S, types_invoice: bool, types_tracking: bool) -> str:
    if status == S.CANCELED:
        return _("O pedido foi cancelado. Nada mais acontece.")
    if status == S.REFUNDED:
        return _("O pedido foi devolvido e reembolsado. Nada mais acontece.")
    if status == S.DELIVERED:
        return _("O pedido foi entregue. Nada mais acontece.")
    stage = STAGE[status]
    if stage == STAGE[S.PENDING]:
        return _("O canal confirma o pagamento; o pedido passa então a Aprovado.")
    if stage < STAGE[S.INVOICED]:
        names = _names_of_takers(order)
        if not names:
            return _("Nenhuma integração da loja levou este pedido.")
        if types_invoice:
            return _("O pedido está com %(names)s; a nota fiscal é informada aqui.") % {
                "names": names
            }
        return _("O pedido está com %(names)s, que informa a nota fiscal.") % {"names": names}
    if stage < STAGE[S.SHIPPED]:
        if types_tracking and status == S.SHIPPING_INFORMED:
            return _("O rastreio foi informado; falta a data de envio, que é informada aqui.")
        if types_tracking:
            return _("Falta o rastreio, que é informado aqui.")
        return _("A integração informa o rastreio e o envio; o canal é avisado.")
    return _("A transportadora entrega; a entrega é informada ao canal.")


def _names_of_takers(order: Order) -> str:
    return _names(link for link in order.links.all() if link.spec.consumes)


def _who_do_not_cancel(order: Order) -> str:
    """A partner may have read it; a platform that we call has it only from us, and may have it
    though it did not answer."""
    return _names(
        link
        for link in order.links.all()
        if link.spec.consumes
        and not link.spec.follows(S.CANCELED)
        and (link.sent_status or link.sent_version or not link.is_managed)
    )


def _names(links: Iterable[OrderLink]) -> str:
    return ", ".join(sorted({link.spec.name for link in links}))
