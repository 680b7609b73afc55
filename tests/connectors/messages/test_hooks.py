"""Events, delivered to a real receiver on this machine."""

import base64
import hashlib
import hmac
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from connectors.errors import NotAllowed, Refused
from connectors.http import Answer, send
from connectors.messages import delivery, hooks
from connectors.messages.hooks import (
    Happening,
    deliver_all_events,
    deliver_events,
    enable_subscription,
    end_subscription,
    prune_events,
    publish,
    replay_events,
    subscribe,
    unsubscribe,
)
from connectors.models import Activation, Breaker, Delivery, Event, Store, Subscription
from connectors.services import pause, resume, revoke
from connectors.spec import Hook
from tests.clock import Clock
from tests.conftest import Partner, make_operator, make_partner, make_store
from tests.connectors.conftest import Receiver

SECONDS, HOURS, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.rule(monkeypatch, (Delivery, "created_at"), (Delivery, "due_at"), (Event, "at"))
    return clock


@pytest.fixture(autouse=True)
def exact_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "JITTER", 0)


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def subscription(pluga: Partner, receiver: Receiver) -> Subscription:
    return subscribe(pluga.activation.pk, Hook.STOCK_CHANGED, f"{receiver.url}/estoque")


def happen(store: Store, *quantities: int, hook: Hook = Hook.STOCK_CHANGED) -> None:
    publish(store, [Happening(hook, "CAN-07", {"quantity": number}) for number in quantities])


def work() -> None:
    """Run what the queue has to be run by now, and what comes of that."""
    while row := OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk").first():
        row.delete()
        if row.task["func"].endswith(".deliver_events"):
            deliver_events(*row.task["args"])


def quantities(receiver: Receiver) -> list[int]:
    return [body["quantity"] for body in receiver.bodies]


def of(subscription: Subscription) -> Subscription:
    return Subscription.objects.get(pk=subscription.pk)


# -- One event -------------------------------------------------------------------------------------


