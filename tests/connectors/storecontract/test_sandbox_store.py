from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests

from connectors import fiscal
from connectors.fiscal import cnpj_is_valid, nfe_key_is_valid
from connectors.sandbox import invoices
from connectors.sandbox.invoices import ISSUER
from tests.connectors.storecontract.conftest import TOKEN, make_order

HUB_ID = "692f10c4a9d1e3b7c5f20811"


def fulfilment(shop, hub_id=HUB_ID):
    return shop.report()["fulfilments"].get(hub_id)


@pytest.mark.parametrize(
    "reports",
    [
        "invoiced",
        "invoiced,shipped",
        "invoiced,shipping_informed",
        "invoiced,shipping_informed,shipped,delivered",
    ],
)
def test_an_approved_order_goes_through_the_configured_steps_one_at_a_time(
    open_shop, contract, reports
):
    shop = open_shop(reports=reports)
    contract.push_order(make_order(status="approved"))

    seen = []
    for _ in range(6):
        shop.work()
        seen.append(fulfilment(shop)["status"])

    steps = reports.split(",")
    assert seen == steps + [steps[-1]] * (6 - len(steps))
    assert shop.report()["orders"][HUB_ID]["reported"] == steps


def test_a_shop_reports_everything_unless_told_otherwise(shop, contract):
    contract.push_order(make_order(status="approved"))

    for _ in range(4):
        shop.work()

    assert shop.report()["orders"][HUB_ID]["reported"] == [
        "invoiced", "shipping_informed", "shipped", "delivered"
    ]  # fmt: skip
    assert fulfilment(shop)["tracking"]["delivered_at"] is not None


def test_a_pending_order_waits_until_it_is_approved(shop, contract):
    contract.push_order(make_order(status="pending"))
    shop.work()
    assert fulfilment(shop) is None

    contract.push_order(make_order(status="approved"))
    shop.work()

    assert fulfilment(shop)["status"] == "invoiced"


def test_a_canceled_order_gets_nothing_more(shop, contract):
    contract.push_order(make_order(status="approved"))
    shop.work()
    contract.push_order(make_order(status="canceled"))

    shop.work()

    assert fulfilment(shop)["status"] == "invoiced"
    assert fulfilment(shop)["tracking"] is None


def test_an_approval_told_twice_makes_one_invoice(shop, contract):
    contract.push_order(make_order(status="approved"))
    shop.work()
    first = fulfilment(shop)["invoice"]
    contract.push_order(make_order(status="approved"))

    shop.work()

    assert fulfilment(shop)["invoice"] == first
    assert shop.invoices == 1


def test_an_invoice_has_a_valid_key_of_this_month_and_the_next_number(shop, contract):
    contract.push_order(make_order(id="a" * 24))
    contract.push_order(make_order(id="b" * 24))
    now = datetime.now(ZoneInfo("America/Sao_Paulo"))

    shop.work()

    invoices = [fulfilment(shop, letter * 24)["invoice"] for letter in "ab"]
    assert cnpj_is_valid(ISSUER)
    assert [invoice["number"] for invoice in invoices] == ["1", "2"]
    for number, invoice in enumerate(invoices, start=1):
        key = invoice["key"]
        assert nfe_key_is_valid(key)
        assert key[:25] == f"35{now:%y%m}{ISSUER}55001"
        assert key[25:34] == f"{number:09}"
        assert datetime.fromisoformat(invoice["issued_at"]).utcoffset() is not None


def test_the_sandbox_computes_the_same_check_digits_as_the_portal():
    bodies = [f"352611{ISSUER}55001{number:09}1{0:08}" for number in range(1, 300)]

    assert [invoices.check_digit(body) for body in bodies] == [
        fiscal.check_digit(body) for body in bodies
    ]
    assert {invoices.check_digit(body) for body in bodies} == set("0123456789")


def test_a_shop_that_only_invoices_sends_the_four_bare_facts(open_shop, contract):
    shop = open_shop(reports="invoiced")
    contract.push_order(make_order())

    shop.work()

    assert set(fulfilment(shop)["invoice"]) == {"key", "number", "series", "issued_at"}
    assert fulfilment(shop)["tracking"] is None


def test_every_order_has_a_tracking_code_of_its_own(shop, contract):
    for letter in "abc":
        contract.push_order(make_order(id=letter * 24))

    shop.work()
    shop.work()

    codes = {fulfilment(shop, letter * 24)["tracking"]["code"] for letter in "abc"}
    assert len(codes) == 3


def test_people_can_fulfil_one_order_differently(shop, contract):
    contract.push_order(make_order())

    shop.control("fulfil", {"order_id": HUB_ID, "invoice": {"key": "123"}})
    shop.control("fulfil", {"order_id": HUB_ID, "status": "shipped", "tracking": {"code": "BR1"}})

    state = fulfilment(shop)
    assert state["status"] == "shipped"
    assert state["invoice"]["key"] == "123"
    assert state["tracking"]["code"] == "BR1"
    assert shop.report()["orders"][HUB_ID]["reported"] == ["invoiced", "shipped"]


def test_settings_change_the_steps_and_the_token(shop, contract):
    contract.check()

    shop.control("settings", {"reports": "invoiced,shipped", "token": "renewed"})

    assert shop.steps == ["invoiced", "shipped"]
    assert shop.credentials["token"] == "renewed"


def test_the_control_door_opens_a_shop_stocks_it_and_reports_it(sandbox):
    control = f"{sandbox.url}/control/platforms"
    opened = requests.post(
        control,
        json={"kind": "store", "name": "outra", "credentials": {"token": TOKEN}},
        timeout=5,
    )
    for verb, data in (
        ("put_product", {"sku": "A", "name": "A", "price": 10, "quantity": 5}),
        ("put_product", {"sku": "A", "name": "A, renamed"}),
        ("set_price", {"sku": "A", "price": 10, "special_price": 9}),
        ("set_stock", {"sku": "A", "quantity": 2}),
    ):
        requests.post(f"{control}/outra/{verb}", json=data, timeout=5).raise_for_status()

    report = requests.get(f"{control}/outra", timeout=5).json()

    assert opened.json() == {"url": f"{sandbox.url}/outra"}
    assert report == {
        "products": {"A": {"sku": "A", "name": "A, renamed"}},
        "prices": {"A": {"sku": "A", "price": 10, "special_price": 9}},
        "stock": {"A": 2},
        "orders": {},
        "fulfilments": {},
    }
