"""An alert leaves, whatever becomes of the mail server, and seldom twice."""

import json
import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.db import transaction
from django.utils import timezone

from connectors.messages.signing import new_webhook_secret, signature_headers
from connectors.models import Alert, Incident, Store
from connectors.trouble import alerts
from connectors.trouble.alerts import alerts_in_trouble, deliver_all_alerts, tell
from connectors.trouble.pruning import KEPT, prune_troubles
from tests.clock import Clock
from tests.conftest import make_partner
from tests.connectors.conftest import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(store: Store) -> Incident:
    activation = make_partner(store, "rocky", name="Rocky da loja").activation
    return Incident.objects.create(activation=activation, kind="refused", reason="HTTP 401")


@pytest.fixture(autouse=True)
def channels(settings: Any, receiver: Receiver) -> None:
    settings.ALERT_EMAILS = ["suporte@example.com"]
    settings.ALERT_WEBHOOK_URL = f"{receiver.url}/alerts"
    settings.ALERT_WEBHOOK_SECRET = new_webhook_secret()


def make_due() -> None:
    Alert.objects.update(due_at=timezone.now())


def test_each_channel_is_told_once(incident: Incident, receiver: Receiver) -> None:
    tell([incident], healed=False)

    deliver_all_alerts()
    make_due()
    deliver_all_alerts()

    assert len(mail.outbox) == len(receiver.received) == 1
    assert not Alert.objects.filter(sent_at=None).exists()


def test_alerts_that_all_take_long_and_fail_do_not_keep_a_worker_for_themselves(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, began = Clock(), 0
    clock.rule(monkeypatch, (Alert, "due_at"), (Alert, "created_at"))
    monkeypatch.setattr(alerts, "monotonic", lambda: clock.now.timestamp())
    for _number in range(20):
        tell([incident], healed=False)

    def time_out(*_arguments: Any) -> None:
        nonlocal began
        began += 1
        assert began < 100, "it goes on and on"
        clock.go(timedelta(seconds=20))
        raise TimeoutError

    monkeypatch.setattr(alerts, "_send_email", time_out)
    monkeypatch.setattr(alerts, "_post", time_out)

    deliver_all_alerts()
    at_first = began
    deliver_all_alerts()

    assert (at_first, began) == (3, 6)


def test_a_webhook_is_signed(incident: Incident, receiver: Receiver, settings: Any) -> None:
    tell([incident], healed=True)

    deliver_all_alerts()

    ((_method, path, headers, body),) = receiver.received
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    expected = signature_headers(
        [settings.ALERT_WEBHOOK_SECRET], headers["webhook-id"], moment, body
    )
    assert (path, headers["Content-Type"]) == ("/alerts", "application/json")
    assert headers["webhook-signature"] == expected["webhook-signature"]
    assert json.loads(body)["type"] == "incidents.healed"


def test_without_a_secret_it_goes_unsigned(
    incident: Incident, receiver: Receiver, settings: Any
) -> None:
    settings.ALERT_WEBHOOK_SECRET = ""
    tell([incident], healed=False)

    deliver_all_alerts()

    assert "webhook-signature" not in receiver.received[0][2]


def test_a_secret_that_is_none_is_said_and_delays_nobody_else(
    incident: Incident, settings: Any
) -> None:
    settings.ALERT_WEBHOOK_SECRET = "whsec_abc"
    tell([incident], healed=False)
    Alert.objects.filter(channel="email").update(due_at=timezone.now())

    deliver_all_alerts()

    assert len(mail.outbox) == 1
    assert Alert.objects.get(sent_at=None).last_error.endswith("e ALERT_WEBHOOK_SECRET.")


@pytest.mark.parametrize(
    "url", ["alertas", "htps://alertas.example", "https://[alertas", f"https://{'a' * 64}.example"]
)
def test_an_address_that_is_none_is_said(url: str, incident: Incident, settings: Any) -> None:
    settings.ALERT_WEBHOOK_URL = url
    tell([incident], healed=False)

    deliver_all_alerts()

    error = "Confira ALERT_WEBHOOK_URL e ALERT_WEBHOOK_SECRET."
    assert Alert.objects.get(last_error=error).sent_at is None


@pytest.mark.parametrize(
    "error", [smtplib.SMTPServerDisconnected("…"), ConnectionRefusedError(), TimeoutError()]
)
def test_a_mail_server_that_is_down_loses_nothing_and_delays_nobody_else(
    error: Exception, incident: Incident, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell([incident], healed=False)
    with monkeypatch.context() as down:
        down.setattr(locmem.EmailBackend, "send_messages", _raiser(error))
        deliver_all_alerts()
    failed = Alert.objects.get(channel="email")

    before_its_time = deliver_all_alerts(), len(mail.outbox)
    make_due()
    deliver_all_alerts()

    assert (failed.attempts, failed.last_error) == (1, type(error).__name__)
    assert before_its_time == (None, 0)
    assert len(mail.outbox) == len(receiver.received) == 1


def _raiser(error: Exception) -> Any:
    def raise_it(*args: Any) -> None:
        raise error

    return raise_it


def test_a_webhook_that_is_refused_is_tried_later_and_later(
    incident: Incident, receiver: Receiver, settings: Any
) -> None:
    settings.ALERT_EMAILS = []
    tell([incident], healed=False)
    waits = []

    for _attempt in range(8):
        receiver.reply(500)
        make_due()
        deliver_all_alerts()
        alert = Alert.objects.get()
        waits.append(round((alert.due_at - timezone.now()).total_seconds() / 60))

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert alert.last_error == "HTTP 500"
    assert len({headers["webhook-id"] for _m, _p, headers, _b in receiver.received}) == 1


def test_who_dies_at_an_alert_repeats_it_once_with_the_same_id(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ALERT_WEBHOOK_URL = ""
    tell([incident], healed=False)
    real = locmem.EmailBackend.send_messages

    def dies_afterwards(backend: Any, messages: Any) -> None:
        real(backend, messages)
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr(locmem.EmailBackend, "send_messages", dies_afterwards)
        with pytest.raises(SystemExit):
            deliver_all_alerts()
    deliver_all_alerts()
    at_once = len(mail.outbox)
    make_due()
    deliver_all_alerts()
    make_due()
    deliver_all_alerts()

    assert at_once == 1
    assert len(mail.outbox) == 2
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 1


def test_an_alert_exists_if_and_only_if_its_cause_does(incident: Incident) -> None:
    with transaction.atomic():
        tell([incident], healed=False)
        transaction.set_rollback(True)

    assert not Alert.objects.exists()


def test_what_could_not_be_told_for_three_days_is_given_up(
    incident: Incident, receiver: Receiver
) -> None:
    tell([incident], healed=False)
    Alert.objects.update(created_at=timezone.now() - timedelta(days=3))

    deliver_all_alerts()

    assert (mail.outbox, receiver.received) == ([], [])


def test_a_store_whose_name_holds_a_line_break_breaks_no_mail(
    incident: Incident, settings: Any
) -> None:
    settings.ALERT_WEBHOOK_URL = ""
    Store.objects.update(name="Loja\nBcc: alguem@example.com")
    tell(list(Incident.objects.select_related("activation__store")), healed=False)

    deliver_all_alerts()

    assert "\n" not in mail.outbox[0].subject
    assert len(mail.outbox[0].recipients()) == 1


def test_what_was_given_up_is_forgotten_like_what_was_told(incident: Incident) -> None:
    tell([incident], healed=False)
    Alert.objects.update(created_at=timezone.now() - KEPT, attempts=9)

    prune_troubles()

    assert (Alert.objects.count(), alerts_in_trouble()) == (0, 0)
