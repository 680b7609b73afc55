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
from connectors.sandbox.invoices import now
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

SECONDS = 20
OLDEST_NOTICE = 300  # seconds; an older one may be somebody's copy


class Partner(Platform):
    """Credentials: `hub` (the API's address), client_id, client_secret, api_user, api_secret,
    webhook_secret. Without the last three it is an App, which the hub opens with a code."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.token = self.refresh_token = ""
        self.notices: list[Json] = []
        self.refusals: list[str] = []
        self.to_read: list[str] = []

    def handle(self, request: Request) -> Response:
        """A notification: a doorbell. What changed is read from the API afterwards. Or the
        merchant's browser, with the code that the hub opens an App with."""
        if code := request.query.get("pluggtocode"):
            self.token = self._ask_token({"grant_type": "authorization_code", "code": code})
            return Response({"opened": True})
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
            self.token = self._ask_token(self._grant())
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

    def _grant(self) -> Json:
        ours = self.credentials
        if "api_user" not in ours:
            return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        return {
            "grant_type": "password",
            "username": ours["api_user"],
            "password": ours["api_secret"],
        }

    def _ask_token(self, grant: Json) -> str:
        ours = self.credentials
        client = {"client_id": ours["client_id"], "client_secret": ours["client_secret"]}
        answer = requests.post(ours["hub"] + "/oauth/token", data=client | grant, timeout=SECONDS)
        answer.raise_for_status()
        self.refresh_token = answer.json()["refresh_token"]
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


class Tools(Partner):
    """Pluga's tools: orders come from them.

    control: place_order {items, status, …}; set_status {original_id, status}: what happens next
    to an order, which the hub is told at the next work.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.random = Random(name + secrets.token_hex(4))
        self.unsent: list[Json] = []
        self.orders: dict[str, Json] = {}  # by original id: the hub's id
        self.wanted: dict[str, str] = {}  # by original id: what it is to become

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        match verb:
            case "place_order":
                order = make_order(self.random, data["items"], data["status"], now())
                order |= {"channel": "Loja própria", "shipments": []}
                self.unsent.append(order)
                return {"id": order["original_id"]}
            case "set_status":
                self.wanted[data["id"]] = data["status"]
                return {}
        return super().control(verb, data)

    def report(self) -> dict[str, Any]:
        return super().report() | {"orders": self.orders, "unsent": len(self.unsent)}

    def work_with_hub(self) -> None:
        while self.unsent:
            order = self.unsent[0]
            answer = self.call("POST", "/orders", order)
            if "Order" in answer:
                self.orders[order["original_id"]] = {"id": answer["Order"]["id"]}
            self.unsent.pop(0)
        for number, status in list(self.wanted.items()):
            if number not in self.orders:
                continue
            answer = self.call("PUT", f"/orders/{self.orders[number]['id']}", {"status": status})
            is_known = "Order" in answer or answer.get("type") == "not_updated"
            if is_known and self.wanted[number] == status:
                del self.wanted[number]
