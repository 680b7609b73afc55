"""Notices, delivered to a real receiver on this machine."""

import base64
import hashlib
import hmac
import itertools
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from connectors.errors import Refused
from connectors.http import Answer, send
from connectors.messages import delivery
from connectors.messages.delivery import JITTER
from connectors.messages.notices import (
    announce,
    deliver_all_notices,
    deliver_notices,
    enable_notices,
    hears,
    prune_notices,
    replay,
)
from connectors.models import Activation, Breaker, Endpoint, Heartbeat, Notice, State, Store
from connectors.sandbox.server import Sandbox
from connectors.services import (
    change_settings,
    pause,
    resume,
    revoke,
    revoke_older_credentials,
    rotate_credential,
)
from connectors.trouble.incidents import watch_flows
from tests.clock import Clock
from tests.conftest import Partner, make_operator, make_partner, make_store
from tests.connectors.conftest import Receiver
from tests.threads import one_within_another

ORDER = "606a7d2de2dc666bac3206b5"
SECONDS, HOURS, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.rule(monkeypatch, (Notice, "created_at"), (Notice, "due_at"))
    return clock


@pytest.fixture(autouse=True)
def exact_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "JITTER", 0)


@pytest.fixture
def partner(store: Store, receiver: Receiver) -> Partner:
    return make_partner(store, "rocky", plugin_url=f"{receiver.url}/avisos")


@pytest.fixture
def activation(partner: Partner) -> Activation:
    return partner.activation


def announce_order(activation: Activation, object_id: str = ORDER) -> Notice:
    fresh = Activation.objects.get(pk=activation.pk)  # with the endpoint as it is now
    announce([fresh], "orders", "updated", object_id, "status")
    return Notice.objects.latest("pk")


