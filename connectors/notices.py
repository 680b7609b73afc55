"""Telling a plugin's URL what changed (pluggto-api.md, section 12).

A notice is a row stored in the transaction of the change, so it leaves if and only if the change
stays; it is delivered at least once, and says which record to read again, never its content.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from connectors.errors import Unavailable, Unreadable
from connectors.http import send
from connectors.models import Activation, Notice, State
from connectors.queue import enqueue, enqueue_all

AT_ONCE = 50
# A paused integration's notices wait for it; a revoked one's are for nobody.
HEARING = (State.WAITING, State.ACTIVE)
# While somebody delivers a notice, nobody else takes it; if he dies, it is free after this.
LEASE = timedelta(minutes=5)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)
READ_SECONDS = 10


def announce(
    activations: Iterable[Activation], topic: str, action: str, object_id: str, *changes: str
) -> None:
    """Store one notice for each activation that has somewhere to send it, in the caller's
    transaction. `changes` are among "status", "stock" and "price"."""
    listeners = [activation for activation in activations if activation.plugin_url]
    flags = {name: name in changes for name in ("status", "stock", "price")}
    Notice.objects.bulk_create(
        Notice(
            activation=activation, topic=topic, action=action, object_id=object_id, changes=flags
        )
        for activation in listeners
    )
    enqueue_all(deliver_notices, [(activation.pk,) for activation in listeners])


def deliver_all_notices() -> None:
    """For every activation that has notices due: those whose time to be tried again has come."""
    waiting = (
        Notice.objects.due(timezone.now())
        .filter(activation__state__in=HEARING)
        .values_list("activation_id")
        .distinct()[:1000]
    )
    enqueue_all(deliver_notices, waiting)


def deliver_notices(activation_id: int) -> None:
    """Deliver what is due to one URL, oldest first; one that does not answer delays only itself."""
    activation = Activation.objects.get(pk=activation_id)
    if activation.state not in HEARING:
        return
    notices = _claim(activation_id)
    for position, notice in enumerate(notices):
        error = _deliver(activation, notice)
        if error:
            # The others would meet the same silence. They keep their place and wait with it.
            _put_off(notices[position:], error)
            return
        notice.delivered_at = timezone.now()
        notice.attempts += 1
        notice.last_error = ""
        notice.save(update_fields=["delivered_at", "attempts", "last_error"])
    if len(notices) == AT_ONCE:
        enqueue(deliver_notices, activation_id)


@transaction.atomic
def _claim(activation_id: int) -> list[Notice]:
    now = timezone.now()
    notices = list(
        Notice.objects.select_for_update(skip_locked=True)
        .due(now)
        .filter(activation_id=activation_id)
        .order_by("pk")[:AT_ONCE]
    )
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(due_at=now + LEASE)
    return notices


def _deliver(activation: Activation, notice: Notice) -> str:
    """What went wrong, or nothing. Only HTTP 200 is a delivery."""
    body = {
        "type": notice.topic,
        "id": notice.object_id,
        "action": notice.action,
        "user": activation.store_id,
        "changes": notice.changes,
    }
    try:
        answer = send("POST", activation.plugin_url, json=body, read_seconds=READ_SECONDS)
    except (Unavailable, Unreadable) as error:
        return str(error)
    return "" if answer.status == 200 else f"HTTP {answer.status}"


def _put_off(notices: list[Notice], error: str) -> None:
    now = timezone.now()
    for position, notice in enumerate(notices):
        if position == 0:
            notice.attempts += 1
        notice.last_error = error
        wait = min(FIRST_WAIT * 2 ** min(notices[0].attempts - 1, 12), LONGEST_WAIT)
        notice.due_at = now + wait
        if notice.created_at < now - GIVE_UP_AFTER:
            notice.given_up_at = now
    Notice.objects.bulk_update(notices, ["attempts", "last_error", "due_at", "given_up_at"])
