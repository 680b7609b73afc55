"""A shop that serves the store contract, as Rocky, Webstore, Linx or Ótimo would.

Its people work as time passes: an approved order gets its invoice, then its tracking, one step
at each `work`. The credential `reports` says which steps there are, in their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from connectors.sandbox.invoices import make_key, now
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

Json = dict[str, Any]

ALL_REPORTS = "invoiced,shipping_informed,shipped,delivered"
LARGEST_PAGE = 500
FIRST_ORDER_ID = 1001
PAID = {"approved", "paid"}
OVER = {"canceled", "refunded"}


class Changes:
    """The newest state of each thing, in the order of its last change. States are replaced and
    never altered: an answer is written out after the lock is given back."""

    def __init__(self) -> None:
        self.latest: dict[str, tuple[int, Json]] = {}
        self.number = 0

    def put(self, key: str, state: Json) -> Json:
        self.number += 1
        self.latest.pop(key, None)
        self.latest[key] = (self.number, state)
        return state

    def states(self) -> dict[str, Json]:
        return {key: state for key, (_, state) in self.latest.items()}

    def since(self, cursor: str, limit: int) -> Json:
        """One page. The cursor is the number of the last change on it."""
        passed = int(cursor or 0)
        found = [change for change in self.latest.values() if change[0] > passed]
        page = found[:limit]
        return {
            "items": [state for _, state in page],
            "cursor": str(page[-1][0]) if page else cursor,
            "more": len(found) > limit,
        }


@dataclass
class Order:
    """An order of the hub's, kept once however often it is told."""

    id: str
    document: Json = field(default_factory=dict)
    puts: int = 0
    told: list[str] = field(default_factory=list)  # the hub's statuses, oldest first
    reported: list[str] = field(default_factory=list)  # ours
    invoice: Json | None = None
    tracking: Json | None = None
    taken_at: datetime = field(default_factory=now)

    @property
    def status(self) -> str:
        """Where it stands: what it reported last, unless it was told something since then."""
        return self.told[-1] if self.told[-1] in OVER or not self.reported else self.reported[-1]


