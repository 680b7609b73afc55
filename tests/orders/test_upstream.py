"""Orders from a hub in front of us to the store's platform, and their invoice and tracking back up:
both ends in the sandbox, over real HTTP."""

import json
import pydoc
import sys
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Product, SkuMapping
from connectors.contract import FulfilmentSink, FulfilmentSource, OrderSink, OrderSource
from connectors.messages.doorbells import doorbell_secret
from connectors.models import Activation, ActivationFlow, Failure, Ring, Run, Store
from connectors.records import OrderStatus
from connectors.runs import running
from connectors.trouble.failures import dismiss
from orders.models import Order, OrderLink
from orders.push import push_orders
from orders.services import update_order
from orders.tasks import pull_fulfilments, pull_orders
from orders.wire import OrderDocument
from tests.conftest import flow_of, make_activation, make_managed, make_operator
from tests.orders.samples import become

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


def test_the_label_and_the_tracking_of_a_marketplace_that_sends_by_itself_are_taken_over(
    upstream, hub
):
    hub_id = place_order(hub)
    pull(upstream)
    label = {"id": "5" * 24, "type": "label", "url": "https://rotulos.example/1.pdf"}
    hub.orders[hub_id]["shipments"][0] |= {"track_code": "ME1", "documents": [label]}

    first, second = pull(upstream), pull(upstream)

    assert (first.changed, second.changed) == (1, 0)
    shipment = Order.objects.get().shipments.get()
    assert (shipment.track_code, shipment.fields["documents"]) == ("ME1", [label])
    assert shipment.nfe_key == ""


def test_what_the_channel_has_not_heard_yet_is_not_taken_back_from_it(upstream, hub):
    hub_id = place_order(hub)
    pull(upstream)
    told = [{"track_code": "NEW", "shipping_company": "Correios"}]
    update_order(Order.objects.get().pk, OrderDocument({}, shipments=told), make_operator())
    hub.orders[hub_id]["shipments"][0] |= {"track_code": "OLD"}

    run = pull(upstream)

    assert run.changed == 0
    assert {each.track_code for each in Order.objects.get().shipments.all()} == {"", "NEW"}


def test_the_link_of_the_parcel_before_does_not_come_back_to_another_code(upstream, hub):
    place_order(hub)
    pull(upstream)
    order, operator = Order.objects.get(), make_operator()
    first = {"id": order.shipments.get().public_id, "track_code": "1", "track_url": "https://c/1"}
    second = {**first, "track_code": "2", "track_url": ""}
    for told in (first, second):
        document = OrderDocument({}, status=OrderStatus.SHIPPING_INFORMED, shipments=[told])
        update_order(order.pk, document, operator)
        push_orders(flow_of(upstream, FulfilmentSink))

    run = pull(upstream)

    assert run.changed == 0
    assert order.shipments.values_list("track_code", "track_url").get() == ("2", "")


def test_a_delivery_may_come_later_than_its_order(upstream, hub):
    hub_id = place_order(hub)
    hub.orders[hub_id]["shipments"] = []
    pull(upstream)
    hub.orders[hub_id]["shipments"] = [{"id": "6" * 24, "track_code": "ME1"}]

    first, second = pull(upstream), pull(upstream)

    assert (first.changed, second.changed) == (1, 0)
    assert Order.objects.get().shipments.get().track_code == "ME1"


def test_an_id_of_a_document_may_be_anything(upstream, hub):
    hub_id = place_order(hub)
    label = {"id": {"$id": "5" * 24}, "type": "label", "url": "https://rotulos.example/1.pdf"}
    hub.orders[hub_id]["shipments"][0]["documents"] = [label]
    pull(upstream)

    run = pull(upstream)

    assert (run.outcome, run.changed) == ("done", 0)