def make_due(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(due_at=timezone.now())


def endpoint_of(activation: Activation) -> Endpoint:
    return Endpoint.objects.get(pk=activation.pk)


def queued() -> list[tuple[int, datetime]]:
    """Whose turn is queued, and for when."""
    return [(row.task["args"][0], row.lock) for row in OrmQ.objects.order_by("pk")]


def work() -> None:
    """Run what the queue has to be run by now, and what comes of that."""
    while row := OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk").first():
        row.delete()
        if row.task["func"].endswith(".deliver_notices"):
            deliver_notices(*row.task["args"])


def ids(receiver: Receiver) -> list[str]:
    return [body["id"] for body in receiver.bodies]


def fail_until_open(activation: Activation, receiver: Receiver) -> None:
    for number in range(delivery.FAILURES_TO_OPEN):
        announce_order(activation, f"failed {number}")
        receiver.reply(503)
    work()
    receiver.received.clear()


def test_where_the_key_is_gone_nothing_leaves_unsigned_and_the_reason_is_told(
    activation: Activation, receiver: Receiver, settings: LazySettings
) -> None:
    notice, keys = announce_order(activation), settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    deliver_notices(activation.pk)

    notice.refresh_from_db()
    assert receiver.received == []
    assert "gere outras credenciais na integração" in notice.last_error
    settings.CREDENTIAL_KEYS = keys
    make_due(notice)
    deliver_notices(activation.pk)
    assert ids(receiver) == [ORDER]


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
    assert queued.task["func"] == "connectors.messages.notices.deliver_notices"
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
    monkeypatch.setattr(delivery, "AT_ONCE", 2)
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


def test_an_error_holds_neither_the_address_nor_a_secret(store: Store) -> None:
    dead = make_partner(store, "rocky", plugin_url="http://127.0.0.1:9/?token=segredo").activation
    notice = announce_order(dead)

    deliver_notices(dead.pk)

    notice.refresh_from_db()
    assert notice.last_error == "POST: ConnectionError"


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


# -- Signed ---------------------------------------------------------------------------------------


def signature_is_right(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The rule of Standard Webhooks, written down once more."""
    headers = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b"%s.%s.%s" % (
        headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body,
    )  # fmt: skip
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [signature.split(",", 1) for signature in headers["webhook-signature"].split()]
    return ["v1", expected] in versions


def test_a_notice_is_signed_by_standard_webhooks(
    partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    notice = announce_order(partner.activation)

    deliver_notices(partner.activation.pk)

    [(_method, _path, headers, body)] = receiver.received
    secret = partner.issued.webhook_secret
    assert signature_is_right(secret, headers, body)
    assert not signature_is_right(secret, headers, body + b" ")
    assert not signature_is_right(secret, headers | {"webhook-timestamp": "1"}, body)
    assert not signature_is_right("whsec_" + "A" * 43 + "=", headers, body)
    assert headers["webhook-id"] == notice.message_id
    assert headers["webhook-timestamp"] == str(int(clock.now.timestamp()))
    assert len(headers["webhook-signature"].split()) == 1


def test_while_credentials_are_replaced_either_secret_is_right(
    partner: Partner, receiver: Receiver
) -> None:
    pk, operator = partner.activation.pk, make_operator()
    old, new = partner.issued.webhook_secret, rotate_credential(pk, operator).webhook_secret
    announce_order(partner.activation)
    deliver_notices(pk)

    revoke_older_credentials(pk, operator)
    announce_order(partner.activation)
    deliver_notices(pk)

    right = [
        (signature_is_right(old, headers, body), signature_is_right(new, headers, body))
        for _method, _path, headers, body in receiver.received
    ]
    assert right == [(True, True), (False, True)]


def test_every_attempt_has_the_same_id_and_a_signature_of_its_own_moment(
    partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    announce_order(partner.activation)
    receiver.reply(500)
    work()
    clock.go(30 * SECONDS)

    work()

    first, second = receiver.received
    assert first[2]["webhook-id"] == second[2]["webhook-id"]
    assert first[2]["webhook-signature"] != second[2]["webhook-signature"]
    assert signature_is_right(partner.issued.webhook_secret, second[2], second[3])


def test_no_two_notices_have_the_same_id(activation: Activation, receiver: Receiver) -> None:
    announce_order(activation)
    announce_order(activation)

    deliver_notices(activation.pk)

    assert len({headers["webhook-id"] for _m, _p, headers, _b in receiver.received}) == 2


def test_the_sandboxs_partners_check_the_signature(store: Store, sandbox: Sandbox) -> None:
    platform = sandbox.open("shop", "assinada", {})
    partner = make_partner(store, "rocky", plugin_url=f"{sandbox.url}/assinada")
    platform.control("settings", {"webhook_secret": partner.issued.webhook_secret})
    announce_order(partner.activation, "ours")
    deliver_notices(partner.activation.pk)
    platform.control("settings", {"webhook_secret": "whsec_" + "A" * 43 + "="})
    forged = announce_order(partner.activation, "somebody's")

    deliver_notices(partner.activation.pk)

    forged.refresh_from_db()
    assert [notice["id"] for notice in platform.report()["notices"]] == ["ours"]
    assert platform.report()["refusals"] == ["assinada: a notification whose signature is wrong"]
    assert (forged.delivered_at, forged.last_status) == (None, 401)


# -- Tried again -----------------------------------------------------------------------------------


def test_whoever_refuses_is_asked_less_and_less_often_for_three_days(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FAILURES_TO_OPEN", 1000)
    notice, began, moments = announce_order(activation), clock.now, []

    while notice.given_up_at is None:
        receiver.reply(500)
        work()
        moments.append(clock.now - began)
        notice.refresh_from_db()
        clock.now = notice.due_at

    doubling = [timedelta(), *(30 * SECONDS * 2**power for power in range(11))]
    assert moments[:12] == doubling
    afterwards = {later - earlier for earlier, later in itertools.pairwise(moments[12:])}
    assert afterwards == {6 * HOURS}
    assert 3 * DAYS <= moments[-1] < 3 * DAYS + 6 * HOURS
    assert notice.attempts == len(moments) == len(receiver.received)
    assert (notice.last_status, notice.last_error) == (500, "HTTP 500")


def test_those_that_failed_together_do_not_come_back_together(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FAILURES_TO_OPEN", 1000)
    monkeypatch.setattr(delivery, "JITTER", JITTER)
    for number in range(30):
        announce_order(activation, str(number))
        receiver.reply(500)

    work()

    waits = {due_at - clock.now for due_at in Notice.objects.values_list("due_at", flat=True)}
    assert len(waits) > 20
    assert all(20 * SECONDS < wait < 40 * SECONDS for wait in waits)  # within the first minute


def test_the_next_attempt_is_queued_for_its_moment(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    notice = announce_order(activation)
    receiver.reply(500)

    work()

    notice.refresh_from_db()
    assert queued() == [(activation.pk, notice.due_at)]
    assert notice.due_at == clock.now + 30 * SECONDS


def test_one_that_is_refused_delays_only_itself(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    refused = announce_order(activation, "refused")
    for number in range(3):
        announce_order(activation, str(number))
    receiver.reply(400)

    work()

    refused.refresh_from_db()
    assert ids(receiver) == ["refused", "0", "1", "2"]
    assert (refused.attempts, refused.delivered_at) == (1, None)
    assert endpoint_of(activation).breaker == Breaker.CLOSED


def test_one_that_is_never_taken_is_given_up_alone(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    notice = announce_order(activation, "never")
    receiver.reply(400)
    work()
    clock.go(3 * DAYS)
    announce_order(activation, "good")

    receiver.reply(400)
    work()

    notice.refresh_from_db()
    assert (notice.given_up_at, notice.attempts) == (clock.now, 2)
    assert ids(receiver) == ["never", "never", "good"]
    assert not OrmQ.objects.exists()


# -- The breaker -----------------------------------------------------------------------------------


def test_an_open_breaker_lets_nothing_through_and_queues_nothing(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)
    assert endpoint_of(activation).breaker == Breaker.OPEN
    OrmQ.objects.all().delete()
    announce_order(activation, "new")

    deliver_all_notices()
    deliver_notices(activation.pk)

    assert receiver.received == []
    assert queued() == []


def test_after_its_time_one_notice_is_the_probe_and_closes_the_breaker(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)
    announce_order(activation, "new")
    clock.go(30 * SECONDS)
    assert endpoint_of(activation).breaker == Breaker.HALF_OPEN

    deliver_notices(activation.pk)

    endpoint = endpoint_of(activation)
    assert ids(receiver) == ["new"]
    assert (endpoint.breaker, endpoint.failures_in_a_row) == (Breaker.CLOSED, 0)
    assert (endpoint.failing_since, endpoint.last_success_at) == (None, clock.now)
    work()
    assert sorted(ids(receiver)) == ["failed 0", "failed 1", "failed 2", "new"]
    assert not Notice.objects.waiting().exists()


def test_a_probe_that_fails_opens_the_breaker_again_for_longer_up_to_an_hour(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)
    waits = []

    for _number in range(12):
        open_until = endpoint_of(activation).open_until
        assert open_until is not None
        waits.append((open_until - clock.now) / SECONDS)
        clock.now = open_until
        receiver.reply(503)
        work()

    assert waits == [30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    assert len(receiver.received) == 12


def test_the_probe_is_not_the_one_that_failed_last(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)
    announce_order(activation, "one")
    announce_order(activation, "other")

    for _number in range(2):
        receiver.reply(503)
        clock.go(HOURS)
        work()

    assert ids(receiver) == ["other", "one"]


def test_a_dead_address_among_living_ones_is_left_alone(
    store: Store, activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    dead = make_partner(store, "rocky", plugin_url="http://127.0.0.1:9/").activation

    for number in range(10):
        announce([dead, activation], "orders", "updated", str(number), "status")
        work()

    assert ids(receiver) == [str(number) for number in range(10)]
    assert Notice.objects.waiting().filter(activation=dead).count() == 10
    assert sum(Notice.objects.filter(activation=dead).values_list("attempts", flat=True)) == 3
    assert Notice.objects.waiting().filter(activation=activation).count() == 0


def test_silence_ends_the_turn(store: Store, receiver: Receiver, clock: Clock) -> None:
    dead = make_partner(store, "rocky", plugin_url="http://127.0.0.1:9/").activation
    for number in range(5):
        announce_order(dead, str(number))
    OrmQ.objects.all().delete()

    deliver_notices(dead.pk)

    assert list(Notice.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0, 0, 0]
    assert queued() == [(dead.pk, clock.now + 30 * SECONDS)]


def test_another_address_and_going_on_begin_anew(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)

    change_settings(activation.pk, "", f"{receiver.url}/outro", {})

    assert endpoint_of(activation).breaker == Breaker.CLOSED
    fail_until_open(activation, receiver)
    change_settings(activation.pk, "Nome", f"{receiver.url}/outro", {})
    assert endpoint_of(activation).breaker == Breaker.OPEN
    pause(activation.pk, "…")
    resume(activation.pk)
    assert endpoint_of(activation).breaker == Breaker.CLOSED


@pytest.mark.django_db(transaction=True)
def test_what_the_old_address_answers_late_is_no_fault_of_the_new_one(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_until_open(activation, receiver)
    clock.go(delivery.GIVE_UP_AFTER)

    def corrected(*args: Any, **kwargs: Any) -> Answer:
        change_settings(activation.pk, "", f"{receiver.url}/novo", {})
        connection.close()
        return Answer(503, {}, b"")

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "send", corrected)
        deliver_notices(activation.pk)

    assert endpoint_of(activation).breaker == Breaker.CLOSED
    assert not Notice.objects.exclude(given_up_at=None).exists()
    clock.go(delivery.FIRST_WAIT)
    work()
    assert not Notice.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_the_address_is_corrected_while_a_failure_is_noted(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_order(activation)
    for _attempt in range(2):
        receiver.reply(503)
    deliver_notices(activation.pk)
    make_due(Notice.objects.get())

    faults = one_within_another(
        monkeypatch,
        delivery.Courier,
        "_save_failure",
        lambda: deliver_notices(activation.pk),
        lambda: change_settings(activation.pk, "", f"{receiver.url}/novo", {}),
    )

    assert faults == []
    assert endpoint_of(activation).busy_until is None


def test_what_was_due_by_a_clock_that_is_put_back_is_delivered(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.rule(monkeypatch, (Heartbeat, "beat_at"), (Heartbeat, "steady_since"))
    fail_until_open(activation, receiver)
    announce_order(activation)
    watch_flows()

    clock.go(-2 * DAYS)
    watch_flows()
    OrmQ.objects.all().delete()
    for _minute in range(2):
        deliver_all_notices()
        work()

    assert len(receiver.received) == delivery.FAILURES_TO_OPEN + 1
    assert not Notice.objects.waiting().exists()


@pytest.mark.parametrize("watched_first", [False, True])
def test_the_time_in_which_the_portal_was_off_switches_no_address_off(
    activation: Activation,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    watched_first: bool,
) -> None:
    clock.rule(monkeypatch, (Heartbeat, "beat_at"), (Heartbeat, "steady_since"))
    fail_until_open(activation, receiver)
    watch_flows()
    clock.go(4 * DAYS)
    if watched_first:
        watch_flows()

    receiver.reply(503)
    deliver_notices(activation.pk)

    assert endpoint_of(activation).breaker == Breaker.OPEN
    watch_flows()
    clock.go(HOURS)
    work()
    assert not Notice.objects.waiting().exists()


def test_what_failed_after_the_portal_was_last_seen_to_run_is_not_given_up_for_that(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.rule(monkeypatch, (Heartbeat, "beat_at"), (Heartbeat, "steady_since"))
    watch_flows()
    clock.go(SECONDS)
    fail_until_open(activation, receiver)
    clock.go(4 * DAYS)
    watch_flows()

    receiver.reply(503)
    deliver_notices(activation.pk)

    assert endpoint_of(activation).breaker == Breaker.OPEN
    assert Notice.objects.waiting().count() == delivery.FAILURES_TO_OPEN


def test_what_failed_before_the_portal_was_off_counts_when_it_is_back(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.rule(monkeypatch, (Heartbeat, "beat_at"), (Heartbeat, "steady_since"))
    fail_until_open(activation, receiver)
    for night in (2 * DAYS, DAYS, DAYS):
        watch_flows()
        clock.go(night)
        watch_flows()
        Heartbeat.objects.update(beat_at=clock.now + DAYS)  # it runs for a day
        clock.go(DAYS)

    receiver.reply(503)
    deliver_notices(activation.pk)

    assert endpoint_of(activation).breaker == Breaker.DISABLED


# -- Taking turns ----------------------------------------------------------------------------------


def test_a_slow_address_gives_way_and_gets_another_turn(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TURN_SECONDS", 0)
    for number in range(3):
        announce_order(activation, str(number))
    OrmQ.objects.all().delete()

    deliver_notices(activation.pk)

    assert ids(receiver) == ["0"]
    assert len(queued()) == 1


@pytest.mark.usefixtures("all_in_one_thread")
def test_two_deliverers_at_once_do_not_double_and_what_came_meanwhile_is_delivered(
    activation: Activation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_order(activation, "first")
    announce_order(activation, "second")
    OrmQ.objects.all().delete()

    def send_while_another_begins(method: str, url: str, **request: Any) -> Answer:
        monkeypatch.setattr(delivery, "send", send)
        announce_order(activation, "third")
        work()
        assert receiver.received == []
        return send(method, url, **request)

    monkeypatch.setattr(delivery, "send", send_while_another_begins)
    deliver_notices(activation.pk)

    assert ids(receiver) == ["first", "second"]
    work()
    assert ids(receiver) == ["first", "second", "third"]


def test_an_address_whose_deliverer_died_is_free_after_a_while(
    activation: Activation, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **request: Any) -> Answer:
        raise SystemExit

    announce_order(activation)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "send", die)
        with pytest.raises(SystemExit):
            deliver_notices(activation.pk)

    clock.go(delivery.LEASE - SECONDS)
    deliver_notices(activation.pk)
    assert receiver.received == []
    clock.go(SECONDS)
    deliver_notices(activation.pk)

    assert ids(receiver) == [ORDER]
    assert endpoint_of(activation).busy_until is None


def test_an_address_that_kills_its_deliverers_is_no_longer_called(
    activation: Activation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def die(*args: Any, **request: Any) -> Answer:
        calls.append(args)
        raise SystemExit

    monkeypatch.setattr(delivery, "send", die)
    announce_order(activation)
    for _number in range(delivery.FAILURES_TO_OPEN):
        with pytest.raises(SystemExit):
            deliver_notices(activation.pk)
        clock.go(delivery.LEASE)

    deliver_notices(activation.pk)

    assert len(calls) == delivery.FAILURES_TO_OPEN
    assert endpoint_of(activation).breaker == Breaker.OPEN


# -- The sweep -------------------------------------------------------------------------------------


def test_the_sweep_gives_a_turn_to_whoever_has_something_due(
    activation: Activation, store: Store
) -> None:
    announce_order(activation)
    later = announce_order(
        make_partner(store, "webstore", plugin_url="http://127.0.0.1:9").activation
    )
    nowhere = make_partner(store, "linx", plugin_url="http://127.0.0.1:9").activation
    announce_order(nowhere)
    change_settings(nowhere.pk, "", "", {})
    Notice.objects.filter(pk=later.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    OrmQ.objects.all().delete()

    deliver_all_notices()

    assert activation.state == State.WAITING
    assert [pk for pk, _at in queued()] == [activation.pk]


def test_thousands_that_wait_for_dead_addresses_do_not_slow_the_sweep(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan: the notices are not read, only an index, once for each address in question."""
    dead = [
        make_partner(make_store(), "rocky", plugin_url="http://127.0.0.1:9").activation
        for _number in range(8)
    ]
    make_thousands(activation, delivered_at=timezone.now())
    for one in dead:
        make_thousands(one)
    open_ones = [one.pk for one in dead[2:]]
    Endpoint.objects.filter(pk__in=open_ones).update(open_until=timezone.now() + HOURS)
    announce_order(activation)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    asked: list[Any] = []
    monkeypatch.setattr(delivery, "enqueue_all", lambda task, calls: asked.append(calls))

    deliver_all_notices()

    [ready] = asked
    assert sorted(ready) == sorted([(dead[0].pk,), (dead[1].pk,), (activation.pk,)])
    if connection.vendor == "sqlite":
        assert "USING INDEX notice_due (activation_id=? AND due_at<?)" in ready.explain()
    else:
        plan = json.loads(ready.explain(analyze=True, format="json"))[0]["Plan"]
        [read] = [node for node in nodes_of(plan) if node.get("Relation Name") == NOTICES]
        assert (read["Node Type"], read["Index Name"]) == ("Index Only Scan", "notice_due")
        assert read["Actual Rows"] * read["Actual Loops"] <= 3


NOTICES = Notice._meta.db_table


def make_thousands(activation: Activation, **values: Any) -> None:
    Notice.objects.bulk_create(
        Notice(
            activation=activation, topic="orders", action="updated", object_id=str(number), **values
        )
        for number in range(2000)
    )


def nodes_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes_of(child))]


