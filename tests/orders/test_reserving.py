"""What an order keeps of the stock, through its life."""

from typing import Any

import pytest

from catalog.levels import set_stock
from catalog.models import Product, Reservation, SkuMapping, Stock
from catalog.services import create_product, delete_product
from connectors.models import Activation, Notice, Store
from connectors.records import OrderStatus, StockRecord
from orders.models import Order
from orders.reserving import late_orders
from orders.services import create_order, import_order, update_order
from orders.status import ENDED, KEEPING, UNDECIDED
from orders.tasks import link_all_late_lines
from tests.conftest import Partner, make_activation, make_partner
from tests.orders.samples import RECORD, become, document, managed, small_order

SKU = "CAN-07"  # a small order wants two


@pytest.fixture
def mug(store: Store) -> Product:
    """There are three."""
    return create_product(store, {"sku": SKU, "quantity": 3}, None)


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def rocky(store: Store) -> Partner:
    return make_partner(store, "rocky")


def level(sku: str = SKU) -> tuple[int, int]:
    return Stock.objects.values_list("on_hand", "reserved").get(product__sku=sku)


def place(pluga: Partner, number: str = "1001", **changes: Any) -> Any:
    response = pluga.post("/orders", small_order(number, **changes))
    assert response.status_code == 201, response.content
    return response.json()["Order"]


def move(by: Partner, order: Any, status: str, **fields: Any) -> Any:
    response = by.put(f"/orders/{order['id']}", {"status": status, **fields})
    assert response.status_code == 200, response.content
    return response.json()["Order"]


# -- Arriving --------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked", [{}, {"auto_reserve": True}, {"auto_reserve": None}])
@pytest.mark.parametrize("status", ["pending", "approved", "picking"])
def test_an_order_keeps_its_units_from_the_beginning(pluga, mug, status, asked):
    place(pluga, status=status, **asked)

    assert level() == (3, 2)
    shown = make_partner(mug.store, "linx").get(f"/skus/{SKU}").json()["Product"]
    assert (shown["quantity"], shown["reserved"]) == (1, 2)


def test_a_channel_may_ask_to_keep_nothing(pluga, mug):
    order = place(pluga, auto_reserve=False)

    assert level() == (3, 0)

    pluga.put(f"/orders/{order['id']}", {"auto_reserve": True})
    assert level() == (3, 2)
    pluga.put(f"/orders/{order['id']}", {"auto_reserve": False})
    assert level() == (3, 0)


@pytest.mark.parametrize("status", sorted(set(OrderStatus) - KEEPING))
def test_an_order_that_comes_with_its_invoice_or_ended_takes_nothing(pluga, mug, status):
    place(pluga, status=status)

    assert level() == (3, 0)
    assert not Reservation.objects.exists()


def test_an_order_that_is_read_from_a_channel_keeps_its_units_once(store, mug):
    hub = managed(store, "pluggto")
    import_order(hub, RECORD)

    with pytest.raises(Exception, match="Changes not found"):
        import_order(hub, RECORD)

    assert level() == (3, 2)


def test_lines_of_one_product_are_kept_together(pluga, mug):
    place(pluga, items=[{"sku": SKU, "quantity": 1}, {"sku": SKU, "quantity": 2}])

    assert level() == (3, 3)


def test_the_variation_is_kept_and_not_its_product(store, pluga):
    shirt = {"sku": "CAM", "variations": [{"sku": "CAM-P", "quantity": 5}]}
    create_product(store, shirt, None)

    place(pluga, items=[{"sku": "CAM", "quantity": 2, "variation": {"sku": "CAM-P"}}])

    assert (level("CAM-P"), level("CAM")) == ((5, 2), (0, 0))


def test_absurd_quantities_of_one_product_are_no_error(pluga, mug):
    most = 2**31 - 1

    place(pluga, items=[{"sku": SKU, "quantity": most}, {"sku": SKU, "quantity": most}])

    assert level() == (3, 3)


# -- Moving ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_order_that_ends_gives_its_units_back(pluga, mug, status):
    order = place(pluga)

    move(pluga, order, status)

    assert level() == (3, 0)


@pytest.mark.parametrize("status", sorted(set(OrderStatus) - KEEPING - ENDED - UNDECIDED))
def test_the_units_of_an_order_that_is_invoiced_or_further_are_gone(pluga, mug, status):
    order = place(pluga)

    move(pluga, order, status)

    assert level() == (1, 0)