@pytest.mark.parametrize("pulled", [True, False])
def test_an_order_that_is_further_upstream_is_not_taken_back(upstream, hub, rocky, shop, pulled):
    hub_id = place_order(hub)
    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))
    shop.work()
    pull_fulfilments(flow_of(rocky, FulfilmentSource))

    hub.control("set_status", {"id": hub_id, "status": "delivered"})
    if pulled:
        pull(upstream)
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]
    assert above["statuses"] == ["approved", "delivered"]
    assert above["shipments"][0]["nfe_number"] == "1"


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


def test_an_order_that_the_marketplace_cancels_and_then_approves_is_shown(upstream, hub):
    hub_id = place_order(hub)
    for status in ("canceled", "approved"):
        hub.control("set_status", {"id": hub_id, "status": status})
        pull(upstream)
    order, failure = Order.objects.get(), Failure.objects.get()

    pull(upstream)

    assert order.status == "canceled"
    assert [step.status for step in order.status_changes.filter(applied=False)] == ["approved"]
    assert (failure.record_id, failure.kind) == (order.original_id, "refused")
    assert "já está cancelado e não volta para aprovado" in failure.reason
    assert Failure.objects.open().exists()


def test_who_dismissed_that_is_not_shown_it_again(upstream, hub):
    hub_id = place_order(hub)
    for status in ("canceled", "approved"):
        hub.control("set_status", {"id": hub_id, "status": status})
        pull(upstream)

    dismiss(Failure.objects.open(), "vendido à parte", "ativadora")
    pull(upstream)

    assert not Failure.objects.open().exists()


def test_it_is_shown_also_where_whoever_saw_it_died_before_he_could_say_so(
    upstream, hub, monkeypatch
):
    hub_id = place_order(hub)
    hub.control("set_status", {"id": hub_id, "status": "canceled"})
    pull(upstream)
    hub.control("set_status", {"id": hub_id, "status": "approved"})
    with monkeypatch.context() as dying:
        dying.setattr(running, "record_failure", lambda *_args: sys.exit())
        with pytest.raises(SystemExit):
            pull(upstream)
    Run.objects.filter(ended_at=None).update(expires_at=timezone.now())

    pull(upstream)

    assert "já está cancelado e não volta para aprovado" in Failure.objects.get().reason


def test_it_is_over_when_the_marketplace_cancels_again(upstream, hub):
    hub_id = place_order(hub)
    for status in ("canceled", "approved", "canceled"):
        hub.control("set_status", {"id": hub_id, "status": status})
        pull(upstream)

    assert not Failure.objects.open().exists()


def test_a_marketplace_that_has_not_heard_of_a_cancellation_is_no_failure(upstream, hub):
    place_order(hub)
    pull(upstream)
    update_order(Order.objects.get().pk, become(OrderStatus.CANCELED), make_operator())

    pull(upstream)

    assert Order.objects.get().status == "canceled"
    assert not Failure.objects.exists()


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


# -- Its notifications -----------------------------------------------------------------------------


@pytest.fixture
def doorbell(upstream: Activation) -> str:
    return f"/webhooks/{doorbell_secret(upstream)}"


def ring(client: Client, doorbell: str, order_id: str, **different: Any) -> HttpResponse:
    notice = {
        "type": "orders", "id": order_id, "action": "created", "user": 129,
        "changes": {"status": True, "stock": False, "price": False}, **different,
    }  # fmt: skip
    return client.post(doorbell, json.dumps(notice), content_type="application/json")


def work_off() -> list[str]:
    """What is queued, done; the names of the tasks."""
    done = []
    while row := OrmQ.objects.order_by("pk").first():
        task = row.task
        row.delete()
        done.append(task["func"].rpartition(".")[2])
        pydoc.locate(task["func"])(*task["args"])
    return done


def test_a_notification_brings_its_order_down_to_the_platform(
    client, upstream, doorbell, hub, rocky, shop
):
    work_off()
    hub_id = place_order(hub)

    answer = ring(client, doorbell, hub_id)

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert Order.objects.count() == 0  # stored, and not yet fetched
    assert Ring.objects.open().get().record_id == hub_id
    assert {"pull_orders", "push_orders"} <= set(work_off())
    assert list(shop.report()["orders"]) == [Order.objects.get().public_id]
    assert not Ring.objects.open().exists()


