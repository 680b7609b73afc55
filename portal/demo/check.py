"""The demo's scenario to its end: every order as far as its connector can bring it, both ends
compared, and a table of what happened."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.management.base import CommandError

from catalog.models import Product
from connectors.models import Failure, Notice, State
from connectors.records import OrderStatus
from connectors.spec import Following, Mode
from orders.models import Order
from portal.demo.browser import Browser
from portal.demo.clock import Clock
from portal.demo.people import MERCHANT, MERCHANT_PASSWORD
from portal.demo.processes import Processes
from portal.demo.scene import SOLD, Scene

MOST_SECONDS = 180
COUNTED = {"CANECA": 7}  # what somebody finds on the shelf, after the catalogue was sent
Report = dict[str, Any]


@dataclass
class Story:
    """What is to happen in one scene: three orders, by what becomes of them."""

    scene: Scene
    straight: str = ""  # arrives approved
    waiting: str = ""  # arrives pending, and is approved
    dropped: str = ""  # arrives pending, and is cancelled
    moved: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.straight = self.scene.place_order("approved")
        self.waiting = self.scene.place_order("pending")
        self.dropped = self.scene.place_order("pending")

    def go_on(self) -> None:
        """What the channel and the shop's people do once the orders are in the portal."""
        scene = self.scene
        if scene.find(self.waiting):
            self._move(self.waiting, "approved")
        if order := scene.find(self.dropped):
            # Where the platform takes pending orders, it must have this one first.
            takes = scene.spec.wants(OrderStatus.PENDING)
            if not takes or scene.is_at_platform(order):
                self._move(self.dropped, "canceled")

    def _move(self, number: str, status: str) -> None:
        """Once: told again, what the channel says would be refused where the shop has gone on."""
        if number not in self.moved:
            self.scene.move_order(number, status)
            self.moved.add(number)

    def check(self) -> bool:
        self.missing = [*self._missing_here(), *self._missing_there()]
        return not self.missing

    def expected(self) -> dict[str, str]:
        last = self.scene.last_status
        return {self.straight: last, self.waiting: last, self.dropped: "canceled"}

    def _missing_here(self) -> Iterator[str]:
        scene = self.scene
        for number, expected in self.expected().items():
            order = scene.find(number)
            if order is None:
                yield f"o pedido {number} não chegou"
            elif order.status != expected:
                yield f"o pedido {number} está {order.status}, não {expected}"
            elif expected != "canceled" and not order.status_changes.filter(status="invoiced"):
                yield f"o pedido {number} não passou por invoiced"
        if (count := Order.objects.filter(store=scene.store).count()) != 3:
            yield f"{count} pedidos em vez de 3"
        for activation in (scene.activation, scene.channel_activation):
            activation.refresh_from_db(fields=["state"])
            if activation.state != State.ACTIVE:
                yield f"{activation.connector} está {activation.state}"
        levels = Product.objects.with_levels().filter(store=scene.store, sku__in=SOLD)
        wrong = [p.sku for p in levels if p.price_row.price is None]
        there = scene.sandbox.report(scene.name)["stock"]
        wrong += [p.sku for p in levels if p.stock_row.available != there[p.sku]]
        if wrong or len(levels) != len(SOLD):
            yield f"catálogo: {len(levels)} SKUs, sem preço ou com estoque errado: {wrong}"
        if failures := Failure.objects.filter(activation__store=scene.store, resolved_at=None):
            yield f"falha aberta: {failures[0].reason}"
        if waiting := Notice.objects.filter(
            activation__store=scene.store, delivered_at=None
        ).count():
            yield f"{waiting} notificações não entregues"

    def _missing_there(self) -> Iterator[str]:
        """Each end must tell the same story as the portal."""
        scene = self.scene
        platform = scene.sandbox.report(scene.name)
        channel = scene.sandbox.report(scene.channel_name)
        for end in (platform, channel):
            for refusal in end.get("refusals", []):
                yield f"recusado: {refusal}"
        for number in (self.straight, self.waiting):
            order = scene.find(number)
            if order and (complaint := _at_platform(scene, order, platform)):
                yield complaint
        dropped = scene.find(self.dropped)
        if dropped and scene.spec.wants(OrderStatus.PENDING):
            there = platform["orders"].get(dropped.public_id, {})
            if scene.spec.cancels is not Following.NO and there.get("status") != "canceled":
                yield f"o cancelamento de {self.dropped} não chegou à plataforma"
        if "notices" in channel:
            told = {notice["id"] for notice in channel["notices"] if notice["type"] == "orders"}
        else:
            told = {id for id, order in channel["orders"].items() if _knows_end(scene, order)}
        for number in (self.straight, self.waiting):
            order = scene.find(number)
            if order and not told & {number, order.public_id}:
                yield f"o canal não soube do fim do pedido {number}"


