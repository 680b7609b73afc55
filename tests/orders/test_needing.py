"""Which orders need something of their merchant."""

from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.services import create_product
from connectors.errors import Refused
from connectors.models import Activation, Failure, Store
from connectors.records import OrderStatus
from connectors.trouble.failures import record_untold
from orders.invoicing import takes_invoice
from orders.models import Order
from orders.needing import first_needing, needing
from orders.outlook import outlook
from orders.services import create_order
from orders.tracking import takes_tracking
from tests.conftest import make_activation, make_store
from tests.orders.samples import document

PLATFORMS = (["otimo"], ["rocky"], ["otimo", "rocky"], ["webstore"], [])


# What the list says of an order, and how the page of the order begins to say it.
WORDS = {
    "há itens não cadastrados": "Há itens que a loja não tem cadastrados",
    "o canal recusou a nota fiscal": "O canal recusou a nota fiscal",
    "o canal recusou os dados da entrega": "O canal recusou os dados da entrega",
    "falta informar a nota fiscal": "Emita a nota fiscal",
    "falta informar o rastreio": "Despache o pedido",
    "uma integração não conseguiu levar o pedido": "Uma integração não conseguiu",
}


def says_so(order: Order) -> list[str]:
    """What its page says, in the list's words."""
    failures = Failure.objects.open().filter(
        activation__store=order.store, record_id=order.public_id
    )
    said = outlook(
        order,
        failures,
        types_invoice=takes_invoice(order),
        types_tracking=takes_tracking(order),
    )
    to_do = [each for each in said.to_do if "cancele-o lá" not in each]  # this page's alone
    short = ["falta estoque"] if order.shortages.exists() else []
    found = [words for words, begin in WORDS.items() if any(t.startswith(begin) for t in to_do)]
    assert len(found) == len(to_do)
    return sorted(found + short)


def fill(slugs: list[str]) -> Store:
    """Each status, with a product and without, taken by a platform and by nobody."""
    store = make_store()
    channel = make_activation(store, "pluga")
    platforms = [make_activation(store, slug) for slug in slugs]
    create_product(store, {"sku": "CAN-07", "quantity": 1000}, None)
    cases = product(OrderStatus, ("CAN-07", "UNKNOWN"), [None, *platforms])
    for number, (status, sku, taker) in enumerate(cases):
        items = [{"sku": sku, "quantity": 1, "price": 1}]
        order = create_order(channel, document(str(number), status=status.value, items=items))
        order.links.exclude(activation=channel).exclude(activation=taker).delete()
        if taker is not None:
            order.links.get_or_create(activation=taker)
    return store


@pytest.mark.parametrize("slugs", PLATFORMS)
def test_they_are_those_of_which_the_page_says_so(slugs: list[str], db: None) -> None:
    store = fill(slugs)
    ended = [OrderStatus.DELIVERED, OrderStatus.CANCELED]
    for order in store.orders.filter(status__in=ended):
        Failure.objects.create(
            activation=order.source, flow="orders", record_id=order.public_id, kind="rejected",
            reason="não",
        )  # fmt: skip

    found = set(needing(store.orders.all(), [store.pk]).values_list("pk", flat=True))
    listed = {order.pk: sorted(reasons) for order, reasons in first_needing([store.pk], 1000)}

    assert found == set(listed)
    assert listed == {o.pk: said for o in store.orders.with_everything() if (said := says_so(o))}
    assert 0 < len(found) < store.orders.count()


def test_what_the_store_does_not_have_needs_the_merchant(store: Store) -> None:
    channel = make_activation(store, "pluga")
    make_activation(store, "rocky")
    create_product(store, {"sku": "CAN-07", "quantity": 3}, None)
    orders = [create_order(channel, document(str(number))) for number in range(2)]

    assert first_needing([store.pk], 5) == [(orders[1], ["falta estoque"])]


def test_a_catalogue_that_fails_leaves_room_for_the_orders_that_fail(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.needing.MOST_FAILURES", 2)
    channel = make_activation(store, "pluga")
    order = create_order(channel, document(status="canceled"))
    for flow, record_id in (
        ("fulfilment", order.public_id), ("stock", "CAN-01"), ("products", "CAN-02"),
    ):  # fmt: skip
        Failure.objects.create(
            activation=channel, flow=flow, record_id=record_id, kind="rejected", reason="não"
        )

    assert [found for found, _reasons in first_needing([store.pk], 5)] == [order]


def test_an_order_of_which_a_platform_cannot_be_told_a_change_is_among_them(store: Store) -> None:
    channel, rocky = (make_activation(store, slug) for slug in ("pluga", "rocky"))
    order = create_order(channel, document(status="delivered"))

    record_untold(rocky, order.public_id, Refused("compare-os"))

    assert first_needing([store.pk], 5) == [
        (order, ["uma integração não conseguiu levar o pedido"])
    ]


def test_they_are_found_in_two_queries_whatever_there_is(store: Store) -> None:
    channel: Activation = make_activation(store, "pluga")
    for number in range(12):
        create_order(channel, document(str(number)))

    with CaptureQueriesContext(connection) as queries:
        found = first_needing([store.pk], 5)

    assert (len(found), len(queries)) == (6, 2)
    assert first_needing([make_store().pk], 5) == []
