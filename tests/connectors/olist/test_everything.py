"""Reading all that the ERP has, to compare both sides: it must not forget a thing for that."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import OrderState
from connectors.olist.client import Olist
from connectors.olist.look import Look
from connectors.records import OrderStatus
from connectors.sandbox.tiny import Tiny
from tests.connectors.olist.conftest import HUB_ID, make_order, records

SHIRT = {
    "codigo": "CAM-01",
    "nome": "Camiseta",
    "preco": 59.9,
    "variacoes": [{"codigo": "CAM-01-P", "preco": 59.9, "grade": {"Tamanho": "P"}, "saldo": 4}],
}
MUG = {"codigo": "CAN-07", "nome": "Caneca", "preco": 110, "saldo": 3}


@pytest.fixture(autouse=True)
def shelf(erp: Tiny) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", MUG)


def test_everything_is_read_and_the_lists_of_updates_are_left_alone(
    erp: Tiny, olist: Olist
) -> None:
    updates = (list(erp.product_updates), list(erp.stock_updates))

    products = records(olist.all_products(""), olist.read_product)
    prices = records(olist.all_prices(""), olist.read_price)
    stock = records(olist.all_stock(""), olist.read_stock)

    assert {each.sku for each in products} == {"CAM-01", "CAN-07"}
    assert {each.sku for each in prices} >= {"CAM-01-P", "CAN-07"}
    assert {each.sku: each.quantity for each in stock} == {"CAM-01-P": 4, "CAN-07": 3}
    assert (list(erp.product_updates), list(erp.stock_updates)) == updates


def test_it_goes_on_from_any_page_and_ends(erp: Tiny, olist: Olist) -> None:
    pages = list(olist.all_stock(""))

    rest = [list(olist.all_stock(page.cursor)) for page in pages]

    assert records([pages[0], *rest[0]], olist.read_stock) == records(pages, olist.read_stock)
    assert records(rest[-1], olist.read_stock) == []


def test_the_hubs_orders_are_listed_and_no_others(erp: Tiny, olist: Olist) -> None:
    external_id = olist.push_order(make_order())
    olist.push_order(make_order(hub_id="123"))
    erp.control("set_situation", {"numero_ecommerce": HUB_ID, "situacao": "preparando_envio"})
    now = datetime.now(UTC)

    states = list(olist.order_states(now - timedelta(days=30)))
    later = list(olist.order_states(now + timedelta(days=1)))

    assert states == [OrderState(external_id, HUB_ID, OrderStatus.APPROVED)]
    assert later == []


def test_a_cursor_of_the_other_version_is_taken_over() -> None:
    look = Look.of('{"since": "2026-11-22T04:00:00-03:00", "of_the_other": [1]}')

    assert look == Look(since="2026-11-22T04:00:00-03:00")
