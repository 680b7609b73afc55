"""Orders' JSON as it is kept: always what the order is, and never more than the caller may see."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.services import create_product
from connectors.hub.wire import INVOICE_FIELDS
from connectors.models import Activation, Store
from connectors.payload import Payload
from orders.models import Line, Order, Payment, Shipment, StatusChange, WrittenOrder
from orders.personal_data import anonymise
from orders.tasks import link_all_late_lines
from orders.wire import Parts, read_order, write_order
from orders.written import VERSION, compose, read_written
from tests.conftest import Partner, make_operator, make_partner
from tests.orders.samples import FULL, full_order, small_order

# What each version makes of the order below. A new one gets a new line here.
DIGESTS = {1: "622f1d5efb482233158e7e940a5483cd1554589f823ec01d3114b979ed001795"}
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def channel(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def erp(store: Store) -> Partner:
    return make_partner(store, "linx")


def place(channel: Partner, body: dict[str, Any]) -> dict[str, Any]:
    answer = channel.post("/orders", body)
    assert answer.status_code == 201, answer.content
    order: dict[str, Any] = answer.json()["Order"]
    return order


def kept(viewer: Activation, **shown: bool) -> list[Any]:
    orders = Order.objects.order_by("pk")
    return [json.loads(text) for text in read_written(orders, viewer, **shown)]


def fresh(viewer: Activation, **shown: bool) -> list[Any]:
    orders = Order.objects.with_everything().order_by("pk")
    return [json.loads(json.dumps(write_order(order, viewer, **shown))) for order in orders]


def is_in_step(*partners: Partner) -> bool:
    assert set(WrittenOrder.objects.values_list("version", flat=True)) == {VERSION}
    return all(
        kept(partner.activation, show_external=shown)
        == fresh(partner.activation, show_external=shown)
        for partner in partners
        for shown in (False, True)
    )


def test_an_order_is_written_down_as_it_comes_in(channel, erp):
    place(channel, full_order())
    place(channel, small_order("2", sale_intermediary=""))
    place(channel, small_order("3", payer_name="A\x1d“ção”", novidade={"b": [1.5], "a": None}))

    assert WrittenOrder.objects.count() == 3
    assert is_in_step(channel, erp)


@pytest.mark.parametrize(
    "body",
    [
        full_order(external="E-1", ack=True),
        small_order("2", sale_intermediary=""),
        small_order("3", sale_intermediary="03.007.331/0001-41"),
    ],
)
def test_who_brings_an_order_is_answered_as_whoever_asks_for_it_then(channel, body):
    order = place(channel, body)

    assert channel.get(f"/orders/{order['id']}").json()["Order"] == order


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("channel", {"payer_name": "Eva"}),
    (
        "channel",
        {"items": [{"sku": "OUTRO", "quantity": 9}], "payments": [{"payment_type": "pix"}]},
    ),
    ("channel", {"status": "canceled"}),
    ("channel", {"sale_intermediary": "03.007.331/0001-41"}),
    ("erp", {"external": "77", "ack": True}),
    ("erp", {"status": "invoiced", "shipments": [dict.fromkeys(INVOICE_FIELDS[:3], "7")]}),
    ("erp", {"log_history": [{"message": "Não coube"}]}),
    ("erp", {"status": "pending"}),  # backwards, or not its to say: refused
]


@pytest.mark.parametrize(("who", "change"), CHANGES)
def test_every_change_of_an_order_is_written_down(channel, erp, who, change):
    order = place(channel, small_order())
    other = place(channel, full_order())
    partner = {"channel": channel, "erp": erp}[who]

    for each in (order, other):
        partner.put(f"/orders/{each['id']}", change)

    assert is_in_step(channel, erp)


def test_an_order_that_gets_its_product_late_is_written_down(store, channel, erp):
    place(channel, small_order())
    create_product(store, {"sku": "CAN-07", "quantity": 1}, None)

    link_all_late_lines()

    (order,) = kept(channel.activation)
    assert len(order["log_history"]) == 1
    assert is_in_step(channel, erp)


def test_an_anonymous_order_is_written_down_without_its_buyer(store, channel, erp):
    order = place(channel, full_order(payer_name="Anastácia", status="delivered"))
    assert "Anastácia" in WrittenOrder.objects.get().body

    anonymise(store, [order["order_id"]], "Anastácia", make_operator())

    assert "Anastácia" not in WrittenOrder.objects.get().body
    assert is_in_step(channel, erp)


def test_what_an_integration_is_called_is_not_written_down(channel, erp):
    order = place(channel, small_order())
    erp.put(f"/orders/{order['id']}", {"external": "1"})
    Activation.objects.filter(pk=erp.activation.pk).update(client_id="another")
    erp.activation.refresh_from_db()

    (shown,) = kept(channel.activation, show_external=True)

    assert (shown["modified_by"], shown["external"]) == ("another", {"another": "1"})
    assert is_in_step(channel, erp)


@pytest.mark.parametrize("own", [None, "", "12ABC34501DE35"])
def test_the_configured_intermediary_is_filled_in_where_there_is_none(channel, erp, own):
    place(channel, small_order(sale_intermediary=own))
    erp.activation.settings["intermediary_cnpj"] = "03007331000141"

    (told,), (plain,) = kept(erp.activation), kept(channel.activation)

    assert told["sale_intermediary"] == (own or "03007331000141")
    assert plain["sale_intermediary"] == (own or None)
    assert is_in_step(channel, erp)


@pytest.mark.parametrize(
    "forget",
    [
        lambda: WrittenOrder.objects.filter(order__original_id="1").delete(),
        lambda: WrittenOrder.objects.filter(order__original_id="1").update(version=0, body="old"),
    ],
)
def test_what_is_not_written_down_in_this_version_is_composed_until_it_is(
    channel: Partner, erp: Partner, forget: Callable[[], Any]
) -> None:
    for number in "123":
        place(channel, small_order(number))
    forget()

    before = kept(erp.activation)
    call_command("rebuild_orders", verbosity=0)

    assert before == fresh(erp.activation)
    assert is_in_step(channel, erp)


def test_reading_many_costs_two_questions(channel, erp):
    for number in "123":
        place(channel, small_order(number))

    with CaptureQueriesContext(connection) as queries:
        read_written(Order.objects.order_by("pk")[:2], erp.activation)

    assert len(queries) == 2


def test_whoever_changes_how_orders_are_written_raises_the_version():
    body = compose(*an_order())

    assert sha256(body.encode()).hexdigest() == DIGESTS[VERSION], "raise orders.written.VERSION"


def an_order() -> tuple[Order, Parts]:
    """Of every field, and not stored."""
    document = read_order(Payload({**FULL, "novidade": {"a": 1}}))
    times = {"created_at": AT, "modified_at": AT, "approved_at": AT}
    order = Order(pk=1, public_id="0" * 24, store_id=1, status=document.status, **times)
    order.take(document.head)
    parts: dict[Any, list[Any]] = {}
    for model, documents in (
        (Line, document.items), (Payment, document.payments), (Shipment, document.shipments)
    ):  # fmt: skip
        rows = parts[model] = [
            model(public_id=f"{n:024}") for n, _each in enumerate(documents or [])
        ]
        for row, each in zip(rows, documents or [], strict=True):
            row.take({name: value for name, value in each.items() if name != "id"})
    steps = [StatusChange(status="pending", at=AT), StatusChange(status="paid", applied=False)]
    return order, Parts(parts[Line], parts[Payment], parts[Shipment], steps)
