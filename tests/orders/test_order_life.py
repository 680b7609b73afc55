"""Orders whose statuses come in any order, twice, late and from several sides, beside a model."""

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catalog.models import Stock
from catalog.services import create_product
from connectors.errors import NotAllowed, NothingChanged
from connectors.models import Activation
from connectors.records import LineRecord, OrderStatus
from orders.history import By
from orders.models import Order, Tally, author_of
from orders.services import Backwards, import_order, update_order
from orders.status import ENDED, KEEPING, STAGE, UNDECIDED
from tests.conftest import make_activation, make_operator, make_store
from tests.orders.samples import RECORD, become
from tests.stateful import play

STATUS = st.sampled_from(sorted(OrderStatus))
SKU = "CAN-07"


@dataclass
class Sale:
    order: Order
    units: int
    status: OrderStatus
    wanted: int = 0  # of the stock
    steps: list[OrderStatus] = field(default_factory=list)
    refused: set[tuple[str, str, str]] = field(default_factory=set)


class Orders(RuleBasedStateMachine):
    @initialize(level=st.integers(0, 4))
    def open(self, level: int) -> None:
        self.store = make_store()
        self.channel = make_activation(self.store, "pluga")
        self.sides: dict[str, By] = {
            "channel": self.channel,
            "rocky": make_activation(self.store, "rocky"),
            "webstore": make_activation(self.store, "webstore"),
            "person": User.objects.get(pk=make_operator().pk),
            "portal": None,
        }
        self.product = create_product(self.store, {"sku": SKU, "quantity": level}, None)
        self.on_hand, self.sales = level, list[Sale]()

    @precondition(lambda self: len(self.sales) < 3)
    @rule(status=STATUS, units=st.integers(1, 2))
    def arrive(self, status: OrderStatus, units: int) -> None:
        number = str(len(self.sales))
        order = import_order(self.channel, self._told(number, status, units))
        self.sales.append(Sale(order, units, status, steps=[status]))
        if status in KEEPING:
            self.sales[-1].wanted = units

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), status=STATUS)
    def come_again_from_the_channel(self, data: st.DataObject, status: OrderStatus) -> None:
        """Which may not have heard yet how far the order is."""
        sale = data.draw(st.sampled_from(self.sales))
        news = status != sale.status and STAGE[status] >= STAGE[sale.status]
        try:
            import_order(self.channel, self._told(sale.order.original_id, status, sale.units))
        except NothingChanged:
            assert not news
        except Backwards:
            assert status in KEEPING
            assert sale.status in ENDED
            sale.refused.add((status, sale.status, author_of(self.channel)))
        else:
            assert news
            self._move(sale, status)

    @precondition(lambda self: self.sales)
    @rule(
        data=st.data(),
        status=STATUS,
        who=st.sampled_from(["channel", "rocky", "webstore", "person", "portal"]),
    )
    def report(self, data: st.DataObject, status: OrderStatus, who: str) -> None:
        sale, by = data.draw(st.sampled_from(self.sales)), self.sides[who]
        told = isinstance(by, Activation) and by != self.channel
        try:
            update_order(sale.order.pk, become(status), by)
        except NothingChanged:
            assert status == sale.status
        except NotAllowed:
            assert isinstance(by, Activation)
            assert told
            assert status not in by.spec.may_report
        except Backwards:
            assert STAGE[status] < STAGE[sale.status]
            sale.refused.add((status, sale.status, author_of(by)))
        else:
            assert not told or status in by.spec.may_report
            self._move(sale, status)

    def _told(self, number: str, status: OrderStatus, units: int):  # type: ignore[no-untyped-def]
        lines = (LineRecord(SKU, units, RECORD.lines[0].unit_price),)
        return replace(RECORD, original_id=number, external_id=number, status=status, lines=lines)

    def _move(self, sale: Sale, status: OrderStatus) -> None:
        assert status != sale.status
        assert STAGE[status] >= STAGE[sale.status]
        sale.status = status
        sale.steps.append(status)
        if status in KEEPING | UNDECIDED:
            return
        if status not in ENDED:
            self.on_hand = max(0, self.on_hand - sale.wanted)
        sale.wanted = 0

    @invariant()
    def every_order_is_where_it_was_brought(self) -> None:
        for sale in self.sales:
            order = Order.objects.get(pk=sale.order.pk)
            steps = order.status_changes.filter(applied=True).values_list("status", flat=True)
            refused = order.status_changes.filter(applied=False)
            assert order.status == sale.status
            assert list(steps) == sale.steps
            assert set(refused.values_list("status", "previous", "author")) == sale.refused
            assert refused.count() == len(sale.refused)

    @invariant()
    def stock_is_kept_once_and_goes_once(self) -> None:
        stock = Stock.objects.get(product=self.product)
        wanted = sum(sale.wanted for sale in self.sales)
        assert (stock.on_hand, stock.reserved) == (self.on_hand, min(self.on_hand, wanted))

    @invariant()
    def the_figures_count_every_order_once(self) -> None:
        rows = Tally.objects.filter(store=self.store).values_list("status").annotate(Sum("orders"))
        counted = {status: orders for status, orders in rows if orders}
        assert counted == Counter(sale.status for sale in self.sales)


@pytest.mark.properties
@pytest.mark.django_db
def test_whatever_is_said_an_order_goes_forward_and_everything_follows_it() -> None:
    play(Orders, games=6, steps=20)
