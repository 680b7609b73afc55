"""What is sold in the shops and marketplaces while everything falls over: a bounded number of
orders, and what becomes of them.

The callers are careful: what was not answered is asked again, until it is.
"""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import requests

from connectors.sandbox.hub_orders import make_order
from tests.soak.keeping import RENAMED, Keepers
from tests.soak.world import HUB, SKUS, TOOLS, World

SECONDS = 20
PAUSE = 0.5
MOST_SALES = 400
THINKING_SECONDS = 3  # between an order and its payment, or its cancellation


@dataclass
class Sale:
    channel: str
    number: str  # the marketplace's
    id: str  # as the channel's API calls it
    ends: str  # "delivered" or "canceled"
    decides_at: float | None  # when it is paid or cancelled; None when it is
    said: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # to the API


class Caller:
    """A program of the merchant's, with the four values."""

    def __init__(self, url: str, world: World) -> None:
        self.url, self.issued = url + "/api", world.partner.issued
        self.token = ""
        self.answers: Counter[int | str] = Counter()
        self.gives_up = threading.Event()

    def insist(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Its answer, as soon as there is one; None where there is none to the end."""
        while not self.gives_up.is_set():
            answer = self._ask(method, path, body)
            if answer is not None and answer.status_code == 401:
                self.token = ""
            elif answer is not None and answer.status_code < 500 and answer.status_code != 429:
                told: dict[str, Any] = answer.json()
                return told
            time.sleep(PAUSE)
        return None

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> requests.Response | None:
        try:
            if not self.token:
                answer = requests.post(
                    self.url + "/oauth/token", data=self._grant(), timeout=SECONDS
                )
                if answer.status_code != 200:
                    self.answers[answer.status_code] += 1
                    return None
                self.token = answer.json()["access_token"]
            bearer = {"Authorization": f"Bearer {self.token}"}
            answer = requests.request(
                method, self.url + path, json=body, headers=bearer, timeout=SECONDS
            )
        except requests.RequestException:
            self.answers["none"] += 1
            return None
        self.answers[answer.status_code] += 1
        return answer

    def _grant(self) -> dict[str, str]:
        return {
            "grant_type": "password",
            "client_id": self.issued.client_id,
            "client_secret": self.issued.client_secret,
            "username": self.issued.api_user,
            "password": self.issued.api_secret,
        }


class Feeder:
    def __init__(self, world: World, web_url: str, seed: int) -> None:
        self.world, self.random = world, Random(seed)
        self.caller = Caller(web_url, world)
        self.keepers = Keepers(world, seed)
        self.sales: list[Sale] = []
        self.unanswered: list[str] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._sell, args=(c,)) for c in (HUB, TOOLS)]

    def start(self) -> None:
        self.keepers.start()
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """No more sales; those that are open come to their end."""
        self.keepers.finish()
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def say_again(self) -> None:
        """All that the portal was told, for what it forgot."""
        self.keepers.say_again()
        for sale in self.sales:
            for method, path, body in sale.said:
                self.caller.insist(method, path, body)

    def _sell(self, channel: str) -> None:
        number = 0
        while not self.stopping.wait(self.random.uniform(0.4, 1.4)):
            if number < MOST_SALES:
                number += 1
                self._place(channel)
            self._decide(channel, time.monotonic())
        self._decide(channel, float("inf"))

    def _place(self, channel: str) -> None:
        begins, ends = self.random.choice(
            [("approved", "delivered"), ("pending", "delivered"), ("pending", "canceled")]
        )
        sold = [sku for sku in SKUS if channel != HUB or sku not in RENAMED]
        skus = self.random.sample(sold, self.random.choice((1, 2)))
        items = [{"sku": sku, "quantity": 1, "price": 10} for sku in skus]
        decides_at = time.monotonic() + THINKING_SECONDS if begins == "pending" else None
        if channel == HUB:
            sandbox = self.world.sandbox
            id = sandbox.control(HUB, "place_order", status=begins, items=items)["id"]
            number = sandbox.report(HUB)["orders"][id]["original_id"]
            self.sales.append(Sale(channel, number, id, ends, decides_at))
            return
        order = make_order(self.random, items, begins, datetime.now(UTC))
        order |= {"channel": "Loja própria", "shipments": []}
        number = order["original_id"]
        answer = self.caller.insist("POST", "/orders", order)
        if answer and answer.get("type") == "duplicate":  # the first answer was lost
            answer = self._find(number)
        if answer and "Order" in answer:
            sale = Sale(channel, number, answer["Order"]["id"], ends, decides_at)
            sale.said.append(("POST", "/orders", order))
            self.sales.append(sale)
        else:
            self.unanswered.append(f"POST {number}: {answer}")

    def _find(self, number: str) -> dict[str, Any] | None:
        listed = self.caller.insist("GET", f"/orders?original_id={number}", {})
        found = (listed or {}).get("result", [])
        return next((each for each in found if each["Order"]["original_id"] == number), None)

    def _decide(self, channel: str, until: float) -> None:
        for sale in self.sales:
            if sale.channel != channel or sale.decides_at is None or sale.decides_at > until:
                continue
            sale.decides_at = None
            status = "approved" if sale.ends == "delivered" else "canceled"
            if channel == HUB:
                self.world.sandbox.control(HUB, "set_status", id=sale.id, status=status)
                continue
            change = ("PUT", f"/orders/{sale.id}", {"status": status})
            sale.said.append(change)
            answer = self.caller.insist(*change)
            # Said again after a lost answer, it changes nothing.
            if answer is None or not ("Order" in answer or answer.get("type") == "not_updated"):
                self.unanswered.append(f"PUT {sale.number} {status}: {answer}")
