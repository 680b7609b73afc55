"""What an activation may do to an order, by its connector's specification."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from connectors.errors import NotAllowed
from connectors.hub.wire import SHIPMENT
from connectors.models import Activation
from connectors.records import OrderStatus
from connectors.spec import Spec
from orders.models import Order

# What a connector may note on any order that it took: its own bookkeeping.
BOOKKEEPING = frozenset({"log_history", "log_permanent"})
# What identifies a shipment or repeats the report itself.
IDENTITY = frozenset({"id", "external", "status", "shipping_items"})


def check_may_create(activation: Activation) -> None:
    """Raise `NotAllowed` where orders do not come from this connector."""
    if not activation.spec.is_channel:
        raise NotAllowed(
            _("%(connector)s não cria pedidos: nesta integração eles vêm do hub.")
            % {"connector": activation.spec.name}
        )


def passed_over(order: Order, by: Activation, names: Iterable[str]) -> frozenset[str]:
    """Which of these changed fields and lists are not `by`'s to change and stay as they are when
    it sends them along with what is. Many clients send back the whole order as they understood it;
    only from a connector that may send certain facts "and nothing else" that is an error."""
    if order.source_id == by.pk or any(report.only for report in by.spec.reports):
        return frozenset()
    return frozenset(names) - BOOKKEEPING


def check_report(
    order: Order,
    by: Activation,
    status: OrderStatus | None,
    head: Iterable[str],
    shipments: Iterable[str],
    lists: Iterable[str],
) -> None:
    """Raise `NotAllowed` where these effective changes are not `by`'s to make. The error says
    which connector, which report, and what is allowed."""
    spec = by.spec
    if order.source_id == by.pk:
        return  # a channel says what its own orders are
    if foreign := (set(head) - BOOKKEEPING) | set(lists):
        raise NotAllowed(
            _("%(connector)s não pode alterar estes campos do pedido: %(names)s. %(allowed)s")
            % {
                "connector": spec.name,
                "names": ", ".join(sorted(foreign)),
                "allowed": _allowed(spec),
            }
        )
    if status is not None and status not in spec.may_report:
        raise NotAllowed(
            _("%(connector)s não pode informar a situação %(status)s. %(allowed)s")
            % {"connector": spec.name, "status": status.value, "allowed": _allowed(spec)}
        )
    names = set(shipments)
    if foreign := names - _shipment_fields(spec, names):
        raise NotAllowed(
            _("%(connector)s não pode informar estes dados da entrega: %(names)s. %(allowed)s")
            % {
                "connector": spec.name,
                "names": ", ".join(sorted(foreign)),
                "allowed": _allowed(spec),
            }
        )


def _shipment_fields(spec: Spec, names: set[str]) -> frozenset[str]:
    """Of a shipment's fields, `names` among them, those that the connector may send. Where none of
    its reports says `only`, also those that merely go along: documents, comments, issues, and what
    the hub has no word for."""
    fields = frozenset(name for report in spec.reports for name in report.fields) | IDENTITY
    if spec.reports and not any(report.only for report in spec.reports):
        fields |= {"documents", "comment", "description", "issues", "error_message"}
        fields |= names - SHIPMENT.keys()
    return fields


def _allowed(spec: Spec) -> str:
    if not spec.reports:
        return _("Esta integração não informa nada sobre pedidos.")
    parts = []
    for report in spec.reports:
        statuses = "/".join(sorted(status.value for status in report.statuses))
        parts.append(f"{statuses} ({', '.join(report.fields)})")
    return _("Permitido: %(reports)s.") % {"reports": "; ".join(parts)}
