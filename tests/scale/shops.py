"""Many small stores, each with a platform behind it and a program that brings it orders: so many
that what is to be done is in the queue many times over, and clusters can part it."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import requests
from django.db import transaction

from catalog.models import Price, Stock, Taken, TakenPage
from catalog.tasks import pull_prices, pull_stock
from connectors.contract import PriceSource, StockSource
from connectors.models import Activation, ActivationFlow
from connectors.runs.dispatch import start_now
from connectors.sandbox.hub_orders import make_order
from portal.demo.scene import Sandbox
from tests.bench.order_reads import token_of
from tests.conftest import make_managed, make_partner, make_store
from tests.products import make_products

SHOPS, SKUS = 40, 40
CALLERS, SECONDS = 8, 60
PRICE, LEVEL = 10, 1_000  # at the platforms


@dataclass(frozen=True)
class Shop:
    platform: str  # its name in the sandbox
    activation: Activation
    token: str  # of the program that brings orders


class Shops:
    def __init__(self, sandbox_url: str) -> None:
        self.sandbox, self.random = Sandbox(sandbox_url), Random(1)
        self.all = [self._open(number) for number in range(SHOPS)]
        things = [(shop, n) for shop in self.all for n in range(SKUS)]
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda thing: self._fill(*thing), things))

    def _open(self, number: int) -> Shop:
        store, name = make_store(), f"shop-{number}"
        make_products(store, (f"S-{n}" for n in range(SKUS)), price=PRICE, on_hand=LEVEL)
        token = {"token": secrets.token_hex(16)}
        activation = make_managed(store, "linx", self.sandbox.open("store", name, token), token)
        return Shop(name, activation, token_of(make_partner(store, "pluga")))

    def _fill(self, shop: Shop, number: int) -> None:
        self.sandbox.control(
            shop.platform, "put_product",
            sku=f"S-{number}", name="Coisa", price=PRICE, quantity=LEVEL,
        )  # fmt: skip

    @transaction.atomic
    def ask_for_levels(self) -> None:
        """The portal knows other prices and stocks than the platforms have, and is to read all."""
        for memory in (Taken, TakenPage):
            memory.objects.all().delete()
        Price.objects.update(price=PRICE - 1)
        Stock.objects.update(on_hand=LEVEL + 1)
        ActivationFlow.objects.update(cursor="")
        for shop in self.all:
            start_now(shop.activation.pk, pull_prices, PriceSource)
            start_now(shop.activation.pk, pull_stock, StockSource)

    def order(self, web_url: str, each: int) -> None:
        """So many for each shop, brought over the API."""
        wanted = [(web_url, shop, self._make()) for _n in range(each) for shop in self.all]
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda call: _post(*call), wanted))

    def _make(self) -> dict[str, Any]:
        items = [{"sku": f"S-{self.random.randrange(SKUS)}", "quantity": 1, "price": PRICE}]
        order = make_order(self.random, items, "approved", datetime.now(UTC))
        return order | {"channel": "Loja própria", "shipments": []}

    def at_platforms(self) -> int:
        reports = (self.sandbox.report(shop.platform) for shop in self.all)
        return sum(len(report["orders"]) for report in reports)


def _post(web_url: str, shop: Shop, order: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {shop.token}"}
    url = f"{web_url}/api/orders"
    requests.post(url, json=order, headers=bearer, timeout=SECONDS).raise_for_status()