@pytest.mark.parametrize("status", sorted(UNDECIDED))
def test_while_nobody_can_say_which_units_are_gone_they_are_kept(pluga, mug, status):
    order = place(pluga)

    move(pluga, order, status)
    undecided = level()
    move(pluga, order, "invoiced")

    assert (undecided, level()) == ((3, 2), (1, 0))


@pytest.mark.parametrize("status", sorted(UNDECIDED))
@pytest.mark.parametrize(("quantity", "left"), [(1, 2), (3, 0)])
def test_what_its_channel_changes_meanwhile_counts_as_well(pluga, mug, status, quantity, left):
    order = place(pluga)
    move(pluga, order, status)

    pluga.put(f"/orders/{order['id']}", {"items": [{"sku": SKU, "quantity": quantity}]})
    kept = level()
    move(pluga, order, "invoiced")

    assert (kept, level()) == ((3, quantity), (left, 0))


def test_an_invoice_that_is_refused_and_mended_takes_the_units_once(pluga, mug):
    order = place(pluga)

    for status in ("invoiced", "invoice_error", "invoiced", "shipped", "delivered"):
        move(pluga, order, status)

    assert level() == (1, 0)


def test_an_order_that_its_channel_changes_wants_what_it_says_now(store, pluga, mug):
    create_product(store, {"sku": "B", "quantity": 9}, None)
    order = place(pluga)

    path, wanted = f"/orders/{order['id']}", []
    for items in (
        [{"sku": SKU, "quantity": 1}],
        [{"sku": SKU, "quantity": 1}, {"sku": "B", "quantity": 4}],
        [{"sku": "B", "quantity": 5}],
    ):
        assert pluga.put(path, {"items": items}).status_code == 200
        wanted.append((level(), level("B")))

    assert wanted == [((3, 1), (9, 0)), ((3, 1), (9, 4)), ((3, 0), (9, 5))]


def test_a_refused_step_keeps_what_was_kept(pluga, mug):
    order = place(pluga)
    move(pluga, order, "invoiced")

    refused = pluga.put(f"/orders/{order['id']}", {"status": "approved"})

    assert (refused.status_code, level()) == (400, (1, 0))


# -- Too few ---------------------------------------------------------------------------------------
def test_an_order_without_stock_is_stored_and_says_so_in_its_log(pluga, mug):
    place(pluga, "first")

    order = place(pluga, "second", log_history=[{"message": "Olá", "date": "2025-04-27"}])

    first, second = order["log_history"]
    assert first["message"] == "Olá"
    assert second["message"] == "Sem estoque reservado: CAN-07 (−1)."
    assert set(second) == {"message", "date"}
    assert [str(each) for each in Order.objects.short()] == ["second"]


def test_an_order_that_waits_is_served_when_another_is_cancelled(pluga, mug):
    first, _second = place(pluga, "first"), place(pluga, "second")

    move(pluga, first, "canceled")

    assert level() == (3, 2)
    assert not Order.objects.short().exists()


def test_an_order_that_waits_is_served_by_new_stock(pluga, rocky, mug):
    place(pluga, "first")
    place(pluga, "second")

    rocky.put(f"/skus/{SKU}/stock", {"action": "increase", "quantity": 1})

    assert level() == (4, 4)
    assert not Order.objects.short().exists()


# -- The platform that tells the stock -------------------------------------------------------------
def tell(rocky: Partner, quantity: int) -> None:
    rocky.put(f"/skus/{SKU}/stock", {"action": "update", "quantity": quantity})


def test_a_partner_that_took_the_order_tells_a_level_without_its_units(pluga, rocky, mug):
    order = place(pluga)
    rocky.put(f"/orders/{order['id']}", {"external": "5001", "ack": True})

    tell(rocky, 1)
    counted = level()
    move(rocky, order, "invoiced")

    assert (counted, level()) == ((1, 0), (1, 0))


def test_a_partner_that_never_says_that_it_took_the_order_is_not_believed_until_it_invoices_it(
    pluga, rocky, mug
):
    order = place(pluga)

    tell(rocky, 1)
    kept = level()
    move(rocky, order, "invoiced")

    assert (kept, level()) == ((1, 1), (1, 0))


