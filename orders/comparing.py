"""Comparing once a day the orders of both sides: sent and held, offered and read."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.comparisons import Last, begin_daily, start_steps, take_step
from connectors.contract import Flow, OrderIndex, OrderSink, OrderSource, OrderState
from connectors.errors import ConnectorError, Refused, Unavailable
from connectors.findings import OURS, SAME, THEIRS, Findings
from connectors.models import Activation, ActivationFlow, Comparison, Difference, Run
from connectors.records import OrderStatus
from connectors.runs.dispatch import make_due, start_now
from connectors.services import client_of
from connectors.spec import Mode
from connectors.trouble.failures import guess_id
from orders.models import Order, OrderLink
from orders.push import push_orders
from orders.status import ENDED

T = TypeVar("T")
# Other words for the same: old ones, finer ones, and what a platform does before it invoices, which
# is its own affair.
ALIKE: dict[str, str] = {
    OrderStatus.PAID: OrderStatus.APPROVED,
    OrderStatus.PICKING: OrderStatus.APPROVED,
    OrderStatus.WAITING_INVOICE: OrderStatus.APPROVED,
    OrderStatus.REFUNDED: OrderStatus.CANCELED,
}
Kind = Difference.Kind

# How far back it looks.
WINDOW = timedelta(days=30)
# What is younger is on its way.
SETTLED = timedelta(hours=1)
AT_ONCE = 500
# A list that breaks off is read from its beginning again. One that is longer than a minute's calls
# would break off for ever.
PATIENCE = timedelta(hours=1)


def compare_all_orders() -> None:
    begin_daily(Activation.objects.all(), Comparison.Purpose.ORDERS)
    start_steps([Comparison.Purpose.ORDERS], compare_orders)
    _mend_asked()


def compare_orders(comparison_id: int) -> None:
    take_step(comparison_id, _compare, compare_orders)


def _compare(comparison: Comparison) -> Last:
    activation, findings = comparison.activation, Findings(comparison, Flow.ORDERS)
    if activation.mode == Mode.PARTNER:
        _note_never_read(findings)
    else:
        # Nobody waits for it: of the account's calls it takes as few as the catalogue does.
        client: Any = client_of(activation, Flow.PRODUCTS)
        try:
            if isinstance(client, OrderIndex):
                _compare_sent(findings, client)
            elif isinstance(client, OrderSource):
                _compare_brought(findings, client)
        except Unavailable as error:
            if timezone.now() - comparison.asked_at < PATIENCE:
                raise
            raise Refused(str(error)) from error
    return [findings]


def _in_batches(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, AT_ONCE)):
        yield batch


# -- A partner reads by himself --------------------------------------------------------------------


def _note_never_read(findings: Findings) -> None:
    """Orders that were offered to the partner, and of which he has neither a number nor a word."""
    activation, now = findings.comparison.activation, timezone.now()
    if activation.spec.is_channel:
        return  # it brings orders, and takes none
    offered = Order.objects.listed_for(activation).filter(
        created_at__gte=max(now - WINDOW, activation.created_at),
        modified_at__lt=now - SETTLED,
    )
    taken = OrderLink.objects.filter(order=OuterRef("pk"), activation=activation).filter(
        ~Q(external_id="") | Q(acknowledged=True)
    )
    findings.count(OURS, offered.count())
    findings.count(THEIRS, offered.filter(Exists(taken)).count())
    unread = offered.filter(~Exists(taken)).order_by("pk")
    for order in unread.only("public_id", "original_id", "status").iterator(chunk_size=AT_ONCE):
        findings.add(Kind.NEVER_READ, order.public_id, ours=f"{order} · {order.status}")


# -- A platform holds what we sent -----------------------------------------------------------------


def _compare_sent(findings: Findings, client: OrderIndex) -> None:
    now = timezone.now()
    seen: set[int] = set()
    for states in _in_batches(client.order_states(now - WINDOW)):
        findings.count(THEIRS, len(states))
        seen |= _compare_states(findings, states, now - SETTLED)
    # Those at the window's edge may have come to the platform before it. What was over before it
    # came there is not there.
    never_there = Q(sent_status__in=ENDED, external_id="")
    sent = _links(findings).filter(
        ~Q(sent_status="") & ~never_there,
        created_at__range=(now - WINDOW + SETTLED, now - SETTLED),
    )
    findings.count(OURS, sent.count())
    for link in sent.order_by("pk").iterator(chunk_size=AT_ONCE):
        if link.pk not in seen:
            findings.add(Kind.MISSING_THERE, link.order.public_id, ours=_held_as(link))


def _compare_states(findings: Findings, states: list[OrderState], settled: datetime) -> set[int]:
    """The links that these are of."""
    ours = {
        link.order.public_id: link
        for link in _links(findings).filter(order__public_id__in=[each.hub_id for each in states])
    }
    for state in states:
        link = ours.get(state.hub_id)
        theirs = f"{state.external_id} · {state.status}"
        if link is None:
            findings.add(Kind.CREATE, state.hub_id, theirs=theirs)
        elif link.order.modified_at > settled:
            continue
        elif _plain(state.status) not in map(_plain, (link.sent_status, link.order.status)) or (
            link.external_id and state.external_id != link.external_id
        ):
            findings.add(Kind.UPDATE, state.hub_id, ours=_held_as(link), theirs=theirs)
        else:
            findings.count(SAME)
    return {link.pk for link in ours.values()}


def _plain(status: str) -> str:
    return ALIKE.get(status, status)


def _links(findings: Findings) -> QuerySet[OrderLink]:
    return OrderLink.objects.filter(activation=findings.comparison.activation).select_related(
        "order"
    )


def _held_as(link: OrderLink) -> str:
    return f"{link.external_id} · {link.order.status}"


# -- A channel has what it brought -----------------------------------------------------------------


def _compare_brought(findings: Findings, client: OrderSource) -> None:
    """Its whole list, from as far back as it shows at all, against what came from it."""
    activation = findings.comparison.activation
    for page in client.changed_orders(""):
        numbers = {}
        for payload in page.items:
            try:
                record = client.read_order(payload)
                numbers[record.original_id] = record.status
            except ConnectorError as error:
                findings.add(Kind.UNREADABLE, guess_id(payload), theirs=error)
        findings.count(THEIRS, len(page.items))
        here = set(
            activation.brought_orders.filter(original_id__in=numbers).values_list(
                "original_id", flat=True
            )
        )
        findings.count(OURS, len(here))
        findings.count(SAME, len(here))
        for number in numbers.keys() - here:
            findings.add(Kind.CREATE, number, theirs=numbers[number])


# -- What people asked for -------------------------------------------------------------------------


def _mend_asked() -> None:
    asked = Difference.objects.to_do().filter(flow=Flow.ORDERS)
    for activation_id in set(asked.values_list("comparison__activation", flat=True)[:1000]):
        mine = asked.filter(comparison__activation=activation_id)
        _send_again(activation_id, mine.exclude(kind=Kind.CREATE))
        _fetch_again(activation_id, mine.filter(kind=Kind.CREATE))


@transaction.atomic
def _send_again(activation_id: int, asked: QuerySet[Difference]) -> None:
    """The platform is told the order once more, as if it had never been told."""
    public_ids = list(asked.values_list("record_id", flat=True))
    if not public_ids:
        return
    links = OrderLink.objects.filter(activation=activation_id, order__public_id__in=public_ids)
    gone = asked.filter(kind=Kind.MISSING_THERE).values("record_id")
    # Its number there leads nowhere any more; it is looked for by ours.
    links.filter(order__public_id__in=gone).update(external_id="")
    links.update(sent_status="")
    asked.update(done_at=timezone.now(), result=_("Enviado outra vez."))
    start_now(activation_id, push_orders, OrderSink)


@transaction.atomic
def _fetch_again(activation_id: int, asked: QuerySet[Difference]) -> None:
    """A channel's list is read from its beginning. An order that a platform holds, and that is not
    ours, is nothing that we could fetch."""
    mine = {"activation": activation_id, "ability": OrderSource.__name__}
    flows = ActivationFlow.objects.select_for_update().filter(**mine)
    if not flows.exists():
        asked.update(done_at=timezone.now(), result=_("Este pedido não é deste portal."))
    elif not Run.objects.filter(ended_at=None, **mine).exists():
        flows.update(cursor="", slot_at=None)
        make_due(flows)
        asked.update(done_at=timezone.now(), result=_("Lido de novo, desde o começo."))
