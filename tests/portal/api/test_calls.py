"""A partner's calls, as they are noted on the flows of his integration."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import ActivationFlow, Store
from portal.api import calls
from tests.conftest import Partner, make_partner
from tests.orders.samples import small_order


@pytest.fixture
def webstore(store: Store) -> Partner:
    return make_partner(store, "webstore")


def noted(partner: Partner, field: str) -> set[str]:
    """The flows that have something in this field."""
    flows = ActivationFlow.objects.filter(activation=partner.activation)
    return set(flows.exclude(**{field: None}).values_list("flow", flat=True))


def test_a_product_is_noted_by_what_its_document_holds(webstore: Partner) -> None:
    webstore.post("/products", {"sku": "A", "name": "Caneca"})

    assert noted(webstore, "last_call_at") == noted(webstore, "last_change_at") == {"products"}


def test_prices_and_stock_may_come_as_parts_of_a_product(webstore: Partner) -> None:
    webstore.put("/skus/A", {"variations": [{"sku": "A1", "quantity": 3}], "price": 10})

    assert noted(webstore, "last_success_at") == {"prices", "stock"}


def test_a_wrapped_product_is_noted_by_what_it_holds(webstore: Partner) -> None:
    webstore.put("/skus/A", {"Product": {"sku": "A", "price": 10, "quantity": 3}})

    assert noted(webstore, "last_success_at") == {"prices", "stock"}


def test_stock_alone_is_the_flow_of_stock(webstore: Partner) -> None:
    webstore.post("/products", {"sku": "A", "name": "Caneca"})
    ActivationFlow.objects.update(last_call_at=None)

    webstore.put("/skus/A/stock", {"action": "update", "quantity": 4})

    assert noted(webstore, "last_call_at") == {"stock"}


def test_looking_for_orders_is_a_call_and_no_change(webstore: Partner) -> None:
    webstore.get("/orders")

    assert noted(webstore, "last_success_at") == {"orders"}
    assert noted(webstore, "last_change_at") == set()


def test_reporting_on_an_order_is_the_flow_of_fulfilment(store: Store, webstore: Partner) -> None:
    pluga = make_partner(store, "pluga")
    order = pluga.post("/orders", small_order("1", status="approved")).json()["Order"]["id"]

    webstore.put(f"/orders/{order}", {"external": "9"})

    assert noted(webstore, "last_change_at") == {"fulfilment"}


def test_what_was_true_already_is_a_success_without_a_change(webstore: Partner) -> None:
    webstore.post("/products", {"sku": "A", "name": "Caneca"})
    ActivationFlow.objects.update(last_call_at=None, last_success_at=None, last_change_at=None)

    answer = webstore.put("/skus/A", {"name": "Caneca"})

    assert answer.json()["type"] == "not_updated"
    assert noted(webstore, "last_success_at") == {"products"}
    assert noted(webstore, "last_change_at") == set()


def test_a_call_that_is_refused_is_no_success(webstore: Partner) -> None:
    webstore.put("/skus/A/stock", {"action": "update", "quantity": "?"})
    webstore.call("POST", "/products", [])

    assert noted(webstore, "last_call_at") == {"products", "stock"}
    assert noted(webstore, "last_success_at") == set()


def test_nobodys_call_is_noted_nowhere(webstore: Partner) -> None:
    webstore.token = "wrong"

    webstore.get("/orders")

    assert noted(webstore, "last_call_at") == set()


def test_many_calls_in_a_minute_are_written_once(webstore: Partner) -> None:
    webstore.get("/orders")
    first = ActivationFlow.objects.get(activation=webstore.activation, flow="orders").last_call_at

    webstore.get("/orders")

    flow = ActivationFlow.objects.get(activation=webstore.activation, flow="orders")
    assert flow.last_call_at == first
    ActivationFlow.objects.update(last_call_at=timezone.now() - timedelta(minutes=2))
    calls._noted.clear()  # another process does not know of that call
    webstore.get("/orders")
    flow.refresh_from_db()
    assert flow.last_call_at is not None
    assert flow.last_call_at > timezone.now() - timedelta(minutes=1)


def test_a_change_is_noted_though_a_call_was_just_noted(webstore: Partner) -> None:
    webstore.post("/products", {"sku": "A", "name": "Caneca"})
    ActivationFlow.objects.update(last_change_at=None)
    calls._noted.clear()

    webstore.put("/skus/A", {"name": "Caneca grande"})

    assert noted(webstore, "last_change_at") == {"products"}
