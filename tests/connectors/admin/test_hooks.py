"""What an operator sees of subscriptions and their events, and what he does about them."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.messages.hooks import Happening, deliver_events, publish, subscribe
from connectors.models import Activation, Delivery, Store, Subscription
from connectors.spec import Hook
from tests.conftest import make_partner
from tests.connectors.admin.conftest import (
    LIST,
    form_on,
    page_of,
    somebody_who_may,
    values_shown,
)
from tests.connectors.conftest import Receiver

SUBSCRIPTIONS = "/admin/connectors/subscription/"
DELIVERIES = "/admin/connectors/delivery/"
SECRET = "o-segredo-do-endereco"
REASON = "Nenhuma entrega desde 01/02/2026 10:00; por último: HTTP 404"


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_partner(store, "pluga").activation


@pytest.fixture
def subscription(activation: Activation, receiver: Receiver) -> Subscription:
    return subscribe(activation.pk, Hook.STOCK_CHANGED, f"{receiver.url}/{SECRET}")


def happen(activation: Activation) -> Delivery:
    publish(activation.store, [Happening(Hook.STOCK_CHANGED, "CAN-07", {"quantity": 3})])
    return Delivery.objects.latest("pk")


def act(client: Client, page: str, action: str, *rows: Any, **said: str) -> str:
    form = {"action": action, "_selected_action": [row.pk for row in rows], **said}
    return client.post(page, form, follow=True).content.decode()


def test_the_activations_page_and_the_lists_show_what_is_subscribed_to_and_no_address(
    activation: Activation, subscription: Subscription, admin_client: Client
) -> None:
    delivery = happen(activation)
    Subscription.objects.update(disabled_at=timezone.now(), disabled_reason=REASON)

    pages = [
        admin_client.get(address).content.decode()
        for address in (
            page_of(activation),
            SUBSCRIPTIONS,
            f"{SUBSCRIPTIONS}{subscription.pk}/change/",
            DELIVERIES,
            f"{DELIVERIES}{delivery.pk}/change/",
        )
    ]

    for page in pages[:3]:
        assert "Estoque mudou" in page
        assert REASON in page
        assert "127.0.0.1" in page
    assert "CAN-07" in pages[3]
    assert delivery.event.public_id in pages[4]
    assert not [page for page in pages if SECRET in page]


def test_a_disabled_subscription_is_switched_on_and_one_ended(
    activation: Activation, subscription: Subscription, receiver: Receiver, admin_client: Client
) -> None:
    Subscription.objects.update(disabled_at=timezone.now(), disabled_reason=REASON)
    happen(activation)

    enabled = act(admin_client, SUBSCRIPTIONS, "enable_selected", subscription)
    again = act(admin_client, SUBSCRIPTIONS, "enable_selected", subscription)
    deliver_events(subscription.pk)
    asked = act(admin_client, SUBSCRIPTIONS, "end_selected", subscription)
    assert Subscription.objects.going_on().exists()
    ended = admin_client.post(SUBSCRIPTIONS, form_on(asked), follow=True).content.decode()

    subscription.refresh_from_db()
    assert "Religada." in enabled
    assert "nada mudou" in again
    assert [body["quantity"] for body in receiver.bodies] == [3]
    assert "Encerrada." in ended
    assert subscription.ended_reason == "Encerrada por operadora."
    assert LogEntry.objects.count() == 2


def test_an_event_is_sent_again(
    activation: Activation, subscription: Subscription, receiver: Receiver, admin_client: Client
) -> None:
    delivery = happen(activation)
    deliver_events(subscription.pk)

    page = act(admin_client, DELIVERIES, "replay_selected", delivery)
    deliver_events(subscription.pk)

    assert "Eventos de volta à fila: 1." in page
    assert receiver.bodies[0] == receiver.bodies[1]


def test_what_nobody_wants_any_more_is_said_not_to_be_sent_again(
    activation: Activation, subscription: Subscription, admin_client: Client
) -> None:
    delivery = happen(activation)
    Delivery.objects.update(delivered_at=timezone.now())
    Subscription.objects.update(ended_at=timezone.now())

    page = act(admin_client, DELIVERIES, "replay_selected", delivery)

    assert "não há mais a quem enviar" in page
    assert "de volta à fila" not in page


def test_a_replay_to_what_is_off_is_refused_with_the_reason(
    activation: Activation, subscription: Subscription, admin_client: Client
) -> None:
    delivery = happen(activation)
    Subscription.objects.update(disabled_at=timezone.now(), disabled_reason=REASON)

    assert "religue-as primeiro" in act(admin_client, DELIVERIES, "replay_selected", delivery)


def test_who_may_only_look_changes_nothing(
    activation: Activation, subscription: Subscription, receiver: Receiver
) -> None:
    delivery = happen(activation)
    client = somebody_who_may("view_subscription", "view_delivery", "view_activation")

    act(client, SUBSCRIPTIONS, "end_selected", subscription, sure="1")
    act(client, DELIVERIES, "replay_selected", delivery)
    answer = client.post(
        f"{LIST}{activation.pk}/subscribe/", {"hook": "order.created", "target_url": receiver.url}
    )

    assert answer.status_code == 403
    assert Subscription.objects.going_on().count() == 1
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("slug", "typed", "message"),
    [
        ("pluga", {"target_url": "https://127.0.0.1/x"}, "não é público"),
        ("pluga", {"target_url": "http://a.example/x"}, "precisa começar com https"),
        ("pluga", {"hook": "order.lost"}, "Faça uma escolha válida"),
        ("rocky", {}, "não assina eventos order.created"),
    ],
)
def test_what_is_wrong_about_an_address_is_said(
    slug: str,
    typed: dict[str, str],
    message: str,
    store: Store,
    admin_client: Client,
    settings: Any,
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    activation = make_partner(store, slug).activation
    form = {"hook": "order.created", "target_url": "https://hooks.pluga.co/x", **typed}

    page = admin_client.post(f"{LIST}{activation.pk}/subscribe/", form, follow=True)

    assert message in page.content.decode()
    assert not Subscription.objects.exists()


def test_new_values_are_shown_under_the_names_that_the_tool_asks_for(
    activation: Activation, store: Store, admin_client: Client
) -> None:
    page = admin_client.post(f"{LIST}{activation.pk}/rotate/").content.decode()
    of_rocky = make_partner(store, "rocky").activation
    other = admin_client.post(f"{LIST}{of_rocky.pk}/rotate/").content.decode()

    assert values_shown(page)["api_user"] == activation.api_user
    assert page.index("Identificador do integrador") < page.index("Client Secret")
    assert "Identificador do integrador" not in other
    assert page.count("data-copy=") == 5


def test_the_lists_cost_the_same_however_much_there_is(
    activation: Activation, subscription: Subscription, admin_client: Client
) -> None:
    costs = []
    for count in (1, 20):
        for number in range(count):
            happen(activation)
            subscribe(activation.pk, Hook.ORDER_CREATED, f"http://127.0.0.1:9/{count}-{number}")
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(SUBSCRIPTIONS)
            admin_client.get(DELIVERIES)
        costs.append(len(queries))

    assert costs[0] == costs[1]
