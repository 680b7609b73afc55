"""A store's Layer API (platform-apis: section 6): reads products and their SKUs, writes nothing."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from connectors.contract import Client, Page, ProductSource
from connectors.http import call
from connectors.linxlayer import mapping
from connectors.payload import Payload
from connectors.records import ProductRecord

PAGE_SIZE = 100
# Opening one may take dozens of calls: so many are stored together, long before a task is killed.
AT_ONCE = 10


class LinxLayer(Client, ProductSource):
    def check(self) -> None:
        self._search("", 0, 1)

    def changed_products(self, cursor: str) -> Iterator[Page]:
        """Those changed since the last run began. The window stays until its last page is stored:
        pages are counted, and a product that changes meanwhile is only read twice."""
        began = timezone.now()
        where = mapping.write_since(cursor, began)
        index, more = 0, True
        while more:
            answer = self._search(where, index, PAGE_SIZE)
            index += 1
            more = index < answer.one("Page").whole("PageCount")
            found = answer.each("Result")
            while len(found) > AT_ONCE:
                yield Page(found[:AT_ONCE], cursor)
                found = found[AT_ONCE:]
            yield Page(found, cursor if more else mapping.write_cursor(began))

    def read_product(self, payload: Payload) -> ProductRecord:
        """What a search finds only says which product it is; here it is opened, and its SKUs."""
        product = self._call("GetProduct", payload.whole("ProductID"))
        skus = [self._call("GetSKU", sku_id) for sku_id in mapping.read_sku_ids(product)]
        return mapping.read_product(product, skus)

    def _search(self, where: str, index: int, size: int) -> Payload:
        return self._call(
            "SearchProduct",
            {
                "Page": {"PageIndex": index, "PageSize": size},
                "Where": where,
                "WhereMetadata": "",
                "OrderBy": "ProductID",
            },
        )

    def _call(self, operation: str, argument: Any) -> Payload:
        """Every call is a POST; a single argument is the whole body."""
        credentials = self.account.credentials
        answer = call(
            "POST",
            self.account.url_of(f"v1/Catalog/API.svc/web/{operation}"),
            what=operation,
            json=argument,
            headers={"Accept": "application/json"},
            auth=(credentials["user"], credentials["password"]),
        )
        return Payload(answer)