class Store(Platform):
    """Credentials: `token`, and `reports` where not all of the statuses are reported."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.changes = {flow: Changes() for flow in ("products", "prices", "stock", "fulfilments")}
        self.orders: dict[str, Order] = {}
        self.invoices = 0

    @property
    def steps(self) -> list[str]:
        return [step for step in self.credentials.get("reports", ALL_REPORTS).split(",") if step]

    def handle(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.credentials['token']}":
            return Response({"error": "token recusado"}, 401)
        match request.method, request.path:
            case "GET", ("check",):
                return Response({"name": self.name})
            case "GET", (flow,) if flow in self.changes:
                return self._answer_page(self.changes[flow], request.query)
            case "GET", ("orders",):
                return self._list_orders(request.query)
            case "PUT", ("orders", hub_id):
                return self._take_order(hub_id, request)
        return Response({"error": "endereço desconhecido"}, 404)

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product {sku, name, …, price, special_price, quantity, variations: [the same]};
        set_price {sku, price, special_price}; set_stock {sku, quantity}; settings {reports,
        token}; fulfil {order_id, status, invoice: {}, tracking: {}}: the next step of one order
        at once, or the given status, with these fields different from the usual ones."""
        match verb:
            case "put_product":
                return self.changes["products"].put(data["sku"], self._shelve(data))
            case "set_price":
                return self._set_price(data)
            case "set_stock":
                return self._set_stock(data)
            case "settings":
                self.credentials.update(data)
                return {"reports": self.steps}
            case "fulfil":
                order = self.orders[data["order_id"]]
                return self._fulfil(data["order_id"], data.get("status") or self._next(order), data)
        raise ValueError(verb)

    def report(self) -> dict[str, Any]:
        return {
            "products": self.changes["products"].states(),
            "prices": self.changes["prices"].states(),
            "stock": {
                sku: state["quantity"] for sku, state in self.changes["stock"].states().items()
            },
            "orders": {
                hub_id: {
                    "id": order.id,
                    "status": order.told[-1],
                    "statuses": list(order.told),
                    "puts": order.puts,
                    "reported": list(order.reported),
                    "document": order.document,
                }
                for hub_id, order in self.orders.items()
            },
            "fulfilments": self.changes["fulfilments"].states(),
        }

    def work(self) -> None:
        for hub_id, order in self.orders.items():
            step = self._next(order)
            if step and PAID.intersection(order.told) and order.told[-1] not in OVER:
                self._fulfil(hub_id, step, {})

    # -- The contract ----------------------------------------------------------------------------
    def _answer_page(self, changes: Changes, query: Mapping[str, str]) -> Response:
        try:
            limit = min(max(int(query.get("limit", LARGEST_PAGE)), 1), LARGEST_PAGE)
            return Response(changes.since(query.get("cursor", ""), limit))
        except ValueError:
            return Response({"error": "cursor ou limit desconhecido"}, 422)

    def _list_orders(self, query: Mapping[str, str]) -> Response:
        """The cursor is how many were passed; orders are never fewer."""
        try:
            since = datetime.fromisoformat(query.get("since", ""))
            passed = int(query.get("cursor") or 0)
            limit = min(max(int(query.get("limit", LARGEST_PAGE)), 1), LARGEST_PAGE)
        except ValueError:
            return Response({"error": "since, cursor ou limit desconhecido"}, 422)
        held = [(key, order) for key, order in self.orders.items() if order.taken_at >= since]
        page = held[passed : passed + limit]
        items = [{"order_id": key, "id": each.id, "status": each.status} for key, each in page]
        passed += len(page)
        return Response({"items": items, "cursor": str(passed), "more": len(held) > passed})

    def _take_order(self, hub_id: str, request: Request) -> Response:
        try:
            document = request.json()
        except ValueError:
            return Response({"error": "o corpo não é JSON"}, 422)
        if not isinstance(document, dict) or document.get("id") != hub_id:
            return Response({"error": "o corpo não é o pedido do endereço"}, 422)
        if not document.get("status") or not document.get("items"):
            return Response({"error": "pedido sem status ou sem itens"}, 422)
        is_new = hub_id not in self.orders
        if is_new:
            self.orders[hub_id] = Order(str(FIRST_ORDER_ID + len(self.orders)))
            self._put_aside(document, 1)
        order = self.orders[hub_id]
        if not is_new and document["status"] in OVER and order.told[-1] not in OVER:
            self._put_aside(order.document, -1)
        order.document = document
        order.puts += 1
        if order.told[-1:] != [document["status"]]:
            order.told.append(document["status"])
        return Response({"id": order.id}, 201 if is_new else 200)

    # -- The shop --------------------------------------------------------------------------------
    def _shelve(self, product: Mapping[str, Any]) -> Json:
        """The product as the contract shows it, its price and stock put where those belong."""
        if "price" in product:
            self._set_price(product)
        if "quantity" in product:
            self._set_stock(product)
        shown = {
            name: value
            for name, value in product.items()
            if name not in ("price", "special_price", "quantity")
        }
        if "variations" in shown:
            shown["variations"] = [self._shelve(variation) for variation in shown["variations"]]
        return shown

    def _set_price(self, data: Mapping[str, Any]) -> Json:
        special = data.get("special_price")
        price = {"sku": data["sku"], "price": data["price"], "special_price": special}
        return self.changes["prices"].put(data["sku"], price)

    def _set_stock(self, data: Mapping[str, Any]) -> Json:
        stock = {"sku": data["sku"], "quantity": data["quantity"]}
        return self.changes["stock"].put(data["sku"], stock)

    def _put_aside(self, document: Json, sign: int) -> None:
        """What an order wants is no longer for sale; with the sign turned round it is again."""
        for item in document["items"]:
            sku = (item.get("variation") or {}).get("sku") or item["sku"]
            if sku in self.changes["stock"].latest:
                level = self.changes["stock"].latest[sku][1]["quantity"]
                quantity = max(0, level - sign * item["quantity"])
                self._set_stock({"sku": sku, "quantity": quantity})

    def _next(self, order: Order) -> str | None:
        return next((step for step in self.steps if step not in order.reported), None)

    def _fulfil(self, hub_id: str, status: str | None, wanted: Mapping[str, Any]) -> Json:
        """Report a status. What it needs and the order does not have yet comes into being."""
        if status is None:
            raise ValueError(f"{hub_id}: no step is left")
        order = self.orders[hub_id]
        order.reported.append(status)
        order.invoice = {
            **(order.invoice or self._issue()),
            **wanted.get("invoice", {}),
        }
        if status != "invoiced":
            arrival = {"delivered_at": now().isoformat()} if status == "delivered" else {}
            tracking = order.tracking or self._ship(order)
            order.tracking = {**tracking, **arrival, **wanted.get("tracking", {})}
        state = {
            "order_id": hub_id,
            "id": order.id,
            "status": status,
            "invoice": order.invoice,
            "tracking": order.tracking,
        }
        return self.changes["fulfilments"].put(hub_id, state)

    def _issue(self) -> Json:
        """The next invoice; four bare facts of it where nothing is reported after it (Ótimo)."""
        self.invoices += 1
        issued_at = now()
        key = make_key(self.name, self.invoices, issued_at)
        invoice = {
            "key": key,
            "number": str(self.invoices),
            "series": "1",
            "issued_at": issued_at.isoformat(),
        }
        if self.steps == ["invoiced"]:
            return invoice
        return {
            **invoice,
            "link": f"https://nfe.example.com/{key}.xml",
            "cfops": "5102",
        }

    def _ship(self, order: Order) -> Json:
        code = f"SB{crc32(f'{self.name}/{order.id}'.encode()):010}"
        return {
            "company": "Transportadora Exemplo",
            "method": "Expressa",
            "code": code,
            "url": f"https://rastreio.example.com/{code}",
            "shipped_at": now().isoformat(),
            "delivered_at": None,
        }