def test_a_notification_that_comes_again_and_late_changes_nothing_more(
    client, upstream, doorbell, hub
):
    work_off()
    hub_id = place_order(hub)
    for _again in range(3):
        ring(client, doorbell, hub_id)
    work_off()
    hub.control("set_status", {"id": hub_id, "status": "canceled"})
    ring(client, doorbell, hub_id, action="updated")
    work_off()

    ring(client, doorbell, hub_id, action="created")
    work_off()

    order = Order.objects.get()
    assert order.status == "canceled"
    assert [step.status for step in order.status_changes.all()] == ["approved", "canceled"]
    assert not Failure.objects.exists()


def test_a_notification_of_an_order_that_is_not_there_is_harmless(client, upstream, doorbell):
    work_off()

    answer = ring(client, doorbell, "f" * 24)
    work_off()

    assert answer.status_code == 200
    assert not Order.objects.exists()
    assert not Failure.objects.exists()


@pytest.mark.parametrize("kind", ["products", "skus", "messages", "invoices", "news"])
def test_a_notification_that_is_not_of_orders_is_answered_and_queues_nothing(
    client, doorbell, kind
):
    OrmQ.objects.all().delete()

    answer = ring(client, doorbell, "CAMISETA/P", type=kind)

    assert answer.status_code == 200
    assert not OrmQ.objects.exists()


def test_rubbish_at_the_doorbell_is_refused(client, doorbell):
    answers = [
        client.post(doorbell, body, content_type="application/json")
        for body in ("", "oi", "[]", '{"type":"orders","id":"../../x"}')
    ]

    assert [answer.status_code for answer in answers] == [400] * 4


def test_the_echo_of_what_we_told_is_no_news(client, upstream, doorbell, hub, rocky, shop):
    hub_id = place_order(hub)
    ring(client, doorbell, hub_id)
    work_off()
    shop.work()
    pull_fulfilments(flow_of(rocky, FulfilmentSource))
    work_off()
    assert hub.orders[hub_id]["status"] == "invoiced"
    before = Order.objects.values().get()

    ring(client, doorbell, hub_id, action="updated")
    done = work_off()

    assert "pull_orders" in done
    assert "push_orders" not in done
    assert Order.objects.values().get() == before


def test_an_order_in_the_channels_own_codes_reaches_the_platform_in_its_own(
    store, upstream, hub, rocky, shop
):
    shirt = Product.objects.create(store=store, sku="CAMISETA-P")
    mug = Product.objects.create(store=store, sku="CANECA")
    SkuMapping.objects.create(activation=upstream, code="MLB-1", product=shirt)
    SkuMapping.objects.create(activation=upstream, code="MLB-2", product=mug)
    SkuMapping.objects.create(activation=rocky, code="0007", product=mug)
    items = [{"sku": sku, "quantity": 1, "price": 10} for sku in ("MLB-1", "MLB-2", "X")]
    place_order(hub, items=items)

    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))

    ((_id, there),) = shop.report()["orders"].items()
    assert [item["sku"] for item in there["document"]["items"]] == ["CAMISETA-P", "0007", "X"]
    products = [line.product for line in Order.objects.get().lines.all()]
    assert products == [shirt, mug, None]


def test_a_tracking_code_that_is_corrected_later_reaches_the_channel(upstream, hub, rocky, shop):
    hub_id = place_order(hub)
    pull(upstream)
    push_orders(flow_of(rocky, OrderSink))
    order = Order.objects.get()
    for _step in ("invoiced", "shipping_informed"):
        shop.work()
    pull_fulfilments(flow_of(rocky, FulfilmentSource))
    push_orders(flow_of(upstream, FulfilmentSink))

    told = {"order_id": order.public_id, "status": "shipping_informed"}
    shop.control("fulfil", {**told, "tracking": {"code": "CORRIGIDO"}})
    pull_fulfilments(flow_of(rocky, FulfilmentSource))
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]
    assert [shipment["track_code"] for shipment in above["shipments"]] == ["CORRIGIDO"]
    assert Failure.objects.count() == 0


