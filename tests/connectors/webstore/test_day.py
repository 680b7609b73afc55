"""Webstore, through its whole day: an App that the portal opens with a code, or a platform that
serves the store contract."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from catalog.models import Product
from catalog.services import save_product
from connectors import http
from connectors.models import ActivationFlow, Connector, Failure, Notice, State
from connectors.records import OrderStatus
from connectors.sandbox.faults import Faults
from orders.models import Order
from tests.conftest import make_store
from tests.connectors.admin.conftest import LIST
from tests.connectors.day import MUG, SHIRT, Day, levels, refusal

pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "invoiced,shipped"
ALLOWED = (
    "Permitido: invoiced (nfe_key, nfe_number, nfe_serie, nfe_date, nfe_link, cfops);"
    " shipped/shipping_informed (shipping_company, shipping_method, track_code, track_url,"
    " estimate_delivery_date, date_shipped, date_delivered, expected_collection_date)."
)
INVOICE = {
    "nfe_key": "35250411222333000181550010000228461512736891",
    "nfe_number": "22846",
    "nfe_serie": "1",
    "nfe_date": "2025-04-28T05:07:48.000Z",
}


def open_at_partner(day, activation):
    """The operator clicks; his browser goes where the portal sends it."""
    answer = day.browser.post(f"{LIST}{activation.pk}/open/")
    requests.get(answer["Location"], timeout=20)
    return answer["Location"]


@pytest.fixture
def shop(day: Day):
    """Its program knows whose App it is; it was let in by the code alone."""
    shop = day.open_shop(reports=REPORTS)
    shop.activation, shown = day.fill_in("webstore", shop)
    names = ("client_id", "client_secret", "webhook_secret")
    shop.control("settings", {name: shown[name] for name in names})
    open_at_partner(day, shop.activation)
    return shop


# -- The partner calls us --------------------------------------------------------------------------
def test_the_redirect_with_a_code_lets_the_app_in_without_user_or_password(day):
    shop = day.open_shop(reports=REPORTS)
    activation, shown = day.fill_in("webstore", shop)
    shop.control("settings", {name: shown[name] for name in ("client_id", "client_secret")})
    state_before = activation.state

    location = open_at_partner(day, activation)
    shop.work()

    activation.refresh_from_db()
    assert location.startswith(f"{day.url_of(shop)}?pluggtocode=")
    assert (state_before, activation.state) == (State.WAITING, State.ACTIVE)
    assert shop.refusals == []


def test_a_code_is_good_for_one_use_and_the_refresh_token_goes_on(day, shop):
    location = open_at_partner(day, shop.activation)
    [code] = parse_qs(urlsplit(location).query)["pluggtocode"]
    again = requests.get(location, timeout=20)
    shop.token = ""

    shop.work()

    assert again.status_code == 500  # the App was refused
    assert code
    assert shop.token
    assert shop.refusals == []


def test_it_sends_its_catalogue_with_prices_and_stock(day, shop):
    shop.control("put_product", MUG)
    shop.control("put_product", SHIRT)
    shop.work()
    shop.control("set_price", {"sku": "CAMISETA-P", "price": 70})
    shop.control("set_stock", {"sku": "CAMISETA-P", "quantity": 3})

    shop.work()

    assert Product.objects.get(sku="CAMISETA-P").parent.sku == "CAMISETA"
    assert levels(day.store)["CANECA"] == (39.9, 120)
    assert levels(day.store)["CAMISETA-P"] == (70, 3)
    assert shop.refusals == []


def test_the_portal_expects_its_catalogue_every_fifteen_minutes_and_nobody_sets_that(day, shop):
    flows = ActivationFlow.objects.filter(activation=shop.activation)

    every = dict(flows.values_list("flow", "every"))

    assert (every["products"], every["prices"], every["stock"]) == (900, 900, 900)
    assert 'name="interval_' not in day.page_of(shop.activation)


def test_it_may_send_every_field_and_locks_none(day, shop):
    save_product(day.store, "CANECA", {**MUG, "ncm": "1"}, None)
    shop.control("put_product", {**MUG, "name": "Outra", "ncm": "6912.00.00", "handling_time": 3})

    shop.work()

    product = Product.objects.get()
    assert (product.name, product.fields["ncm"], product.fields["handling_time"]) == (
        "Outra",
        "6912.00.00",
        3,
    )
    assert "trava" not in day.page_of(shop.activation).lower()


def test_the_hubs_catalogue_never_goes_back(day, shop):
    save_product(day.store, "CANECA", MUG, None)
    day.run_flows(shop.activation)

    assert shop.notices == []
    assert not Notice.objects.filter(activation=shop.activation).exists()


def test_it_takes_approved_orders_only_and_sees_no_pending_one(day, shop):
    orders = {status: day.place_order(status) for status in OrderStatus.values}

    shop.work()

    taken = {order.status for order in orders.values() if order.public_id in shop.orders}
    hidden = [
        status
        for status, order in orders.items()
        if shop.call("GET", f"/orders/{order.public_id}").get("type") == "not_found"
    ]
    assert taken == {"approved", "paid"}
    assert set(hidden) == set(OrderStatus.values) - {"approved", "paid"}
    assert {notice["id"] for notice in shop.notices} == set(shop.orders)


def test_it_hears_of_a_pending_order_only_when_the_hub_approves_it(day, shop):
    order = day.place_order("pending")
    heard_before = list(shop.notices)

    day.move_order(order, "approved")
    shop.work()

    assert heard_before == []
    assert [notice["id"] for notice in shop.notices] == [order.public_id]
    assert shop.orders[order.public_id]["statuses"][0] == "approved"


def test_an_order_cancelled_before_it_was_approved_never_gets_there(day, shop):
    order = day.place_order("pending")

    day.move_order(order, "canceled")
    shop.work()

    assert (shop.orders, shop.notices) == ({}, [])


def test_a_cancelled_order_leaves_its_list(day, shop):
    """Nothing asks it to cancel, as the table says. What it took it can still read."""
    shop.credentials["reports"] = ""
    order = day.place_order("approved")
    shop.work()

    day.move_order(order, "canceled")
    listed = shop.call("GET", "/orders")["result"]
    read = shop.call("GET", f"/orders/{order.public_id}")["Order"]

    assert listed == []
    assert read["status"] == "canceled"
    assert shop.notices[-1]["id"] == order.public_id


def test_the_invoice_and_then_shipped_with_tracking(day, shop):
    order = day.place_order("approved")

    shop.work()
    shop.work()

    order.refresh_from_db()
    shipment = order.shipments.get()
    assert list(order.status_changes.values_list("status", flat=True)) == [
        "approved",
        "invoiced",
        "shipped",
    ]
    assert (len(shipment.nfe_key), shipment.shipping_company) == (44, "Correios")
    assert order.links.get(activation=shop.activation).external_id.startswith(shop.name)


def test_shipping_informed_at_once_with_invoice_and_dispatch(day, shop):
    order = day.place_order("approved")
    shipment = {**INVOICE, "shipping_company": "Jadlog", "track_code": "123"}

    answer = shop.call(
        "PUT",
        f"/orders/{order.public_id}",
        {"status": "shipping_informed", "shipments": [shipment]},
    )

    order.refresh_from_db()
    assert answer["Order"]["status"] == order.status == "shipping_informed"
    assert [each["nfe_number"] for each in answer["Order"]["shipments"]] == ["22846"]


def test_delivered_or_cancelled_is_not_its_to_say(day, shop):
    order = day.place_order("approved")

    for status in ("delivered", "canceled", "picking"):
        answer = shop.call("PUT", f"/orders/{order.public_id}", {"status": status})

        assert refusal(answer) == (
            "not_allowed",
            f"Webstore não pode informar a situação {status}. {ALLOWED}",
        )
    order.refresh_from_db()
    assert order.status == "approved"


def test_orders_never_come_back_from_it(day, shop):
    answer = shop.call("POST", "/orders", {"status": "approved", "items": []})

    assert refusal(answer) == (
        "not_allowed",
        "Webstore não cria pedidos: nesta integração eles vêm do hub.",
    )
    assert not Order.objects.exists()


def test_another_stores_orders_do_not_exist_for_it(day, shop, live_server, sandbox, operator):
    elsewhere = Day(live_server.url, sandbox, operator, make_store())
    order = elsewhere.place_order("approved")

    shop.work()

    assert (shop.orders, shop.notices) == ({}, [])
    assert shop.call("GET", f"/orders/{order.public_id}")["type"] == "not_found"


def test_its_details_show_its_contacts(day):
    connector = Connector.objects.get(slug="webstore")
    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert "atendimento@webstore.net.br" in page
    assert "contatos: desenvolvedor, central de atendimento, comercial" in page


# -- We call the platform --------------------------------------------------------------------------
@pytest.fixture
def platform(day: Day):
    platform = day.open_platform(reports=REPORTS)
    platform.activation = day.switch_on_managed("webstore", platform)
    return platform


def test_managed_its_day_from_the_catalogue_to_the_tracking(day, platform):
    platform.control("put_product", SHIRT)
    for _turn in range(2):
        day.run_flows(platform.activation)

    order = day.place_order("approved")
    for _turn in range(2):
        day.run_flows(platform.activation)
        platform.work()
    day.run_flows(platform.activation)

    order.refresh_from_db()
    assert levels(day.store)["CAMISETA-G"] == (84.9, 25)
    assert platform.orders[order.public_id].told[0] == "approved"
    assert list(order.status_changes.values_list("status", flat=True)) == [
        "approved",
        "invoiced",
        "shipped",
    ]
    assert order.shipments.get().track_code
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_managed_no_pending_order_is_pushed_and_no_cancellation(day, platform):
    pending, dropped = day.place_order("pending"), day.place_order("approved")
    day.run_flows(platform.activation)

    day.move_order(dropped, "canceled")
    day.run_flows(platform.activation)

    assert set(platform.orders) == {dropped.public_id}
    assert platform.orders[dropped.public_id].told == ["approved"]
    assert not pending.links.filter(activation=platform.activation).exists()


def test_managed_a_slow_platform_counts_as_down_until_it_answers_in_time(
    day, platform, monkeypatch
):
    platform.control("put_product", MUG)
    platform.faults = Faults({"slow": 1})
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    day.run_flows(platform.activation)
    slow = ActivationFlow.objects.filter(activation=platform.activation, failures_in_a_row__gt=0)
    while_slow = slow.count()

    platform.faults = Faults({})
    monkeypatch.setattr(http, "READ_SECONDS", 30)
    day.run_flows(platform.activation)
    day.run_flows(platform.activation)

    assert while_slow > 0
    assert slow.count() == 0
    assert levels(day.store)["CANECA"] == (39.9, 120)


def test_managed_a_token_that_ends_pauses_and_a_new_one_takes_up_again(day, platform):
    activation = platform.activation
    platform.control("put_product", MUG)
    platform.credentials["token"] = "the-next-one"
    day.run_flows(activation)
    activation.refresh_from_db()
    paused = activation.state, activation.paused_reason

    day.change(activation, credential_token="the-next-one")
    day.resume(activation)
    day.run_flows(activation)
    day.run_flows(activation)

    assert paused[0] == State.PAUSED
    assert "HTTP 401" in paused[1]
    assert levels(day.store)["CANECA"] == (39.9, 120)
