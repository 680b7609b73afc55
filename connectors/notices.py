"""Telling a partner's address what changed (pluggto-api.md, section 12): the life of a notice.

It begins as a row in the transaction of the change, so it leaves if and only if the change stays.
It says which record to read again, never its content. It is delivered at least once: HTTP 200 ends
its life, anything else is tried again, after waits that double from half a minute to six hours,
until it was refused for three days; then we give it up. Each attempt carries the same `webhook-id`
and is signed (signing.py).

Each address has one deliverer at a time, who takes turns of a few seconds with the others', and a
circuit breaker (the Endpoint row):

    closed     what is due is delivered, oldest first; one that is refused delays only itself
    open       after some failures in a row nothing is tried, and no worker is occupied, for a time
               that doubles from half a minute to an hour
    half-open  then one notice is the probe: delivered, it closes the breaker; else it opens again
    disabled   three days without one delivery: everything is given up, with a reason for the
               operator. He enables the address again, and what was given up is sent

An operator may send again what was delivered: that is a new row with the same `webhook-id`, and
the record of the old delivery stays. What has ended is forgotten after thirty days.
"""

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from connectors.errors import Refused, Unavailable, Unreadable
from connectors.http import send
from connectors.models import Activation, Credential, Endpoint, Notice, State
from connectors.queue import enqueue, enqueue_all
from connectors.sealing import unseal
from connectors.signing import signature_headers
from connectors.spec import NOTIFY_OWN_WRITES

AT_ONCE = 50
READ_SECONDS = 10
TURN_SECONDS = 20
LEASE = timedelta(minutes=5)  # a worker is killed before that
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT, LONGEST_OPEN = timedelta(hours=6), timedelta(hours=1)
JITTER = 0.25  # thousands that failed together do not come back together
FAILURES_TO_OPEN = 3
GIVE_UP_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
PRUNED_AT_ONCE = 1000


def hears(activation: Activation, by: object) -> bool:
    """Whether it is to be told what `by` did: of its own writes only if it asks to be."""
    return activation != by or bool(activation.settings.get(NOTIFY_OWN_WRITES.key))


def announce(
    activations: Iterable[Activation], topic: str, action: str, object_id: str, *changes: str
) -> None:
    """Store one notice for each partner that has somewhere to send it, in the caller's
    transaction. `changes` are among "status", "stock" and "price"."""
    listeners = [activation for activation in activations if activation.plugin_url]
    if not listeners:
        return
    now = timezone.now()
    endpoints = list(Endpoint.objects.filter(activation__in=listeners))
    flags = {name: name in changes for name in ("status", "stock", "price")}
    Notice.objects.bulk_create(
        Notice(
            activation_id=endpoint.pk,
            topic=topic,
            action=action,
            object_id=object_id,
            changes=flags,
            given_up_at=now if endpoint.disabled_at else None,
        )
        for endpoint in endpoints
    )
    enqueue_all(deliver_notices, [(e.pk,) for e in endpoints if _may_try(e, now)])


def _may_try(endpoint: Endpoint, now: datetime) -> bool:
    waits = endpoint.open_until is not None and endpoint.open_until > now
    return endpoint.disabled_at is None and not waits


# -- Delivering ------------------------------------------------------------------------------------


def deliver_all_notices() -> None:
    """A turn for every address that has something due. Each attempt that failed has queued the
    next one; this is the net under it.

    The question is put to the addresses, not to the notices: those that nobody may call are out
    before any notice is looked at, and each of the others costs one look into an index.
    """
    now = timezone.now()
    due = Notice.objects.due(now).filter(activation=OuterRef("pk"))
    ready = Endpoint.objects.ready(now).filter(Exists(due))
    enqueue_all(deliver_notices, ready.values_list("pk")[:1000])


def deliver_notices(activation_id: int) -> None:
    """One turn at one address. It ends when nothing is due, when its time is up, and where nobody
    answers: the others would meet the same silence."""
    endpoint = _begin_turn(activation_id)
    if endpoint is None:
        return
    webhook_secrets = _webhook_secrets(activation_id)
    answered, ends_at = True, monotonic() + TURN_SECONDS
    for notice in _next(endpoint):
        status, error = _post(endpoint.activation, notice, webhook_secrets)
        if error:
            _failed(endpoint, notice, status, error)
        else:
            _delivered(endpoint, notice)
        answered = status is not None
        if not answered or not _may_try(endpoint, timezone.now()) or monotonic() > ends_at:
            break
    _end_turn(endpoint, more=answered)


