"""How an order is found."""

import pytest

from connectors.models import Store
from orders.finding import find
from orders.models import Order
from orders.services import create_order, update_order
from orders.wire import OrderDocument
from tests.conftest import make_activation
from tests.orders.samples import document

KEY = "35260712ABC34501DE35550010000001231123456787"


@pytest.fixture
def order(store: Store) -> Order:
    return create_order(
        make_activation(store, "pluga"),
        document(
            "MLB-2000.123",
            payer_name="José",
            payer_lastname="Conceição da Silva",
            payer_tax_id="12.ABC.345/01DE-35",
            shipments=[{"track_code": "QC638247124BR", "nfe_key": KEY, "nfe_number": "22846"}],
        ),
    )


@pytest.mark.parametrize(
    "question",
    ["mlb-2000", "MLB2000123", "jose", "conceicao", "silva jose", "José Conceição", "can-07",
     "qc638247124br", "22846", "12abc34501", "12.ABC.345/01DE-35", KEY[:10],
     f"{KEY[:4]} {KEY[4:8]} {KEY[8:]}"],
)  # fmt: skip
def test_it_is_found_by_how_what_people_know_begins(question, order):
    assert list(find(Order.objects.all(), question, [order.store_id])) == [order]


@pytest.mark.parametrize("question", ["2000123", "ana", "jose souza", "%", "_", "'", "??"])
def test_it_is_not_found_by_anything_else(question, order):
    assert list(find(Order.objects.all(), question, [order.store_id])) == []


def test_what_it_was_called_before_finds_it_no_more(order):
    update_order(order.pk, OrderDocument(head={"payer_name": "Maria"}), order.source)

    assert list(find(Order.objects.all(), "jose", [order.store_id])) == []
    assert list(find(Order.objects.all(), "maria silva", [order.store_id])) == [order]
