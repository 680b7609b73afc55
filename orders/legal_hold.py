"""Keeping an order's personal data because the law asks for it, whatever the store's term says."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from connectors.acts import record_act
from connectors.errors import Refused
from orders.models import Order


@transaction.atomic
def set_hold(order_id: int, held: bool, reason: str, by: User, address: str = "") -> Order:
    """On record with its reason. Asked for twice, it is one act. Raises `Refused` for an order
    that holds nothing any more."""
    order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    if held and order.anonymised_at is not None:
        raise Refused(_("Os dados pessoais do pedido %s já foram apagados.") % order)
    if order.legal_hold != held:
        order.legal_hold = held
        order.save(update_fields=["legal_hold"])
        what = _("Retido por obrigação legal: %s") if held else _("Retenção legal encerrada: %s")
        record_act(by, order, what % reason, address=address)
    return order
