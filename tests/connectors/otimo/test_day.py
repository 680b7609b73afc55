"""Ótimo Gestor, through its whole day: the ERP's program calls the hub over HTTP, or the portal
calls an ERP that serves the store contract; the merchant types the tracking."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.models import Product, SkuMapping
from catalog.services import save_product
from connectors.models import ActivationFlow, Connector, Failure, Notice, State
from connectors.records import OrderStatus
from orders.models import Order, Shipment
from tests.conftest import make_store
from tests.connectors.admin.conftest import form_on
from tests.connectors.day import MUG, SHIRT, Day, levels, refusal

pytestmark = pytest.mark.django_db(transaction=True)

ONLY = "nfe_date,nfe_number,nfe_serie,nfe_key"
ALLOWED = "Permitido: invoiced (nfe_date, nfe_number, nfe_serie, nfe_key)."
FOUR_FACTS = {
    "nfe_date": "2025-04-28T05:07:48.000Z",
    "nfe_number": "22846",
    "nfe_serie": "1",
    "nfe_key": "35250411222333000181550010000228461512736891",
}
TYPED = {"shipping_company": "Jadlog", "track_code": "JD0001", "date_shipped": ""}


@pytest.fixture
def shop(day: Day):
    """The merchant has registered his products with the ERP's own codes."""
    for goods in (MUG, SHIRT):
        save_product(day.store, goods["sku"], {**goods}, None)
    shop = day.open_shop(reports="invoiced", only=ONLY)
    shop.activation = day.switch_on("otimo", shop, custom_name="ERP da loja")
    shop.work()
    return shop


@pytest.fixture
def merchant(day: Day) -> Client:
    user = User.objects.create_user("lojista")
    day.store.members.add(user)
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(order):
    return f"/orders/{order.public_id}/"


def has_form(browser, order):
    return 'name="track_code"' in browser.get(page_of(order)).content.decode()


# -- The partner calls us --------------------------------------------------------------------------
def test_it_is_switched_on_with_a_custom_name_and_its_keys_let_it_in(day):
    shop = day.open_shop(reports="invoiced", only=ONLY)

    activation, shown = day.fill_in("otimo", shop, name="Ótimo", custom_name="ERP da loja")
    shop.control("settings", shown)
    shop.work()

    activation.refresh_from_db()
    assert (activation.name, activation.custom_name) == ("Ótimo", "ERP da loja")
    assert set(shown) >= {"client_id", "client_secret", "api_user", "api_secret"}
    assert activation.state == State.ACTIVE
    assert shop.refusals == []


@pytest.mark.parametrize(
    ("method", "path", "body", "names"),
    [
        ("POST", "/products", {"sku": "NOVO", "name": "X", "price": 1}, "name, price, sku"),
        ("PUT", "/skus/NOVO", {"name": "X"}, "name"),
        ("PUT", "/skus/CANECA", {"name": "X", "description": "Y"}, "description, name"),
        (
            "PUT",
            "/skus/CAMISETA",
            {"variations": [{"sku": "CAMISETA-P", "name": "X"}]},
            "variations",
        ),
        (
            "PUT",
            "/skus/CAMISETA",
            {"variations": [{"sku": "CAMISETA-P", "remove": True}]},
            "variations",
        ),
        ("DELETE", "/skus/CANECA", None, "delete"),
    ],
)
def test_it_creates_changes_and_deletes_no_product(day, shop, method, path, body, names):
    answer = shop.call(method, path, body)

    assert refusal(answer) == (
        "not_allowed",
        f"Ótimo Gestor não pode alterar produtos nestes campos: {names}.",
    )
    assert Product.objects.count() == 4
    assert Product.objects.get(sku="CANECA").name == "Caneca"


def test_it_sends_price_and_stock_and_nothing_else_of_what_it_sends_is_written(day, shop):
    shop.control("set_price", {"sku": "CANECA", "price": 35, "name": "X", "ncm": ""})
    shop.control("set_stock", {"sku": "CAMISETA-P", "quantity": 2})

    shop.work()

    assert levels(day.store)["CANECA"] == (35, 120)
    assert levels(day.store)["CAMISETA-P"] == (79.9, 2)
    assert Product.objects.get(sku="CANECA").name == "Caneca"
    assert shop.refusals == []


