"""The real Plugg.to as a channel: orders come from it; it is told the catalogue, and what became of
each order."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from connectors.contract import (
    Ability,
    Account,
    CatalogueIndex,
    Changed,
    Client,
    FulfilmentSink,
    HeldSku,
    NoticeSource,
    OrderSource,
    Page,
    PriceSink,
    ProductSink,
    StockSink,
)
from connectors.errors import Rejected, Unreadable
from connectors.hub.wire import moment_text
from connectors.payload import Payload, parse, to_moment
from connectors.pluggto import catalogue, mapping
from connectors.pluggto.api import Api, NotThere, NotUpdated
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    PriceRecord,
    ProductRecord,
    StockRecord,
)
from connectors.trouble.causes import DUPLICATE

PAGE_SIZE = 100
FIRST_PULL = timedelta(days=30)
# It filters by days without saying whose: São Paulo's begin three hours after UTC's. The fourth
# hour is for an order that its list shows late.
OVERLAP = timedelta(hours=4)
ORDER_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)


class Pluggto(
    Client,
    OrderSource,
    FulfilmentSink,
    ProductSink,
    PriceSink,
    StockSink,
    CatalogueIndex,
    NoticeSource,
):
    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.api = Api(account)

    def check(self) -> None:
        self.api.call("GET", "orders", params={"limit": 1})

    def changed_orders(self, cursor: str) -> Iterable[Page]:
        """Orders changed since the cursor's day; those of the last 30 days where it is empty.

        The cursor is the newest `modified` seen. Pages do not come in that order, so only the
        last one moves it, and never past the pull's own beginning. Until then it also says how far
        the pull has come, for it may be longer than a run: its beginning, the newest `modified`
        seen by then, and the last id.
        """
        before, *position = cursor.split(" ")
        began, newest, last_id = position or (moment_text(datetime.now(UTC)) or "", before, "")
        started = to_moment(began)
        since = to_moment(before) - OVERLAP if before else started - FIRST_PULL
        until = started + timedelta(days=1)
        modified = f"{since:%Y-%m-%d}to{until:%Y-%m-%d}"
        for orders, is_last in self._pages("orders", mapping.unwrapped, last_id, modified=modified):
            newest = max([newest, *map(mapping.read_modified, orders)])
            if is_last:
                yield Page(orders, min(newest, began))
            else:
                yield Page(orders, f"{before} {began} {newest} {orders[-1].text('id')}")

    def _pages(
        self,
        path: str,
        unwrapped: Callable[[Payload], Payload],
        last_id: str = "",
        **query: str,
    ) -> Iterator[tuple[list[Payload], bool]]:
        """What is listed after this id, and whether that is the end."""
        while True:
            page = {**query, "limit": PAGE_SIZE, "next": last_id or None}
            reply = self.api.call("GET", path, params=page)
            # Past the end there may be none.
            if reply.data.get("result") is None and reply.data.get("total") != 0:
                raise Unreadable(f"GET {path}: $.result: missing")
            rows = [unwrapped(row) for row in reply.each("result")]
            is_last = not rows or len(rows) < reply.whole("limit")
            yield rows, is_last
            if is_last:
                return
            previous_id, last_id = last_id, rows[-1].text("id")
            if last_id == previous_id:
                raise Unreadable(f"GET {path}: the page after {last_id} is that page again")

    def read_order(self, payload: Payload) -> OrderRecord:
        return mapping.read_order(payload)

    # -- Its notifications (section 12) ----------------------------------------------------------
    def read_notice(self, body: bytes) -> list[Changed]:
        """Only orders concern us: the catalogue is ours to tell. It may have words that we do not
        know, and one that we did not take would come again."""
        notice = Payload(parse(body))
        if notice.text("type") != "orders":
            return []
        order_id = notice.text("id")
        if not ORDER_ID.fullmatch(order_id):
            raise Unreadable(f"{notice.path}.id: not an order's id")
        return [Changed(OrderSource, order_id)]

    def answer_notice(self, body: bytes) -> Any:
        return {"received": True}

    def fetch(self, ability: type[Ability], record_id: str) -> Iterable[Payload]:
        try:
            yield mapping.unwrapped(self.api.call("GET", _path("orders", record_id)))
        except NotThere:
            return

    # -- What it is told -------------------------------------------------------------------------
    def push_product(self, product: ProductRecord) -> str:
        path = _path("skus", product.sku)
        there = self._product(path)
        if there and there.text("sku") != product.sku:
            raise Rejected(
                _("No Plugg.to, o SKU %(sku)s é uma variação do produto %(other)s.")
                % {"sku": product.sku, "other": there.text("sku")},
                cause=DUPLICATE,
            )
        try:
            body = catalogue.write_product(product, there)
            there = catalogue.unwrapped(self.api.call("PUT", path, json=body))
        except NotUpdated:
            there = there or self._product(path)
        return there.text("id") if there else ""

    def _product(self, path: str) -> Payload | None:
        try:
            return catalogue.unwrapped(self.api.call("GET", path))
        except NotThere:
            return None

    def remove_product(self, sku: str) -> None:
        with suppress(NotThere):
            self.api.call("DELETE", _path("skus", sku))

    def push_price(self, price: PriceRecord) -> None:
        sku, body = catalogue.write_price(price)
        with suppress(NotUpdated):
            self.api.call("PUT", _path("skus", sku), json=body)

    def push_stock(self, stock: StockRecord) -> None:
        path = _path("skus", stock.sku, "stock")
        with suppress(NotUpdated):
            self.api.call("PUT", path, json=catalogue.write_stock(stock))

    def held_products(self, cursor: str) -> Iterable[Page]:
        """The cursor is the id of the last product that was yielded."""
        for products, _is_last in self._pages("products", catalogue.unwrapped, cursor):
            yield Page(products, products[-1].text("id") if products else cursor)

    def read_held(self, payload: Payload) -> list[HeldSku]:
        return catalogue.read_held(payload)

    def push_fulfilment(self, fulfilment: FulfilmentRecord) -> None:
        path = _path("orders", fulfilment.external_id)
        order = mapping.unwrapped(self.api.call("GET", path))
        with suppress(NotUpdated):
            self.api.call("PUT", path, json=mapping.write_fulfilment(fulfilment, order))


def _path(*segments: str) -> str:
    if {".", ".."} & set(segments):
        raise Rejected("/".join(segments))  # in an address these mean another place
    return "/".join(quote(segment, safe="") for segment in segments)
