"""The real Plugg.to as a channel: orders come from it, and it is told invoices and tracking."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from connectors.contract import Account, Client, FulfilmentSink, OrderSource, Page
from connectors.errors import Unreadable
from connectors.payload import Payload, to_moment
from connectors.pluggto import mapping
from connectors.pluggto.api import Api, NotUpdated
from connectors.records import FulfilmentRecord, OrderRecord
from connectors.wire import moment_text

PAGE_SIZE = 100
FIRST_PULL = timedelta(days=30)
# It filters by days without saying whose: São Paulo's begin three hours after UTC's. The fourth
# hour is for an order that its list shows late.
OVERLAP = timedelta(hours=4)


class Pluggto(Client, OrderSource, FulfilmentSink):
    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.api = Api(account)

    def check(self) -> None:
        self.api.call("GET", "orders", params={"limit": 1})

    def changed_orders(self, cursor: str) -> Iterable[Page]:
        """Orders changed since the cursor's day; those of the last 30 days where it is empty.

        The cursor is the newest `modified` seen. Pages do not come in that order, so only the
        last one moves it, and never past the pull's own beginning.
        """
        started = datetime.now(UTC)
        since = to_moment(cursor) - OVERLAP if cursor else started - FIRST_PULL
        until = started + timedelta(days=1)
        modified = f"{since:%Y-%m-%d}to{until:%Y-%m-%d}"
        newest, last_id = cursor, ""
        while True:
            query = {"modified": modified, "limit": PAGE_SIZE, "next": last_id or None}
            reply = self.api.call("GET", "orders", params=query)
            orders = [mapping.unwrapped(row) for row in reply.each("result")]
            newest = max([newest, *map(mapping.read_modified, orders)])
            if not orders or len(orders) < reply.whole("limit"):
                yield Page(orders, min(newest, moment_text(started) or ""))
                return
            yield Page(orders, cursor)
            previous_id, last_id = last_id, orders[-1].text("id")
            if last_id == previous_id:
                raise Unreadable(f"GET orders: the page after {last_id} is that page again")

    def read_order(self, payload: Payload) -> OrderRecord:
        return mapping.read_order(payload)

    def push_fulfilment(self, fulfilment: FulfilmentRecord) -> None:
        path = f"orders/{quote(fulfilment.external_id, safe='')}"
        order = mapping.unwrapped(self.api.call("GET", path))
        with suppress(NotUpdated):
            self.api.call("PUT", path, json=mapping.write_fulfilment(fulfilment, order))
