"""What the queue runs for orders."""

from connectors.contract import FulfilmentSink, FulfilmentSource, OrderSink, OrderSource
from connectors.errors import NothingChanged
from connectors.runs import Attempt, run_flow, start_due
from orders.push import push_orders
from orders.services import Backwards, import_order, report_fulfilment


def pull_all_orders() -> None:
    start_due(OrderSource, pull_orders)


def pull_all_fulfilments() -> None:
    start_due(FulfilmentSource, pull_fulfilments)


def push_all_orders() -> None:
    """The net under the push that each change starts at once."""
    start_due(OrderSink, push_orders)
    start_due(FulfilmentSink, push_orders)


def pull_orders(flow_id: int) -> None:
    run_flow(flow_id, OrderSource, _pull_orders)


def pull_fulfilments(flow_id: int) -> None:
    run_flow(flow_id, FulfilmentSource, _pull_fulfilments)


def _pull_orders(attempt: Attempt, source: OrderSource) -> None:
    for page in source.changed_orders(attempt.since):
        for payload in page.items:
            with attempt.item(payload) as item:
                record = source.read_order(payload)
                item.record_id = record.original_id
                try:
                    import_order(attempt.activation, record)
                    item.changed = True
                except (NothingChanged, Backwards):
                    pass  # known, or old news: late pages and overlaps are no failures
        attempt.advance(page.cursor)


def _pull_fulfilments(attempt: Attempt, source: FulfilmentSource) -> None:
    for page in source.changed_fulfilments(attempt.since):
        for payload in page.items:
            with attempt.item(payload) as item:
                record = source.read_fulfilment(payload)
                item.record_id = record.hub_id or record.external_id
                try:
                    report_fulfilment(attempt.activation, record)
                    item.changed = True
                except (NothingChanged, Backwards):
                    pass
        attempt.advance(page.cursor)
