"""Rocky's API for ERPs (platform-apis: section 7): reads whole lists, writes nothing."""

from collections.abc import Iterator
from typing import Any

from connectors.contract import Client, Page, PriceSource, ProductSource, StockSource
from connectors.errors import Unreadable
from connectors.http import call
from connectors.payload import Payload
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.rockyerp import mapping

PAGE_SIZE = 500


class RockyErp(Client, ProductSource, PriceSource, StockSource):
    """Nothing says what changed, so every run reads everything and its cursor stays empty."""

    def check(self) -> None:
        self._get("categories")

    def changed_products(self, cursor: str) -> Iterator[Page]:
        products, variations = self._products(), self._variations()
        return _pages(mapping.join(products, variations))

    def read_product(self, payload: Payload) -> ProductRecord:
        return mapping.read_product(payload)

    def changed_prices(self, cursor: str) -> Iterator[Page]:
        return self._sold()

    def read_price(self, payload: Payload) -> PriceRecord:
        return mapping.read_price(payload)

    def changed_stock(self, cursor: str) -> Iterator[Page]:
        return self._sold()

    def read_stock(self, payload: Payload) -> StockRecord:
        return mapping.read_stock(payload)

    def _sold(self) -> Iterator[Page]:
        """What has a price and a stock: variations, and products without any."""
        return _pages(mapping.sold(self._products(), self._variations()))

    def _products(self) -> list[Payload]:
        return self._list("products/allResults", "products")

    def _variations(self) -> list[Payload]:
        return self._list("products/variations/allResults", "product_variations")

    def _list(self, path: str, name: str) -> list[Payload]:
        """An empty one is a list too: without it, products would seem to have no variations."""
        answer = self._get(path)
        if answer.data.get(name) is None:
            raise Unreadable(f"GET {path}: $.{name}: missing")
        return answer.each(name)

    def _get(self, path: str) -> Payload:
        answer: Any = call(
            "GET",
            self.account.url_of(path),
            what=f"GET {path}",
            headers={
                "Authorization": f"Bearer {self.account.credentials['token']}",
                "Accept": "application/json",
            },
        )
        return Payload(answer)


def _pages(items: list[Payload]) -> Iterator[Page]:
    for start in range(0, len(items), PAGE_SIZE):
        yield Page(items[start : start + PAGE_SIZE], "")
