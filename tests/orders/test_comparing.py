"""Once a day: the orders that we sent and those that they hold, those offered and those read."""

from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Product
from connectors.comparisons import ask_to_mend
from connectors.contract import OrderSink
from connectors.errors import OutOfBudget
from connectors.models import Activation, ActivationFlow, Comparison, State
from connectors.records import OrderStatus
from connectors.sandbox.store import Store as Shop
from connectors.storecontract.client import StoreContract
from orders.comparing import compare_all_orders, compare_orders
from orders.models import Order, OrderLink
from orders.push import push_orders
from orders.services import create_order, update_order
from orders.wire import OrderDocument
from tests.catalog.test_comparing import die_at_the_end
from tests.conftest import flow_of, make_activation, make_managed, make_operator, make_partner
from tests.orders.samples import document, small_order

pytestmark = pytest.mark.django_db
TOKEN = "token-of-the-shop"


@pytest.fixture
def shop(sandbox: Any) -> Shop:
    return sandbox.open("store", "orders-of-a-shop", {"token": TOKEN, "reports": "invoiced"})


@pytest.fixture
def rocky(store: Any, sandbox: Any, shop: Shop) -> Activation:
    return make_managed(store, "rocky", f"{sandbox.url}/{shop.name}", {"token": TOKEN})


@pytest.fixture
def sold(store: Any, rocky: Activation) -> list[Order]:
    """Three orders that the platform has taken, hours ago."""
    channel = make_activation(store, "pluga")
    orders = [create_order(channel, document(f"100{n}")) for n in range(3)]
    push_orders(flow_of(rocky, OrderSink))
    settle()
    return orders


def settle() -> None:
    hours_ago = timezone.now() - timedelta(hours=3)
    Order.objects.update(modified_at=hours_ago, created_at=hours_ago)
    OrderLink.objects.update(created_at=hours_ago)


def compared(activation: Activation) -> Comparison:
    Activation.objects.filter(pk=activation.pk).update(state=State.ACTIVE)
    comparison = activation.comparisons.create(purpose=Comparison.Purpose.ORDERS)
    compare_orders(comparison.pk)
    comparison.refresh_from_db()
    assert comparison.ended_at is not None
    return comparison


def found(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    return sorted(comparison.differences.values_list("kind", "record_id", "ours", "theirs"))


def test_where_both_sides_have_the_same_there_is_nothing_to_tell(rocky, sold):
    comparison = compared(rocky)

    assert comparison.counts == {"orders": {"theirs": 3, "ours": 3, "same": 3}}
    assert (found(comparison), comparison.reason) == ([], "")


def test_one_whose_worker_dies_at_its_end_finds_nothing_twice(rocky, sold, shop, monkeypatch):
    del shop.orders[sold[0].public_id]
    comparison = rocky.comparisons.create(purpose=Comparison.Purpose.ORDERS)
    die_at_the_end(monkeypatch, lambda: compare_orders(comparison.pk))

    compare_orders(comparison.pk)

    comparison.refresh_from_db()
    assert comparison.counts == {"orders": {"theirs": 2, "ours": 3, "same": 2, "missing_there": 1}}
    assert len(found(comparison)) == 1


def test_what_one_side_lost_or_knows_otherwise_is_listed(rocky, sold, shop):
    lost, other, unknown = sold
    del shop.orders[lost.public_id]
    shop.orders[other.public_id].told.append("canceled")
    shop.orders["f" * 24] = shop.orders.pop(unknown.public_id)

    comparison = compared(rocky)

    assert set(found(comparison)) == {
        ("create", "f" * 24, "", "1003 · approved"),
        ("missing_there", lost.public_id, "1001 · approved", ""),
        ("missing_there", unknown.public_id, "1003 · approved", ""),
        ("update", other.public_id, "1002 · approved", "1002 · canceled"),
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("paid", "approved"), ("approved", "picking"), ("refunded", "canceled")],
)
def test_two_words_for_the_same_are_no_difference(rocky, sold, shop, ours, theirs):
    news = OrderDocument(head={"sub_status": "x"}, status=OrderStatus(ours))
    update_order(sold[0].pk, news, sold[0].source)
    push_orders(flow_of(rocky, OrderSink))
    settle()
    shop.orders[sold[0].public_id].told.append(theirs)

    assert found(compared(rocky)) == []


def test_an_order_that_was_over_before_the_platform_had_it_is_not_missed_there(
    rocky, sold, shop, monkeypatch
):
    monkeypatch.setattr(StoreContract, "push_order", lambda self, record: "")
    never_there = create_order(sold[0].source, document("2000"))
    end = OrderDocument(head={}, status=OrderStatus.CANCELED)
    update_order(never_there.pk, end, never_there.source)
    push_orders(flow_of(rocky, OrderSink))
    settle()

    comparison = compared(rocky)

    assert OrderLink.objects.get(order=never_there, activation=rocky).sent_status == "canceled"
    assert comparison.counts == {"orders": {"theirs": 3, "ours": 3, "same": 3}}
    assert found(comparison) == []


def test_what_is_on_its_way_is_no_difference(rocky, sold, store):
    update_order(sold[0].pk, OrderDocument(head={}, status=OrderStatus.CANCELED), sold[0].source)
    create_order(sold[0].source, document("2000"))

    assert found(compared(rocky)) == []


