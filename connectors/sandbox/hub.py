"""A hub with marketplaces in front of it, speaking Plugg.to's API (pluggto-api.md)."""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from connectors.sandbox.hub_answers import Json, error, is_within, listed, oauth_error
from connectors.sandbox.hub_notices import Bell
from connectors.sandbox.hub_orders import iso, make_order, make_shipment
from connectors.sandbox.hub_products import Shelves
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

TOKEN_SECONDS = 3600
# What a client may send along with an order without meaning the order (section 5.4).
NOT_THE_ORDERS = {"id", "update", "created", "modified", "shipments"}
# Which of a shipment's fields makes which tag of the order true.
TAGGED = {
    "has_invoice_key": "nfe_key",
    "has_invoice_number": "nfe_number",
    "has_track": "track_code",
    "has_track_url": "track_url",
}


class Hub(Platform):
    """Credentials: client_id, client_secret, api_user, api_secret.

    An order is replaced and never altered: an answer is written out after the lock is given back.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.random = Random(name)
        self.first_half = f"{int(time.time()):08x}{self.random.getrandbits(32):08x}"
        self.orders: dict[str, Json] = {}  # by id; each is greater than the one before
        self.tokens: dict[str, float] = {}  # access token: when it expires
        self.refresh_tokens: set[str] = set()
        self.last_number = 0
        self.shelves = Shelves(self._new_id)
        self.bell = Bell(lambda: self.faults.times())

    def _new_id(self) -> str:
        """Greater than the one before."""
        self.last_number += 1
        return f"{self.first_half}{self.last_number:08x}"

    def handle(self, request: Request) -> Response:
        path = tuple(segment.lower() for segment in request.path)
        if path == ("oauth", "token"):
            return self._give_token(request)
        if refusal := self._refuse(request):
            return refusal
        match request.method, path:
            case "GET", ("orders",):
                return self._list_orders(request.query)
            case "GET", ("orders", order_id) if order_id in self.orders:
                return Response({"Order": self.orders[order_id]})
            case "PUT", ("orders", order_id) if order_id in self.orders:
                return self._update_order(order_id, request)
            case _, ("products" | "skus", *_):
                sku_kept = path[:1] + request.path[1:2] + path[2:]
                return self.shelves.handle(request, sku_kept)
        return error(404, "not_found", "Not found")

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """place_order {items: [{sku, quantity, price, …}], status, and any field that shall differ
        from the usual}: answers {id}. set_status {id, status}: the marketplace approves or
        cancels. settings {notify}: the address where its notifications go."""
        match verb:
            case "settings":
                self.bell.address = data["notify"]
                return {}
            case "place_order":
                return {"id": self._place_order(data)}
            case "set_status":
                return {"id": data["id"], "changed": self._change(data["id"], dict(data), [])}
        raise ValueError(verb)

    def report(self) -> dict[str, Any]:
        """Every order with what it has been told; fields without a value are left out."""
        return {
            "orders": {
                order_id: {
                    "original_id": order["original_id"],
                    "channel": order["channel"],
                    "status": order["status"],
                    "statuses": [step["status"] for step in order["status_history"]],
                    "total": order["total"],
                    "items": [
                        {name: item[name] for name in ("sku", "quantity", "price")}
                        for item in order["items"]
                    ],
                    "shipments": [
                        {name: value for name, value in shipment.items() if value}
                        for shipment in order["shipments"]
                    ],
                }
                for order_id, order in self.orders.items()
            },
            "products": self.shelves.report(),
            "not_told": [*self.bell.given_up, *(each.body for each in self.bell.waiting)],
        }

    def work(self) -> None:
        """It tells what happened. Its buyers wait for whoever controls the sandbox."""
        self.bell.ring()

    # -- Tokens (section 2) ----------------------------------------------------------------------
    def _give_token(self, request: Request) -> Response:
        form, ours = request.form(), self.credentials
        if form.get("grant_type") not in ("password", "refresh_token"):
            return oauth_error("invalid_request", "Invalid or missing grant_type parameter")
        client = form.get("client_id"), form.get("client_secret")
        if client != (ours["client_id"], ours["client_secret"]):
            return oauth_error("invalid_client", "Client credentials are invalid")
        if form["grant_type"] == "password":
            user = form.get("username"), form.get("password")
            if user != (ours["api_user"], ours["api_secret"]):
                return oauth_error("invalid_grant", "User credentials are invalid")
        elif form.get("refresh_token") not in self.refresh_tokens:
            return oauth_error("invalid_grant", "Invalid refresh token")
        self.refresh_tokens.discard(form.get("refresh_token", ""))
        access, refresh = secrets.token_hex(20), secrets.token_hex(20)
        self.tokens[access] = time.monotonic() + TOKEN_SECONDS
        self.refresh_tokens.add(refresh)
        return Response(
            {
                "token_type": "bearer",
                "access_token": access,
                "expires_in": TOKEN_SECONDS,
                "refresh_token": refresh,
            }
        )

    def _refuse(self, request: Request) -> Response | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = request.query.get("access_token", "")
        if not token:
            return oauth_error("invalid_request", "The access token was not found")
        if token not in self.tokens:
            return oauth_error("invalid_token", "The access token provided is invalid.", 401)
        if self.tokens[token] <= time.monotonic():
            return oauth_error("invalid_token", "The access token provided has expired.", 401)
        return None

    # -- Orders (section 5) ----------------------------------------------------------------------
    def _list_orders(self, query: Mapping[str, str]) -> Response:
        found = [
            order
            for order in self.orders.values()
            if order["id"] > query.get("next", "")
            and ("status" not in query or order["status"] in query["status"].split(","))
            and is_within(order["created"], query.get("created"))
            and is_within(order["modified"], query.get("modified"))
        ]
        return listed(found, "Order", query)

    def _update_order(self, order_id: str, request: Request) -> Response:
        sent = request.json() or {}
        sent = sent.get("Order", sent)  # one client wraps it
        if not self._change(order_id, sent, sent.get("shipments") or []):
            return error(400, "not_updated", "Changes not found in the order")
        return Response({"Order": self.orders[order_id]})

    def _change(self, order_id: str, sent: Json, shipments: list[Json]) -> bool:
        """Whether anything did change."""
        before = self.orders[order_id]
        now = datetime.now(UTC)
        after = {
            **before,
            **{name: value for name, value in sent.items() if name not in NOT_THE_ORDERS},
            "shipments": self._merge(before["shipments"], shipments),
        }
        if after == before:
            return False
        if after["status"] != before["status"]:
            after["status_history"] = [*before["status_history"], {"status": after["status"]}]
        if after["status"] == "approved" and not after["approved_date"]:
            after["approved_date"] = iso(now)
        informed = {tag: any(s[name] for s in after["shipments"]) for tag, name in TAGGED.items()}
        after["tags"] = before["tags"] | {
            tag: 1 if is_so else None for tag, is_so in informed.items()
        }
        after |= {"modified": iso(now), "timestamp": int(now.timestamp())}
        self.orders[order_id] = after
        self.bell.tell("orders", "updated", order_id, "status")
        return True

    def _merge(self, present: list[Json], sent: list[Json]) -> list[Json]:
        """By id; a shipment without a known id is a new one."""
        merged = {shipment["id"]: shipment for shipment in present}
        for shipment in sent:
            base = merged.get(shipment.get("id", "")) or make_shipment(self.random)
            merged[base["id"]] = {**base, **shipment, "id": base["id"]}
        return list(merged.values())

    # -- The marketplaces ------------------------------------------------------------------------
    def _place_order(self, data: Mapping[str, Any]) -> str:
        order_id = self._new_id()
        status = data.get("status", "approved")
        self.orders[order_id] = {
            **make_order(self.random, data["items"], status, datetime.now(UTC)),
            **{name: value for name, value in data.items() if name != "items"},
            "id": order_id,
            "order_id": self.last_number,
            "user_id": "8203",
        }
        self.bell.tell("orders", "created", order_id, "status")
        return order_id
