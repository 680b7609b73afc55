"""The hub's products (pluggto-api.md, section 4): by SKU, a variation inside its product."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.hub_answers import error, is_within, listed
from connectors.sandbox.hub_orders import empty_lists, iso, nulls
from connectors.sandbox.messages import Request, Response

Json = dict[str, Any]

LISTS = "categories attributes photos price_table stock_table"
PRODUCT = (
    "id sku name external type status ean ncm nbm cest isbn origin quantity reserved price"
    " special_price cost short_description description brand model warranty_time warranty_message"
    " link available handling_time manufacture_time dimension real_dimension"
)
NOT_THE_PRODUCTS = {"id", "sku", "variations", "created", "modified", *LISTS.split()}
SEARCHED = ("id", "sku", "ean", "external")  # for what is equal
ACTIONS: dict[str, Callable[[int, int], int]] = {
    "update": lambda there, told: told,
    "increase": lambda there, told: there + told,
    "decrease": lambda there, told: there - told,
}


class Shelves:
    """By SKU, without the variations', which lie in their products.

    An element of a list is the same one only by its id: who sends it without has two of them.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.new_id = new_id
        self.products: dict[str, Json] = {}

    def handle(self, request: Request, path: tuple[str, ...]) -> Response:
        """`path` in lower case, but for the SKU in it."""
        match request.method, path:
            case "GET", ("products",):
                return self._list(request.query)
            case "GET", ("products", id) if product := self._with_id(id):
                return Response({"Product": product})
            case "GET", ("skus", sku) if product := self._holding(sku):
                return Response({"Product": product})
            case "PUT", ("skus", sku):
                return self._put(sku, request.json())
            case "PUT", ("skus", sku, "stock") if product := self._holding(sku):
                return self._put_stock(product, sku, request.json())
            case "DELETE", ("skus", sku) if product := self._holding(sku):
                return self._delete(product, sku)
        return error(404, "not_found", "Not found")

    def report(self) -> Json:
        """Every product; fields without a value are left out."""
        return {sku: _without_nulls(product) for sku, product in self.products.items()}

    def _holding(self, sku: str) -> Json | None:
        """The product with this SKU, or with a variation of it."""
        inside = (p for p in self.products.values() if any(_is(v, sku) for v in p["variations"]))
        return self.products.get(sku) or next(inside, None)

    def _with_id(self, id: str) -> Json | None:
        return next((each for each in self.products.values() if each["id"] == id), None)

    def _list(self, query: Mapping[str, str]) -> Response:
        """By id: `next` is the last one that was received. `bysku` finds a variation's product."""
        holding = self._holding(query["bysku"]) if "bysku" in query else None
        found = [
            product
            for product in sorted(self.products.values(), key=lambda product: product["id"])
            if product["id"] > query.get("next", "")
            and all(query.get(name, product[name]) == product[name] for name in SEARCHED)
            and ("bysku" not in query or product is holding)
            and is_within(product["created"], query.get("created"))
            and is_within(product["modified"], query.get("modified"))
        ]
        return listed(found, "Product", query)

    def _put(self, sku: str, sent: Json) -> Response:
        before = self._holding(sku)
        if before and before["sku"] != sku:
            return error(400, "not_valid", "The sku belongs to a variation")
        base = before or self._new(sku) | {"variations": []}
        after = self._merged(base, sent)
        for told in sent.get("variations") or []:
            there = next((v for v in after["variations"] if _is(v, told["sku"])), None)
            others = [v for v in after["variations"] if v is not there]
            if not told.get("remove"):
                others.append(self._merged(there or self._new(told["sku"]), told))
            after["variations"] = sorted(others, key=lambda variation: variation["id"])
        if after == before:
            return error(400, "not_updated", "Changes not found in the document")
        return self._store(after)

    def _new(self, sku: str) -> Json:
        return {
            **nulls(PRODUCT), **empty_lists(LISTS), "id": self.new_id(), "sku": sku,
            "quantity": 0, "reserved": 0, "created": iso(datetime.now(UTC)), "modified": None,
        }  # fmt: skip

    def _merged(self, base: Json, sent: Json) -> Json:
        said = {name: value for name, value in sent.items() if name not in NOT_THE_PRODUCTS}
        lists = {
            name: self._merged_list(base[name], sent[name])
            for name in LISTS.split()
            if sent.get(name) is not None
        }
        return {**base, **said, **lists, "variations": list(base.get("variations", []))}

    def _merged_list(self, present: list[Json], sent: list[Json]) -> list[Json]:
        merged = {element["id"]: element for element in present}
        for element in sent:
            id = element.get("id") or self.new_id()
            merged[id] = {**merged.get(id, {}), **element, "id": id}
            if element.get("remove"):
                del merged[id]
        return list(merged.values())

    def _put_stock(self, product: Json, sku: str, sent: Json) -> Response:
        def counted(item: Json) -> Json:
            if not _is(item, sku):
                return item
            quantity = ACTIONS[sent["action"]](item["quantity"], int(sent["quantity"]))
            return {**item, "quantity": quantity}

        after = counted(product)
        after = {**after, "variations": [counted(each) for each in after["variations"]]}
        if after == product:
            return error(400, "not_updated", "Changes not found in the document")
        return self._store(after)

    def _store(self, product: Json) -> Response:
        product = {**product, "modified": iso(datetime.now(UTC))}
        self.products[product["sku"]] = product
        return Response({"Product": product})

    def _delete(self, product: Json, sku: str) -> Response:
        if product["sku"] == sku:
            return Response({"Product": self.products.pop(sku)})
        variations = [each for each in product["variations"] if not _is(each, sku)]
        return self._store({**product, "variations": variations})


def _is(item: Json, sku: str) -> bool:
    return bool(item["sku"] == sku)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v not in (None, [], {})}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