def test_it_sends_price_and_stock_of_variations_inside_their_product(day, shop):
    small = {"sku": "CAMISETA-P", "price": 71, "quantity": 3, "name": "X", "remove": True}

    shop.call("PUT", "/skus/CAMISETA", {"variations": [small, {"sku": "CAMISETA-G"}]})

    assert levels(day.store)["CAMISETA-P"] == (71, 3)
    assert levels(day.store)["CAMISETA-G"] == (84.9, 25)
    assert Product.objects.get(sku="CAMISETA-P").name == "Camiseta P"


def test_it_adds_no_variation(day, shop):
    answer = shop.call("PUT", "/skus/CAMISETA", {"variations": [{"sku": "NOVA", "price": 1}]})

    assert answer["type"] == "not_found"
    assert Product.objects.count() == 4


def test_what_the_store_has_otherwise_does_not_stop_what_it_has(day, shop):
    elsewhere = [{"sku": "NOVA", "price": 1}, {"sku": "CANECA", "quantity": 9}]

    small = {"sku": "CAMISETA-P", "quantity": 3}
    shop.call("PUT", "/skus/CAMISETA", {"variations": [small, *elsewhere]})
    shop.call("PUT", "/skus/CANECA", {"price": 36, "quantity": 7, "variations": elsewhere[:1]})

    assert levels(day.store)["CAMISETA-P"] == (79.9, 3)
    assert levels(day.store)["CANECA"] == (36, 7)
    assert Product.objects.count() == 4


def test_the_portal_expects_prices_and_stock_every_five_minutes_and_no_products(day, shop):
    flows = ActivationFlow.objects.filter(activation=shop.activation)

    every = dict(flows.values_list("flow", "every"))

    assert (every["prices"], every["stock"]) == (300, 300)
    assert "products" not in every


def test_the_hubs_catalogue_does_not_go_there(day, shop):
    save_product(day.store, "NOVO", {"name": "Novo", "price": 1}, None)
    day.run_flows(shop.activation)

    assert shop.notices == []


def test_the_codes_of_the_de_para_are_the_erps(day, shop):
    """For a store that had a catalogue already; in any other the SKUs are the ERP's codes."""
    product = Product.objects.get(sku="CANECA")
    SkuMapping.objects.create(activation=shop.activation, code="000123", product=product)
    shop.control("set_price", {"sku": "000123", "price": 31})
    shop.control("set_stock", {"sku": "000123", "quantity": 9})

    shop.work()

    assert levels(day.store)["CANECA"] == (31, 9)


def test_a_code_that_nobody_knows_is_refused(day, shop):
    answer = shop.call("PUT", "/skus/OUTRO/stock", {"action": "update", "quantity": 1})

    assert answer["type"] == "not_found"
    assert Product.objects.count() == 4


def test_it_takes_approved_orders_only(day, shop):
    orders = {status: day.place_order(status) for status in OrderStatus.values}

    shop.work()

    taken = {order.status for order in orders.values() if order.public_id in shop.orders}
    assert taken == {"approved", "paid"}
    assert {notice["id"] for notice in shop.notices} == set(shop.orders)


def test_it_is_not_asked_to_approve_or_to_cancel(day, shop):
    shop.credentials["reports"] = ""
    pending, dropped = day.place_order("pending"), day.place_order("approved")
    shop.work()

    day.move_order(dropped, "canceled")
    shop.work()

    assert pending.public_id not in shop.orders
    assert shop.call("GET", "/orders")["result"] == []
    assert shop.call("GET", f"/orders/{dropped.public_id}")["Order"]["status"] == "canceled"


def test_it_invoices_with_date_number_series_and_key(day, shop):
    order = day.place_order("approved")

    shop.work()

    order.refresh_from_db()
    shipment = order.shipments.get()
    assert order.status == "invoiced"
    assert (len(shipment.nfe_key), shipment.nfe_number, shipment.nfe_serie) == (44, "1", "1")
    assert shipment.nfe_date is not None
    assert (shipment.nfe_link, shipment.cfops) == ("", "")
    assert shop.refusals == []


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ({"nfe_link": "https://notas.example/1.xml"}, "nfe_link"),
        ({"cfops": "5102"}, "cfops"),
        ({"shipping_company": "Jadlog", "track_code": "1"}, "shipping_company, track_code"),
        ({"documents": [{"type": "invoice"}]}, "documents"),
    ],
)
def test_with_anything_else_the_whole_report_is_refused(day, shop, extra, names):
    order = day.place_order("approved")
    body = {"status": "invoiced", "shipments": [{**FOUR_FACTS, **extra}]}

    answer = shop.call("PUT", f"/orders/{order.public_id}", body)

    assert refusal(answer) == (
        "not_allowed",
        f"Ótimo Gestor não pode informar estes dados da entrega: {names}. {ALLOWED}",
    )
    order.refresh_from_db()
    assert order.status == "approved"
    assert not Shipment.objects.exclude(nfe_key="").exists()


