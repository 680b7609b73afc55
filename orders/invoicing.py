"""The invoice that a merchant types, where no integration of his store reports it
(`Spec.merchant_types_invoice`), and what can be told of a key by looking at it (domain.md, 4.2)."""

from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from connectors.acts import differences, record_act
from connectors.errors import NotAllowed
from connectors.fiscal import cnpj_is_valid, nfe_key_is_valid
from connectors.hub.wire import write_shipment
from connectors.models import Activation
from connectors.payload import LOCAL
from connectors.records import InvoiceRecord, OrderStatus
from connectors.spec import Spec
from orders.models import Order, OrderWord, Shipment
from orders.services import update_order
from orders.status import INVOICED, STAGE
from orders.wire import OrderDocument

FIRST, LAST = STAGE[OrderStatus.APPROVED], STAGE[OrderStatus.SHIPPING_INFORMED]
REFUSED = OrderStatus.INVOICE_ERROR
MODELS = {"55", "65"}  # NF-e and NFC-e; other keys of 44 characters are no sale's
STATES = {
    "11", "12", "13", "14", "15", "16", "17", "21", "22", "23", "24", "25", "26", "27", "28", "29",
    "31", "32", "33", "35", "41", "42", "43", "50", "51", "52", "53",
}  # fmt: skip
CPF_PADDING = "000"


def takers(order: Order) -> list[Spec]:
    """The connectors that have the order to work on it; where none has, those of the store that
    may come to. Needs `with_everything`."""
    took = [link.spec for link in order.links.all() if link.spec.consumes]
    if took:
        return took
    at_work = Activation.objects.filter(store=order.store_id).consuming()
    specs = [activation.spec for activation in at_work.select_related("connector")]
    return [spec for spec in specs if spec.consumes]


def takes_invoice(order: Order) -> bool:
    """It is the merchant's to say how this order was invoiced. Needs `with_everything`."""
    if not FIRST <= STAGE[OrderStatus(order.status)] <= LAST:
        return False
    return all(spec.merchant_types_invoice for spec in takers(order))


@transaction.atomic
def inform_invoice(order_id: int, invoice: InvoiceRecord, by: User) -> Order:
    """Note the invoice and take the order to `invoiced`; the channel is told.

    Raises `NotAllowed` where the invoice is not the merchant's to type or the order is not at that
    point, and `NothingChanged` where all of it was known.
    """
    Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    order = Order.objects.with_everything().get(pk=order_id)
    if not takes_invoice(order):
        raise NotAllowed(_("A nota fiscal deste pedido não se informa aqui, ou não agora."))
    document = write_shipment(invoice, None)
    document["nfe_link"] = invoice.link  # emptied, it goes: the one of before is another invoice's
    if known := shipment_of(order):
        document["id"] = known.public_id
    # One that the channel refused is informed anew.
    further = STAGE[OrderStatus(order.status)] < INVOICED or order.status == REFUSED
    status = OrderStatus.INVOICED if further else None
    told = OrderDocument(head={}, status=status, shipments=[document])
    order = update_order(order_id, told, by)
    record_typed(by, order_id, _("Nota fiscal informada."), known)
    return order


def shipment_of(order: Order) -> Shipment | None:
    """The one that was invoiced, else the first there is."""
    shipments = list(order.shipments.all())
    return next((each for each in shipments if each.nfe_number or each.nfe_key), None) or next(
        iter(shipments), None
    )


def record_typed(by: User, order_id: int, what: str, before: Shipment | None) -> None:
    """What of the shipment he changed; the order's history knows of its status alone."""
    order = Order.objects.with_everything().get(pk=order_id)
    if after := shipment_of(order):
        before = before or Shipment(pk=after.pk, order=order, public_id=after.public_id)
        record_act(by, order, what, differences(before, after))


# -- What a key says of itself -------------------------------------------------------------------


@dataclass
class Look:
    """What is certainly wrong with a key, and what a person should look at again."""

    wrong: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def number_in(key: str) -> str:
    return str(int(key[25:34]))


def series_in(key: str) -> str:
    return str(int(key[22:25]))


def look_at(key: str, order: Order) -> Look:
    """Takes the compact form."""
    look = Look(faults_of(key))
    if look.wrong:
        return look
    if key[6:20] != order.store.cnpj:
        look.doubts.append(_("A nota foi emitida por outro CNPJ que o da loja."))
    if _months_apart(key, order.created_at.astimezone(LOCAL).date()) > 1:
        look.doubts.append(_("O mês da nota está longe do mês do pedido."))
    look.doubts += doubles_of(key, order)
    return look


def faults_of(key: str) -> list[str]:
    if not nfe_key_is_valid(key):
        return [_("A chave tem 44 caracteres e o último confere os outros: confira.")]
    cnpj, faults = key[6:20], []
    if key[20:22] not in MODELS:
        faults.append(_("Esta chave não é de NF-e nem de NFC-e."))
    if key[:2] not in STATES:
        faults.append(_("Os dois primeiros números da chave não são de nenhum estado."))
    if not cnpj.startswith(CPF_PADDING) and not cnpj_is_valid(cnpj):
        faults.append(_("O CNPJ dentro da chave não existe."))
    return faults


def doubles_of(key: str, order: Order) -> list[str]:
    """Of a key that is one. Among the words by which orders are found: these have an index."""
    others = OrderWord.objects.filter(store=order.store_id, word=key).exclude(order=order.pk)
    return [_("Outro pedido da loja já tem esta nota.")] if others.exists() else []


def _months_apart(key: str, day: date) -> int:
    year, month = 2000 + int(key[2:4]), int(key[4:6])
    return abs((year - day.year) * 12 + month - day.month)
