"""Linx Commerce V2, through its whole day: it is rung, fetches the order and queues it; or the
portal calls a platform that serves the store contract."""

import pytest

from catalog.models import Product
from catalog.services import save_product
from connectors.fiscal import cnpj_is_valid
from connectors.models import ActivationFlow, Connector, Failure, State
from connectors.records import OrderStatus
from orders.models import Order
from tests.conftest import make_store
from tests.connectors.day import MUG, SHIRT, Day, levels, refusal

pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "invoiced,shipping_informed,shipped,delivered"
ALLOWED = (
    "Permitido: invoiced (nfe_key, nfe_number, nfe_serie, nfe_date, nfe_link, cfops);"
    " delivered/shipped/shipping_informed (shipping_company, shipping_method, track_code,"
    " track_url, estimate_delivery_date, date_shipped, date_delivered,"
    " expected_collection_date)."
)
CHANNELS, ORDERS = "12ABC34501DE35", "00000000000191"


@pytest.fixture
def shop(day: Day):
    shop = day.open_shop(reports=REPORTS, by_notice="yes")
    shop.activation = day.switch_on(
        "linx", shop, setting_intermediary_cnpj="12.ABC.345/01DE-35", setting_store_version="v2"
    )
    shop.work()
    return shop


def fetch(shop, order):
    return shop.call("GET", f"/orders/{order.public_id}")["Order"]


# -- The partner calls us --------------------------------------------------------------------------
def test_an_account_is_added_and_its_channel_filled_in(day):
    shop = day.open_shop(reports=REPORTS, by_notice="yes")

    activation, shown = day.fill_in(
        "linx", shop, setting_intermediary_cnpj=CHANNELS, setting_store_version="v2"
    )
    shop.control("settings", shown)
    shop.control("put_product", MUG)
    shop.work()

    activation.refresh_from_db()
    assert activation.settings == {
        "intermediary_cnpj": CHANNELS,
        "custom_attributes": "",
        "store_version": "v2",
    }
    assert activation.state == State.ACTIVE
    assert levels(day.store)["CANECA"] == (39.9, 120)


def test_it_sends_products_with_their_custom_attributes(day, shop):
    attributes = [{"code": "tecido", "label": "Tecido", "value": "Algodão"}]
    shop.control("put_product", {**SHIRT, "attributes": attributes, "colecao": "Verão"})

    shop.work()

    shown = shop.call("GET", "/skus/CAMISETA")["Product"]
    assert [(a["code"], a["value"]) for a in shown["attributes"]] == [("tecido", "Algodão")]
    assert shown["colecao"] == "Verão"
    assert {each["sku"] for each in shown["variations"]} == {"CAMISETA-P", "CAMISETA-G"}


def test_prices_and_stock_come_when_they_change(day, shop):
    shop.control("put_product", SHIRT)
    shop.work()
    shop.control("set_price", {"sku": "CAMISETA-P", "price": 70, "special_price": 60})
    shop.control("set_stock", {"sku": "CAMISETA-P", "quantity": 3})

    shop.work()

    assert levels(day.store)["CAMISETA-P"] == (70, 3)
    assert shop.refusals == []


def test_the_portal_expects_a_full_pass_every_day(day, shop):
    flows = ActivationFlow.objects.filter(activation=shop.activation)

    every = dict(flows.values_list("flow", "every"))

    assert (every["products"], every["prices"], every["stock"]) == (86400, 86400, 86400)


def test_every_field_is_its_to_send_and_it_locks_none(day, shop):
    save_product(day.store, "CANECA", {**MUG, "ncm": "1"}, None)
    shop.control("put_product", {**MUG, "ncm": "6912.00.00", "warranty_time": 3})

    shop.work()

    fields = Product.objects.get().fields
    assert (fields["ncm"], fields["warranty_time"]) == ("6912.00.00", 3)
    assert "trava" not in day.page_of(shop.activation).lower()