def test_a_partner_that_could_not_take_the_order_does_not_have_it(pluga, rocky, mug):
    order = place(pluga)
    log = [{"message": "SKU desconhecido", "date": "2025-04-27"}]
    rocky.put(f"/orders/{order['id']}", {"log_history": log})

    tell(rocky, 3)

    assert level() == (3, 2)


def test_a_level_of_whoever_does_not_consume_the_order_yet_is_with_its_units(store, pluga, mug):
    """Webstore takes approved orders only."""
    webstore = make_activation(store, "webstore")
    place(pluga, status="pending")

    set_stock(store, [StockRecord(SKU, 3)], webstore)

    assert level() == (3, 2)


# -- Products that came after their orders ---------------------------------------------------------
def test_a_product_that_comes_later_is_kept_for_the_orders_that_wait_for_it(store, pluga):
    items = [
        {"sku": "CAM", "quantity": 1, "variation": {"sku": "CAM-P"}},
        {"sku": SKU, "quantity": 2, "variation": {"sku": None}},
        {"sku": "NADA", "quantity": 1},
    ]
    order = place(pluga, items=items)
    for sku in ("CAM-P", SKU):
        create_product(store, {"sku": sku, "quantity": 3}, None)

    link_all_late_lines()

    lines = Order.objects.get(public_id=order["id"]).lines.select_related("product")
    assert [line.product and line.product.sku for line in lines] == ["CAM-P", SKU, None]
    assert (level("CAM-P"), level()) == ((3, 1), (3, 2))
    assert late_orders() == []


def test_a_de_para_that_comes_later_is_kept_for_the_orders_that_wait_for_it(store, pluga, mug):
    place(pluga, items=[{"sku": "LOJA-7", "quantity": 2}])

    SkuMapping.objects.create(activation=pluga.activation, code="LOJA-7", product=mug)
    link_all_late_lines()

    assert level() == (3, 2)
    assert late_orders() == []


def test_another_integrations_de_para_says_nothing_of_a_channels_orders(pluga, rocky, mug):
    place(pluga, items=[{"sku": "LOJA-7", "quantity": 2}])

    SkuMapping.objects.create(activation=rocky.activation, code="LOJA-7", product=mug)

    assert late_orders() == []


def test_an_order_that_is_over_keeps_nothing_of_what_comes_later(store, pluga):
    order = place(pluga)
    move(pluga, order, "canceled")
    create_product(store, {"sku": SKU, "quantity": 3}, None)

    link_all_late_lines()

    assert level() == (3, 0)


def test_a_product_of_another_store_is_kept_for_nobody_here(pluga):
    place(pluga)
    other = make_partner(Store.objects.create(name="B", cnpj="12ABC34501DE35", domain="b"), "linx")

    create_product(other.activation.store, {"sku": SKU, "quantity": 3}, None)

    assert late_orders() == []


def test_a_product_that_is_deleted_and_comes_back_is_kept_again(store, pluga, mug):
    place(pluga)
    delete_product(store, mug.pk, None)
    create_product(store, {"sku": SKU, "quantity": 3}, None)

    link_all_late_lines()

    assert level() == (3, 2)


# -- All or nothing --------------------------------------------------------------------------------
def test_an_order_that_is_not_stored_keeps_nothing(store, pluga, mug):
    place(pluga)
    tools = make_activation(store, "pluga", plugin_url="https://tools.example/hook")

    again = pluga.post("/orders", small_order())

    assert again.status_code == 400
    assert level() == (3, 2)
    assert not Notice.objects.filter(activation=tools).exists()


def test_the_stores_tools_hear_of_the_stock_that_an_order_took(store, mug):
    tools = make_activation(store, "pluga", plugin_url="https://tools.example/hook")
    channel = make_activation(store, "pluga")

    order = create_order(channel, document())
    update_order(order.pk, become(OrderStatus.CANCELED), channel)

    told = Notice.objects.filter(activation=tools, topic="products")
    assert [notice.object_id for notice in told] == [mug.public_id] * 2
    assert all(notice.changes["stock"] for notice in told)


def test_a_channel_is_not_told_what_its_own_order_took(store, mug):
    channel: Activation = make_activation(store, "pluga", plugin_url="https://tools.example/hook")

    create_order(channel, document())

    assert not Notice.objects.filter(topic="products").exists()
