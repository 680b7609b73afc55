"""What a managed platform reports of an order."""

from typing import Any

import pytest

from connectors.errors import NotAllowed, NotFound, NothingChanged
from connectors.models import Activation, Store
from connectors.records import (
    FulfilmentRecord,
    InvoiceRecord,
    OrderStatus,
    TrackingRecord,
)
from orders.fulfilments import report_fulfilment
from orders.models import Order, OrderLink
from orders.services import create_order, update_order
from tests.conftest import make_activation, make_managed, make_store
from tests.orders.samples import become, document, managed

NFE_KEY = "35250411222333000181550010000228461512736891"


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga", plugin_url="https://pluga.example/hook")


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


@pytest.mark.parametrize("status", [OrderStatus.PENDING, OrderStatus.APPROVED, OrderStatus.PICKING])
def test_an_order_that_has_its_invoice_is_invoiced_whatever_the_platform_calls_it(
    rocky, order, status
):
    invoice = InvoiceRecord(key=NFE_KEY, number="22846", series="1")

    report_fulfilment(rocky, reported(order, status, invoice=invoice))

    assert order.shipments.get().nfe_key == NFE_KEY
    assert Order.objects.get().status == "invoiced"


def test_an_invoice_takes_no_order_back(rocky, order):
    tracking = TrackingRecord(company="Correios", code="AA123456785BR")
    report_fulfilment(rocky, reported(order, OrderStatus.SHIPPING_INFORMED, tracking=tracking))
    invoice = InvoiceRecord(key=NFE_KEY)

    report_fulfilment(rocky, reported(order, OrderStatus.PICKING, invoice=invoice))
    with pytest.raises(NothingChanged):
        report_fulfilment(rocky, reported(order, OrderStatus.PICKING, invoice=invoice))

    assert order.shipments.get().nfe_key == NFE_KEY
    assert Order.objects.get().status == "shipping_informed"


def test_another_invoice_than_the_channel_refused_is_news_whatever_the_platform_calls_it(
    rocky, order
):
    first, other = (InvoiceRecord(number=number, series="1") for number in ("22846", "22847"))
    report_fulfilment(rocky, reported(order, OrderStatus.APPROVED, invoice=first))
    update_order(order.pk, become(OrderStatus.INVOICE_ERROR), order.source)

    with pytest.raises(NothingChanged):
        report_fulfilment(rocky, reported(order, OrderStatus.APPROVED, invoice=first))
    refused = Order.objects.get().status
    report_fulfilment(rocky, reported(order, OrderStatus.APPROVED, invoice=other))

    assert (refused, Order.objects.get().status) == ("invoice_error", "invoiced")
    assert order.shipments.get().nfe_number == "22847"


def test_an_invoice_of_which_nothing_is_said_is_none(rocky, order):
    with pytest.raises(NothingChanged):
        report_fulfilment(rocky, reported(order, OrderStatus.PICKING, invoice=InvoiceRecord()))

    assert Order.objects.get().status == "approved"


def test_an_invoice_is_news_also_with_a_status_that_the_platform_has_from_us(store, pluga):
    linx = managed(store, "linx")
    order = create_order(pluga, document(status="shipped"))
    OrderLink.objects.filter(activation=linx).update(sent_status="shipped")
    invoice = InvoiceRecord(key=NFE_KEY, number="22846", series="1")

    report_fulfilment(linx, reported(order, OrderStatus.SHIPPED, invoice=invoice))
    with pytest.raises(NothingChanged):
        report_fulfilment(linx, reported(order, OrderStatus.SHIPPED))

    assert order.shipments.get().nfe_key == NFE_KEY


@pytest.mark.parametrize("sent", ["refunded", "approved"])
def test_a_platform_with_one_word_for_both_ends_says_nothing_new_of_a_refund(order, store, sent):
    olist = make_managed(store, "olist", "", {"token": "t", "integrator_id": "0"})
    OrderLink.objects.create(order=order, activation=olist, external_id="7")
    update_order(order.pk, become(OrderStatus.REFUNDED), order.source)
    OrderLink.objects.filter(activation=olist).update(sent_status=sent)

    with pytest.raises(NothingChanged):
        report_fulfilment(olist, reported(order, OrderStatus.CANCELED))

    assert Order.objects.get().status == "refunded"


def test_a_platform_that_knows_our_id_of_an_order_has_it_from_us(store, order):
    """From an activation before this one, or from a portal that was restored from a backup."""
    webstore = managed(store, "webstore")

    report_fulfilment(webstore, reported(order, OrderStatus.INVOICED))

    assert Order.objects.get().status == "invoiced"
    assert OrderLink.objects.filter(activation=webstore, order=order).exists()


@pytest.mark.parametrize("hub_id", ["", "5ddc3ec33a5e8b0d39a2b4f1"])
def test_an_order_that_the_store_never_had_is_unknown(store, order, hub_id):
    webstore = managed(store, "webstore")

    with pytest.raises(NotFound, match="não foi enviado por esta integração"):
        report_fulfilment(
            webstore, FulfilmentRecord(OrderStatus.INVOICED, hub_id=hub_id, external_id="5001")
        )


def test_another_stores_order_is_unknown(order):
    elsewhere = managed(make_store(), "webstore")

    with pytest.raises(NotFound, match="não foi enviado por esta integração"):
        report_fulfilment(elsewhere, reported(order, OrderStatus.INVOICED))

    assert not OrderLink.objects.filter(activation=elsewhere).exists()


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
