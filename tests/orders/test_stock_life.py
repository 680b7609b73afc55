"""Orders and stock levels in any order that can happen, beside a simple model of the real shelf."""

from dataclasses import dataclass

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catalog.levels import set_stock
from catalog.models import Reservation, Stock
from catalog.services import create_product
from connectors.models import Activation
from connectors.records import OrderStatus, StockRecord
from orders.models import Order
from orders.reserving import note_asked, note_taken
from orders.services import create_order, update_order
from orders.wire import OrderDocument
from tests.conftest import make_activation, make_store
from tests.orders.samples import become, document
from tests.stateful import play

SKU = "CAN-07"
UNITS = st.integers(1, 4)


@dataclass
class Sale:
    order: Order
    units: int
    is_asked: bool = False  # the platform was sent it, and perhaps its answer was lost
    is_there: bool = False  # the platform has it, and its level is without the units
    is_taken: bool = False  # and we know that
    is_counted: bool = False  # a level came that was asked for when we knew it
    is_told: bool = True  # where a level came since it was asked, it is without them


class Shop(RuleBasedStateMachine):
    """One product of one platform, sold by one channel. The platform takes orders sooner or
    later, tells levels that are on their way for a while, and invoices what it took."""

    @initialize(level=st.integers(0, 6))
    def open(self, level: int) -> None:
        store = make_store()
        self.channel = make_activation(store, "pluga")
        self.platform: Activation = make_activation(store, "rocky")
        self.product = create_product(store, {"sku": SKU, "quantity": level}, None)
        self.numbers = 0
        self.units = level  # bought or found, less what was sold
        self.live: list[Sale] = []
        self.is_current = True  # the last level that came is what the platform would say now

    @property
    def at_platform(self) -> int:
        """What the platform would say now: with the units of those that it does not know."""
        return self.units + sum(sale.units for sale in self.live if not sale.is_there)

    # -- The channel
    @rule(units=UNITS)
    def sell(self, units: int) -> None:
        self.numbers += 1
        items = [{"sku": SKU, "quantity": units, "price": 1}]
        order = create_order(self.channel, document(str(self.numbers), items=items))
        self.live.append(Sale(order, units))
        self.units -= units

    @precondition(lambda self: any(not sale.is_there for sale in self.live))
    @rule(data=st.data(), units=UNITS)
    def change(self, data: st.DataObject, units: int) -> None:
        sale = data.draw(st.sampled_from([sale for sale in self.live if not sale.is_there]))
        if units == sale.units:
            return
        items = [{"sku": SKU, "quantity": units, "price": 1}]
        update_order(sale.order.pk, OrderDocument(head={}, items=items), self.channel)
        self.units += sale.units - units
        if units > sale.units:
            sale.is_asked, sale.is_told = False, True
        sale.units = units

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        sale = data.draw(st.sampled_from(self.live))
        update_order(sale.order.pk, become(OrderStatus.CANCELED), self.channel)
        self.live.remove(sale)
        self.units += sale.units
        self.is_current &= not sale.is_there

    # -- The platform
    @rule(units=UNITS)
    def restock(self, units: int) -> None:
        self.units += units
        self.is_current = False

    @rule(data=st.data(), has_it=st.booleans())
    def hear_no_answer(self, data: st.DataObject, has_it: bool) -> None:
        for sale in data.draw(self._some_new_ones()):
            note_asked(sale.order, self.platform)
            self.is_current &= sale.is_there or not has_it
            sale.is_asked, sale.is_there = True, sale.is_there or has_it

    @rule(data=st.data(), is_sent=st.booleans())
    def take(self, data: st.DataObject, is_sent: bool) -> None:
        """What it is sent, or fetches."""
        for sale in data.draw(self._some_new_ones()):
            if is_sent:
                note_asked(sale.order, self.platform)
            note_taken(sale.order, self.platform)
            self.is_current &= sale.is_there
            sale.is_asked = sale.is_there = sale.is_taken = True

    @rule(data=st.data(), is_read_late=st.booleans())
    def tell(self, data: st.DataObject, is_read_late: bool) -> None:
        """A level, read before or after the platform took some more orders: we cannot know."""
        asked_at, early = timezone.now(), self.at_platform
        before = [sale for sale in self.live if sale.is_taken]
        there = [sale for sale in self.live if sale.is_there]
        self.take(data, is_sent=True)
        level = self.at_platform if is_read_late else early
        set_stock(self.platform.store, [StockRecord(SKU, level)], self.platform, asked_at)
        self.is_current = is_read_late or level == early == self.at_platform
        for sale in self.live:
            sale.is_counted |= sale in before
            sale.is_told = not sale.is_asked or sale in there or (is_read_late and sale.is_there)

    @precondition(lambda self: any(sale.is_there and sale.is_told for sale in self.live))
    @rule(data=st.data())
    def invoice(self, data: st.DataObject) -> None:
        """Of those that it has, when what that made of its level has been told."""
        there = [sale for sale in self.live if sale.is_there and sale.is_told]
        sale = data.draw(st.sampled_from(there))
        update_order(sale.order.pk, become(OrderStatus.INVOICED), self.platform)
        self.live.remove(sale)

    def _some_new_ones(self) -> st.SearchStrategy[list[Sale]]:
        new = [sale for sale in self.live if not sale.is_taken]
        return st.lists(st.sampled_from(new), unique_by=id) if new else st.just([])

    # -- What is always so
    @invariant()
    def nothing_is_offered_that_is_sold(self) -> None:
        stock = Stock.objects.get(product=self.product)
        assert stock.available <= max(0, self.units), (stock.on_hand, stock.reserved)

    @invariant()
    def nothing_is_kept_that_is_free(self) -> None:
        """But for what was taken while a level was on its way, and until the invoice."""
        stock = Stock.objects.get(product=self.product)
        doubtful = sum(s.units for s in self.live if s.is_there and not s.is_counted)
        if self.is_current:
            assert stock.available >= self.units - doubtful, (stock.on_hand, stock.reserved)

    @invariant()
    def what_is_reserved_is_what_the_orders_hold(self) -> None:
        stock = Stock.objects.get(product=self.product)
        rows = Reservation.objects.filter(product=self.product)
        sums = rows.aggregate(held=Sum("held", default=0), wanted=Sum("quantity", default=0))
        assert stock.reserved == sums["held"] == min(stock.on_hand, sums["wanted"])

    def teardown(self) -> None:
        """When the platform has everything, and was asked then, both agree."""
        if not hasattr(self, "live"):
            return
        for sale in self.live:
            if not sale.is_taken:
                note_taken(sale.order, self.platform)
                sale.is_taken = True
        level = max(0, self.units)
        set_stock(self.platform.store, [StockRecord(SKU, level)], self.platform, timezone.now())
        stock = Stock.objects.get(product=self.product)
        assert (stock.on_hand, stock.reserved, stock.available) == (level, 0, level)


@pytest.mark.properties
@pytest.mark.django_db
def test_whatever_happens_nothing_is_sold_twice_and_nothing_stays_kept_for_ever() -> None:
    play(Shop, games=10, steps=20)
