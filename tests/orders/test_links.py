"""Whom an order is offered to, and what each is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connectors.contract import FulfilmentSink, OrderSink
from connectors.errors import Refused
from connectors.models import Activation, Failure, Notice, Store
from connectors.records import OrderStatus
from connectors.services import pause, revoke
from orders.models import Order, OrderLink
from orders.services import create_order, import_order, update_order
from orders.wire import OrderDocument
from tests.conftest import flow_of, make_activation, make_managed, make_operator
from tests.orders.samples import RECORD, become, document, managed


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga", plugin_url="https://pluga.example/hook")


def links() -> set[tuple[str, str, str]]:
    return {
        (link.activation.connector.slug, link.wanted_status, link.sent_status)
        for link in OrderLink.objects.all()
    }


def notices() -> list[tuple[str, str, str, str]]:
    return [
        (notice.activation.connector.slug, notice.topic, notice.action, notice.object_id)
        for notice in Notice.objects.order_by("pk")
    ]


def queued() -> list[tuple[str, int]]:
    rows = [row.task for row in OrmQ.objects.order_by("pk")]
    return [(row["func"].rpartition(".")[2], row["args"][0]) for row in rows]


# -- Offered ---------------------------------------------------------------------------------------
def test_an_order_is_offered_to_those_that_consume_its_status(store, pluga):
    linx = make_activation(store, "linx", plugin_url="https://linx.example/hook")
    make_activation(store, "webstore", plugin_url="https://webstore.example/hook")
    rocky = managed(store, "rocky")
    OrmQ.objects.all().delete()

    order = create_order(pluga, document(status="pending"))

    assert links() == {
        ("pluga", "pending", "pending"),
        ("linx", "", ""),
        ("rocky", "pending", ""),
    }
    assert notices() == [("linx", "orders", "created", order.public_id)]
    assert sorted(queued()) == [
        ("deliver_notices", linx.pk),
        ("push_orders", flow_of(rocky, OrderSink)),
    ]


def test_an_approved_order_is_offered_to_those_that_wait_for_approval(store, pluga):
    make_activation(store, "webstore", plugin_url="https://webstore.example/hook")
    make_activation(store, "otimo")
    order = create_order(pluga, document(status="pending"))

    update_order(order.pk, become(OrderStatus.APPROVED), pluga)

    assert {slug for slug, _wanted, _sent in links()} == {"pluga", "webstore", "otimo"}
    assert notices() == [("webstore", "orders", "updated", order.public_id)]


def test_what_is_switched_off_for_good_is_offered_nothing(store, pluga):
    revoke(make_activation(store, "linx").pk, make_operator())
    paused = make_activation(store, "webstore")
    pause(paused.pk, "férias")

    create_order(pluga, document())

    assert {slug for slug, _wanted, _sent in links()} == {"pluga", "webstore"}


def test_an_order_concerns_its_own_store_alone(pluga):
    other = make_activation(
        Store.objects.create(name="B", cnpj="12ABC34501DE35", domain="b"), "linx"
    )

    create_order(pluga, document())

    assert not OrderLink.objects.filter(activation=other).exists()


def test_update_false_tells_nobody_but_queues_the_push(store, pluga):
    make_activation(store, "linx", plugin_url="https://linx.example/hook")
    rocky = managed(store, "rocky")

    create_order(pluga, document(update=False))

    assert Notice.objects.count() == 0
    assert ("push_orders", flow_of(rocky, OrderSink)) in queued()


def test_those_that_took_an_order_hear_of_it_and_the_writer_does_not(store, pluga):
    rocky = make_activation(store, "rocky", plugin_url="https://rocky.example/hook")
    make_activation(store, "linx", plugin_url="https://linx.example/hook")
    make_activation(store, "webstore")
    order = create_order(pluga, document())
    Notice.objects.all().delete()

    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    id = order.public_id
    assert sorted(notices()) == [
        ("linx", "orders", "updated", id),
        ("pluga", "orders", "updated", id),
    ]


def test_a_number_that_does_not_fit_is_refused_and_nothing_is_written(store, pluga):
    order = create_order(pluga, document())
    long = OrderDocument(head={}, status=OrderStatus.INVOICED, external="9" * 201)

    for write in (lambda: update_order(order.pk, long, pluga),
                  lambda: create_order(pluga, document("1002", external="9" * 201))):  # fmt: skip
        with pytest.raises(Refused, match=r"\$\.external: .*200"):
            write()

    assert [each.status for each in Order.objects.all()] == [order.status]


# -- Told to managed platforms ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("slug", "steps", "wanted"),
    [
        ("rocky", ["pending"], "pending"),
        ("rocky", ["pending", "approved"], "approved"),
        ("rocky", ["pending", "canceled"], "canceled"),
        ("rocky", ["approved", "refunded"], "refunded"),
        ("rocky", ["pending", "approved", "picking"], "approved"),
        ("webstore", ["approved", "canceled"], ""),
        ("linx", ["pending", "under_review", "picking"], "picking"),
        ("otimo", ["approved", "canceled"], ""),
        ("otimo", ["approved", "refunded"], ""),
    ],
)
def test_a_platform_is_to_know_what_its_connector_follows(store, pluga, slug, steps, wanted):
    platform = managed(store, slug)
    order = create_order(pluga, document(status=steps[0]))

    for step in steps[1:]:
        update_order(order.pk, become(OrderStatus(step)), pluga)

    assert OrderLink.objects.get(activation=platform).wanted_status == wanted


def test_an_order_that_was_sent_stays_sent_where_cancelling_is_not_followed(store, pluga):
    webstore = managed(store, "webstore")
    order = create_order(pluga, document())
    OrderLink.objects.filter(activation=webstore).update(sent_status="approved")

    update_order(order.pk, become(OrderStatus.CANCELED), pluga)

    link = OrderLink.objects.get(activation=webstore)
    assert (link.wanted_status, link.sent_status) == ("approved", "approved")


def test_what_was_refused_of_an_order_is_tried_at_once_when_it_changes(store, pluga):
    rocky = managed(store, "rocky")
    changed, other = (create_order(pluga, document(number)) for number in ("1001", "1002"))
    later = timezone.now() + timedelta(hours=6)
    for order in (changed, other):
        Failure.objects.create(
            activation=rocky, flow="orders", record_id=order.public_id, kind="rejected",
            ability="OrderSink", retry_at=later,
        )  # fmt: skip

    update_order(changed.pk, become(OrderStatus.CANCELED), pluga)

    due = Failure.objects.filter(retry_at__lt=later)
    assert list(due.values_list("record_id", flat=True)) == [changed.public_id]


@pytest.mark.parametrize("end", ["canceled", "refunded"])
def test_olist_takes_approved_orders_and_their_cancellation(store, pluga, end):
    olist = make_managed(
        store, "olist", "https://tiny.example/api2/", {"integrator_id": "1", "token": "t"}
    )
    order = create_order(pluga, document(status="pending"))
    assert not OrderLink.objects.filter(activation=olist).exists()

    update_order(order.pk, become(OrderStatus.APPROVED), pluga)
    update_order(order.pk, become(OrderStatus(end)), pluga)

    assert OrderLink.objects.get(activation=olist).wanted_status == end


def test_a_channel_is_to_hear_of_invoice_and_dispatch_at_once(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    OrmQ.objects.all().delete()

    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    link = OrderLink.objects.get(activation=hub)
    assert (link.wanted_status, link.sent_status) == ("invoiced", "approved")
    assert queued() == [("push_orders", flow_of(hub, FulfilmentSink))]