@pytest.mark.parametrize("status", ["shipping_informed", "shipped", "delivered", "canceled"])
def test_no_other_status_is_its_to_report(day, shop, status):
    order = day.place_order("approved")

    answer = shop.call("PUT", f"/orders/{order.public_id}", {"status": status})

    assert refusal(answer) == (
        "not_allowed",
        f"Ótimo Gestor não pode informar a situação {status}. {ALLOWED}",
    )


def test_it_creates_no_orders(day, shop):
    answer = shop.call("POST", "/orders", {"status": "approved", "items": []})

    assert refusal(answer) == (
        "not_allowed",
        "Ótimo Gestor não cria pedidos: nesta integração eles vêm do hub.",
    )


def test_another_stores_data_does_not_exist_for_it(day, shop, live_server, sandbox, operator):
    elsewhere = Day(live_server.url, sandbox, operator, make_store())
    order = elsewhere.place_order("approved")
    save_product(elsewhere.store, "DELES", {"name": "X", "price": 1, "quantity": 5}, None)

    stock = shop.call("PUT", "/skus/DELES/stock", {"action": "update", "quantity": 1})

    assert shop.call("GET", f"/orders/{order.public_id}")["type"] == "not_found"
    assert stock["type"] == "not_found"
    assert levels(elsewhere.store)["DELES"] == (1, 5)


def test_its_details_show_where_it_is_reached_and_what_is_special(day):
    connector = Connector.objects.get(slug="otimo")
    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert "www.otimogestor.com.br" in page
    assert "planilha De/Para para lojas que já têm catálogo" in page
    assert "nunca: o lojista o digita no portal" in page


# -- The merchant ----------------------------------------------------------------------------------
def test_the_merchants_own_tracking_completes_the_order_and_the_channel_is_told(
    day, shop, merchant
):
    order = day.place_order("approved")
    shop.work()
    day.channel.notices.clear()

    page = merchant.get(page_of(order)).content.decode()
    answer = merchant.post(page_of(order), form_on(page) | TYPED, follow=True)
    notices = Notice.objects.filter(activation__connector__slug="pluga").count()

    order.refresh_from_db()
    shipment = order.shipments.get()
    step = order.status_changes.last()
    assert order.status == "shipping_informed"
    assert (shipment.shipping_company, shipment.track_code) == ("Jadlog", "JD0001")
    assert shipment.nfe_number == "1"
    assert (step.author, step.user.username) == ("lojista", "lojista")
    assert "Rastreio informado; o canal será avisado." in answer.content.decode()
    assert "JD0001" in answer.content.decode()
    assert notices > 0


def test_with_the_day_of_sending_it_is_shipped_and_with_the_arrivals_delivered(day, shop, merchant):
    order = day.place_order("approved")
    shop.work()
    today = timezone.localdate()
    yesterday = (today - timedelta(days=1)).isoformat()

    merchant.post(page_of(order), {**TYPED, "date_shipped": yesterday})
    shipped = Order.objects.get(pk=order.pk).status
    merchant.post(
        page_of(order),
        {**TYPED, "date_shipped": yesterday, "date_delivered": today.isoformat()},
    )

    order.refresh_from_db()
    assert (shipped, order.status) == ("shipped", "delivered")
    assert not has_form(merchant, order)


def test_a_wrong_code_is_put_right_and_the_same_twice_changes_nothing(day, shop, merchant):
    order = day.place_order("approved")
    shop.work()
    merchant.post(page_of(order), TYPED)

    merchant.post(page_of(order), {**TYPED, "track_code": "JD0002"})
    again = merchant.post(page_of(order), {**TYPED, "track_code": "JD0002"}, follow=True)

    assert "Nada mudou" in again.content.decode()
    assert order.shipments.get().track_code == "JD0002"
    assert order.status_changes.filter(status="shipping_informed").count() == 1


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"track_code": ""}, "obrigatório"),
        ({"shipping_company": ""}, "obrigatório"),
        ({"track_url": "nada"}, "URL"),
        ({"track_url": "javascript:alert(1)"}, "URL"),
        ({"date_shipped": "2099-01-01"}, "ainda não chegou"),
        ({"date_shipped": "0026-01-01"}, "ano"),
        ({"date_shipped": "2025-05-05", "date_delivered": "2025-05-01"}, "não é anterior"),
        ({"date_shipped": "ontem"}, "data"),
    ],
)
def test_what_makes_no_sense_is_asked_again(day, shop, merchant, typed, complaint):
    order = day.place_order("approved")
    shop.work()

    answer = merchant.post(page_of(order), {**TYPED, **typed})

    errors = re.findall(r'role="alert"[^>]*>([^<]+)<', answer.content.decode())
    assert any(complaint in error for error in errors), errors
    order.refresh_from_db()
    assert order.status == "invoiced"