# -- Disabled --------------------------------------------------------------------------------------


def fail_until_disabled(activation: Activation, receiver: Receiver, clock: Clock) -> None:
    fail_until_open(activation, receiver)
    while (open_until := endpoint_of(activation).open_until) is not None:
        clock.now = open_until
        receiver.reply(503)
        work()
    receiver.received.clear()


def test_after_three_days_without_one_delivery_the_address_is_disabled_for_a_reason(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    began = clock.now
    announce_order(activation, "never tried")

    fail_until_disabled(activation, receiver, clock)

    endpoint = endpoint_of(activation)
    day = timezone.localtime(began).strftime("%d/%m/%Y %H:%M")
    assert endpoint.breaker == Breaker.DISABLED
    assert endpoint.disabled_reason == f"Nenhuma entrega desde {day}; por último: HTTP 503"
    assert 3 * DAYS <= clock.now - began <= 3 * DAYS + HOURS
    assert set(Notice.objects.values_list("given_up_at", flat=True)) == {clock.now}
    assert not OrmQ.objects.exists()


def test_one_delivery_in_three_days_is_enough(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_open(activation, receiver)
    clock.go(2 * DAYS)
    work()
    clock.go(2 * DAYS)

    fail_until_open(activation, receiver)

    assert endpoint_of(activation).breaker == Breaker.OPEN


def test_a_disabled_address_gets_nothing_and_what_happens_meanwhile_is_kept(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_disabled(activation, receiver, clock)

    meanwhile = announce_order(activation, "meanwhile")
    deliver_all_notices()
    deliver_notices(activation.pk)

    assert receiver.received == []
    assert (meanwhile.given_up_at, OrmQ.objects.count()) == (clock.now, 0)


def test_enabled_again_everything_that_was_given_up_is_delivered(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_disabled(activation, receiver, clock)
    announce_order(activation, "meanwhile")
    clock.go(DAYS)

    assert enable_notices(activation.pk)
    assert not enable_notices(activation.pk)
    work()

    endpoint = endpoint_of(activation)
    assert sorted(ids(receiver)) == ["failed 0", "failed 1", "failed 2", "meanwhile"]
    assert (endpoint.breaker, endpoint.disabled_reason) == (Breaker.CLOSED, "")
    assert not Notice.objects.filter(delivered_at=None).exists()


def test_enabled_again_an_address_has_three_days_again(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    fail_until_disabled(activation, receiver, clock)
    enable_notices(activation.pk)
    receiver.replies = [(503, {}, b"")] * 3

    work()

    assert endpoint_of(activation).breaker == Breaker.OPEN
    assert Notice.objects.waiting().count() == 3


# -- Sent again ------------------------------------------------------------------------------------


def test_a_replay_is_a_new_attempt_with_the_old_id_and_the_old_record_stays(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    old = announce_order(activation)
    work()
    before = Notice.objects.values().get(pk=old.pk)
    clock.go(DAYS)

    count = replay(Notice.objects.filter(pk=old.pk))
    work()

    first, second = receiver.received
    assert count == 1
    assert (first[2]["webhook-id"], first[3]) == (second[2]["webhook-id"], second[3])
    assert Notice.objects.values().get(pk=old.pk) == before
    assert Notice.objects.latest("pk").delivered_at == clock.now


def test_what_waits_is_not_doubled_by_a_replay(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    announce_order(activation, "delivered")
    work()
    announce_order(activation, "waiting")
    everything = Notice.objects.all()

    counts = [replay(everything), replay(everything)]

    assert counts == [1, 0]
    work()
    assert ids(receiver) == ["delivered", "waiting", "delivered"]
    assert replay(everything) == 2  # the message that was sent twice is sent once more, not twice


def test_a_replay_takes_up_what_was_given_up(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    notice = announce_order(activation)
    Notice.objects.update(given_up_at=clock.now, failing_since=clock.now - 3 * DAYS, attempts=20)

    count = replay(Notice.objects.exclude(given_up_at=None))
    receiver.reply(500)
    work()

    notice.refresh_from_db()
    assert (count, notice.attempts, notice.given_up_at) == (1, 21, None)
    assert notice.due_at == clock.now + 30 * SECONDS


def test_a_replay_to_a_disabled_address_is_refused_and_to_a_revoked_one_empty(
    store: Store, activation: Activation, receiver: Receiver
) -> None:
    announce_order(activation)
    work()
    Endpoint.objects.update(disabled_at=timezone.now(), disabled_reason="HTTP 500")

    with pytest.raises(Refused, match="religue-as primeiro"):
        replay(Notice.objects.all())
    revoke(activation.pk, make_operator())

    assert replay(Notice.objects.all()) == 0
    assert Notice.objects.count() == 1


# -- Forgotten -------------------------------------------------------------------------------------


def test_what_ended_thirty_days_ago_is_forgotten_and_what_waits_is_not(
    store: Store, activation: Activation, clock: Clock
) -> None:
    revoked = make_partner(store, "webstore", plugin_url="http://127.0.0.1:9").activation
    rows = {
        name: announce_order(activation, name)
        for name in ("delivered", "given up", "waiting", "delivered lately")
    }
    rows["of a revoked one"] = announce_order(revoked)
    revoke(revoked.pk, make_operator())
    long_ago, lately = clock.now - 31 * DAYS, clock.now - 29 * DAYS
    Notice.objects.update(created_at=long_ago)
    for name, values in {
        "delivered": {"delivered_at": long_ago},
        "given up": {"given_up_at": long_ago},
        "delivered lately": {"delivered_at": lately, "created_at": lately},
    }.items():
        Notice.objects.filter(pk=rows[name].pk).update(**values)

    prune_notices()

    assert set(Notice.objects.values_list("object_id", flat=True)) == {
        "waiting", "delivered lately",
    }  # fmt: skip


def test_what_waited_for_long_is_sent_when_its_address_is_enabled_after_it_was_given_up(
    activation: Activation, receiver: Receiver, clock: Clock
) -> None:
    announce_order(activation)
    pause(activation.pk, "…")
    clock.go(40 * DAYS)
    resume(activation.pk)
    for _day in range(6):
        receiver.reply(500)
        deliver_notices(activation.pk)
        clock.go(DAYS)

    prune_notices()

    assert enable_notices(activation.pk)
    assert Notice.objects.waiting().count() == 1


def test_what_a_paused_integration_is_told_of_one_record_waits_once(
    activation: Activation, receiver: Receiver
) -> None:
    for number in range(3):
        announce([activation], "products", "created", f"new {number}")
        announce([activation], "products", "updated", "same", "stock")
    announce([activation], "products", "updated", "same", "price")
    prune_notices()
    assert Notice.objects.count() == 7

    pause(activation.pk, "…")
    prune_notices()
    resume(activation.pk)
    work()

    told = [(body["id"], body["changes"]["price"]) for body in receiver.bodies]
    assert told == [
        ("new 0", False), ("new 1", False), ("new 2", False), ("same", False), ("same", True),
    ]  # fmt: skip


@pytest.mark.parametrize(("ended", "kept"), [(-SECONDS, 1), (SECONDS * 60, 2)])
def test_repetitions_wait_for_whoever_is_at_a_paused_address_but_not_for_one_who_was_killed(
    activation: Activation, ended: timedelta, kept: int
) -> None:
    for _ in range(2):
        announce_order(activation)
    pause(activation.pk, "…")
    Endpoint.objects.update(busy_until=timezone.now() + ended)

    prune_notices()

    assert Notice.objects.count() == kept


def test_many_are_forgotten_in_portions(
    activation: Activation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PRUNED_AT_ONCE", 2)
    for number in range(3):
        announce_order(activation, str(number))
    Notice.objects.update(delivered_at=clock.now, created_at=clock.now - 31 * DAYS)
    OrmQ.objects.all().delete()

    prune_notices()

    assert Notice.objects.count() == 1
    assert [row.task["func"] for row in OrmQ.objects.all()] == [
        "connectors.messages.notices.prune_notices"
    ]
    OrmQ.objects.all().delete()
    prune_notices()
    assert (Notice.objects.count(), OrmQ.objects.count()) == (0, 0)


# -- One's own writes ------------------------------------------------------------------------------

SALE = {
    "status": "approved",
    "original_id": "1",
    "total": 10,
    "items": [{"sku": "A", "quantity": 1, "price": 10}],
}


def test_the_writer_is_not_told_of_his_own_change(store: Store, receiver: Receiver) -> None:
    make_partner(store, "pluga", plugin_url=f"{receiver.url}/canal")
    shop = make_partner(store, "pluga", plugin_url=f"{receiver.url}/loja")
    platform = make_partner(store, "rocky", plugin_url=f"{receiver.url}/plataforma")

    answer = shop.post("/orders", SALE)

    assert answer.status_code == 201
    assert [notice.activation for notice in Notice.objects.all()] == [platform.activation]


def test_a_writer_that_asks_for_it_is_told_of_his_own_change(
    store: Store, receiver: Receiver
) -> None:
    asks = {"notify_own_writes": True}
    shop = make_partner(store, "pluga", plugin_url=f"{receiver.url}/loja", values=asks)
    platform = make_partner(store, "rocky", plugin_url=f"{receiver.url}/erp", values=asks)

    order = shop.post("/orders", SALE).json()["Order"]
    platform.put(f"/orders/{order['id']}", {"external": "77", "ack": True})
    platform.put(f"/orders/{order['id']}", {"status": "invoiced", "shipments": [{"nfe_number": 1}]})

    told = Notice.objects.values_list("activation", "action")
    assert sorted(told) == [
        (shop.activation.pk, "created"),
        (shop.activation.pk, "updated"),
        (platform.activation.pk, "created"),
        (platform.activation.pk, "updated"),
    ]


@pytest.mark.parametrize(
    ("values", "own", "others"), [({}, False, True), ({"notify_own_writes": True}, True, True)]
)
def test_whether_one_hears_of_a_change_depends_on_who_made_it(
    values: dict[str, bool], own: bool, others: bool, store: Store
) -> None:
    one = make_partner(store, "pluga", values=values).activation
    other = make_partner(store, "rocky").activation

    assert (hears(one, one), hears(one, other), hears(one, None)) == (own, others, others)
