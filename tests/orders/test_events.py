"""What a store's tools are told of its orders."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import SkuMapping
from catalog.services import create_product
from connectors.errors import NothingChanged
from connectors.models import Activation, Event, Store
from connectors.records import OrderStatus
from orders.events import write_flat_order
from orders.models import Order
from orders.services import Backwards, create_order, update_order
from orders.wire import OrderDocument, Parts
from tests.conftest import make_activation, make_store
from tests.orders.samples import document


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga")


def become(status: OrderStatus, **shipment: Any) -> OrderDocument:
    return OrderDocument(head={}, status=status, shipments=[shipment] if shipment else None)


def told() -> list[tuple[str, str | None, str]]:
    events = Event.objects.order_by("pk")
    return [(e.hook, e.data["previous_status"], e.data["status"]) for e in events]


def test_every_step_is_an_event_and_three_of_them_have_one_of_their_own(pluga):
    order = create_order(pluga, document(status="pending"))
    for status in ("approved", "invoiced", "shipping_informed", "shipped", "delivered"):
        update_order(order.pk, become(OrderStatus(status)), None)

    assert told() == [
        ("order.created", None, "pending"),
        ("order.status_changed", "pending", "approved"),
        ("order.status_changed", "approved", "invoiced"),
        ("order.invoiced", "approved", "invoiced"),
        ("order.status_changed", "invoiced", "shipping_informed"),
        ("order.status_changed", "shipping_informed", "shipped"),
        ("order.shipped", "shipping_informed", "shipped"),
        ("order.status_changed", "shipped", "delivered"),
        ("order.delivered", "shipped", "delivered"),
    ]
    assert len(set(Event.objects.values_list("public_id", flat=True))) == 9


@pytest.mark.parametrize("status", ["shipping_informed", "shipped", "delivered"])
def test_an_invoice_that_is_told_with_the_dispatch_is_an_event_too(store, pluga, status):
    linx = make_activation(store, "linx")
    order = create_order(pluga, document())

    update_order(order.pk, become(OrderStatus(status), nfe_number="1", track_code="AA1"), linx)
    update_order(order.pk, become(OrderStatus.CANCELED), None)

    invoiced = Event.objects.get(hook="order.invoiced")
    assert (invoiced.data["status"], invoiced.data["nfe_number"]) == (status, "1")


@pytest.mark.parametrize(
    ("status", "shipment"), [("shipped", {"track_code": "AA1"}), ("canceled", {"nfe_number": "1"})]
)
def test_an_order_that_was_not_invoiced_has_no_such_event(pluga, status, shipment):
    order = create_order(pluga, document())

    update_order(order.pk, become(OrderStatus(status), **shipment), None)

    assert not Event.objects.filter(hook="order.invoiced").exists()


def test_orders_of_every_channel_of_the_store_are_told(store, pluga):
    other = make_activation(store, "pluga")

    create_order(other, document("1"))
    create_order(make_activation(make_store(), "pluga"), document("2"))

    assert set(Event.objects.filter(store=store).values_list("object_id", flat=True)) == {
        Order.objects.get(original_id="1").public_id
    }


def test_what_changes_no_status_is_no_event(pluga):
    order = create_order(pluga, document())
    update_order(order.pk, OrderDocument(head={"payer_name": "Ana"}), pluga)
    with pytest.raises(NothingChanged):
        update_order(order.pk, become(OrderStatus.APPROVED), pluga)
    with pytest.raises(Backwards):
        update_order(order.pk, become(OrderStatus.PENDING), pluga)

    assert [hook for hook, _previous, _status in told()] == ["order.created"]


def test_update_false_tells_nobody(pluga):
    create_order(pluga, document(update=False))

    assert told() == []


def test_a_store_without_tools_has_no_events(store):
    channel = make_activation(store, "pluga")
    type(channel).objects.update(state="revoked")

    create_order(channel, document())

    assert not Event.objects.exists()


def test_an_event_is_flat_and_always_has_the_same_keys(pluga):
    items = [
        {"sku": "CAM", "name": "Camiseta; azul", "quantity": 2, "price": 59.9,
         "variation": {"sku": "CAM-P"}},
        {"sku": "CAN|07", "name": "Caneca", "quantity": 1, "price": 10},
    ]  # fmt: skip
    payments = [
        {"payment_type": "credit", "payment_installments": 3, "payment_total": 100},
        {"payment_type": "pix", "payment_total": 29.8},
    ]
    order = create_order(pluga, document(items=items, payments=payments, payer_name="Ana"))
    invoice = {"nfe_number": "7", "nfe_key": "35250412345678000195550010000012341000012342"}
    update_order(order.pk, become(OrderStatus.INVOICED, **invoice), None)
    update_order(order.pk, become(OrderStatus.SHIPPED, track_code="AA123456785BR"), None)

    created, *_others, shipped = (event.data for event in Event.objects.order_by("pk"))
    assert created.keys() == shipped.keys()
    assert not [name for name, value in shipped.items() if isinstance(value, list | dict)]
    assert {name: shipped[name] for name in shipped if name.startswith("items_")} == {
        "items_sku": "CAM-P; CAN/07",
        "items_name": "Camiseta, azul; Caneca",
        "items_quantity": "2; 1",
        "items_price": "59.9; 10",
        "items_text": "2 × CAM-P Camiseta, azul (R$ 59,90); 1 × CAN/07 Caneca (R$ 10,00)",
    }
    assert (shipped["payment_type"], shipped["payment_total"]) == ("credit", 100)
    assert shipped["payments_text"] == "credit R$ 100,00; pix R$ 29,80"
    assert (shipped["status_name"], shipped["source"]) == ("Enviado", "Pluga")
    assert (shipped["nfe_number"], shipped["track_code"]) == ("7", "AA123456785BR")
    assert (created["nfe_number"], created["total"]) == (None, 59.9)
    assert shipped["created"].endswith("Z")


def test_a_half_cent_is_told_as_the_pages_show_it(pluga):
    create_order(pluga, document(items=[{"sku": "CAM", "quantity": 1, "price": 10.005}]))

    assert Event.objects.get().data["items_text"] == "1 × CAM (R$ 10,01)"


def test_an_event_calls_items_as_the_store_does_and_not_as_the_channel(store, pluga):
    channel = make_activation(store, "pluga")
    mug = create_product(store, {"sku": "CAN-07"}, None)
    SkuMapping.objects.create(activation=channel, product=mug, code="MLB-1")
    items = [{"sku": sku, "quantity": 1, "price": 10} for sku in ("MLB-1", "MLB-2")]

    order = create_order(channel, document(items=items))

    told = Event.objects.get(hook="order.created").data
    assert told["items_sku"] == "CAN-07; MLB-2"
    assert told["items_text"] == "1 × CAN-07 (R$ 10,00); 1 × MLB-2 (R$ 10,00)"
    assert write_flat_order(order, Parts.of(order))["items_sku"] == "MLB-1; MLB-2"


def test_an_amount_that_is_not_in_reais_says_so(pluga):
    items = [{"sku": "CAM", "quantity": 1, "price": 10}]
    create_order(pluga, document(items=items, currency="USD"))

    assert Event.objects.get().data["items_text"] == "1 × CAM (USD 10,00)"


def test_an_event_costs_the_same_however_many_items_there_are(pluga):
    costs = []
    for number, count in (("1", 1), ("2", 40)):
        items = [{"sku": f"P{n}", "quantity": 1, "price": 1} for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            create_order(pluga, document(number, items=items))
        costs.append(len(queries))

    assert costs[0] == costs[1]