def test_what_the_platform_lost_is_sent_again_with_one_click(rocky, sold, shop):
    del shop.orders[sold[0].public_id]
    comparison = compared(rocky)

    asked = ask_to_mend(comparison.differences.all(), make_operator())
    compare_all_orders()
    push_orders(flow_of(rocky, OrderSink))

    assert asked == 1
    assert comparison.differences.get().result == "Enviado outra vez."
    assert sold[0].public_id in shop.orders
    assert OrderLink.objects.get(order=sold[0], activation=rocky).sent_status == "approved"
    assert [order.puts for order in shop.orders.values()] == [1, 1, 1]


def test_an_order_of_the_platforms_own_cannot_be_fetched(rocky, sold, shop):
    shop.orders["f" * 24] = shop.orders.pop(sold[0].public_id)
    comparison = compared(rocky)

    ask_to_mend(comparison.differences.filter(kind="create"), make_operator())
    compare_all_orders()

    result = comparison.differences.get(kind="create").result
    assert result == "Este pedido não é deste portal."


def test_a_platform_that_lists_no_orders_says_so(rocky, sold, shop, monkeypatch):
    monkeypatch.setattr(shop, "_list_orders", lambda query: shop._answer_page(None, {"limit": "x"}))

    comparison = compared(rocky)

    assert comparison.reason.startswith("GET orders: HTTP 422")


def test_all_pages_are_compared(rocky, sold, monkeypatch):
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 1)

    assert compared(rocky).counts["orders"]["same"] == 3


# -- A partner reads by himself --------------------------------------------------------------------
def test_orders_that_a_partner_never_took_are_listed(store):
    partner = make_partner(store, "webstore")
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))
    channel = make_activation(store, "pluga")
    taken, numbered, unread, early = [
        create_order(channel, document(str(n), status="pending" if n == 3 else "approved"))
        for n in range(4)
    ]
    partner.put(f"/orders/{taken.public_id}", {"ack": True})
    partner.put(f"/orders/{numbered.public_id}", {"external": "9001"})
    settle()
    new = create_order(channel, document("4"))

    comparison = compared(partner.activation)

    assert found(comparison) == [("never_read", unread.public_id, "2 · approved", "")]
    assert comparison.counts["orders"] == {"ours": 3, "theirs": 2, "never_read": 1}
    assert early.status == "pending"
    assert new.status == "approved"


def test_whoever_brings_orders_has_none_to_read(store):
    channel = make_activation(store, "pluga")
    create_order(channel, document("1"))
    settle()

    assert compared(channel).counts == {"orders": {}}


# -- A channel has what it brought -----------------------------------------------------------------
def test_an_order_of_the_hubs_that_never_came_is_listed_and_fetched_from_the_beginning(
    store, sandbox
):
    credentials = {
        "client_id": "a" * 32,
        "client_secret": "client-secret-of-the-plugin",
        "api_user": "1461957000",
        "api_secret": "api-secret-of-the-account",
    }
    hub = sandbox.open("hub", "compared-orders", credentials)
    upstream = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", credentials)
    hub.control("place_order", small_order("77"))
    ActivationFlow.objects.filter(activation=upstream).update(cursor="2026-01-01T00:00:00Z")

    comparison = compared(upstream)
    ask_to_mend(comparison.differences.all(), make_operator())
    compare_all_orders()

    assert [row[:2] for row in found(comparison)] == [("create", "77")]
    flow = ActivationFlow.objects.get(activation=upstream, ability="OrderSource")
    assert flow.cursor == ""
    assert not Product.objects.exists()


def test_each_integration_has_its_turn_once_a_day(store, rocky):
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))

    compare_all_orders()
    compare_all_orders()

    assert list(Comparison.objects.values_list("activation", "purpose")) == [(rocky.pk, "orders")]


def test_a_list_that_breaks_off_is_counted_once(rocky, sold, shop, monkeypatch):
    shop.orders["f" * 24] = shop.orders.pop(sold[0].public_id)
    Activation.objects.filter(pk=rocky.pk).update(state=State.ACTIVE)
    comparison = rocky.comparisons.create(purpose=Comparison.Purpose.ORDERS)
    monkeypatch.setattr("orders.comparing.AT_ONCE", 1)
    with monkeypatch.context() as patch:
        break_off(patch)
        compare_orders(comparison.pk)
    compare_orders(comparison.pk)

    comparison.refresh_from_db()
    assert comparison.ended_at is not None
    assert comparison.counts["orders"]["theirs"] == 3
    assert [kind for kind, *_rest in found(comparison)] == ["create", "missing_there"]


def test_a_list_that_always_breaks_off_is_given_up_with_the_reason(rocky, sold, shop, monkeypatch):
    Activation.objects.filter(pk=rocky.pk).update(state=State.ACTIVE)
    break_off(monkeypatch)
    hours_ago = timezone.now() - timedelta(hours=2)
    young = rocky.comparisons.create(purpose=Comparison.Purpose.ORDERS)
    compare_orders(young.pk)
    going_on = Comparison.objects.filter(ended_at=None).update(asked_at=hours_ago)

    compare_orders(young.pk)

    young.refresh_from_db()
    assert (going_on, young.ended_at is not None, young.reason) == (1, True, "Sem cota.")


def break_off(monkeypatch):
    order_states = StoreContract.order_states

    def two(self, since):
        yield from islice(order_states(self, since), 2)
        raise OutOfBudget("Sem cota.", 60)

    monkeypatch.setattr(StoreContract, "order_states", two)
