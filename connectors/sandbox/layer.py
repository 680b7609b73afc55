"""A store's Layer API of Linx Commerce, as far as anybody has seen it: products and their SKUs."""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

Json = dict[str, Any]
LOCAL = timezone(timedelta(hours=-3))
SINCE = re.compile(r'ModifiedDate>="(.+)"')
PREFIX = ("v1", "Catalog", "API.svc", "web")


class Layer(Platform):
    """Credentials: `user`, `password`."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.items: dict[int, Json] = {}  # products and SKUs: one space of ids
        self.changed: dict[int, datetime] = {}

    def handle(self, request: Request) -> Response:
        ours = f"{self.credentials['user']}:{self.credentials['password']}"
        wanted = "Basic " + b64encode(ours.encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return Response({"Message": "Unauthorized"}, 401)
        *prefix, operation = request.path
        if request.method != "POST" or tuple(prefix) != PREFIX:
            return Response({"Message": "Not Found"}, 404)
        match operation:
            case "SearchProduct":
                return Response(self._search(request.json()))
            case "GetProduct" | "GetSKU":
                item = self.items.get(request.json())
                return Response(item) if item else Response({"Message": "Not Found"}, 404)
        return Response({"Message": "Not Found"}, 404)

    def is_reading(self, request: Request) -> bool:
        return True  # every call is a POST, and none of these writes

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product {ProductID, …, SkusID} and put_sku {ProductID, …}: GetProduct's and GetSKU's
        own fields; with `at`, an ISO time, when it was changed, if not now."""
        if verb not in ("put_product", "put_sku"):
            raise ValueError(verb)
        fields = dict(data)
        at = fields.pop("at", None)
        key, changed = (
            fields["ProductID"],
            datetime.fromisoformat(at) if at else datetime.now(LOCAL),
        )
        fields["ModifiedDate"] = f"/Date({int(changed.timestamp() * 1000)}-0300)/"
        self.items[key] = {**self.items.get(key, {}), **fields}
        self.changed[key] = changed
        return self.items[key]

    def report(self) -> Json:
        return {"items": self.items}

    def work(self) -> None:
        """Its people do nothing by themselves."""

    def _search(self, query: Json) -> Json:
        found = [item for item in self.items.values() if "SkusID" in item]
        if since := SINCE.fullmatch(query["Where"]):
            earliest = datetime.fromisoformat(since[1]).replace(tzinfo=LOCAL)
            found = [item for item in found if self.changed[item["ProductID"]] >= earliest]
        found.sort(key=lambda item: item[query["OrderBy"]])
        index, size = query["Page"]["PageIndex"], query["Page"]["PageSize"] or len(found)
        return {
            "Result": found[index * size : (index + 1) * size],
            "Page": {
                "PageIndex": index,
                "PageSize": size,
                "PageCount": -(-len(found) // size) if size else 0,
                "RecordCount": len(found),
            },
        }
