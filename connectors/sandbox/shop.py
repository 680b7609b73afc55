"""A platform's or an ERP's program: it sends its catalogue to the hub, takes orders from there, and
reports what became of them."""

from collections.abc import Mapping
from random import Random
from typing import Any

from connectors.sandbox.hub_orders import Json
from connectors.sandbox.invoices import make_key, now
from connectors.sandbox.partner import Partner

OVER = {"canceled", "refunded"}


def wanted_of(order: Json) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for item in order["items"]:
        sku = (item.get("variation") or {}).get("sku") or item["sku"]
        wanted[sku] = wanted.get(sku, 0) + item["quantity"]
    return wanted


class Shop(Partner):
    """A platform or ERP. Further credentials: `reports`, the statuses that it reports, in order;
    `only`, where its invoice has just these fields; `by_notice`, where it asks for no list, but
    takes into its queue what it was notified of.

    control: put_product {a product as the hub writes it}, which it sends to the hub; set_stock
    {sku, quantity}; set_price {sku, price, special_price}.
    """

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.invoices = 0
        self.unsent: dict[str, tuple[str, Json]] = {}
        self.stock: dict[str, int] = {}  # what is for sale, by SKU
        self.orders: dict[str, Json] = {}  # by hub id: number, status, statuses, what it wants
        self.queue: list[Json] = []  # each status of each order, as it was fetched
        self.random = Random(name)

    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        match verb:
            case "put_product":
                self.unsent[data["sku"]] = (f"/skus/{data['sku']}", dict(data))
                for each in (data, *data.get("variations", [])):
                    self.stock[each["sku"]] = each.get("quantity", 0)
            case "set_stock":
                self._set_stock(data["sku"], data["quantity"])
            case "set_price":
                self.unsent["price " + data["sku"]] = (f"/skus/{data['sku']}", dict(data))
            case _:
                return super().control(verb, data)
        return {}

    def report(self) -> dict[str, Any]:
        return super().report() | {
            "orders": self.orders,
            "stock": self.stock,
            "unsent": len(self.unsent),
            "queue": self.queue,
        }

    def work_with_hub(self) -> None:
        for key, (path, body) in list(self.unsent.items()):
            if "error" not in (answer := self.call("PUT", path, body)) or (
                answer.get("type") == "not_updated"
            ):
                del self.unsent[key]
        by_notice = "by_notice" in self.credentials
        if not by_notice:
            for row in self.call("GET", "/orders", limit=100).get("result", []):
                self._take(row["Order"])
        heard, self.to_read = dict.fromkeys(self.to_read), []
        for order_id in [each for each in heard if by_notice or each in self.orders]:
            self._take(self.call("GET", f"/orders/{order_id}").get("Order", {}))
        for order_id, order in list(self.orders.items()):
            self._next_step(order_id, order)

    def _take(self, order: Json) -> None:
        if not order:
            return
        ours = self.orders.setdefault(
            order["id"], {"number": "", "status": "", "statuses": [], "shipment": None, "wants": {}}
        )
        if order["status"] != ours["status"]:
            self._put_aside(ours, {} if order["status"] in OVER else wanted_of(order))
            ours["status"] = order["status"]
            ours["statuses"].append(order["status"])
            self.queue.append(order)
        if order["shipments"]:
            ours["shipment"] = order["shipments"][0]["id"]
        if not ours["number"]:
            ours["number"] = f"{self.name}-{1000 + len(self.orders)}"
            self.call("PUT", f"/orders/{order['id']}", {"external": ours["number"], "ack": True})

    def _put_aside(self, ours: Json, wanted: dict[str, int]) -> None:
        """What an order that was taken wants is no longer for sale."""
        before, ours["wants"] = ours["wants"], wanted
        for sku in self.stock.keys() & {*before, *wanted}:
            level = self.stock[sku] + before.get(sku, 0) - wanted.get(sku, 0)
            if level != self.stock[sku]:
                self._set_stock(sku, max(0, level))

    def _set_stock(self, sku: str, quantity: int) -> None:
        self.stock[sku] = quantity
        told = {"action": "update", "quantity": quantity}
        self.unsent["stock " + sku] = (f"/skus/{sku}/stock", told)

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