@pytest.mark.parametrize("link", ["", "https://nfe.example.com/other.xml"])
def test_an_invoice_that_is_told_as_a_document_reaches_the_channel_with_its_file(
    upstream, hub, link
):
    hub_id = place_order(hub)
    pull(upstream)
    order = Order.objects.get()
    linx = make_activation(order.store, "linx")
    url = "https://nfe.example.com/1.xml"
    files = [{"url": f"{url}.pdf", "type": "invoice_pdf"}, {"url": url, "type": "invoice"}]
    shipment = {"nfe_key": "K1", "nfe_number": "1", "nfe_link": link, "documents": files}

    document = OrderDocument({}, OrderStatus.INVOICED, shipments=[shipment])
    update_order(order.pk, document, linx)
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]["shipments"]
    assert [each["nfe_link"] for each in above if each.get("nfe_key")] == [link or url]


def test_an_invoices_file_that_comes_later_reaches_the_channel(upstream, hub):
    hub_id = place_order(hub)
    pull(upstream)
    order, linx = Order.objects.get(), make_activation(Store.objects.get(), "linx")
    invoiced = OrderDocument({}, OrderStatus.INVOICED, shipments=[{"nfe_key": "K1"}])
    update_order(order.pk, invoiced, linx)
    push_orders(flow_of(upstream, FulfilmentSink))
    file = {"url": "https://nfe.example.com/1.xml", "type": "invoice"}

    shipment = {"id": order.shipments.last().public_id, "documents": [file]}
    update_order(order.pk, OrderDocument({}, shipments=[shipment]), linx)
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]["shipments"]
    assert [each["nfe_link"] for each in above if each.get("nfe_key")] == [file["url"]]


@pytest.mark.parametrize("link", ["", "https://nfe.example.com/danfe"])
@pytest.mark.parametrize("with_file", [0, 1])
def test_an_invoices_file_makes_no_second_delivery(upstream, hub, link, with_file):
    """Its link may lead to the DANFE, and its file lie in the shipment with the tracking."""
    hub_id = place_order(hub)
    pull(upstream)
    order, file = Order.objects.get(), "https://nfe.example.com/1.xml"
    shipments = [{"nfe_key": "K1", "nfe_number": "1", "nfe_link": link}, {"track_code": "AA1"}]
    shipments[with_file]["documents"] = [{"url": file, "type": "invoice"}]

    document = OrderDocument({}, OrderStatus.SHIPPING_INFORMED, shipments=shipments)
    update_order(order.pk, document, make_activation(order.store, "linx"))
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]["shipments"]
    told = [(each["nfe_link"], each["track_code"]) for each in above if each.get("nfe_key")]
    assert told == [(link or file, "AA1")]


def test_every_delivery_of_an_order_reaches_the_channel(upstream, hub):
    hub_id = place_order(hub)
    pull(upstream)
    order = Order.objects.get()
    linx = make_activation(order.store, "linx")
    shipments = [
        {"nfe_key": f"K{n}", "track_code": f"A{n}", "shipping_items": [{"sku": "A", "quantity": n}]}
        for n in (1, 2)
    ]
    document = OrderDocument({}, OrderStatus.SHIPPING_INFORMED, shipments=shipments)

    update_order(order.pk, document, linx)
    push_orders(flow_of(upstream, FulfilmentSink))

    above = hub.report()["orders"][hub_id]["shipments"]
    assert {(each["nfe_key"], each["track_code"]) for each in above} == {("K1", "A1"), ("K2", "A2")}