def test_before_the_invoice_there_is_nothing_to_type(day, shop, merchant):
    order = day.place_order("approved")

    answer = merchant.post(page_of(order), TYPED, follow=True)

    order.refresh_from_db()
    assert not has_form(merchant, order)
    assert "não se informa aqui, ou não agora" in answer.content.decode()
    assert (order.status, order.shipments.count()) == ("approved", 0)


def test_where_the_platform_reports_the_tracking_nobody_types_it(day, merchant):
    shop = day.open_shop(reports="invoiced,shipping_informed")
    day.switch_on("rocky", shop)
    order = day.place_order("approved")
    shop.work()

    merchant.post(page_of(order), TYPED)

    order.refresh_from_db()
    assert not has_form(merchant, order)
    assert order.status == "invoiced"
    assert order.shipments.get().track_code == ""


def test_another_stores_merchant_types_nothing(day, shop):
    order = day.place_order("approved")
    shop.work()
    stranger = Client()
    stranger.force_login(User.objects.create_user("de outra loja"))

    assert stranger.post(page_of(order), TYPED).status_code == 404
    assert Client().post(page_of(order), TYPED).status_code == 302  # to the login
    assert order.shipments.get().track_code == ""


# -- We call the ERP -------------------------------------------------------------------------------
@pytest.fixture
def platform(day: Day):
    for goods in (MUG, SHIRT):
        save_product(day.store, goods["sku"], {**goods}, None)
    platform = day.open_platform(reports="invoiced")
    platform.activation = day.switch_on_managed("otimo", platform)
    return platform


def test_managed_prices_and_stock_are_pulled_and_no_products(day, platform):
    platform.control("put_product", {**MUG, "name": "Outra", "price": 30, "quantity": 4})
    platform.control("put_product", {"sku": "NOVO", "name": "Novo", "price": 1, "quantity": 1})

    day.run_flows(platform.activation)
    day.run_flows(platform.activation)

    parked = set(Failure.objects.filter(resolved_at=None).values_list("record_id", flat=True))
    assert levels(day.store)["CANECA"] == (30, 4)
    assert Product.objects.get(sku="CANECA").name == "Caneca"
    assert parked == {"NOVO"}
    assert Product.objects.count() == 4


def test_managed_an_order_is_pushed_invoiced_and_completed_by_the_merchant(day, platform, merchant):
    order = day.place_order("approved")
    day.run_flows(platform.activation)
    platform.work()
    day.run_flows(platform.activation)

    merchant.post(page_of(order), TYPED)
    day.run_flows(platform.activation)

    order.refresh_from_db()
    assert order.status == "shipping_informed"
    assert order.shipments.get().nfe_key == platform.orders[order.public_id].invoice["key"]
    assert platform.orders[order.public_id].told == ["approved"]
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_managed_no_pending_order_and_no_cancellation_is_told(day, platform):
    pending, dropped = day.place_order("pending"), day.place_order("approved")
    day.run_flows(platform.activation)

    day.move_order(dropped, "canceled")
    day.run_flows(platform.activation)

    assert pending.public_id not in platform.orders
    assert platform.orders[dropped.public_id].told == ["approved"]


def test_managed_tracking_from_it_is_refused(day, platform):
    order = day.place_order("approved")
    day.run_flows(platform.activation)

    platform.control("fulfil", {"order_id": order.public_id, "status": "shipped"})
    day.run_flows(platform.activation)

    failure = Failure.objects.get(resolved_at=None)
    assert f"Ótimo Gestor não pode informar a situação shipped. {ALLOWED}" in failure.reason
    order.refresh_from_db()
    assert order.shipments.filter(track_code="").count() == order.shipments.count()