def test_the_hubs_own_changes_of_the_catalogue_do_not_go_there(day, shop):
    save_product(day.store, "CANECA", MUG, None)
    day.run_flows(shop.activation)

    assert shop.notices == []


def test_every_new_order_is_rung_fetched_and_queued_whatever_its_status(day, shop):
    shop.credentials["reports"] = ""
    orders = {status: day.place_order(status) for status in OrderStatus.values}

    shop.work()

    queued = {order["id"]: order["status"] for order in shop.queue}
    assert queued == {order.public_id: status for status, order in orders.items()}
    assert {n["action"] for n in shop.notices} == {"created"}
    assert all(
        order.links.get(activation=shop.activation).acknowledged for order in orders.values()
    )


def test_approval_and_cancellation_are_status_updates_in_its_queue(day, shop):
    shop.credentials["reports"] = ""
    order = day.place_order("pending")
    shop.work()

    day.move_order(order, "approved")
    shop.work()
    day.move_order(order, "canceled")
    shop.work()

    assert [each["status"] for each in shop.queue] == ["pending", "approved", "canceled"]
    assert len(shop.orders) == 1


def test_it_reports_invoice_tracking_and_delivery(day, shop):
    order = day.place_order("approved")

    for _turn in range(4):
        shop.work()

    order.refresh_from_db()
    shipment = order.shipments.get()
    assert list(order.status_changes.values_list("status", flat=True)) == [
        "approved",
        "invoiced",
        "shipping_informed",
        "shipped",
        "delivered",
    ]
    assert (len(shipment.nfe_key), bool(shipment.track_code)) == (44, True)
    assert shipment.date_delivered is not None
    assert shop.refusals == []


def test_it_reports_the_statuses_freely_in_one_step_or_in_several(day, shop):
    order = day.place_order("approved")

    answer = shop.call("PUT", f"/orders/{order.public_id}", {"status": "delivered"})

    assert answer["Order"]["status"] == "delivered"


def test_cancelling_approving_and_changing_an_order_are_not_its_affair(day, shop):
    order = day.place_order("pending")

    for status in ("canceled", "approved"):
        answer = shop.call("PUT", f"/orders/{order.public_id}", {"status": status})
        assert refusal(answer) == (
            "not_allowed",
            f"Linx Commerce V2 não pode informar a situação {status}. {ALLOWED}",
        )
    changed = shop.call("PUT", f"/orders/{order.public_id}", {"total": 1})

    assert refusal(changed) == (
        "not_allowed",
        f"Linx Commerce V2 não pode alterar estes campos do pedido: total. {ALLOWED}",
    )
    order.refresh_from_db()
    assert order.status == "pending"


def test_it_creates_no_orders(day, shop):
    answer = shop.call("POST", "/orders", {"status": "approved", "items": []})

    assert refusal(answer) == (
        "not_allowed",
        "Linx Commerce V2 não cria pedidos: nesta integração eles vêm do hub.",
    )
    assert not Order.objects.exists()


def test_another_stores_orders_do_not_exist_for_it(day, shop, live_server, sandbox, operator):
    elsewhere = Day(live_server.url, sandbox, operator, make_store())
    order = elsewhere.place_order("approved")

    shop.work()

    assert (shop.queue, shop.notices) == ([], [])
    assert shop.call("GET", f"/orders/{order.public_id}")["type"] == "not_found"


# -- The intermediary ------------------------------------------------------------------------------
def test_the_orders_own_intermediary_goes_before_the_channels(day, shop):
    with_one = day.place_order("approved", sale_intermediary=ORDERS)
    without = day.place_order("approved", sale_intermediary=None)

    shop.work()

    queued = {order["id"]: order["sale_intermediary"] for order in shop.queue}
    listed = shop.call("GET", "/orders")["result"]
    assert queued[with_one.public_id] == ORDERS
    assert queued[without.public_id] == CHANNELS
    assert cnpj_is_valid(CHANNELS)
    assert {row["Order"]["sale_intermediary"] for row in listed} == {ORDERS, CHANNELS}


