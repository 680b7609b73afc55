"""Several who do something with one order at the same moment."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from catalog.levels import set_stock
from catalog.models import Product, Stock
from catalog.services import create_product
from catalog.shelves import Shelves
from connectors.contract import OrderSink
from connectors.errors import NotAllowed
from connectors.models import Act, Activation, Failure, Store
from connectors.records import InvoiceRecord, OrderStatus, StockRecord, TrackingRecord
from connectors.storecontract.client import StoreContract
from orders import invoicing, push, reserving, tracking, written
from orders.legal_hold import set_hold
from orders.mails import send_again, send_all_mails
from orders.models import BuyerMail, Order, WrittenOrder
from orders.reserving import link_late_lines
from orders.services import create_order, update_order
from orders.statistics import correct_tallies, fold_all_tallies
from orders.wire import OrderDocument
from tests.conftest import flow_of, make_activation, make_managed, make_operator, make_store
from tests.orders.samples import become, document
from tests.threads import AT_ONCE, all_at_once, one_within_another

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(transactional_db: None) -> Store:
    return make_store()


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga", values={"email_shipped": True})


@pytest.fixture
def order(pluga: Activation) -> Order:
    return place(pluga, "1001")


def place(pluga: Activation, number: str) -> Order:
    return create_order(pluga, document(number, payer_email="ana@example.com"))


def test_a_mail_leaves_once_however_many_send(pluga: Activation) -> None:
    for number in range(5):
        update_order(place(pluga, str(number)).pk, become(OrderStatus.SHIPPED), pluga)

    all_at_once(send_all_mails)

    assert len(mail.outbox) == 5


def test_a_mail_that_several_want_to_leave_again_leaves_once_more(
    order: Order, pluga: Activation
) -> None:
    update_order(order.pk, become(OrderStatus.SHIPPED), pluga)
    BuyerMail.objects.update(state=BuyerMail.State.FAILED)
    lost, by = BuyerMail.objects.get(), make_operator()

    answers = all_at_once(lambda: send_again(lost.pk, by), NotAllowed)

    assert answers.count(None) == Act.objects.count() == 1
    assert len(answers) == AT_ONCE


def test_a_hold_that_several_ask_for_is_one_act(order: Order) -> None:
    by = make_operator()

    all_at_once(lambda: set_hold(order.pk, True, "processo 1", by))

    assert Act.objects.count() == 1


def test_figures_that_several_fold_stay_what_they_are(store: Store, pluga: Activation) -> None:
    for number in range(20):
        place(pluga, str(number))

    all_at_once(fold_all_tallies)

    assert correct_tallies(store) == 0


@pytest.mark.parametrize(
    ("place", "type_in"),
    [
        (invoicing, lambda pk, text, by: invoicing.inform_invoice(
            pk, InvoiceRecord(number=text, series="1"), by)),
        (tracking, lambda pk, text, by: tracking.inform_tracking(
            pk, TrackingRecord(company="Correios", code=text), by)),
    ],
)  # fmt: skip
def test_what_two_type_at_once_is_one_delivery(
    order: Order,
    pluga: Activation,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    type_in: Callable[..., Order],
) -> None:
    by = make_operator()
    if place is tracking:
        update_order(order.pk, become(OrderStatus.INVOICED), pluga)

    faults = one_within_another(
        monkeypatch,
        place,
        "shipment_of",
        lambda: type_in(order.pk, "1", by),
        lambda: type_in(order.pk, "2", by),
    )

    assert faults == []
    assert order.shipments.count() == 1


def test_what_changes_while_it_is_written_down_anew_is_written_down(
    order: Order, pluga: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    WrittenOrder.objects.update(version=0)

    faults = one_within_another(
        monkeypatch,
        written,
        "_store",
        lambda: written.write_down_again([order.pk]),
        lambda: update_order(order.pk, become(OrderStatus.CANCELED), pluga),
    )

    assert faults == []
    (text,) = written.read_written(Order.objects.all(), pluga)
    assert json.loads(text)["status"] == "canceled"


def test_what_changes_while_it_is_noted_as_pushed_is_shown(
    store: Store, pluga: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    rocky = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    order = place(pluga, "1001")
    monkeypatch.setattr(StoreContract, "push_order", lambda self, record: "R-1")
    items = [{"sku": "CAN-07", "name": "Caneca", "quantity": 5, "price": 29.95}]

    faults = one_within_another(
        monkeypatch,
        push,
        "hold_integrations",
        lambda: push.push_orders(flow_of(rocky, OrderSink)),
        lambda: update_order(order.pk, OrderDocument(head={}, items=items), pluga),
    )

    assert faults == []
    assert order.links.get(activation=rocky).external_id == "R-1"
    assert Failure.objects.open().filter(activation=rocky).count() == 1


def test_an_order_that_is_cancelled_while_it_gets_its_product_keeps_nothing(
    order: Order, store: Store, pluga: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_product(store, {"sku": "CAN-07", "quantity": 3}, None)

    faults = one_within_another(
        monkeypatch,
        reserving,
        "find_products",
        lambda: link_late_lines(order.pk),
        lambda: update_order(order.pk, become(OrderStatus.CANCELED), pluga),
    )

    assert faults == []
    assert Stock.objects.get(product=Product.objects.get()).reserved == 0


@pytest.mark.parametrize("level_first", [True, False])
def test_an_order_and_a_level_at_the_same_moment_are_both_kept(
    store: Store, pluga: Activation, monkeypatch: pytest.MonkeyPatch, level_first: bool
) -> None:
    create_product(store, {"sku": "CAN-07", "quantity": 10}, None)
    rocky = make_activation(store, "rocky")
    works = [
        lambda: create_order(pluga, document("1001")),  # two of them
        lambda: set_stock(store, [StockRecord("CAN-07", 7)], rocky),
    ]

    faults = one_within_another(
        monkeypatch, Shelves, "share_out", works[level_first], works[not level_first]
    )

    assert faults == []
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved) == (7, 2)