def test_an_event_is_one_flat_object_signed_and_with_an_id_of_its_own(
    store: Store, pluga: Partner, subscription: Subscription, receiver: Receiver
) -> None:
    happen(store, 3)

    deliver_events(subscription.pk)

    event = Event.objects.get()
    [(method, path, headers, body)] = receiver.received
    headers = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(pluga.issued.webhook_secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert (method, path, headers["content-type"]) == ("POST", "/estoque", "application/json")
    assert receiver.bodies == [
        {
            "id": event.public_id,
            "event": "stock.changed",
            "at": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "quantity": 3,
        }
    ]
    assert headers["webhook-id"] == event.public_id
    assert headers["webhook-signature"] == f"v1,{signature}"


def test_an_event_is_stored_with_its_cause_or_not_at_all(
    store: Store, subscription: Subscription
) -> None:
    OrmQ.objects.all().delete()

    @transaction.atomic
    def change_and_fail() -> None:
        happen(store, 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
    assert not OrmQ.objects.exists()


def test_each_subscriber_to_the_event_is_told_once_and_nobody_else(
    store: Store, subscription: Subscription, receiver: Receiver
) -> None:
    second = make_partner(store, "pluga").activation
    elsewhere = make_partner(make_store(), "pluga").activation
    subscribe(second.pk, Hook.STOCK_CHANGED, f"{receiver.url}/outra")
    subscribe(second.pk, Hook.PRICE_CHANGED, f"{receiver.url}/precos")
    subscribe(elsewhere.pk, Hook.STOCK_CHANGED, f"{receiver.url}/loja-alheia")

    happen(store, 1)
    work()
    deliver_all_events()
    work()

    assert sorted(path for _m, path, _h, _b in receiver.received) == ["/estoque", "/outra"]
    assert len({body["id"] for body in receiver.bodies}) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_a_delivery(
    status: int, store: Store, subscription: Subscription, receiver: Receiver
) -> None:
    happen(store, 1)
    receiver.reply(status)

    work()

    assert Delivery.objects.get().delivered_at is not None


def test_publishing_costs_the_same_however_much_happens(
    store: Store, subscription: Subscription
) -> None:
    costs = []
    for count in (1, 50):
        with CaptureQueriesContext(connection) as queries:
            happen(store, *range(count))
        costs.append(len(queries))

    assert costs[0] == costs[1]


# -- Tried again, in order -------------------------------------------------------------------------


def test_nobody_overtakes_one_that_was_refused(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1, 2, 3)
    receiver.reply(500)
    work()
    assert (quantities(receiver), of(subscription).breaker) == ([1], Breaker.OPEN)
    happen(store, 4)
    work()
    assert quantities(receiver) == [1]

    clock.go(30 * SECONDS)
    work()

    assert quantities(receiver) == [1, 1, 2, 3, 4]
    assert len({body["id"] for body in receiver.bodies}) == 4
    assert (of(subscription).breaker, of(subscription).failures_in_a_row) == (Breaker.CLOSED, 0)


def test_the_waits_double_up_to_an_hour_and_after_three_days_it_is_off_for_a_reason(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    began, moments = clock.now, []
    happen(store, 1, 2)

    while of(subscription).disabled_at is None:
        receiver.reply(503)
        work()
        moments.append(clock.now - began)
        clock.now = of(subscription).open_until or clock.now

    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert waits[:8] == [30 * SECONDS * 2**power for power in (0, 0, 1, 2, 3, 4, 5, 6)]
    assert max(waits) == HOURS
    assert 3 * DAYS <= moments[-1] < 3 * DAYS + 2 * HOURS
    assert "por último: HTTP 503" in of(subscription).disabled_reason
    assert set(Delivery.objects.values_list("given_up_at", flat=True)) == {clock.now}
    assert not OrmQ.objects.exists()


def test_switched_on_again_it_is_sent_everything_in_order(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    now = clock.now
    Subscription.objects.update(disabled_at=now, disabled_reason="HTTP 503")
    happen(store, 1, 2)
    work()
    assert receiver.received == []

    assert enable_subscription(subscription.pk)
    assert not enable_subscription(subscription.pk)
    work()

    assert quantities(receiver) == [1, 2]


def test_subscribing_again_switches_a_disabled_subscription_on(
    store: Store, pluga: Partner, subscription: Subscription, clock: Clock
) -> None:
    Subscription.objects.update(disabled_at=clock.now, disabled_reason="HTTP 503")

    again = subscribe(pluga.activation.pk, Hook.STOCK_CHANGED, subscription.target_url)

    assert (again.pk, again.breaker) == (subscription.pk, Breaker.CLOSED)


def test_one_that_is_refused_for_a_day_is_given_up_and_the_others_arrive(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1, 2)
    receiver.reply(422)
    work()
    clock.go(hooks.REFUSED_FOR)
    receiver.reply(422)
    work()
    assert quantities(receiver) == [1, 1]

    clock.go(HOURS)
    work()

    poison, good = Delivery.objects.order_by("pk")
    assert quantities(receiver) == [1, 1, 2]
    assert (poison.given_up_at is not None, poison.last_error) == (True, "HTTP 422")
    assert (good.delivered_at, of(subscription).breaker) == (clock.now, Breaker.CLOSED)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_one_that_the_server_could_not_take_is_not_given_up_alone(
    status: int, store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1)
    receiver.reply(status)
    work()
    clock.go(2 * DAYS)
    receiver.reply(status)
    work()

    clock.go(HOURS)
    work()

    assert quantities(receiver) == [1, 1, 1]
    assert Delivery.objects.get().delivered_at == clock.now


def test_a_dead_address_delays_nobody(
    store: Store, pluga: Partner, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    dead = subscribe(pluga.activation.pk, Hook.STOCK_CHANGED, "http://127.0.0.1:9/morto")

    for number in range(5):
        happen(store, number)
        work()

    assert quantities(receiver) == [0, 1, 2, 3, 4]
    assert sum(dead.deliveries.values_list("attempts", flat=True)) == 1
    assert dead.deliveries.waiting().count() == 5


def test_a_receiver_that_talks_rubbish_or_breaks_off_is_tried_again(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1)
    receiver.replies = [(200, {"Content-Length": "999"}, b"<html>")]
    work()
    assert Delivery.objects.get().last_status is None

    clock.go(HOURS)
    work()

    assert Delivery.objects.get().delivered_at == clock.now


def test_a_redirect_is_not_followed(
    store: Store, subscription: Subscription, receiver: Receiver
) -> None:
    happen(store, 1)
    receiver.reply(302, Location=f"{receiver.url}/admin")

    work()

    assert len(receiver.received) == 1
    assert Delivery.objects.get().last_error == "HTTP 302"


def test_a_name_that_leads_into_our_own_network_is_not_called(
    store: Store, subscription: Subscription, receiver: Receiver, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    happen(store, 1)

    work()

    assert receiver.received == []
    assert Delivery.objects.get().last_error.startswith("POST: ")


# -- Ended -----------------------------------------------------------------------------------------


def test_410_unsubscribes(
    store: Store, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1, 2)
    receiver.reply(410)

    work()
    happen(store, 3)
    clock.go(DAYS)
    deliver_all_events()
    work()

    assert quantities(receiver) == [1]
    assert of(subscription).ended_at is not None
    assert "410" in of(subscription).ended_reason
    assert not Delivery.objects.waiting().exists()
    assert Delivery.objects.count() == 2


@pytest.mark.usefixtures("all_in_one_thread")
def test_unsubscribed_while_a_turn_is_going_on_nothing_more_goes_there(
    store: Store,
    pluga: Partner,
    subscription: Subscription,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happen(store, 1, 2, 3)

    def send_and_unsubscribe(method: str, url: str, **request: Any) -> Answer:
        unsubscribe(pluga.activation, subscription.public_id)
        return send(method, url, **request)

    monkeypatch.setattr(delivery, "send", send_and_unsubscribe)
    deliver_events(subscription.pk)

    ended = of(subscription)
    assert quantities(receiver) == [1]
    assert (ended.ended_at is not None, ended.busy_until) == (True, None)
    assert Delivery.objects.exclude(delivered_at=None).count() == 1
    assert not Delivery.objects.waiting().exists()


@pytest.mark.usefixtures("all_in_one_thread")
def test_a_failure_does_not_bring_back_what_was_ended_meanwhile(
    store: Store,
    pluga: Partner,
    subscription: Subscription,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happen(store, 1)
    receiver.reply(500)

    def send_and_end(method: str, url: str, **request: Any) -> Answer:
        end_subscription(subscription.pk, "…")
        return send(method, url, **request)

    monkeypatch.setattr(delivery, "send", send_and_end)
    deliver_events(subscription.pk)

    assert of(subscription).ended_at is not None
    assert not Delivery.objects.waiting().exists()


def test_an_ended_subscription_may_be_made_anew(
    store: Store, pluga: Partner, subscription: Subscription, receiver: Receiver
) -> None:
    unsubscribe(pluga.activation, subscription.public_id)

    again = subscribe(pluga.activation.pk, Hook.STOCK_CHANGED, subscription.target_url)
    happen(store, 1)
    work()

    assert again.pk != subscription.pk
    assert quantities(receiver) == [1]


def test_a_paused_integration_is_told_when_it_goes_on_and_a_revoked_one_never(
    store: Store, pluga: Partner, subscription: Subscription, receiver: Receiver
) -> None:
    pause(pluga.activation.pk, "…")
    happen(store, 1)
    work()
    assert receiver.received == []

    resume(pluga.activation.pk)
    deliver_all_events()
    work()
    revoke(pluga.activation.pk, make_operator())
    happen(store, 2)
    deliver_all_events()
    work()

    assert quantities(receiver) == [1]
    with pytest.raises(NotAllowed):
        subscribe(pluga.activation.pk, Hook.PRICE_CHANGED, receiver.url)


def test_an_integration_has_only_so_many_subscriptions(
    pluga: Partner, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "MOST_SUBSCRIPTIONS", 1)

    with pytest.raises(Refused, match="encerre as que não usa"):
        subscribe(pluga.activation.pk, Hook.PRICE_CHANGED, subscription.target_url)

    unsubscribe(pluga.activation, subscription.public_id)
    subscribe(pluga.activation.pk, Hook.PRICE_CHANGED, subscription.target_url)


# -- Sent again, and forgotten ---------------------------------------------------------------------


def test_a_replay_has_the_old_id_and_the_record_of_the_old_delivery_stays(
    store: Store, subscription: Subscription, receiver: Receiver
) -> None:
    happen(store, 1)
    work()

    counts = [replay_events(Delivery.objects.all()), replay_events(Delivery.objects.all())]
    work()

    assert counts == [1, 0]
    assert receiver.bodies[0] == receiver.bodies[1]
    assert Delivery.objects.exclude(delivered_at=None).count() == 2


def test_a_replay_to_what_is_off_is_refused_and_to_what_is_ended_empty(
    store: Store, pluga: Partner, subscription: Subscription, clock: Clock
) -> None:
    happen(store, 1)
    work()
    Subscription.objects.update(disabled_at=clock.now, disabled_reason="HTTP 503")
    with pytest.raises(Refused):
        replay_events(Delivery.objects.all())

    unsubscribe(pluga.activation, subscription.public_id)

    assert replay_events(Delivery.objects.all()) == 0


def test_what_is_old_is_forgotten_unless_somebody_waits_for_it(
    store: Store, pluga: Partner, subscription: Subscription, receiver: Receiver, clock: Clock
) -> None:
    happen(store, 1)
    work()
    pause(pluga.activation.pk, "…")
    happen(store, 2)
    clock.go(31 * DAYS)
    happen(store, 3)

    prune_events()

    assert [event.data["quantity"] for event in Event.objects.order_by("pk")] == [2, 3]
    assert Delivery.objects.count() == 2


def test_many_are_forgotten_in_portions(
    store: Store, activation_of_pluga: Activation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "PRUNED_AT_ONCE", 2)
    happen(store, 1, 2, 3)
    clock.go(31 * DAYS)

    prune_events()

    assert Event.objects.count() == 1
    assert [row.task["func"] for row in OrmQ.objects.all()] == [
        "connectors.messages.hooks.prune_events"
    ]


@pytest.fixture
def activation_of_pluga(pluga: Partner) -> Activation:
    return pluga.activation


# -- What settings leave out -----------------------------------------------------------------------

PRODUCT = {"sku": "A", "preparation_days": 2, "image": "https://a", "images_text": "https://a"}


@pytest.mark.parametrize(
    ("values", "hook", "left_out"),
    [
        ({}, Hook.PRODUCT_CREATED, set()),
        ({}, Hook.PRODUCT_UPDATED, set()),
        ({"preparation_days": False}, Hook.PRODUCT_UPDATED, {"preparation_days"}),
        ({"images": "always"}, Hook.PRODUCT_UPDATED, set()),
        ({"images": "new"}, Hook.PRODUCT_CREATED, set()),
        ({"images": "new"}, Hook.PRODUCT_UPDATED, {"image", "images_text"}),
    ],
)
def test_each_integration_is_told_what_its_settings_say(
    values: dict[str, Any],
    hook: Hook,
    left_out: set[str],
    store: Store,
    receiver: Receiver,
) -> None:
    activation = make_partner(store, "pluga", values=values).activation
    subscribe(activation.pk, hook, receiver.url)
    publish(store, [Happening(hook, "A", PRODUCT)])

    work()

    [body] = receiver.bodies
    assert PRODUCT.keys() - body.keys() == left_out
    assert json.dumps(body)