def test_it_is_this_channels_alone_and_not_written_into_the_order(day, shop):
    order = day.place_order("approved", sale_intermediary=None)
    other = day.open_shop(reports="")
    day.switch_on("webstore", other)

    shown = fetch(other, order)

    assert shown["sale_intermediary"] is None
    assert "sale_intermediary" not in Order.objects.get().fields


def test_an_order_sent_back_as_it_was_read_changes_nothing(day, shop):
    order = day.place_order("approved", sale_intermediary=None)
    read = fetch(shop, order)

    answer = shop.call("PUT", f"/orders/{order.public_id}", read)
    reported = shop.call("PUT", f"/orders/{order.public_id}", {**read, "status": "shipped"})

    assert answer["type"] == "not_updated"
    assert reported["Order"]["status"] == "shipped"
    assert not Order.objects.get().fields.get("sale_intermediary")


def test_without_either_the_order_goes_without(day):
    shop = day.open_shop(reports="", by_notice="yes")
    day.switch_on("linx", shop)
    order = day.place_order("approved", sale_intermediary=None)

    assert fetch(shop, order)["sale_intermediary"] is None


def test_a_number_that_is_no_cnpj_is_not_taken_for_the_channel(day):
    shop = day.open_shop(reports="")

    page = day.refused_form("linx", shop, "channel", setting_intermediary_cnpj="12.ABC.345/01DE-36")

    assert "Este CNPJ não existe: confira os dígitos." in page


def test_its_details_show_how_it_is_activated_and_reached(day):
    connector = Connector.objects.get(slug="linx")
    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert "por chamado" in page
    assert "migração de compatibilidade de versão" in page
    assert "CNPJ do intermediador: o de cada pedido" in page


# -- We call the platform --------------------------------------------------------------------------
@pytest.fixture
def platform(day: Day):
    platform = day.open_platform(reports=REPORTS)
    platform.activation = day.switch_on_managed(
        "linx", platform, setting_intermediary_cnpj=CHANNELS
    )
    return platform


def test_managed_its_day_from_the_attributes_to_the_delivery(day, platform):
    attributes = [{"code": "tecido", "label": "Tecido", "value": "Algodão"}]
    platform.control("put_product", {**SHIRT, "attributes": attributes})
    for _turn in range(2):
        day.run_flows(platform.activation)

    order = day.place_order("pending", sale_intermediary=None)
    day.run_flows(platform.activation)
    day.move_order(order, "approved")
    for _turn in range(4):
        day.run_flows(platform.activation)
        platform.work()
    day.run_flows(platform.activation)

    order.refresh_from_db()
    there = platform.orders[order.public_id]
    shirt = Product.objects.get(sku="CAMISETA")
    assert shirt.fields["attributes"][0]["value"] == "Algodão"
    assert levels(day.store)["CAMISETA-P"] == (79.9, 40)
    assert there.told[:2] == ["pending", "approved"]
    assert there.document["sale_intermediary"] == CHANNELS
    assert order.status == "delivered"
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_managed_a_cancellation_is_told(day, platform):
    order = day.place_order("approved")
    day.run_flows(platform.activation)

    day.move_order(order, "canceled")
    day.run_flows(platform.activation)

    assert platform.orders[order.public_id].told == ["approved", "canceled"]


def test_managed_it_is_looked_at_every_quarter_of_an_hour(day, platform):
    flows = ActivationFlow.objects.filter(activation=platform.activation)

    every = dict(flows.values_list("flow", "every"))

    assert (every["products"], every["prices"], every["stock"]) == (900, 900, 900)


def test_managed_an_answer_that_was_lost_makes_no_second_order(day, platform):
    platform.faults = type(platform.faults)({"lost_answer": 1})
    order = day.place_order("approved")
    day.run_flows(platform.activation)

    platform.faults = type(platform.faults)({})
    day.run_flows(platform.activation)

    assert len(platform.orders) == 1
    assert order.links.get(activation=platform.activation).external_id == (
        platform.orders[order.public_id].id
    )
