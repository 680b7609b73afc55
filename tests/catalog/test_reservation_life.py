"""Sales and levels of a few products in any order, beside a model of three lines."""

from collections import defaultdict

import pytest
from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from catalog.levels import set_stock
from catalog.models import Reservation, Stock
from catalog.reservations import consume, keep_safety, release, reserve
from catalog.services import change_stock, create_product
from connectors.errors import NothingChanged
from connectors.records import StockRecord
from tests.conftest import make_activation, make_store
from tests.stateful import play

SKUS = ("A", "B")
SKU = st.sampled_from(SKUS)
SALE = st.sampled_from(["1", "2", "3"])
UNITS = st.integers(0, 5)


class Shelves(RuleBasedStateMachine):
    """What is on hand, how much of it is never offered, and who wants what. Nobody here has taken
    a sale: tests/orders/test_stock_life.py is about that."""

    @initialize(level=UNITS)
    def open(self, level: int) -> None:
        self.store = make_store()
        self.platform = make_activation(self.store, "rocky")
        self.products = {
            sku: create_product(self.store, {"sku": sku, "quantity": level}, None) for sku in SKUS
        }
        self.on_hand = dict.fromkeys(SKUS, level)
        self.safety = dict.fromkeys(SKUS, 0)
        self.wanted: dict[str, dict[str, int]] = defaultdict(dict)  # by product and sale
        self.gone: dict[str, dict[str, int]] = defaultdict(dict)

    @rule(sale=SALE, units=st.fixed_dictionaries({}, optional=dict.fromkeys(SKUS, UNITS)))
    def place(self, sale: str, units: dict[str, int]) -> None:
        """Or change: what it does not name any more is free, what is gone stays gone."""
        products = {self.products[sku].pk: count for sku, count in units.items()}
        reserve(self.store, self._named(sale), products, None)
        for sku in SKUS:
            gone = self.gone[sku].get(sale, 0)
            self.wanted[sku][sale] = max(0, units.get(sku, 0) - gone)

    @rule(sale=SALE, times=st.integers(1, 2))
    def cancel(self, sale: str, times: int) -> None:
        for _time in range(times):
            release(self.store, self._named(sale), None)
        for sku in SKUS:
            self.wanted[sku][sale] = 0

    @rule(sale=SALE, times=st.integers(1, 2))
    def invoice(self, sale: str, times: int) -> None:
        for _time in range(times):
            consume(self.store, self._named(sale), None)
        for sku in SKUS:
            units = self.wanted[sku].pop(sale, 0)
            self.on_hand[sku] = max(0, self.on_hand[sku] - units)
            self.gone[sku][sale] = self.gone[sku].get(sale, 0) + units

    @rule(sku=SKU, units=UNITS, way=st.sampled_from(["update", "increase", "decrease"]))
    def count(self, sku: str, units: int, way: str) -> None:
        level = {
            "update": units,
            "increase": self.on_hand[sku] + units,
            "decrease": max(0, self.on_hand[sku] - units),
        }[way]
        try:
            change_stock(self.store, self.products[sku].pk, way, units, None)
        except NothingChanged:
            assert level == self.on_hand[sku]
        self.on_hand[sku] = level

    @rule(levels=st.dictionaries(SKU, st.integers(-1, 9)))
    def read_from_platform(self, levels: dict[str, int]) -> None:
        records = [StockRecord(sku, level) for sku, level in levels.items()]
        set_stock(self.store, records, self.platform)
        self.on_hand |= {sku: max(0, level) for sku, level in levels.items()}

    @rule(sku=SKU, units=UNITS)
    def hold_back(self, sku: str, units: int) -> None:
        keep_safety(self.products[sku].pk, units)
        self.safety[sku] = units

    def _named(self, sale: str) -> str:
        return f"{self.store.pk}-{sale}"  # one sale in the whole portal

    @invariant()
    def the_sums_are_the_models(self) -> None:
        for sku in SKUS:
            stock = Stock.objects.get(product=self.products[sku])
            on_hand, reserved = self.on_hand[sku], sum(self.wanted[sku].values())
            assert (stock.on_hand, stock.reserved) == (on_hand, min(on_hand, reserved))
            assert stock.available == max(0, on_hand - stock.reserved - self.safety[sku])

    @invariant()
    def each_sale_wants_what_it_said_and_holds_no_more(self) -> None:
        for sku in SKUS:
            rows = Reservation.objects.filter(product=self.products[sku])
            wants = {row.sale[-1]: row.quantity for row in rows if row.quantity}
            assert wants == {sale: units for sale, units in self.wanted[sku].items() if units}
            held = rows.aggregate(sum=Sum("held", default=0))["sum"]
            assert held == Stock.objects.get(product=self.products[sku]).reserved


@pytest.mark.properties
@pytest.mark.django_db
def test_what_is_available_is_what_is_on_hand_and_nobodys() -> None:
    play(Shelves, games=15, steps=30)