@transaction.atomic
def _begin_turn(activation_id: int) -> Endpoint | None:
    """Nobody else delivers to this address until the turn ends. Nothing where somebody does, or
    where it may not be called now."""
    now = timezone.now()
    endpoint = (
        Endpoint.objects.select_for_update(of=("self",))
        .ready(now)
        .select_related("activation")
        .filter(pk=activation_id)
        .first()
    )
    if endpoint is None:
        return None
    if endpoint.busy_until is not None:
        # The last deliverer was killed at it. An address must not be able to do that for ever.
        _count_failure(endpoint, _("a entrega foi interrompida"))
        endpoint.busy_until = None
        _save_failure(endpoint)
        if not _may_try(endpoint, now):
            return None
    endpoint.busy_until = now + LEASE
    endpoint.save(update_fields=["busy_until"])
    return endpoint


def _next(endpoint: Endpoint) -> list[Notice]:
    due = Notice.objects.due(timezone.now()).filter(activation=endpoint.pk)
    if endpoint.open_until is not None:
        # Half-open. Not the one that failed last: perhaps it alone is refused.
        return list(due.order_by("attempts", "-pk")[:1])
    return list(due.order_by("due_at", "pk")[:AT_ONCE])


def _end_turn(endpoint: Endpoint, *, more: bool) -> None:
    """Whoever wanted a turn meanwhile went away: what came for him is due, and seen here."""
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(
            busy_until=None, last_success_at=endpoint.last_success_at
        )
        now = timezone.now()
        due = Notice.objects.due(now).filter(activation=endpoint.pk)
        if more and _may_try(endpoint, now) and due.exists():
            enqueue(deliver_notices, endpoint.pk)


def _webhook_secrets(activation_id: int) -> list[str]:
    """The latest first; two or more while the partner changes from one to the next."""
    issued = Credential.objects.filter(
        activation=activation_id, kind=Credential.Kind.ISSUED, revoked_at=None
    )
    sealed = issued.order_by("-pk").values_list("sealed", flat=True)
    return [unseal(values)["webhook_secret"] for values in sealed]


def _post(
    activation: Activation, notice: Notice, webhook_secrets: list[str]
) -> tuple[int | None, str]:
    """The status, or None where nobody answered; and what went wrong, or nothing."""
    body = json.dumps(
        {
            "type": notice.topic,
            "id": notice.object_id,
            "action": notice.action,
            "user": activation.store_id,
            "changes": notice.changes,
        }
    ).encode()
    headers = signature_headers(webhook_secrets, notice.message_id, timezone.now(), body)
    headers["Content-Type"] = "application/json"
    try:
        answer = send(
            "POST", activation.plugin_url, data=body, headers=headers, read_seconds=READ_SECONDS
        )
    except (Unavailable, Unreadable) as error:
        return None, str(error)
    return answer.status, "" if answer.status == 200 else f"HTTP {answer.status}"


# -- What comes of an attempt ----------------------------------------------------------------------


@transaction.atomic
def _delivered(endpoint: Endpoint, notice: Notice) -> None:
    now = timezone.now()
    notice.attempts += 1
    notice.delivered_at, notice.last_status, notice.last_error = now, 200, ""
    notice.save(update_fields=["attempts", "delivered_at", "last_status", "last_error"])
    endpoint.last_success_at = now
    if endpoint.failures_in_a_row:
        endpoint.failures_in_a_row = 0
        endpoint.failing_since = endpoint.open_until = None
        endpoint.save()


@transaction.atomic
def _failed(endpoint: Endpoint, notice: Notice, status: int | None, error: str) -> None:
    now = timezone.now()
    notice.attempts += 1
    notice.last_status, notice.last_error = status, error
    notice.failing_since = notice.failing_since or now
    if now - notice.failing_since >= GIVE_UP_AFTER:
        notice.given_up_at = now
    _count_failure(endpoint, error)
    # Where the breaker opens the address is to blame: the notice goes when the others go.
    notice.due_at = endpoint.open_until or now + _wait(now - notice.failing_since, LONGEST_WAIT)
    notice.save()
    _save_failure(endpoint)
    if endpoint.disabled_at is None and notice.given_up_at is None:
        enqueue(deliver_notices, endpoint.pk, at=notice.due_at)


