"""Partners' programs: they call the hub's API with the four values, as a platform's own
integration does, and receive its notifications at their address here."""

import hmac
import secrets
import time
from abc import abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Mapping
from random import Random
from typing import Any

import requests

from connectors.sandbox.hub_orders import Json, make_order
from connectors.sandbox.invoices import make_key, now
from connectors.sandbox.server import Platform, Request, Response

SECONDS = 20
OLDEST_NOTICE = 300  # seconds; an older one may be somebody's copy


class Partner(Platform):
    """Credentials: `hub` (the API's address), client_id, client_secret, api_user, api_secret,
    webhook_secret."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.token = ""
        self.notices: list[Json] = []
        self.refusals: list[str] = []
        self.to_read: list[str] = []

    def handle(self, request: Request) -> Response:
        """A notification: a doorbell. What changed is read from the API afterwards."""
        if not self._is_the_hubs(request):
            self.refusals.append(f"{self.name}: a notification whose signature is wrong")
            return Response({"error": "signature"}, 401)
        notice = request.json()
        self.notices.append(notice)
        if notice["type"] == "orders":
            self.to_read.append(notice["id"])
        return Response({"received": True})

    def _is_the_hubs(self, request: Request) -> bool:
        """By Standard Webhooks. Before the credentials are here, whoever rings is let in."""
        if "webhook_secret" not in self.credentials:
            return True
        headers, (_prefix, key) = request.headers, self.credentials["webhook_secret"].split("_", 1)
        moment = headers.get("webhook-timestamp", "0")
        content = f"{headers.get('webhook-id')}.{moment}.".encode() + request.body
        ours = "v1," + b64encode(hmac.digest(b64decode(key), content, "sha256")).decode()
        is_new = abs(time.time() - int(moment)) <= OLDEST_NOTICE
        return is_new and ours in headers.get("webhook-signature", "").split(" ")

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Json:
        """What the hub answers; a refusal is kept for the report and answered as it came."""
        if not self.token:
            self.token = self._ask_token()
        answer = requests.request(
            method,
            self.credentials["hub"] + path,
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=SECONDS,
        )
        if answer.status_code == 401:
            self.token = ""
        data: Json = answer.json()
        if answer.status_code >= 400 and data.get("type") != "not_updated":
            self.refusals.append(f"{method} {path}: {data.get('details')}")
        return data

    def _ask_token(self) -> str:
        ours = self.credentials
        answer = requests.post(
            ours["hub"] + "/oauth/token",
            data={
                "grant_type": "password",
                "client_id": ours["client_id"],
                "client_secret": ours["client_secret"],
                "username": ours["api_user"],
                "password": ours["api_secret"],
            },
            timeout=SECONDS,
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """settings {…}: what it needs to begin, when its credentials have been handed over."""
        if verb != "settings":
            raise ValueError(verb)
        self.credentials.update(data)
        return {}

    def report(self) -> dict[str, Any]:
        return {"notices": self.notices, "refusals": self.refusals}

    def work(self) -> None:
        """Nothing before the credentials are here; what the hub did not take waits."""
        if "client_id" not in self.credentials:
            return
        try:
            self.work_with_hub()
        except requests.RequestException as error:
            self.refusals.append(type(error).__name__)

    @abstractmethod
    def work_with_hub(self) -> None:
        """What its program does at each turn."""


class Shop(Partner):
    """A platform or ERP. Further credentials: `reports`, the statuses that it reports, in order;
    `only`, where its invoice has just these fields.

    control: put_product {a product as the hub writes it}, which it sends to the hub; set_stock
    {sku, quantity}.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.invoices = 0
        self.unsent: dict[str, tuple[str, Json]] = {}
        self.orders: dict[str, Json] = {}  # by hub id: number, status, statuses
        self.random = Random(name)

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        match verb:
            case "put_product":
                self.unsent[data["sku"]] = (f"/skus/{data['sku']}", dict(data))
            case "set_stock":
                stock = {"action": "update", "quantity": data["quantity"]}
                self.unsent["stock " + data["sku"]] = (f"/skus/{data['sku']}/stock", stock)
            case _:
                return super().control(verb, data)
        return {}

    def report(self) -> dict[str, Any]:
        return super().report() | {"orders": self.orders, "unsent": len(self.unsent)}

    def work_with_hub(self) -> None:
        for key, (path, body) in list(self.unsent.items()):
            if "error" not in (answer := self.call("PUT", path, body)) or (
                answer.get("type") == "not_updated"
            ):
                del self.unsent[key]
        for row in self.call("GET", "/orders", limit=100).get("result", []):
            self._take(row["Order"])
        heard, self.to_read = set(self.to_read), []
        for order_id in heard & set(self.orders):
            self._take(self.call("GET", f"/orders/{order_id}").get("Order", {}))
        for order_id, order in list(self.orders.items()):
            self._next_step(order_id, order)

    def _take(self, order: Json) -> None:
        if not order:
            return
        ours = self.orders.setdefault(
            order["id"], {"number": "", "status": "", "statuses": [], "shipment": None}
        )
        if order["status"] != ours["status"]:
            ours["status"] = order["status"]
            ours["statuses"].append(order["status"])
        if order["shipments"]:
            ours["shipment"] = order["shipments"][0]["id"]
        if not ours["number"]:
            ours["number"] = f"{self.name}-{1000 + len(self.orders)}"
            self.call("PUT", f"/orders/{order['id']}", {"external": ours["number"], "ack": True})

    def _next_step(self, order_id: str, order: Json) -> None:
        """An approved order gets its invoice, an invoiced one its tracking, step by step."""
        path = ["approved", *self.credentials["reports"].split(",")]
        if order["status"] not in path[:-1]:
            return
        status = path[path.index(order["status"]) + 1]
        shipment = self._invoice() if status == "invoiced" else self._tracking(status)
        if order["shipment"]:
            shipment["id"] = order["shipment"]
        body = {"status": status, "shipments": [shipment]}
        answer = self.call("PUT", f"/orders/{order_id}", body)
        if "Order" in answer:
            self._take(answer["Order"])

    def _invoice(self) -> Json:
        self.invoices += 1
        issued_at = now()
        key = make_key(self.name, self.invoices, issued_at)
        fields = {
            "nfe_key": key,
            "nfe_number": str(self.invoices),
            "nfe_serie": "1",
            "nfe_date": issued_at.isoformat(),
            "nfe_link": f"https://nfe.example.com/{key}.xml",
            "cfops": "5102",
        }
        if "only" in self.credentials:
            return {name: fields[name] for name in self.credentials["only"].split(",")}
        return fields

    def _tracking(self, status: str) -> Json:
        today = now().isoformat()
        if status == "delivered":
            return {"date_delivered": today, "status": "delivered"}
        return {
            "shipping_company": "Correios",
            "shipping_method": "SEDEX",
            "track_code": f"AA{self.random.randrange(10**8, 10**9)}BR",
            "date_shipped": today,
            "status": "shipped",
        }


