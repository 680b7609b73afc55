"""Rocky E-Commerce, through its whole day: its own program calls the hub over HTTP, or the portal
calls a platform that serves the store contract."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Product
from catalog.services import save_product
from connectors.models import ActivationFlow, Connector, Failure, Notice, State
from connectors.records import OrderStatus
from connectors.sandbox.faults import Faults
from orders.models import Order
from tests.conftest import make_store
from tests.connectors.admin.conftest import ADD
from tests.connectors.day import MUG, SHIRT, Day, levels, refusal

pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "invoiced,shipping_informed"
ALLOWED = (
    "Permitido: invoiced (nfe_key, nfe_number, nfe_serie, nfe_date, nfe_link, cfops);"
    " shipping_informed (shipping_company, shipping_method, track_code, track_url,"
    " estimate_delivery_date, date_shipped, date_delivered, expected_collection_date)."
)
MERCHANTS = {
    "handling_time": 2,
    "manufacture_time": 5,
    "warranty_time": 12,
    "warranty_message": "Guarde a nota",
    "ncm": "6109.10.00",
    "isbn": "9788533613379",
    "nbm": "6109",
    "cest": "28.038.00",
}


@pytest.fixture
def shop(day: Day):
    shop = day.open_shop(reports=REPORTS)
    shop.activation = day.switch_on("rocky", shop)
    return shop


# -- The partner calls us --------------------------------------------------------------------------
def test_the_operator_finds_it_by_name_and_the_shown_values_let_the_partner_in(day):
    found = day.browser.get("/admin/connectors/connector/?q=Rocky+E-Commerce").content.decode()
    connector = Connector.objects.get(slug="rocky")
    details = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/")
    shop = day.open_shop(reports=REPORTS)

    activation, shown = day.fill_in("rocky", shop, name="Rocky da loja")
    state_before = activation.state
    shop.control("settings", shown)
    shop.work()

    activation.refresh_from_db()
    assert f"/admin/connectors/connector/{connector.pk}/change/" in found
    assert ADD + "rocky" in details.content.decode()
    assert set(shown) >= {"client_id", "client_secret", "api_user", "api_secret"}
    assert (state_before, activation.state) == (State.WAITING, State.ACTIVE)
    assert activation.plugin_url == day.url_of(shop)
    assert shop.refusals == []


def test_wrong_credentials_let_nobody_in(day):
    shop = day.open_shop(reports=REPORTS)
    activation, shown = day.fill_in("rocky", shop)
    shop.control("settings", {**shown, "client_secret": "another"})

    shop.work()

    activation.refresh_from_db()
    assert activation.state == State.WAITING
    assert shop.refusals == ["HTTPError"]


def test_it_exports_simple_products_and_products_with_variations(day, shop):
    shop.control("put_product", MUG)
    shop.control("put_product", SHIRT)

    shop.work()

    parents = dict(Product.objects.values_list("sku", "parent__sku"))
    assert parents == {
        "CANECA": None,
        "CAMISETA": None,
        "CAMISETA-P": "CAMISETA",
        "CAMISETA-G": "CAMISETA",
    }
    assert levels(day.store) == {
        "CANECA": (39.9, 120),
        "CAMISETA": (79.9, 0),
        "CAMISETA-P": (79.9, 40),
        "CAMISETA-G": (84.9, 25),
    }
    assert (shop.refusals, shop.unsent) == ([], {})


def test_prices_and_stock_that_it_sends_at_its_next_turn_are_the_hubs(day, shop):
    shop.control("put_product", MUG)
    shop.work()

    shop.control("set_price", {"sku": "CANECA", "price": 35, "special_price": 30})
    shop.control("set_stock", {"sku": "CANECA", "quantity": 7})
    before = levels(day.store)
    shop.work()

    assert (before["CANECA"], levels(day.store)["CANECA"]) == ((39.9, 120), (35, 7))
    assert Product.objects.get().price_row.special_price == 30


def test_the_portal_expects_it_every_ten_and_every_five_minutes(day, shop):
    flows = ActivationFlow.objects.filter(activation=shop.activation)

    every = dict(flows.values_list("flow", "every"))

    assert (every["products"], every["prices"], every["stock"]) == (600, 600, 300)


def test_or_as_often_as_the_client_sets_it(day, shop):
    day.change(shop.activation, interval_ProductSource="60", interval_StockSource="2")

    flows = ActivationFlow.objects.filter(activation=shop.activation)
    every = dict(flows.values_list("flow", "every"))
    assert (every["products"], every["prices"], every["stock"]) == (3600, 600, 120)


def test_what_it_cannot_send_is_the_merchants_and_is_never_blanked(day, shop):
    save_product(day.store, "CANECA", {**MUG, **MERCHANTS}, None)
    shop.control("put_product", {**MUG, "name": "Caneca nova", **dict.fromkeys(MERCHANTS)})

    shop.work()

    product = Product.objects.get()
    assert product.name == "Caneca nova"
    assert {name: product.fields[name] for name in MERCHANTS} == MERCHANTS


def test_alone_what_it_cannot_send_is_refused(day, shop):
    save_product(day.store, "CANECA", MUG, None)

    answer = shop.call("PUT", "/skus/CANECA", {"ncm": "1", "cest": "2"})

    assert refusal(answer) == (
        "not_allowed",
        "Rocky E-Commerce não pode alterar produtos nestes campos: cest, ncm.",
    )


def test_it_has_no_locks_so_whatever_it_sends_is_written(day, shop):
    save_product(day.store, "CANECA", MUG, None)
    shop.control("put_product", {**MUG, "name": "Outra", "price": 1, "quantity": 1})

    shop.work()

    assert "trava" not in day.page_of(shop.activation).lower()
    assert Product.objects.get().name == "Outra"
    assert levels(day.store)["CANECA"] == (1, 1)


def test_the_hubs_catalogue_never_goes_back(day, shop):
    shop.work()

    save_product(day.store, "CANECA", MUG, None)
    day.run_flows(shop.activation)

    assert shop.notices == []
    assert not Notice.objects.filter(activation=shop.activation).exists()


def test_a_new_order_is_rung_then_fetched_and_acknowledged_with_the_shops_number(day, shop):
    shop.work()

    order = day.place_order("pending")
    heard = list(shop.notices)
    shop.work()

    link = order.links.get(activation=shop.activation)
    assert [(n["type"], n["id"], n["action"]) for n in heard] == [
        ("orders", order.public_id, "created")
    ]
    assert (link.external_id, link.acknowledged) == (shop.orders[order.public_id]["number"], True)


def test_it_takes_pending_and_approved_orders_and_no_others(day, shop):
    orders = {status: day.place_order(status) for status in OrderStatus.values}

    shop.work()

    taken = {order.status for order in orders.values() if order.public_id in shop.orders}
    listed = shop.call("GET", "/orders")["result"]
    assert taken == {"pending", "approved", "paid"}
    assert {row["Order"]["id"] for row in listed} <= set(shop.orders)
    hidden = shop.call("GET", f"/orders/{orders['shipped'].public_id}")
    assert hidden["type"] == "not_found"


def test_a_pending_order_is_approved_there_when_the_hub_approves_it(day, shop):
    order = day.place_order("pending")
    shop.work()

    day.move_order(order, "approved")
    shop.work()

    assert shop.orders[order.public_id]["statuses"][:2] == ["pending", "approved"]


def test_a_taken_order_is_cancelled_there_when_the_hub_cancels_it(day, shop):
    order = day.place_order("pending")
    shop.work()

    day.move_order(order, "canceled")
    shop.work()

    assert shop.orders[order.public_id]["statuses"] == ["pending", "canceled"]


def test_the_invoice_then_the_tracking_and_then_no_more(day, shop):
    order = day.place_order("approved")

    shop.work()
    invoiced = shop.call("GET", f"/orders/{order.public_id}")["Order"]
    shop.work()
    refused = shop.call("PUT", f"/orders/{order.public_id}", {"status": "delivered"})

    order.refresh_from_db()
    shipment = order.shipments.get()
    steps = list(order.status_changes.values_list("status", "author")[1:])
    assert (invoiced["status"], invoiced["shipments"][0]["nfe_serie"]) == ("invoiced", "1")
    assert [status for status, _author in steps] == ["invoiced", "shipping_informed"]
    assert {author for _status, author in steps} == {str(shop.activation)}
    assert (len(shipment.nfe_key), bool(shipment.nfe_link)) == (44, True)
    assert (shipment.shipping_company, shipment.track_code[:2]) == ("Correios", "AA")
    assert refusal(refused) == (
        "not_allowed",
        f"Rocky E-Commerce não pode informar a situação delivered. {ALLOWED}",
    )
    assert order.status == "shipping_informed"


def test_orders_never_come_back_from_it(day, shop):
    answer = shop.call("POST", "/orders", {"status": "approved", "items": []})

    assert refusal(answer) == (
        "not_allowed",
        "Rocky E-Commerce não cria pedidos: nesta integração eles vêm do hub.",
    )
    assert not Order.objects.exists()


def test_another_stores_orders_and_products_do_not_exist_for_it(
    day, shop, live_server, sandbox, operator
):
    from_elsewhere = Day(live_server.url, sandbox, operator, make_store())
    order = from_elsewhere.place_order("approved")
    save_product(from_elsewhere.store, "CANECA", MUG, None)

    shop.work()

    assert (shop.orders, shop.notices) == ({}, [])
    assert shop.call("GET", f"/orders/{order.public_id}")["type"] == "not_found"
    assert shop.call("PUT", f"/orders/{order.public_id}", {"ack": True})["type"] == "not_found"
    assert shop.call("GET", "/skus/CANECA")["type"] == "not_found"


def test_its_details_show_its_contacts_and_support_records_its_own(day):
    connector = Connector.objects.get(slug="rocky")
    page = f"/admin/connectors/connector/{connector.pk}/change/"

    shown = day.browser.get(page).content.decode()
    day.browser.post(page, {"enabled": "on", "contacts": "Suporte: Ana; desenvolvedor: Rui"})

    connector.refresh_from_db()
    assert "suporte@rockyecommerce.com.br" in shown
    assert "contatos: suporte, desenvolvedor" in shown
    assert connector.contacts == "Suporte: Ana; desenvolvedor: Rui"


# -- We call the platform --------------------------------------------------------------------------
@pytest.fixture
def platform(day: Day):
    platform = day.open_platform(reports=REPORTS)
    platform.activation = day.switch_on_managed("rocky", platform)
    return platform


def test_managed_its_catalogue_prices_and_stock_are_pulled(day, platform):
    platform.control("put_product", MUG)
    platform.control("put_product", SHIRT)

    day.run_flows(platform.activation)
    day.run_flows(platform.activation)

    assert levels(day.store)["CAMISETA-G"] == (84.9, 25)
    assert levels(day.store)["CANECA"] == (39.9, 120)
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_managed_each_flow_waits_for_its_turn(day, platform):
    for _turn in range(2):  # prices and stock begin when the products are there
        day.run_flows(platform.activation)
    now = timezone.now()

    waits = {
        flow.flow: flow.due_at - now
        for flow in ActivationFlow.objects.filter(activation=platform.activation)
    }

    assert timedelta() < waits["products"] <= timedelta(minutes=10)
    assert timedelta() < waits["prices"] <= timedelta(minutes=10)
    assert timedelta() < waits["stock"] <= timedelta(minutes=5)


def test_managed_the_client_sets_how_often_it_is_looked_at(day, platform):
    day.run_flows(platform.activation)

    day.change(platform.activation, interval_StockSource="1")

    flow = ActivationFlow.objects.get(activation=platform.activation, ability="StockSource")
    assert (flow.every, flow.due_at <= timezone.now()) == (60, True)


def test_managed_a_pending_order_is_pushed_approved_invoiced_and_tracked(day, platform):
    order = day.place_order("pending")
    day.run_flows(platform.activation)

    day.move_order(order, "approved")
    for _turn in range(2):
        platform.work()
        day.run_flows(platform.activation)

    order.refresh_from_db()
    there = platform.orders[order.public_id]
    assert there.told[:2] == ["pending", "approved"]
    assert order.links.get(activation=platform.activation).external_id == there.id
    assert list(order.status_changes.values_list("status", flat=True)) == [
        "pending",
        "approved",
        "invoiced",
        "shipping_informed",
    ]
    assert order.shipments.get().track_code == there.tracking["code"]


def test_managed_a_cancellation_is_told(day, platform):
    order = day.place_order("approved")
    day.run_flows(platform.activation)

    day.move_order(order, "canceled")
    day.run_flows(platform.activation)

    assert platform.orders[order.public_id].told == ["approved", "canceled"]


def test_managed_what_it_may_not_report_is_refused(day, platform):
    order = day.place_order("approved")
    day.run_flows(platform.activation)

    platform.control("fulfil", {"order_id": order.public_id, "status": "delivered"})
    day.run_flows(platform.activation)

    failure = Failure.objects.get(resolved_at=None)
    assert f"não pode informar a situação delivered. {ALLOWED}" in failure.reason


def test_managed_a_wrong_token_pauses_the_integration_with_its_reason(day):
    platform = day.open_platform(reports=REPORTS)

    activation = day.switch_on_managed("rocky", platform, credential_token="another")

    assert activation.state == State.PAUSED
    assert activation.paused_reason == "GET check: HTTP 401"


def test_managed_a_platform_that_is_down_is_asked_again_and_nothing_is_lost(day, platform):
    platform.control("put_product", MUG)
    order = day.place_order("approved")
    platform.faults = Faults({"down": 1})
    day.run_flows(platform.activation)
    failed = ActivationFlow.objects.filter(activation=platform.activation, failures_in_a_row__gt=0)
    while_down = failed.count()

    platform.faults = Faults({})
    day.run_flows(platform.activation)
    day.run_flows(platform.activation)

    assert while_down > 0
    assert failed.count() == 0
    assert levels(day.store)["CANECA"] == (39.9, 119)  # one is sold
    assert platform.orders[order.public_id].told == ["approved"]
