"""What buyers are told by e-mail: once, and on record."""

from datetime import timedelta
from itertools import count
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from unittest.mock import patch

import pytest
from django.core import mail as outbox
from django.test import override_settings
from django.utils import timezone

from connectors.errors import NotAllowed
from connectors.models import Act, Activation, Store
from connectors.records import OrderStatus as S
from orders import mails
from orders.mails import send_again, send_all_mails
from orders.models import BuyerMail, Order
from orders.services import create_order, update_order
from orders.wire import OrderDocument
from tests.clock import Clock
from tests.conftest import make_activation
from tests.orders.samples import become, document

State = BuyerMail.State
ON = {"email_shipped": True, "email_delivered": True}
BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def pluga(store: Store):
    return with_settings(make_activation(store, "pluga"), ON)


def with_settings(activation: Activation, values: dict[str, bool]) -> Activation:
    activation.settings |= values
    activation.save()
    return activation


def place(pluga, **changes) -> Order:
    buyer = {"payer_name": "Ana Maria", "payer_email": "ana@example.com"}
    shipments = [{"track_code": "QC638247124BR"}]
    return create_order(pluga, document("1001", shipments=shipments, **{**buyer, **changes}))


def test_the_buyer_is_told_once_of_the_sending_and_once_of_the_arrival(pluga):
    order = place(pluga)

    for status in (S.SHIPPED, S.PARTIAL_SHIPPED, S.SHIPPED, S.DELIVERED):
        update_order(order.pk, become(status), pluga)
    send_all_mails()
    send_all_mails()

    assert [m.to for m in outbox.outbox] == [["ana@example.com"]] * 2
    first = outbox.outbox[0]
    assert "Olá, Ana!" in first.body
    assert "QC638247124BR" in first.body
    assert "/status/" in first.body
    assert 'href="http' in first.alternatives[0][0]
    assert {m.state for m in order.mails.all()} == {State.SENT}


def test_without_the_switch_nobody_writes(store):
    pluga = make_activation(store, "pluga")
    order = place(pluga)

    update_order(order.pk, become(S.SHIPPED), pluga)

    assert not BuyerMail.objects.exists()


def test_a_mail_falls_with_the_change_that_caused_it(pluga):
    order = place(pluga)

    with (
        patch("orders.services.tell", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        update_order(order.pk, become(S.SHIPPED), pluga)

    assert not BuyerMail.objects.exists()


def test_where_the_channel_hides_the_address_the_record_says_so(pluga):
    order = place(pluga, payer_email="none")

    update_order(order.pk, become(S.SHIPPED), pluga)
    send_all_mails()

    mail = order.mails.get()
    assert (mail.state, mail.last_error) == (
        State.FAILED,
        "O canal não informou um e-mail válido do comprador.",
    )


def test_markup_in_a_name_is_text(pluga):
    order = place(pluga, payer_name="<b>{link}</b>")

    update_order(order.pk, become(S.SHIPPED), pluga)
    send_all_mails()

    assert "Olá, <b>{link}</b>!" in outbox.outbox[0].body
    assert "<b>" not in outbox.outbox[0].alternatives[0][0]


def shipped(pluga) -> BuyerMail:
    order = place(pluga)
    update_order(order.pk, become(S.SHIPPED), pluga)
    return order.mails.get()


def test_while_the_server_is_down_it_waits(pluga):
    mail = shipped(pluga)

    with patch(f"{BACKEND}.open", side_effect=ConnectionRefusedError):
        send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.WAITING, 1)
    assert mail.due_at > timezone.now()


@pytest.mark.parametrize(
    "wrong",
    [
        {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "smtp..example.com",
        },
        {"DEFAULT_FROM_EMAIL": "Tomadá <>"},
    ],
)
def test_while_the_settings_are_wrong_it_says_so_and_waits(pluga, wrong):
    mail = shipped(pluga)

    with override_settings(**wrong):
        send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.WAITING, 1)
    assert "EMAIL_URL e FROM_EMAIL" in mail.last_error
    assert mail.due_at > timezone.now()


def test_what_may_have_left_is_not_sent_again_by_itself(pluga, operator):
    mail = shipped(pluga)

    with patch(f"{BACKEND}.send_messages", side_effect=SMTPServerDisconnected):
        send_all_mails()
    send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, len(outbox.outbox)) == (State.UNKNOWN, 0)
    send_again(mail.pk, operator)
    send_all_mails()
    assert len(outbox.outbox) == 1
    with pytest.raises(NotAllowed):
        send_again(mail.pk, operator)
    act = Act.objects.get()
    assert (act.by, act.store, act.object_id) == (operator, mail.order.store, str(mail.pk))


def test_many_mails_at_a_slow_server_are_sent_in_turns_before_the_worker_is_killed(pluga):
    order = place(pluga)
    for status in (S.SHIPPED, S.DELIVERED):
        update_order(order.pk, become(status), pluga)

    with patch("orders.mails.monotonic", side_effect=count(step=mails.TURN_SECONDS)):
        send_all_mails()
        at_first = len(outbox.outbox)
        send_all_mails()

    assert (at_first, len(outbox.outbox)) == (1, 2)


def test_who_dies_at_it_leaves_it_to_a_person(pluga):
    mail = shipped(pluga)
    begun = timezone.now() - mails.SENDS_FOR
    BuyerMail.objects.update(state=State.SENDING, due_at=begun)

    send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, len(outbox.outbox)) == (State.UNKNOWN, 0)


@pytest.mark.parametrize(("state", "then"), [("waiting", State.SENT), ("sending", State.UNKNOWN)])
def test_where_the_clock_is_put_back_no_mail_waits_for_it(pluga, state, then, monkeypatch):
    mail, clock = shipped(pluga), Clock()
    clock.rule(monkeypatch)
    BuyerMail.objects.update(state=state, due_at=clock.now + timedelta(days=1))

    send_all_mails()
    clock.go(mails.SENDS_FOR)
    send_all_mails()

    mail.refresh_from_db()
    assert mail.state == then


def test_an_address_that_is_refused_for_good_is_not_tried_again(pluga):
    mail = shipped(pluga)
    refused = SMTPRecipientsRefused({"ana@example.com": (550, b"no such user")})

    with patch(f"{BACKEND}.send_messages", side_effect=refused):
        send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == (State.FAILED, "O servidor de e-mail recusou: 550")


def test_an_order_that_was_cancelled_meanwhile_is_not_announced(pluga):
    mail = shipped(pluga)
    update_order(mail.order_id, become(S.CANCELED), pluga)

    send_all_mails()

    mail.refresh_from_db()
    assert (mail.state, outbox.outbox) == (State.FAILED, [])


def test_an_order_that_comes_as_shipped_is_old_news(pluga):
    create_order(pluga, document("1", status="shipped", payer_email="ana@example.com"))

    assert not BuyerMail.objects.exists()


def test_only_its_tracking_changes_nobody_is_told_twice(pluga):
    mail = shipped(pluga)
    shipment = mail.order.shipments.get()

    update_order(
        mail.order_id,
        OrderDocument(head={}, shipments=[{"id": shipment.public_id, "track_code": "X"}]),
        pluga,
    )

    assert BuyerMail.objects.count() == 1
