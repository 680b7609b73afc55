"""What a merchant and his buyer see, in a real browser: desktop and telephone, light and dark."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page

from connectors.models import Store
from orders.buyers import buyer_url
from orders.models import Order
from orders.statistics import correct_tallies
from tests.browser.conftest import NARROW, PICTURES, WIDE, problems
from tests.conftest import Partner, make_partner, make_store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEY = "35260712ABC34501DE35550010000001231123456787"


@pytest.fixture
def store(transactional_db: None) -> Store:
    return make_store(name="Loja da Ana")


@pytest.fixture
def merchant(store: Store) -> User:
    merchant = User.objects.create_user("lojista", password="senha-da-lojista")
    store.members.add(merchant)
    return merchant


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga", name="Pluga da loja")


@pytest.fixture
def order(store: Store, pluga: Partner) -> Order:
    """The newest of a month of orders."""
    statuses = ["pending", "approved", "invoiced", "shipped", "delivered", "canceled"]
    for number in range(24):
        body = {
            "original_id": str(1000 + number),
            "channel": ("Mercado Livre", "Shopee", "Loja própria")[number % 3],
            "status": statuses[number % 6],
            "total": 59.9 + number * 7,
            "payer_name": "Ana",
            "payer_lastname": "Souza da Conceição",
            "payer_email": "ana@example.com",
            "payer_cpf": "52998224725",
            "receiver_name": "Ana",
            "receiver_address": "Rua das Flores",
            "receiver_address_number": "10",
            "receiver_city": "São Paulo",
            "receiver_state": "SP",
            "receiver_zipcode": "01001000",
            "items": [{"sku": "CAN-07", "name": "Caneca azul", "quantity": 2, "price": 29.95}],
            "payments": [{"payment_type": "credit", "payment_total": 59.9}],
            "shipments": [{"nfe_key": KEY, "nfe_number": "123", "shipping_company": "Correios"}],
        }
        assert pluga.post("/orders", body).status_code == 201
    for ago, each in enumerate(Order.objects.order_by("-pk")):
        Order.objects.filter(pk=each.pk).update(created_at=timezone.now() - timedelta(days=ago))
    correct_tallies(store)
    return Order.objects.get(original_id="1021")


@pytest.fixture(params=["light", "dark"])
def page(
    request: pytest.FixtureRequest, chromium: Browser, live_server: object, merchant: User
) -> Iterator[Page]:
    """The merchant, logged in."""
    base = str(live_server)
    context = chromium.new_context(
        viewport=WIDE, locale="pt-BR", base_url=base, color_scheme=request.param
    )
    context.set_default_timeout(15_000)
    client = Client()
    client.force_login(merchant)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
    page = context.new_page()
    page.on("request", lambda asked: foreign(asked.url, base))
    yield page
    context.close()


def foreign(url: str, base: str) -> None:
    assert url.startswith((base, "data:", "blob:")), url


@pytest.fixture
def look(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Both widths: nothing wrong for whoever cannot see, nothing beyond the edge; pictures kept."""

    def take(name: str) -> None:
        folder = PICTURES / "merchants"
        folder.mkdir(parents=True, exist_ok=True)
        scheme = request.node.callspec.params["page"]
        for width, size in ((1280, WIDE), (360, NARROW)):
            page.set_viewport_size(size)
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            assert problems(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    return take


def test_the_dashboard(page: Page, order: Order, look: Callable[[str], None]) -> None:
    page.goto("/")
    page.wait_for_timeout(1200)  # the charts have come to rest

    look("dashboard")


def test_the_dashboard_changes_while_somebody_looks(
    page: Page, order: Order, pluga: Partner
) -> None:
    page.goto("/")
    assert page.locator("#needing ~ ul li").count() == 5
    sold = page.locator(".figure .big").last.inner_text()

    pluga.put(f"/orders/{order.public_id}", {"status": "canceled"})

    page.wait_for_function(
        "sold => document.querySelectorAll('.figure .big')[3].innerText !== sold", arg=sold
    )
    drawn = page.locator("canvas[data-chart=days]").evaluate("c => !!Chart.getChart(c)")
    assert drawn


def test_the_list_and_its_search(page: Page, order: Order, look: Callable[[str], None]) -> None:
    page.goto("/orders/")
    look("orders")
    page.set_viewport_size(WIDE)

    page.get_by_label("Buscar").fill("1021")
    page.get_by_role("button", name="Filtrar").click()

    assert page.locator("tbody tr").count() == 1


def test_an_order_changes_while_somebody_looks(
    page: Page, order: Order, pluga: Partner, look: Callable[[str], None]
) -> None:
    page.goto(f"/orders/{order.public_id}/")
    look("order")

    shipment = {"id": order.shipments.get().public_id, "track_code": "QC638247124BR"}
    pluga.put(f"/orders/{order.public_id}", {"status": "delivered", "shipments": [shipment]})

    page.locator("h1 .status.delivered").wait_for()
    page.get_by_text("QC638247124BR").first.wait_for()


def test_the_mails(page: Page, pluga: Partner, look: Callable[[str], None]) -> None:
    page.goto(f"/integrations/{pluga.activation.pk}/mails/")

    look("mails")


def test_the_buyers_page(page: Page, order: Order, look: Callable[[str], None]) -> None:
    page.goto("/status/" + buyer_url(order).rsplit("/", 2)[-2] + "/")

    assert "Ana" in page.locator("h1").inner_text()
    assert "Souza" not in page.content()
    look("buyer")
