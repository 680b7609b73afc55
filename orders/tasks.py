"""What the queue runs for orders."""

from connectors.contract import FulfilmentSink, FulfilmentSource, OrderSink, OrderSource
from connectors.errors import NothingChanged
from connectors.messages.rings import pages_to_pull, run_flow_or_rings
from connectors.models import Failure
from connectors.runs.dispatch import start_due
from connectors.runs.running import Attempt
from orders.fulfilments import report_fulfilment
from orders.push import push_orders
from orders.reserving import late_orders, link_late_lines
from orders.services import Backwards, import_order


def pull_all_orders() -> None:
    start_due(OrderSource, pull_orders)


def pull_all_fulfilments() -> None:
    start_due(FulfilmentSource, pull_fulfilments)


def push_all_orders() -> None:
    """The net under the push that each change starts at once."""
    start_due(OrderSink, push_orders)
    start_due(FulfilmentSink, push_orders)


def link_all_late_lines() -> None:
    """What was sold before its product was here is kept from now on."""
    for order_id in late_orders():
        link_late_lines(order_id)


def pull_orders(flow_id: int, why: str = "") -> None:
    run_flow_or_rings(flow_id, OrderSource, _pull_orders, pull_orders, why)


def pull_fulfilments(flow_id: int, why: str = "") -> None:
    run_flow_or_rings(flow_id, FulfilmentSource, _pull_fulfilments, pull_fulfilments, why)


def _pull_orders(attempt: Attempt, source: OrderSource) -> None:
    pages = pages_to_pull(attempt, OrderSource, source, source.changed_orders)
    for page in attempt.with_parked(pages):
        for payload in page.items:
            with attempt.item(payload) as item:
                record = item.record = source.read_order(payload)
                item.record_id = record.original_id
                try:
                    import_order(attempt.activation, record)
                    item.changed = True
                except NothingChanged:
                    pass  # known: late pages and overlaps are no failures
                except Backwards as error:
                    # Nobody else would see that. Who dismissed it does not see it again.
                    if error.is_news or not _was_dismissed(attempt, record.original_id):
                        raise
        attempt.advance(page.cursor)


def _was_dismissed(attempt: Attempt, record_id: str) -> bool:
    """Where there was no failure at all, the worker that saw it was killed too soon."""
    if record_id in attempt.open_failures:
        return False
    mine = Failure.objects.filter(activation=attempt.activation, flow=attempt.flow.flow)
    return mine.filter(record_id=record_id).exists()


def _pull_fulfilments(attempt: Attempt, source: FulfilmentSource) -> None:
    pages = pages_to_pull(attempt, FulfilmentSource, source, source.changed_fulfilments)
    for page in attempt.with_parked(pages):
        for payload in page.items:
            with attempt.item(payload) as item:
                record = item.record = source.read_fulfilment(payload)
                item.record_id = record.hub_id or record.external_id
                try:
                    report_fulfilment(attempt.activation, record)
                    item.changed = True
                except (NothingChanged, Backwards):
                    pass
        attempt.advance(page.cursor)
