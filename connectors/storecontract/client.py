"""Calls a platform that serves the store contract (openapi.yaml) at its plugin URL."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from connectors.contract import Client, OrderState, Page
from connectors.errors import Unreadable
from connectors.http import call
from connectors.payload import Payload, read_value, to_flag
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    PriceRecord,
    ProductRecord,
    StockRecord,
)
from connectors.storecontract import mapping

PAGE_SIZE = 500


class StoreContract(Client):
    """The methods of every ability that the contract has a path for. It claims none of them: a
    platform's own class says which of them that platform really has."""

    def check(self) -> None:
        mapping.read_id(self._call("GET", "check"), "name")

    def changed_products(self, cursor: str) -> Iterator[Page]:
        return self._pages("products", cursor)

    def read_product(self, payload: Payload) -> ProductRecord:
        return mapping.read_product(payload)

    def changed_prices(self, cursor: str) -> Iterator[Page]:
        return self._pages("prices", cursor)

    def read_price(self, payload: Payload) -> PriceRecord:
        return mapping.read_price(payload)

    def changed_stock(self, cursor: str) -> Iterator[Page]:
        return self._pages("stock", cursor)

    def read_stock(self, payload: Payload) -> StockRecord:
        return mapping.read_stock(payload)

    def push_order(self, order: OrderRecord) -> str:
        path = f"orders/{quote(order.hub_id, safe='')}"
        return mapping.read_id(self._call("PUT", path, json=mapping.write_order(order)), "id")

    def changed_fulfilments(self, cursor: str) -> Iterator[Page]:
        return self._pages("fulfilments", cursor)

    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord:
        return mapping.read_fulfilment(payload)

    def order_states(self, since: datetime) -> Iterator[OrderState]:
        for page in self._pages("orders", "", since=since.isoformat()):
            for item in page.items:
                yield mapping.read_order_state(item)

    def _pages(self, path: str, cursor: str, **query: str) -> Iterator[Page]:
        """No cursor leads on twice: a platform that repeats itself ends the run."""
        passed = {cursor}
        more = True
        while more:
            place = {"cursor": cursor, "limit": PAGE_SIZE}
            answer = self._call("GET", path, params={**query, **place})
            if answer.is_blank("items"):
                raise Unreadable(f"{answer.path}.items: missing")
            cursor = answer.text("cursor")
            more = read_value(answer.data.get("more"), to_flag, f"{answer.path}.more")
            if more and cursor in passed:
                raise Unreadable(
                    _("GET %(path)s: a plataforma diz que há mais, mas o cursor não avançou.")
                    % {"path": path}
                )
            passed.add(cursor)
            yield Page(answer.each("items"), cursor)

    def _call(self, method: str, path: str, **request: Any) -> Payload:
        url = self.account.url_of(path)
        headers = {"Authorization": f"Bearer {self.account.credentials['token']}"}
        return Payload(call(method, url, what=f"{method} {path}", headers=headers, **request))
