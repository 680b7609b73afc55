"""An operator approves and cancels orders in the list."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from catalog.services import create_product
from connectors.models import Store
from orders.models import Order, OrderLink
from tests.conftest import Partner, make_partner

LIST = "/admin/orders/order/"


@pytest.fixture
def channel(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def admin_client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def place(channel: Partner, number: str, status: str = "pending") -> Order:
    item = {"sku": "A", "quantity": 1, "price": 10}
    body = {"original_id": number, "status": status, "total": 10, "items": [item]}
    assert channel.post("/orders", body).status_code == 201
    return Order.objects.get(original_id=number)


def act(client: Client, action: str, *orders: Order) -> str:
    selected = [order.pk for order in orders]
    answer = client.post(LIST, {"action": action, "_selected_action": selected}, follow=True)
    return answer.content.decode()


def test_an_order_is_approved_in_the_operators_name(
    channel: Partner, admin_client: Client, operator: User
) -> None:
    platform = make_partner(channel.activation.store, "webstore").activation
    order = place(channel, "1")

    page = act(admin_client, "approve_selected", order)

    order.refresh_from_db()
    step = order.status_changes.latest("pk")
    assert "O pedido 1 está aprovado." in page
    assert (order.status, step.previous, step.user) == ("approved", "pending", operator)
    assert (step.author, step.activation) == ("operadora", None)
    assert OrderLink.objects.filter(order=order, activation=platform).exists()


def test_several_orders_are_cancelled_at_once(channel: Partner, admin_client: Client) -> None:
    orders = [place(channel, "1"), place(channel, "2", "approved")]

    act(admin_client, "cancel_selected", *orders)

    assert set(Order.objects.values_list("status", flat=True)) == {"canceled"}


def test_an_order_that_is_further_is_not_moved_back_and_the_others_are(
    channel: Partner, admin_client: Client
) -> None:
    shipped, pending = place(channel, "1", "shipped"), place(channel, "2")

    page = act(admin_client, "approve_selected", shipped, pending)

    assert "O pedido 1 já está enviado e não volta para aprovado." in page
    assert dict(Order.objects.values_list("original_id", "status")) == {
        "1": "shipped",
        "2": "approved",
    }


def test_an_order_that_is_so_already_is_said_to_be(channel: Partner, admin_client: Client) -> None:
    page = act(admin_client, "approve_selected", place(channel, "1", "approved"))

    assert "O pedido 1 já estava assim." in page


def test_whoever_may_only_look_moves_nothing(channel: Partner) -> None:
    user = User.objects.create_user("leitora", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client = Client()
    client.force_login(user)
    order = place(channel, "1")

    page = act(client, "cancel_selected", order)

    order.refresh_from_db()
    assert order.status == "pending"
    assert "cancel_selected" not in page


def test_orders_without_stock_are_found_and_marked(channel: Partner, admin_client: Client) -> None:
    create_product(channel.activation.store, {"sku": "A", "quantity": 1}, None)
    served, short = place(channel, "Servido"), place(channel, "Esperando")

    everything = admin_client.get(LIST).content.decode()
    found = admin_client.get(LIST, {"stock": "short"}).content.decode()
    detail = admin_client.get(f"{LIST}{short.pk}/change/").content.decode()

    assert str(served) in everything
    assert everything.count("sem estoque reservado") == found.count("sem estoque reservado")
    assert str(short) in found
    assert str(served) not in found
    assert "sem estoque reservado" in detail
