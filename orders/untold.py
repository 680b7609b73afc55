"""What a managed platform cannot be told of an order that it has: what we send it once more tells
it the status alone. With what else has changed a person must go there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from connectors.errors import Refused
from connectors.models import Activation
from connectors.spec import Mode
from connectors.trouble.failures import record_untold
from orders.models import Line, Order, Payment
from orders.status import ENDED


class Deal(NamedTuple):
    """What whoever has the order delivers and invoices."""

    total: Decimal
    units: Counter[str]
    paid: Counter[tuple[str, str, Decimal]]

    def is_still(self, before: "Deal") -> bool:
        """A payment of which nobody knew before contradicts nothing."""
        same = (self.total, self.units) == (before.total, before.units)
        return same and (not before.paid or self.paid == before.paid)


def deal(total: Decimal, items: Iterable[Line], payments: Iterable[Payment]) -> Deal:
    units = Counter[str]()
    for line in items:
        units[line.sold_sku] += line.quantity
    return Deal(
        total,
        units,
        Counter(
            (
                payment.payment_type.lower(),
                str(payment.fields.get("payment_installments") or 1),
                payment.payment_total,
            )
            for payment in payments
            if payment.payment_type and payment.payment_total
        ),
    )


def show_changes(order: Order, before: Deal, now: Deal, there: Activation | None = None) -> None:
    """At the platforms that have the order; only at this one, where one is said."""
    if now.is_still(before) or order.status in ENDED:
        return
    # One text: a second change is the same failure, and would put its own in the first one's place.
    error = Refused(
        _(
            "O canal mudou os itens, o pagamento ou o total do pedido %(order)s depois que esta"
            " integração o levou, ou o recebeu e não respondeu, e ela não fica sabendo: compare-os"
            " e corrija-os lá."
        )
        % {"order": order}
    )
    for activation in [there] if there else _platforms_that_have(order):
        record_untold(activation, order.public_id, error)


def _platforms_that_have(order: Order) -> Iterator[Activation]:
    at_work = Activation.objects.filter(store=order.store_id).consuming()
    had = order.links.filter(activation__in=at_work, activation__mode=Mode.MANAGED)
    for link in had.exclude(activation=order.source_id).exclude(sent_status="", sent_version=0):
        yield link.activation
