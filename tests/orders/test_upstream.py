"""Orders from a hub in front of us to the store's platform, and their invoice and tracking back up:
both ends in the sandbox, over real HTTP."""

from typing import Any

import pytest

from connectors.contract import FulfilmentSink, FulfilmentSource, OrderSink, OrderSource
from connectors.models import Activation, ActivationFlow, Failure, Run, Store
from orders.models import Order, OrderLink
from orders.push import push_orders
from orders.tasks import pull_fulfilments, pull_orders
from tests.conftest import flow_of, make_managed

CREDENTIALS = {
    "client_id": "a" * 32,
    "client_secret": "client-secret-of-the-plugin",
    "api_user": "1461957000",
    "api_secret": "api-secret-of-the-account",
}


@pytest.fixture
def hub(sandbox: Any) -> Any:
    return sandbox.open("hub", "upstream-of-orders", CREDENTIALS)


@pytest.fixture
def upstream(store: Store, sandbox: Any, hub: Any) -> Activation:
    return make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", CREDENTIALS)


@pytest.fixture
def shop(sandbox: Any) -> Any:
    reports = "invoiced,shipping_informed"
    return sandbox.open("store", "downstream", {"token": "t", "reports": reports})


@pytest.fixture
def rocky(store: Store, sandbox: Any, shop: Any) -> Activation:
    return make_managed(store, "rocky", f"{sandbox.url}/{shop.name}", {"token": "t"})


def place_order(hub: Any, **different: Any) -> str:
    items = [{"sku": "CAMISETA-P", "quantity": 2, "price": 59.9}]
    return hub.control("place_order", {"items": items, **different})["id"]


def pull(upstream: Activation) -> Run:
    pull_orders(flow_of(upstream, OrderSource))
    return Run.objects.latest("pk")


def test_an_order_goes_down_and_its_invoice_and_tracking_go_up(upstream, hub, rocky, shop):
    hub_id = place_order(hub)

    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))
    for _step in ("invoiced", "shipping_informed"):
        shop.work()
        pull_fulfilments(flow_of(rocky, FulfilmentSource))
        push_orders(flow_of(upstream, FulfilmentSink))

    order = Order.objects.get()
    below = shop.report()["fulfilments"][order.public_id]
    above = hub.report()["orders"][hub_id]
    assert order.original_id == above["original_id"]
    assert shop.report()["orders"][order.public_id]["document"]["total"] == above["total"]
    assert above["statuses"] == ["approved", "invoiced", "shipping_informed"]
    assert len(above["shipments"]) == 1
    assert above["shipments"][0]["nfe_key"] == below["invoice"]["key"]
    assert above["shipments"][0]["track_code"] == below["tracking"]["code"]
    assert set(Run.objects.values_list("outcome", flat=True)) == {"done"}
    assert Failure.objects.count() == 0


def test_what_went_up_does_not_come_back_as_news(upstream, hub, rocky, shop):
    place_order(hub)
    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))
    shop.work()
    pull_fulfilments(flow_of(rocky, FulfilmentSource))
    push_orders(flow_of(upstream, FulfilmentSink))
    before = Order.objects.values().get()

    run = pull(upstream)

    assert (run.outcome, run.seen, run.changed) == ("done", 1, 0)
    assert Order.objects.values().get() == before


def test_a_second_pull_changes_nothing(upstream, hub):
    place_order(hub)
    pull(upstream)

    run = pull(upstream)

    assert (run.outcome, run.changed, Order.objects.count()) == ("done", 0, 1)


def test_the_marketplaces_cancellation_reaches_the_platform(upstream, hub, rocky, shop):
    hub_id = place_order(hub)
    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))

    hub.control("set_status", {"id": hub_id, "status": "canceled"})
    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))

    assert shop.report()["orders"][Order.objects.get().public_id]["status"] == "canceled"


def test_an_order_that_cannot_be_read_does_not_stop_the_others_and_is_mended(upstream, hub):
    bad = place_order(hub, status="enviado")
    place_order(hub)

    first = pull(upstream)
    hub.control("set_status", {"id": bad, "status": "approved"})
    second = pull(upstream)

    assert (first.outcome, first.seen, first.failed) == ("partial", 2, 1)
    assert (second.outcome, Order.objects.count()) == ("done", 2)
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind) == (bad, "unreadable")
    assert failure.reason == "$.result[0].Order.status: 'enviado' is new to us"
    assert failure.resolved_at is not None


def test_every_order_knows_its_id_upstream(upstream, hub):
    ids = {place_order(hub) for _number in range(3)}

    pull(upstream)

    assert set(OrderLink.objects.values_list("external_id", flat=True)) == ids


def test_the_cursor_is_the_newest_change_that_was_stored(upstream, hub):
    hub_id = place_order(hub)

    pull(upstream)

    flow = ActivationFlow.objects.get(pk=flow_of(upstream, OrderSource))
    assert flow.cursor == hub.orders[hub_id]["modified"]
