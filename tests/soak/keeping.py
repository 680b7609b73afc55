"""What people change in the catalogues while everything falls over: counts of the shelves, prices,
names, and the De/Para of a channel.

Each has few values, so that what was true before is often true again: whoever remembers what he
told last, and does not know whether it arrived, takes that for told.
"""

import threading
from collections import Counter
from random import Random
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from catalog.mappings import delete_mapping, save_mapping
from catalog.models import Product, SkuMapping
from tests.soak.world import ERP, HUB, SKUS, STOCKED, World

LEVELS, PRICES, WORDS = (420, 470, 500), (10, 10.5), ("", " azul")
RENAMED = SKUS[-2:]  # by the De/Para; nobody buys them in the channel
PAUSE = 0.5


class Keepers:
    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, Random(seed)
        self.done: Counter[str] = Counter()
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}  # by platform and SKU
        self.codes: dict[str, str] = {}  # in the channel, by SKU, where it is another one
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._keep)

    def start(self) -> None:
        self.thread.start()

    def finish(self) -> None:
        self.stopping.set()
        self.thread.join()

    def say_again(self) -> None:
        """What the portal itself was told, and forgot."""
        for sku in RENAMED:
            self._map(sku)

    def _keep(self) -> None:
        acts = {self._count: 6, self._price: 2, self._name: 2, self._rename: 1}
        while not self.stopping.wait(self.random.uniform(0.2, 0.8)):
            (act,) = self.random.choices(list(acts), list(acts.values()))
            act()
            self.done[act.__name__.strip("_")] += 1
        connections.close_all()

    def _count(self) -> None:
        level, sku = self.random.choice(LEVELS), self.random.choice(SKUS)
        name = self.random.choice(STOCKED)
        self.world.sandbox.control(name, "set_stock", sku=sku, quantity=level)

    def _price(self) -> None:
        self._show(price=self.random.choice(PRICES))

    def _name(self) -> None:
        self._show(name=self.random.choice(WORDS))

    def _show(self, **said: Any) -> None:
        """A platform's own page of a product holds all of it."""
        name, sku = self.random.choice(STOCKED), self.random.choice(SKUS)
        known = self.shown.get((name, sku), {"price": PRICES[0], "name": ""})
        shown = self.shown[name, sku] = known | said
        product = {"sku": sku, "name": sku + shown["name"], "price": shown["price"]}
        self.world.sandbox.control(name, "put_product", **product)

    def _rename(self) -> None:
        sku = self.random.choice(RENAMED)
        if not self.codes.pop(sku, ""):
            self.codes[sku] = f"LOJA-{sku}"
        self._map(sku)

    def _map(self, sku: str) -> None:
        """As an operator does it, again and again until it is saved."""
        while True:
            try:
                self._save(sku, self.codes.get(sku))
                return
            except (InterfaceError, OperationalError):
                connections.close_all()
            threading.Event().wait(PAUSE)

    def _save(self, sku: str, code: str | None) -> None:
        activation = self.world.activations[HUB]
        product = Product.objects.get(sku=sku, store=self.world.activations[ERP].store)
        mapping = SkuMapping.objects.filter(activation=activation, product=product).first()
        if code is None:
            if mapping:
                delete_mapping(mapping)
            return
        mapping = mapping or SkuMapping(activation=activation, product=product)
        mapping.code = code
        save_mapping(mapping)
