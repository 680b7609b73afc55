"""Rocky's API for ERPs, as far as anybody has seen it: whole lists of products and variations."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

Json = dict[str, Any]


class RockyErp(Platform):
    """Credentials: `token`."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.products: dict[int, Json] = {}
        self.variations: dict[int, Json] = {}

    def handle(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.credentials['token']}":
            return Response({"message": "Unauthenticated."}, 401)
        if request.headers.get("Accept") != "application/json":
            return Response(b"<html>login</html>")
        match request.method, request.path:
            case "GET", ("categories",):
                return Response({"current_page": 1, "data": [], "next_page_url": None})
            case "GET", ("products", "allResults"):
                return Response({"products": list(self.products.values())})
            case "GET", ("products", "variations", "allResults"):
                return Response({"product_variations": list(self.variations.values())})
        return Response({"message": "Not found."}, 404)

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product and put_variation {the API's own fields, with an id}."""
        held = {"put_product": self.products, "put_variation": self.variations}[verb]
        held[data["id"]] = {**held.get(data["id"], {}), **data}
        return held[data["id"]]

    def report(self) -> Json:
        return {"products": self.products, "variations": self.variations}

    def work(self) -> None:
        """Its people do nothing by themselves."""
