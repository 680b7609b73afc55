"""An operator approves and cancels orders in the list."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from catalog.services import create_product
from connectors.models import Act, Store
from connectors.records import OrderStatus
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


def place(channel: Partner, number: str, status: str = "pending", **more: str) -> Order:
    item = {"sku": "A", "quantity": 1, "price": 10}
    body = {"original_id": number, "status": status, "total": 10, "items": [item], **more}
    assert channel.post("/orders", body).status_code == 201
    return Order.objects.get(original_id=number)


def act(client: Client, action: str, *orders: Order, **said: str) -> str:
    data = {"action": action, "_selected_action": [order.pk for order in orders], **said}
    return client.post(LIST, data, follow=True).content.decode()


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

    asked = act(admin_client, "cancel_selected", *orders)
    before = set(Order.objects.values_list("status", flat=True))
    act(admin_client, "cancel_selected", *orders, sure="1")

    assert "Pedidos escolhidos: 2." in asked
    sent_again = re.findall(r'<input type="hidden" name="(_selected_action|sure)"', asked)
    assert sent_again == ["_selected_action", "_selected_action", "sure"]
    assert before == {"pending", "approved"}
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

    page = act(client, "cancel_selected", order, sure="1")

    order.refresh_from_db()
    assert order.status == "pending"
    assert "cancel_selected" not in page


def test_a_total_is_rounded_and_not_cut_off(channel: Partner, admin_client: Client) -> None:
    order = place(channel, "1")
    channel.put(f"/orders/{order.public_id}", {"total": 1234.5678})

    assert "R$ 1.234,57" in admin_client.get(LIST).content.decode()


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


def test_only_a_lead_holds_an_order_for_the_law_and_lets_it_go_with_a_reason_on_record(
    channel: Partner, admin_client: Client, operator: User
) -> None:
    order = place(channel, "1")
    page = f"{LIST}{order.pk}/"
    person = User.objects.create_user("suporte", is_staff=True)
    person.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_order", "change_order"])
    )
    support = Client()
    support.force_login(person)
    assert support.post(f"{page}hold/", {"reason": "x"}).status_code == 403
    assert f"{page}hold/" not in support.get(f"{page}change/").content.decode()

    without_reason = admin_client.post(f"{page}hold/", {"reason": ""})
    held = admin_client.post(f"{page}hold/", {"reason": "processo 12"}, follow=True)
    order.refresh_from_db()
    is_held = order.legal_hold
    admin_client.post(f"{page}release/", {"reason": "encerrado"})

    order.refresh_from_db()
    assert "Este campo é obrigatório." in without_reason.content.decode()
    assert "Os dados do pedido estão retidos." in held.content.decode()
    assert (is_held, order.legal_hold) == (True, False)
    acts = Act.objects.filter(model="orders.order", object_id=order.pk).order_by("pk")
    assert [(each.by, each.what) for each in acts] == [
        (operator, "Retido por obrigação legal: processo 12"),
        (operator, "Retenção legal encerrada: encerrado"),
    ]


def test_an_order_that_names_nobody_any_more_holds_nothing(
    channel: Partner, admin_client: Client
) -> None:
    order = place(channel, "1")
    Order.objects.filter(pk=order.pk).update(anonymised_at=timezone.now())

    page = admin_client.post(f"{LIST}{order.pk}/hold/", {"reason": "tarde"}, follow=True)

    assert "já foram apagados" in page.content.decode()
    order.refresh_from_db()
    assert not order.legal_hold


def test_the_list_calls_each_status_by_its_name(channel: Partner, admin_client: Client) -> None:
    for number, status in enumerate(OrderStatus):
        place(channel, str(number), status)

    page = admin_client.get(LIST).content.decode()
    badges = re.findall(r"field-shown_status[^>]*>(.*?)</td>", page, re.S)

    names = [" ".join(strip_tags(each).split()) for each in badges]
    assert sorted(names) == sorted(str(status.label) for status in OrderStatus)


def test_what_the_channel_sent_is_shown_as_people_read_it(
    channel: Partner, admin_client: Client
) -> None:
    order = place(channel, "1", payer_name="João da Conceição")

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    assert "João da Conceição" in page
