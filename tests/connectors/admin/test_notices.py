"""What an operator sees of the notices, and what he does about them."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from connectors.messages.notices import announce, deliver_notices
from connectors.models import Activation, Endpoint, Notice, Store
from tests.conftest import make_managed, make_partner
from tests.connectors.admin.conftest import (
    LIST,
    URL,
    form_on,
    page_of,
    somebody_who_may,
    values_shown,
)
from tests.connectors.conftest import Receiver

NOTICES = "/admin/connectors/notice/"
REASON = "Nenhuma entrega desde 01/02/2026 10:00; por último: HTTP 404"


@pytest.fixture
def activation(store: Store, receiver: Receiver) -> Activation:
    return make_partner(store, "rocky", plugin_url=receiver.url).activation


def announce_order(activation: Activation, object_id: str) -> Notice:
    announce([activation], "orders", "updated", object_id, "status")
    return Notice.objects.latest("pk")


def disable(activation: Activation) -> None:
    now = timezone.now()
    Endpoint.objects.filter(pk=activation.pk).update(disabled_at=now, disabled_reason=REASON)
    Notice.objects.filter(activation=activation).update(given_up_at=now)


def replay_selected(client: Client, *notices: Notice) -> str:
    selected = [notice.pk for notice in notices]
    form = {"action": "replay_selected", "_selected_action": selected}
    return client.post(NOTICES, form, follow=True).content.decode()


# -- An address that is disabled -------------------------------------------------------------------


def test_a_disabled_address_and_its_reason_are_seen_on_the_page_and_in_the_list(
    activation: Activation, store: Store, admin_client: Client
) -> None:
    make_managed(store, "olist", URL, {"integrator_id": "1", "token": "t"})
    assert "Desligadas" not in admin_client.get(page_of(activation)).content.decode()

    disable(activation)

    page = admin_client.get(page_of(activation)).content.decode()
    listed = admin_client.get(LIST).content.decode()
    only = admin_client.get(LIST, {"endpoint__disabled_at__isempty": "0"}).content.decode()
    assert f"Desligadas. {REASON}" in page
    assert "Desligadas" in listed
    assert page_of(activation) in only
    assert only.count("/change/") < listed.count("/change/")


def test_an_operator_enables_it_and_what_was_given_up_is_delivered(
    activation: Activation, receiver: Receiver, admin_client: Client
) -> None:
    announce_order(activation, "1")
    disable(activation)
    address = f"{LIST}{activation.pk}/enable/"
    assert address in admin_client.get(page_of(activation)).content.decode()
    assert "tínhamos desistido de entregar" in admin_client.get(address).content.decode()
    assert Endpoint.objects.get().disabled_at is not None

    page = admin_client.post(address, follow=True).content.decode()
    deliver_notices(activation.pk)

    assert "Notificações religadas." in page
    assert [body["id"] for body in receiver.bodies] == ["1"]
    assert LogEntry.objects.get().change_message == "Notificações religadas."
    again = admin_client.post(address, follow=True).content.decode()
    assert "As notificações não estavam desligadas." in again


def test_a_managed_integration_has_no_notices_to_enable(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "t"})

    page = admin_client.post(f"{LIST}{managed.pk}/enable/", follow=True).content.decode()

    assert "As notificações não estavam desligadas." in page


# -- Sending again ---------------------------------------------------------------------------------


def test_selected_notices_are_sent_again(
    activation: Activation, receiver: Receiver, admin_client: Client
) -> None:
    one, _other = announce_order(activation, "1"), announce_order(activation, "2")
    deliver_notices(activation.pk)

    page = replay_selected(admin_client, one)
    deliver_notices(activation.pk)

    assert "Notificações de volta à fila: 1." in page
    assert [body["id"] for body in receiver.bodies] == ["1", "2", "1"]
    assert Notice.objects.filter(object_id="1").exclude(delivered_at=None).count() == 2


def test_what_waits_already_is_not_sent_twice(activation: Activation, admin_client: Client) -> None:
    page = replay_selected(admin_client, announce_order(activation, "1"))

    assert "já está tudo na fila" in page
    assert Notice.objects.count() == 1


def test_a_disabled_address_must_be_enabled_first(
    activation: Activation, admin_client: Client
) -> None:
    notice = announce_order(activation, "1")
    disable(activation)
    window = {"start": "2020-01-01T00:00", "end": "2100-01-01T00:00"}

    selected = replay_selected(admin_client, notice)
    of_window = admin_client.post(f"{LIST}{activation.pk}/replay/", window, follow=True)

    assert "religue-as primeiro" in selected
    assert "religue-as primeiro" in of_window.content.decode()
    assert not Notice.objects.waiting().exists()


def test_a_window_of_time_is_sent_again(
    activation: Activation, receiver: Receiver, admin_client: Client
) -> None:
    now = timezone.localtime()
    for hours in (3, 2, 1):
        notice = announce_order(activation, f"{hours} hours ago")
        Notice.objects.filter(pk=notice.pk).update(created_at=now - timedelta(hours=hours))
    deliver_notices(activation.pk)
    receiver.received.clear()
    address = f"{LIST}{activation.pk}/replay/"
    assert {"start", "end"} <= set(form_on(admin_client.get(address).content.decode()))

    window = {
        "start": f"{now - timedelta(hours=2, minutes=30):%Y-%m-%dT%H:%M}",
        "end": f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M}",
    }
    page = admin_client.post(address, window, follow=True).content.decode()
    deliver_notices(activation.pk)

    assert "Notificações de volta à fila: 2." in page
    assert [body["id"] for body in receiver.bodies] == ["2 hours ago", "1 hours ago"]
    assert LogEntry.objects.get().change_message == "Notificações enviadas outra vez."

    Notice.objects.update(created_at=now - timedelta(days=9))
    page = admin_client.post(address, window, follow=True).content.decode()
    assert "Nada a enviar outra vez" in page
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2026-02-01T10:00", "2026-02-01T09:00", "O fim vem antes do começo."),
        ("", "2026-02-01T09:00", "Este campo é obrigatório"),
        ("ontem", "2026-02-01T09:00", "Informe uma data/hora válida"),
        ("2026-02-01T10:00", "9999-12-31T23:59", "Confira o ano."),
    ],
)
def test_a_window_that_is_none_is_said(
    start: str, end: str, message: str, activation: Activation, admin_client: Client
) -> None:
    announce_order(activation, "1")

    answer = admin_client.post(f"{LIST}{activation.pk}/replay/", {"start": start, "end": end})

    assert message in answer.content.decode()
    assert Notice.objects.count() == 1


def test_whoever_may_only_look_sends_nothing_again(activation: Activation) -> None:
    client = somebody_who_may("view_activation", "view_notice")
    notice = announce_order(activation, "1")
    disable(activation)

    assert NOTICES in client.get(NOTICES).wsgi_request.path
    replay_selected(client, notice)

    assert not Notice.objects.waiting().exists()
    for path in ("enable", "replay"):
        assert client.get(f"{LIST}{activation.pk}/{path}/").status_code == 403
        assert client.post(f"{LIST}{activation.pk}/{path}/").status_code == 403


# -- What is seen of an attempt --------------------------------------------------------------------


def test_a_notice_shows_its_attempts_its_last_answer_and_when_it_is_tried_next(
    activation: Activation, receiver: Receiver, admin_client: Client
) -> None:
    notice = announce_order(activation, "1")
    receiver.reply(418)
    deliver_notices(activation.pk)
    hold = timezone.localtime() + timedelta(hours=5)
    Endpoint.objects.update(open_until=hold)

    listed = admin_client.get(NOTICES).content.decode()
    page = admin_client.get(f"{NOTICES}{notice.pk}/change/").content.decode()

    assert "HTTP 418" in listed
    assert "Na fila" in listed
    assert hold.strftime("%H:%M") in listed  # not before its address is tried again
    assert "HTTP 418" in page
    assert notice.message_id in page


# -- The secret ------------------------------------------------------------------------------------


def test_the_secret_that_is_shown_with_the_credentials_signs_the_notices(
    activation: Activation, receiver: Receiver, admin_client: Client
) -> None:
    answer = admin_client.post(f"{LIST}{activation.pk}/rotate/")
    secret = values_shown(answer.content.decode())["webhook_secret"]
    announce_order(activation, "1")

    deliver_notices(activation.pk)

    [(_method, _path, headers, body)] = receiver.received
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    ours = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    newest, older = headers["webhook-signature"].split()
    assert newest == f"v1,{ours}"
    assert older != newest


def test_a_partner_may_ask_to_be_notified_of_its_own_writes(
    activation: Activation, store: Store, admin_client: Client
) -> None:
    managed = make_managed(store, "rocky", URL, {"token": "t"})
    page = admin_client.get(page_of(activation)).content.decode()
    assert "setting_notify_own_writes" not in form_on(page)  # a switch that is off
    assert 'name="setting_notify_own_writes"' in page
    managed_page = admin_client.get(page_of(managed)).content.decode()
    assert 'name="setting_notify_own_writes"' not in managed_page

    admin_client.post(page_of(activation), form_on(page) | {"setting_notify_own_writes": "on"})

    activation.refresh_from_db()
    assert activation.settings["notify_own_writes"] is True