class Tools(Partner):
    """Pluga's tools: orders come from them.

    control: place_order {items, status, …}; set_status {original_id, status}: what happens next
    to an order, which the hub is told at the next work.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.random = Random(name + secrets.token_hex(4))
        self.unsent: list[Json] = []
        self.orders: dict[str, Json] = {}  # by original id: the hub's id, and what it is to become

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        match verb:
            case "place_order":
                order = make_order(self.random, data["items"], data["status"], now())
                order |= {"channel": "Loja própria", "shipments": []}
                self.unsent.append(order)
                return {"id": order["original_id"]}
            case "set_status":
                self.orders[data["id"]]["wanted"] = data["status"]
                return {}
        return super().control(verb, data)

    def report(self) -> dict[str, Any]:
        return super().report() | {"orders": self.orders, "unsent": len(self.unsent)}

    def work_with_hub(self) -> None:
        while self.unsent:
            order = self.unsent[0]
            answer = self.call("POST", "/orders", order)
            if "Order" in answer:
                self.orders[order["original_id"]] = {"id": answer["Order"]["id"], "wanted": ""}
            self.unsent.pop(0)
        for order in self.orders.values():
            if order["wanted"]:
                self.call("PUT", f"/orders/{order['id']}", {"status": order["wanted"]})
                order["wanted"] = ""