def _at_platform(scene: Scene, order: Order, platform: Report) -> str:
    """The platform has the order once, under the number that the portal knows."""
    link = order.links.filter(activation=scene.activation).first()
    there = platform["orders"].get(order.public_id)
    if there is None or link is None:
        return f"o pedido {order} não está na plataforma"
    number = there.get("number") or there.get("id")
    if link.external_id != number:
        return f"o pedido {order} é {number} lá e {link.external_id!r} aqui"
    return "" if there.get("created", 1) == 1 else f"o pedido {order} foi criado duas vezes"


def _knows_end(scene: Scene, order: Report) -> bool:
    """The marketplace was told the last status, with the invoice and, if there is one, tracking."""
    shipment: Report = (order["shipments"] or [{}])[0]
    has_tracking = bool(shipment.get("track_code")) or scene.spec.tracking is None
    return order["status"] == scene.last_status and bool(shipment.get("nfe_key")) and has_tracking


def run(scenes: list[Scene], processes: Processes, write: Any) -> None:
    """Raises `CommandError` if anything is missing in the end."""
    stories, clock = [Story(scene) for scene in scenes], Clock()
    _wait_for_catalogue(scenes, clock, processes)
    for story in stories:
        story.begin()
        for sku, quantity in COUNTED.items():
            story.scene.count_stock(sku, quantity)
    deadline = time.monotonic() + MOST_SECONDS
    unfinished = stories
    while unfinished and time.monotonic() < deadline:
        clock.tick()
        processes.check_alive()
        for story in unfinished:
            story.go_on()
        unfinished = [story for story in unfinished if not story.check()]
    pages = _read_pages(stories, processes.web_url)
    write(table(stories, pages))
    if unfinished or not all(pages.values()):
        raise CommandError("Faltou alguma coisa; veja a tabela.")


def _wait_for_catalogue(scenes: list[Scene], clock: Clock, processes: Processes) -> None:
    """Nobody sells what is not on sale yet."""
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        clock.tick()
        processes.check_alive()
        known = Product.objects.filter(sku__in=SOLD, store__in=[scene.store for scene in scenes])
        if known.count() == len(SOLD) * len(scenes):
            return
    raise CommandError("Os catálogos não chegaram ao portal.")


def _read_pages(stories: list[Story], web_url: str) -> dict[str, bool]:
    """The merchant opens an order of each store: every step must be there, with its author."""
    merchant, seen = Browser(web_url), {}
    merchant.sign_in("/login/", MERCHANT, MERCHANT_PASSWORD)
    for story in stories:
        order = story.scene.find(story.waiting)
        page = merchant.open(f"/orders/{order.public_id}/") if order else ""
        steps = list(order.status_changes.all()) if order else []
        seen[story.scene.name] = len(steps) > 2 and all(
            step.get_status_display() in page and step.author in page for step in steps
        )
    return seen


def table(stories: list[Story], pages: dict[str, bool]) -> str:
    rows = [("conector", "modo", "canal", "pedidos", "última situação", "página", "resultado")]
    for story in stories:
        scene = story.scene
        done = sum(
            getattr(scene.find(number), "status", "") == expected
            for number, expected in story.expected().items()
        )
        rows.append(
            (
                scene.spec.name,
                "parceiro" if scene.mode == Mode.PARTNER else "gerenciado",
                scene.channel.name,
                f"{done}/3",
                OrderStatus(scene.last_status).value,
                "ok" if pages[scene.name] else "incompleta",
                "ok" if not story.missing else "; ".join(story.missing[:3]),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