def _count_failure(endpoint: Endpoint, error: str) -> None:
    now = timezone.now()
    endpoint.failures_in_a_row += 1
    endpoint.failing_since = endpoint.failing_since or now
    if endpoint.failures_in_a_row < FAILURES_TO_OPEN:
        return
    failing_for = now - endpoint.failing_since
    if failing_for < GIVE_UP_AFTER:
        endpoint.open_until = now + _wait(failing_for, LONGEST_OPEN)
        return
    since = date_format(timezone.localtime(endpoint.failing_since), "SHORT_DATETIME_FORMAT")
    endpoint.open_until, endpoint.disabled_at = None, now
    endpoint.disabled_reason = _("Nenhuma entrega desde %(since)s; por último: %(error)s") % {
        "since": since,
        "error": error,
    }


def _save_failure(endpoint: Endpoint) -> None:
    endpoint.save()
    if endpoint.disabled_at:
        waiting = Notice.objects.waiting().filter(activation=endpoint.pk)
        waiting.update(given_up_at=endpoint.disabled_at)


def _wait(failing_for: timedelta, longest: timedelta) -> timedelta:
    """As long again as it has failed already, so that the waits double."""
    wait = min(max(failing_for, FIRST_WAIT), longest)
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


# -- What the operator does ------------------------------------------------------------------------


@transaction.atomic
def enable_notices(activation_id: int) -> bool:
    """Send to the address again, at once and from the beginning, whatever was given up. Whether
    it was disabled."""
    endpoint = Endpoint.objects.select_for_update().filter(pk=activation_id).first()
    if endpoint is None or endpoint.disabled_at is None:
        return False
    endpoint.disabled_at, endpoint.disabled_reason = None, ""
    endpoint.failures_in_a_row, endpoint.failing_since = 0, None
    endpoint.save()
    _take_up_again(Notice.objects.filter(activation=activation_id))
    enqueue(deliver_notices, activation_id)
    return True


@transaction.atomic
def replay(notices: QuerySet[Notice]) -> int:
    """Send these once more, where they are not waiting anyway; how many that are.

    Raises `Refused` where an address is disabled.
    """
    notices = notices.exclude(activation__state=State.REVOKED)
    receivers = sorted(set(notices.order_by().values_list("activation", flat=True).distinct()))
    # Whoever asks for the same at the same moment waits here, and then finds them waiting.
    endpoints = Endpoint.objects.select_for_update().filter(pk__in=receivers).order_by("pk")
    if any(endpoint.disabled_at for endpoint in endpoints):
        raise Refused(_("As notificações desta integração estão desligadas: religue-as primeiro."))
    # Those given up first, so that none is copied as well.
    count = _take_up_again(notices)
    waiting = Notice.objects.waiting().filter(activation__in=receivers)
    known = set(waiting.values_list("message_id", flat=True))
    copies = []
    for notice in notices.exclude(delivered_at=None).order_by("pk"):
        if notice.message_id not in known:
            known.add(notice.message_id)
            copies.append(_copy(notice))
    Notice.objects.bulk_create(copies, batch_size=500)
    enqueue_all(deliver_notices, [(pk,) for pk in receivers])
    return count + len(copies)


def _take_up_again(notices: QuerySet[Notice]) -> int:
    return notices.exclude(given_up_at=None).update(
        given_up_at=None, failing_since=None, due_at=timezone.now()
    )


def _copy(notice: Notice) -> Notice:
    return Notice(
        activation_id=notice.activation_id,
        message_id=notice.message_id,
        topic=notice.topic,
        action=notice.action,
        object_id=notice.object_id,
        changes=notice.changes,
    )


def prune_notices() -> None:
    """Forget, some at a time, those that ended long ago, and those that are for nobody."""
    ended = Q(delivered_at__isnull=False) | Q(given_up_at__isnull=False)
    old = Notice.objects.filter(
        ended | Q(activation__state=State.REVOKED), created_at__lt=timezone.now() - KEPT
    )
    some = list(old.order_by("created_at").values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    Notice.objects.filter(pk__in=some).delete()
    if len(some) == PRUNED_AT_ONCE:
        enqueue(prune_notices)
