"""One portal in front of another one, each whole and in processes of its own.

    the shop ─ portal "below" ─ Plugg.to's API ─ portal "above" ─ the marketplace

Below, the other portal is the real Plugg.to: a managed channel, with the four values that an
operator above issued. Above, the portal below is a Linx shop: a partner that sends its catalogue,
sees every order and reports invoice and tracking, and whose plugin URL is where it is rung at.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.server import Sandbox
from connectors.spec import Mode
from tests.portal.portals import Portal
from tests.postgres import free_port

MOST_SECONDS = 90
NAMES = ("client_id", "client_secret", "api_user", "api_secret")


@pytest.fixture
def portals(tmp_path: Path) -> Iterator[tuple[Portal, Portal]]:
    Portal(tmp_path, "begin", free_port()).prepare()
    both = [Portal(tmp_path, name, free_port()).open() for name in ("above", "below")]
    try:
        for portal in both:
            portal.let_in()
        yield both[0], both[1]
    finally:
        for portal in both:
            portal.close()


class World:
    """What the shop's people and the marketplace's buyers see, and nothing of what is between."""

    def __init__(self, above: Portal, below: Portal, sandbox: Sandbox) -> None:
        self.shop: Any = sandbox.open(
            "store", "shop-below", {"token": "t", "reports": "invoiced,shipping_informed"}
        )
        self.marketplace: Any = sandbox.open(
            "tools", "marketplace-above", {"hub": above.url + "/api"}
        )
        pluga = above.activate("pluga", Mode.PARTNER, f"{sandbox.url}/marketplace-above")
        self.marketplace.control("settings", pluga.issued)
        linx = above.activate("linx", Mode.PARTNER, below.url)
        received = {name: linx.issued[name] for name in NAMES}
        upstream = below.activate("pluggto", Mode.MANAGED, above.url + "/api", received)
        linx.change(plugin_url=upstream.doorbell)
        below.activate("rocky", Mode.MANAGED, f"{sandbox.url}/shop-below", {"token": "t"})
        self.logs = (above.log, below.log)

    def above(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.marketplace.call("GET", path)
        return answer.get("Order") or answer.get("Product") or {}

    def until(self, what: Callable[[], Any]) -> Any:
        """What it answers as soon as that is something; meanwhile the marketplace tells what
        happened in it."""
        deadline = time.monotonic() + MOST_SECONDS
        while not (found := what()):
            with self.marketplace.lock:
                self.marketplace.work()
            assert time.monotonic() < deadline, "\n".join(log.read_text() for log in self.logs)
            time.sleep(0.2)
        return found

    def buy(self) -> dict[str, Any]:
        """An order in the marketplace: its number there, and the hub's id for it."""
        items = [{"sku": "CAMISETA-P", "quantity": 2, "price": 79.9}]
        placed = self.marketplace.control("place_order", {"items": items, "status": "approved"})
        id = self.until(lambda: self.marketplace.orders.get(placed["id"], {}).get("id"))
        return {"number": placed["id"], "id": id}

    def orders_below(self) -> dict[str, Any]:
        return dict(self.shop.report()["orders"])


@pytest.fixture
def world(portals: tuple[Portal, Portal], sandbox: Sandbox) -> World:
    world = World(*portals, sandbox)
    world.shop.control("put_product", {"sku": "CANECA", "name": "Caneca", "price": 39.9,
                                       "special_price": 29.9, "quantity": 12})  # fmt: skip
    sizes = [
        {"sku": "CAMISETA-P", "name": "Camiseta P", "price": 79.9, "quantity": 40},
        {"sku": "CAMISETA-G", "name": "Camiseta G", "price": 84.9, "quantity": 25},
    ]
    world.shop.control("put_product", {"sku": "CAMISETA", "name": "Camiseta", "variations": sizes})
    return world


def levels(product: dict[str, Any]) -> dict[str, Any]:
    rows = product.get("variations") or ([product] if product else [])
    return {row["sku"]: (row["price"], row["special_price"], row["quantity"]) for row in rows}


@pytest.mark.long
def test_a_catalogue_goes_up_and_orders_come_down_through_two_portals(world: World) -> None:
    catalogue_goes_up(world)
    order_goes_down_and_its_invoice_and_tracking_up(world)
    cancellation_goes_down(world)


def catalogue_goes_up(world: World) -> None:
    expected = {"CAMISETA-P": (79.9, None, 40), "CAMISETA-G": (84.9, None, 25)}

    world.until(lambda: levels(world.above("/skus/CAMISETA")) == expected)
    world.until(lambda: levels(world.above("/skus/CANECA")) == {"CANECA": (39.9, 29.9, 12)})

    world.shop.control("set_stock", {"sku": "CANECA", "quantity": 7})
    world.until(lambda: levels(world.above("/skus/CANECA")) == {"CANECA": (39.9, 29.9, 7)})


def order_goes_down_and_its_invoice_and_tracking_up(world: World) -> None:
    path = f"/orders/{world.buy()['id']}"

    ((_id, there),) = world.until(lambda: list(world.orders_below().items()))
    for step in ("invoiced", "shipping_informed"):
        with world.shop.lock:
            world.shop.work()
        world.until(lambda step=step: world.above(path)["status"] == step)

    told = world.above(path)
    (fulfilment,) = world.shop.report()["fulfilments"].values()
    (shipment,) = told["shipments"]
    assert there["document"]["items"][0]["sku"] == "CAMISETA-P"
    assert len(world.orders_below()) == 1
    assert shipment["nfe_key"] == fulfilment["invoice"]["key"]
    assert shipment["track_code"] == fulfilment["tracking"]["code"]
    assert [step["status"] for step in told["status_history"]] == [
        "approved", "invoiced", "shipping_informed",
    ]  # fmt: skip
    refusals = world.marketplace.report()["refusals"]
    assert [each for each in refusals if not each.startswith("GET")] == []


def cancellation_goes_down(world: World) -> None:
    before = set(world.orders_below())
    order = world.buy()
    (id,) = world.until(lambda: set(world.orders_below()) - before)

    world.marketplace.control("set_status", {"id": order["number"], "status": "canceled"})

    world.until(lambda: world.orders_below()[id]["status"] == "canceled")
