"""How an order arrives and moves, and whom that concerns."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from connectors.contract import FulfilmentSink, OrderSink
from connectors.errors import Duplicate, NotAllowed, NotFound, NothingChanged
from connectors.models import Activation, Notice, Store
from connectors.records import (
    FulfilmentRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderStatus,
    TrackingRecord,
)
from connectors.services import pause, revoke
from orders.models import Order, OrderLink, StatusChange
from orders.services import (
    Backwards,
    create_order,
    import_order,
    report_fulfilment,
    update_order,
)
from orders.wire import OrderDocument
from tests.conftest import flow_of, make_activation, make_managed, make_operator
from tests.orders.samples import document

NFE_KEY = "35250411222333000181550010000228461512736891"
HUB = {"client_id": "a", "client_secret": "b", "api_user": "1", "api_secret": "c"}


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga", plugin_url="https://pluga.example/hook")


def become(status: OrderStatus) -> OrderDocument:
    return OrderDocument(head={}, status=status)


def managed(store: Store, slug: str) -> Activation:
    received = HUB if slug == "pluggto" else {"token": "t"}
    activation = make_managed(store, slug, f"https://{slug}.example", received)
    OrmQ.objects.all().delete()
    return activation


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


# -- Arriving --------------------------------------------------------------------------------------
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


def test_a_line_knows_the_product_of_its_variations_sku(store, pluga):
    parent = store.products.create(sku="CAM")
    variation = store.products.create(sku="CAM-P", parent=parent)
    items = [
        {"sku": "CAM", "quantity": 1, "variation": {"sku": "CAM-P"}},
        {"sku": "CAM", "quantity": 1, "variation": {"sku": None}},
        {"sku": "NADA", "quantity": 1},
    ]

    order = create_order(pluga, document(items=items))

    assert [line.product for line in order.lines.all()] == [variation, parent, None]


def test_update_false_tells_nobody_but_queues_the_push(store, pluga):
    make_activation(store, "linx", plugin_url="https://linx.example/hook")
    rocky = managed(store, "rocky")

    create_order(pluga, document(update=False))

    assert Notice.objects.count() == 0
    assert ("push_orders", flow_of(rocky, OrderSink)) in queued()


def test_a_failure_leaves_nothing_of_an_order(store, pluga):
    make_activation(store, "linx", plugin_url="https://linx.example/hook")
    create_order(pluga, document("1"))
    OrmQ.objects.all().delete()
    before = (Order.objects.count(), StatusChange.objects.count(), Notice.objects.count())

    with pytest.raises(Duplicate):
        create_order(pluga, document("1"))

    after = (Order.objects.count(), StatusChange.objects.count(), Notice.objects.count())
    assert after == before
    assert queued() == []


def test_the_database_itself_refuses_the_second_of_one_original_id(store, pluga):
    create_order(pluga, document("1"))

    again = Order(
        store=store, source=pluga, original_id="1", channel="MercadoLivre", status="pending"
    )
    either = r"original_id|order_once_per_channel_account"  # SQLite names the columns
    with pytest.raises(IntegrityError, match=either), transaction.atomic():
        again.save()


@pytest.mark.parametrize("total", [-1, Decimal("-0.01")])
def test_the_database_itself_refuses_a_negative_total(store, pluga, total):
    with pytest.raises(IntegrityError, match="order_total_not_negative"), transaction.atomic():
        Order.objects.create(store=store, source=pluga, status="pending", total=total)


def test_the_database_itself_refuses_a_status_that_nobody_knows(store, pluga):
    with pytest.raises(IntegrityError, match="order_status_known"), transaction.atomic():
        Order.objects.create(store=store, source=pluga, status="enviado")


# -- Moving ----------------------------------------------------------------------------------------
def test_a_step_names_its_author(store, pluga):
    rocky = make_activation(store, "rocky", custom_name="A loja")
    operator = make_operator()
    order = create_order(pluga, document(status="pending"))

    update_order(order.pk, become(OrderStatus.APPROVED), operator)
    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    steps = [
        (step.previous, step.status, step.author, step.activation, step.user)
        for step in order.status_changes.all()
    ]
    assert steps == [
        ("", "pending", str(pluga), pluga, None),
        ("pending", "approved", "ativadora", None, operator),
        ("approved", "invoiced", f"A loja ({store})", rocky, None),
    ]


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


def test_late_news_does_not_move_an_order_backwards(store, pluga):
    rocky = make_activation(store, "rocky")
    order = create_order(pluga, document())
    update_order(order.pk, become(OrderStatus.SHIPPING_INFORMED), rocky)

    with pytest.raises(Backwards, match="O pedido 1001 já está entrega informada e não volta"):
        update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    order.refresh_from_db()
    assert order.status == "shipping_informed"


def test_a_refused_step_is_on_record_once(store, pluga):
    rocky = make_activation(store, "rocky")
    order = create_order(pluga, document())
    update_order(order.pk, become(OrderStatus.SHIPPING_INFORMED), rocky)

    for _time in range(3):
        with pytest.raises(Backwards):
            update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    refused = order.status_changes.filter(applied=False)
    assert [(step.previous, step.status, step.author) for step in refused] == [
        ("shipping_informed", "invoiced", str(rocky))
    ]


def test_a_known_fact_is_no_change(pluga):
    order = create_order(pluga, document())

    with pytest.raises(NothingChanged, match=r"^Changes not found in the order$"):
        update_order(order.pk, document(), pluga)

    assert order.status_changes.count() == 1


# -- Told to managed platforms ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("slug", "steps", "wanted"),
    [
        ("rocky", ["pending"], "pending"),
        ("rocky", ["pending", "approved"], "approved"),
        ("rocky", ["pending", "canceled"], "canceled"),
        ("rocky", ["pending", "approved", "picking"], "approved"),
        ("webstore", ["approved", "canceled"], ""),
        ("linx", ["pending", "under_review", "picking"], "picking"),
        ("otimo", ["approved", "canceled"], ""),
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


def test_olist_takes_approved_orders_and_their_cancellation(store, pluga):
    olist = make_managed(
        store, "olist", "https://tiny.example/api2/", {"integrator_id": "1", "token": "t"}
    )
    order = create_order(pluga, document(status="pending"))
    assert not OrderLink.objects.filter(activation=olist).exists()

    update_order(order.pk, become(OrderStatus.APPROVED), pluga)
    update_order(order.pk, become(OrderStatus.CANCELED), pluga)

    assert OrderLink.objects.get(activation=olist).wanted_status == "canceled"


# -- Read from a channel ---------------------------------------------------------------------------
RECORD = OrderRecord(
    status=OrderStatus.PENDING,
    original_id="2000011434004146",
    channel="MercadoLivre",
    total=Decimal("59.90"),
    lines=(LineRecord("CAN-07", 2, Decimal("29.95")),),
    fields={"payer_name": "Ana", "sale_intermediary": "12ABC34501DE35"},
    payments=({"payment_type": "credit", "payment_total": "59.9"},),
    shipments=({"id": "680e1e2fa7b4c10012d3f0e1", "shipping_company": "Mercado Envios"},),
    external_id="680e1e2fa7b4c10012d3f0a1",
)


def test_an_order_that_a_channel_shows_is_stored_once(store):
    hub = managed(store, "pluggto")

    first = import_order(hub, RECORD)
    with pytest.raises(NothingChanged):
        import_order(hub, RECORD)

    order = Order.objects.get()
    assert order == first
    assert (order.status, order.total) == ("pending", Decimal("59.9"))
    assert order.fields["payer_name"] == "Ana"
    assert [(line.sku, line.quantity, line.price) for line in order.lines.all()] == [
        ("CAN-07", 2, Decimal("29.95"))
    ]
    assert order.payments.get().payment_total == Decimal("59.9")
    assert order.shipments.get().shipping_company == "Mercado Envios"
    link = OrderLink.objects.get()
    assert (link.external_id, link.wanted_status) == (RECORD.external_id, link.sent_status)


def test_what_the_channel_says_later_is_taken_over(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, RECORD)

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, fields={"payer_name": "Eva"}))

    order = Order.objects.get()
    assert (order.status, order.fields["payer_name"]) == ("approved", "Eva")
    assert OrderLink.objects.get(activation=rocky).wanted_status == "approved"
    assert OrderLink.objects.get(activation=hub).wanted_status == "pending"


def test_a_channel_that_has_not_heard_yet_moves_nothing_back(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))

    assert not order.status_changes.filter(applied=False).exists()


def test_a_channel_is_to_hear_of_invoice_and_dispatch_at_once(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    OrmQ.objects.all().delete()

    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    link = OrderLink.objects.get(activation=hub)
    assert (link.wanted_status, link.sent_status) == ("invoiced", "approved")
    assert queued() == [("push_orders", flow_of(hub, FulfilmentSink))]


# -- Reported by a managed platform ----------------------------------------------------------------
@pytest.fixture
def rocky(store: Store) -> Activation:
    return managed(store, "rocky")


@pytest.fixture
def order(pluga: Activation, rocky: Activation) -> Order:
    """Sent to the platform, which calls it 5001; with one shipment."""
    order = create_order(pluga, document(shipments=[{"shipping_company": "Correios"}]))
    OrderLink.objects.filter(activation=rocky).update(external_id="5001", sent_status="approved")
    return order


def reported(order: Order, status: OrderStatus, **fields: Any) -> FulfilmentRecord:
    return FulfilmentRecord(status, hub_id=order.public_id, **fields)


def test_a_reported_invoice_lies_in_the_shipment_that_is_there(rocky, order):
    invoice = InvoiceRecord(key=NFE_KEY, number="22846", series="1")

    report_fulfilment(rocky, reported(order, OrderStatus.INVOICED, invoice=invoice))

    shipment = order.shipments.get()
    assert (shipment.nfe_key, shipment.shipping_company) == (NFE_KEY, "Correios")
    assert Order.objects.get().status == "invoiced"
    assert OrderLink.objects.get(activation=rocky).external_id == "5001"


def test_a_platform_may_call_the_order_by_its_own_number(rocky, order):
    report_fulfilment(rocky, FulfilmentRecord(OrderStatus.INVOICED, external_id="5001"))

    assert Order.objects.get().status == "invoiced"


@pytest.mark.parametrize("status", [OrderStatus.APPROVED, OrderStatus.PICKING])
def test_how_far_a_platform_is_before_the_invoice_is_no_news(rocky, order, status):
    with pytest.raises(NothingChanged):
        report_fulfilment(rocky, reported(order, status))


def test_an_order_that_a_platform_never_took_is_unknown_to_it(store, pluga, order):
    webstore = managed(store, "webstore")

    with pytest.raises(NotFound, match="não foi enviado por esta integração"):
        report_fulfilment(webstore, reported(order, OrderStatus.INVOICED))


def test_a_managed_platform_reports_only_what_its_connector_may(rocky, order):
    with pytest.raises(NotAllowed, match="Rocky E-Commerce não pode informar a situação delivered"):
        report_fulfilment(rocky, reported(order, OrderStatus.DELIVERED))

    assert Order.objects.get().status == "approved"


def test_an_invoice_that_comes_after_the_tracking_is_stored_nevertheless(rocky, order):
    tracking = TrackingRecord(company="Correios", code="AA123456785BR")
    report_fulfilment(rocky, reported(order, OrderStatus.SHIPPING_INFORMED, tracking=tracking))

    invoice = InvoiceRecord(key=NFE_KEY)
    report_fulfilment(rocky, reported(order, OrderStatus.INVOICED, invoice=invoice))

    shipment = order.shipments.get()
    assert (shipment.nfe_key, shipment.track_code) == (NFE_KEY, "AA123456785BR")
    assert Order.objects.get().status == "shipping_informed"
    assert [step.status for step in order.status_changes.filter(applied=False)] == ["invoiced"]
