"""Notices, delivered to a real receiver on this machine."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from connectors import notices
from connectors.http import Answer, send
from connectors.models import Activation, Notice, State, Store
from connectors.notices import announce, deliver_all_notices, deliver_notices
from connectors.services import pause, resume, revoke
from tests.conftest import make_operator, make_partner, make_store
from tests.connectors.conftest import Receiver

ORDER = "606a7d2de2dc666bac3206b5"


@pytest.fixture
def activation(store: Store, receiver: Receiver) -> Activation:
    return make_partner(store, "rocky", plugin_url=f"{receiver.url}/avisos").activation


def announce_order(activation: Activation, object_id: str = ORDER) -> Notice:
    announce([activation], "orders", "updated", object_id, "status")
    return Notice.objects.latest("pk")


def make_due(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(due_at=timezone.now())


def test_a_notice_has_exactly_the_hubs_shape(activation: Activation, receiver: Receiver) -> None:
    announce_order(activation)

    deliver_notices(activation.pk)

    [(method, path, headers, _body)] = receiver.received
    assert (method, path, headers["Content-Type"]) == ("POST", "/avisos", "application/json")
    assert receiver.bodies == [
        {
            "type": "orders",
            "id": ORDER,
            "action": "updated",
            "user": activation.store_id,
            "changes": {"status": True, "stock": False, "price": False},
        }
    ]


def test_a_delivered_notice_is_delivered_once(activation: Activation, receiver: Receiver) -> None:
    notice = announce_order(activation)

    deliver_notices(activation.pk)
    deliver_notices(activation.pk)

    notice.refresh_from_db()
    assert len(receiver.received) == 1
    assert (notice.delivered_at is not None, notice.attempts, notice.last_error) == (True, 1, "")


def test_a_notice_is_stored_with_the_change_or_not_at_all(activation: Activation) -> None:
    OrmQ.objects.all().delete()

    @transaction.atomic
    def change_and_fail() -> None:
        announce_order(activation)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert not Notice.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_change_queues_the_delivery_at_once(activation: Activation) -> None:
    OrmQ.objects.all().delete()

    announce_order(activation)

    [queued] = OrmQ.objects.all()
    assert queued.task["func"] == "connectors.notices.deliver_notices"
    assert queued.task["args"] == (activation.pk,)


def test_who_has_no_address_is_not_told(store: Store) -> None:
    silent = make_partner(store, "pluga").activation

    announce([silent], "orders", "updated", ORDER, "status")

    assert not Notice.objects.exists()


def test_the_oldest_goes_first(activation: Activation, receiver: Receiver) -> None:
    for object_id in ("first", "second", "third"):
        announce_order(activation, object_id)

    deliver_notices(activation.pk)

    assert [body["id"] for body in receiver.bodies] == ["first", "second", "third"]


def test_a_long_queue_goes_in_portions(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "AT_ONCE", 2)
    for number in range(3):
        announce_order(activation, str(number))
    OrmQ.objects.all().delete()

    deliver_notices(activation.pk)

    assert (len(receiver.received), OrmQ.objects.count()) == (2, 1)


@pytest.mark.parametrize("status", [201, 202, 204, 301, 400, 404, 500, 503])
def test_only_200_is_a_delivery(status: int, activation: Activation, receiver: Receiver) -> None:
    notice = announce_order(activation)
    receiver.reply(status)

    deliver_notices(activation.pk)

    notice.refresh_from_db()
    assert (notice.delivered_at, notice.attempts) == (None, 1)
    assert notice.last_error == f"HTTP {status}"


def test_whoever_does_not_answer_is_asked_less_and_less_often(
    activation: Activation, receiver: Receiver
) -> None:
    notice, waits = announce_order(activation), []

    for _number in range(12):
        receiver.reply(500)
        make_due(notice)
        before = timezone.now()
        deliver_notices(activation.pk)
        notice.refresh_from_db()
        waits.append(round((notice.due_at - before).total_seconds()))

    assert waits == [30 * 2**power for power in range(10)] + [6 * 3600] * 2
    assert notice.attempts == 12


def test_the_others_wait_with_the_one_that_failed(
    activation: Activation, receiver: Receiver
) -> None:
    announce_order(activation, "first")
    second = announce_order(activation, "second")
    receiver.reply(500)

    deliver_notices(activation.pk)

    second.refresh_from_db()
    assert [body["id"] for body in receiver.bodies] == ["first"]
    assert (second.attempts, second.due_at > timezone.now()) == (0, True)


def test_an_error_holds_neither_the_address_nor_a_secret(store: Store) -> None:
    dead = make_partner(store, "rocky", plugin_url="http://127.0.0.1:9/?token=segredo").activation
    notice = announce_order(dead)

    deliver_notices(dead.pk)

    notice.refresh_from_db()
    assert notice.last_error == "POST: ConnectionError"


def test_one_dead_address_does_not_stop_another(
    store: Store, activation: Activation, receiver: Receiver
) -> None:
    dead = make_partner(make_store(), "rocky", plugin_url="http://127.0.0.1:9/").activation
    announce([dead, activation], "orders", "updated", ORDER, "status")

    for row in OrmQ.objects.filter().order_by("pk"):
        if row.task["func"].endswith("deliver_notices"):
            deliver_notices(*row.task["args"])

    assert len(receiver.received) == 1
    assert list(Notice.objects.filter(delivered_at=None).values_list("activation_id")) == [
        (dead.pk,)
    ]


def test_what_nobody_took_for_three_days_is_given_up(
    activation: Activation, receiver: Receiver
) -> None:
    old, young = announce_order(activation, "old"), announce_order(activation, "young")
    Notice.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3, hours=1))
    receiver.reply(500)

    deliver_notices(activation.pk)

    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.given_up_at is not None, young.given_up_at) == (True, None)
    make_due(old)
    assert not Notice.objects.due(timezone.now()).exists()


def test_two_deliverers_at_once_do_not_double(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_order(activation, "first")
    announce_order(activation, "second")

    def send_while_another_begins(method: str, url: str, **request: Any) -> Answer:
        monkeypatch.setattr(notices, "send", send)
        deliver_notices(activation.pk)
        return send(method, url, **request)

    monkeypatch.setattr(notices, "send", send_while_another_begins)
    deliver_notices(activation.pk)

    assert [body["id"] for body in receiver.bodies] == ["first", "second"]


def test_the_notices_of_a_deliverer_that_died_are_free_after_a_while(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = announce_order(activation)

    def die(*args: Any, **request: Any) -> Answer:
        raise SystemExit

    monkeypatch.setattr(notices, "send", die)
    with pytest.raises(SystemExit):
        deliver_notices(activation.pk)

    notice.refresh_from_db()
    assert timedelta(minutes=4) < notice.due_at - timezone.now() <= timedelta(minutes=5)


def test_whoever_is_due_again_is_delivered_by_the_clock(
    activation: Activation, store: Store
) -> None:
    notice = announce_order(activation)
    later = announce_order(
        make_partner(store, "webstore", plugin_url="http://127.0.0.1:9").activation
    )
    Notice.objects.filter(pk=later.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    OrmQ.objects.all().delete()

    deliver_all_notices()

    assert [row.task["args"] for row in OrmQ.objects.all()] == [(notice.activation_id,)]


def test_a_waiting_integration_is_told_again_like_an_active_one(
    activation: Activation, receiver: Receiver
) -> None:
    notice = announce_order(activation)
    receiver.reply(503)
    deliver_notices(activation.pk)
    make_due(notice)
    OrmQ.objects.all().delete()

    deliver_all_notices()

    assert Activation.objects.get(pk=activation.pk).state == State.WAITING
    assert OrmQ.objects.count() == 1


def test_a_paused_integration_is_told_when_it_goes_on(
    activation: Activation, receiver: Receiver
) -> None:
    pause(activation.pk, "…")
    announce_order(activation)
    deliver_notices(activation.pk)
    assert receiver.received == []

    resume(activation.pk)
    deliver_notices(activation.pk)

    assert len(receiver.received) == 1


def test_a_revoked_integration_is_told_nothing_more(
    activation: Activation, receiver: Receiver
) -> None:
    announce_order(activation)
    OrmQ.objects.all().delete()
    revoke(activation.pk, make_operator())

    deliver_notices(activation.pk)
    deliver_all_notices()

    assert receiver.received == []
    assert not OrmQ.objects.exists()


def test_the_writer_is_not_told_of_his_own_change(store: Store, receiver: Receiver) -> None:
    make_partner(store, "pluga", plugin_url=f"{receiver.url}/canal")
    shop = make_partner(store, "pluga", plugin_url=f"{receiver.url}/loja")
    platform = make_partner(store, "rocky", plugin_url=f"{receiver.url}/plataforma")

    answer = shop.post(
        "/orders",
        {
            "status": "approved",
            "original_id": "1",
            "total": 10,
            "items": [{"sku": "A", "quantity": 1, "price": 10}],
        },
    )

    assert answer.status_code == 201
    assert [notice.activation for notice in Notice.objects.all()] == [platform.activation]
