"""Bringing messages to other people's addresses: the life of a message, whatever it says.

It begins as a row in the transaction of its cause, so it leaves if and only if the cause stays. It
is delivered at least once: what its courier accepts as an answer ends its life, anything else is
tried again, after waits that double from half a minute to six hours, for three days; then we give
it up. Each attempt carries the same `webhook-id` and is signed (signing.py).

Each address has one deliverer at a time, who takes turns of a few seconds with the others' (where
the answer takes long, it is waited for outside of the queue's workers: patience.py), and a circuit
breaker (the `Address` columns):

    closed     what is due is delivered, oldest first; one that is refused delays only itself
    open       after some failures in a row nothing is tried, and no worker is occupied, for a time
               that doubles from half a minute to an hour
    half-open  then one message is the probe: delivered, it closes the breaker; else it opens again
    disabled   three days without one delivery: everything is given up, with a reason for the
               operator. He enables the address again, and what was given up is sent

Where messages must arrive in order, the first failure opens the breaker, and the probe is the
oldest: nobody overtakes it.

An operator may send again what was delivered: that is a new row with the same `webhook-id`, and
the record of the old delivery stays. What has ended is forgotten after thirty days.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.bulk import insert_rows
from connectors.errors import Refused, Unavailable, Unreadable
from connectors.forgetting import forget_some
from connectors.http import send
from connectors.messages.patience import answer_of
from connectors.messages.signing import signature_headers
from connectors.models import Address, Credential, Heartbeat, Message
from connectors.models.activations import OVER
from connectors.moments import when
from connectors.queue import enqueue, enqueue_all
from connectors.sealing import unseal_known

AT_ONCE = 50
READ_SECONDS = 10
TURN_SECONDS = 20
LEASE = timedelta(seconds=settings.Q_CLUSTER["timeout"])  # a worker is killed by then
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT, LONGEST_OPEN = timedelta(hours=6), timedelta(hours=1)
JITTER = 0.25  # thousands that failed together do not come back together
FAILURES_TO_OPEN = 3
GIVE_UP_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
PRUNED_AT_ONCE = 1000
GONE = 410

A = TypeVar("A", bound=Address)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Letter:
    """A message as it is sent. The id is the same at every attempt."""

    url: str
    message_id: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """Of one attempt: the status, or None where nobody answered; what went wrong, or nothing."""

    status: int | None
    error: str = ""


class Courier(ABC, Generic[A, M]):
    """Brings one kind of message to one kind of address. Which addresses may be called now, their
    activations' states among it, `addresses.objects.ready` knows."""

    addresses: ClassVar[type[Any]]
    messages: ClassVar[type[Any]]
    to: ClassVar[str]  # the message's field that says to which address
    key: ClassVar[tuple[str, ...]]  # columns that the rows of one message to one address share
    for_nobody: ClassVar[Q]  # messages that will never be wanted
    in_order: ClassVar[bool] = False

    @property
    @abstractmethod
    def task(self) -> Callable[[int], None]:
        """What the queue runs: `deliver`, for one address."""

    @abstractmethod
    def letter(self, address: A, message: M) -> Letter: ...

    @abstractmethod
    def copy(self, message: M) -> M:
        """A new row of the same message, to be sent once more."""

    def accepts(self, status: int) -> bool:
        """Whether this answer is a delivery."""
        return 200 <= status < 300

    def gives_up(self, message: M, outcome: Outcome, failing_for: timedelta) -> bool:
        """Whether this one is given up alone, after so long."""
        return failing_for >= GIVE_UP_AFTER

    def end(self, address: A) -> bool:
        """The address says that it is gone for good. Whether that was taken note of."""
        return False

    # -- Sending -----------------------------------------------------------------------------------

    def post(
        self, letters: Iterable[tuple[A, Sequence[Any]]], columns: Sequence[str], **same: Any
    ) -> None:
        """Store messages in the caller's transaction, and queue a turn for each address. Each is
        said by these columns of its own, and by what is the `same` in all."""
        now, addresses, rows = timezone.now(), {}, []
        for address, values in letters:
            addresses[address.pk] = address
            rows.append((address.pk, address.disabled_at and now, *values))
        known = (f"{self.to}_id", "given_up_at", *columns)
        insert_rows(self.messages, known, rows, created_at=now, due_at=now, **same)
        ready = [(pk,) for pk, address in addresses.items() if address.may_be_tried(now)]
        enqueue_all(self.task, ready)

    def deliver_all(self) -> None:
        """A turn for every address that has something due. Each attempt that failed has queued the
        next one; this is the net under it.

        The question is put to the addresses, not to the messages: those that nobody may call are
        out before any message is looked at, and each of the others costs one look into an index.
        """
        now = timezone.now()
        due = self.messages.objects.due(now).filter(**{self.to: OuterRef("pk")})
        ready = self.addresses.objects.ready(now).filter(Exists(due))
        enqueue_all(self.task, ready.values_list("pk")[:1000])

    def follow_clock_back(self) -> None:
        """The clock was put back: what waits for what is the future now is due, and nobody is at
        an address until then."""
        now = timezone.now()
        self.messages.objects.waiting().filter(due_at__gt=now).update(due_at=now)
        self.addresses.objects.filter(open_until__gt=now).update(open_until=now)
        self.addresses.objects.filter(busy_until__gt=now + LEASE).update(busy_until=None)

    def leave_out(self, began: datetime, now: datetime) -> None:
        """The portal was off in between: nobody failed meanwhile. Of what first failed in between
        nobody knows whether it was before or after that: it fails from now on."""
        for failing in (self.addresses.objects.all(), self.messages.objects.waiting()):
            since = F("failing_since") + (now - began)
            failing.filter(failing_since__gt=began).update(failing_since=now)
            failing.filter(failing_since__lte=began).update(failing_since=since)

    def deliver(self, address_id: int) -> None:
        """One turn at one address. It ends when nothing is due, when its time is up, and where
        nobody answers: the others would meet the same silence."""
        address = self._begin_turn(address_id)
        if address is None:
            return
        secrets = webhook_secrets(address.activation_id)
        more, ends_at = True, monotonic() + TURN_SECONDS
        for message in self._next(address):
            if not self._waiting_at(address).filter(pk=message.pk).exists():
                continue  # somebody ended it meanwhile
            attempt = partial(_attempt, self.letter(address, message), secrets)
            outcome = answer_of(attempt, late=partial(self._end_late, address, message))
            if outcome is None:
                return  # the turn goes on without this worker
            if not self._learn(address, message, outcome):
                return
            more = outcome.status is not None
            if not (more and address.may_be_tried(timezone.now())) or monotonic() > ends_at:
                break
        self._end_turn(address, more=more)

    def _end_late(self, address: A, message: M, outcome: Outcome) -> None:
        if self._learn(address, message, outcome):
            self._end_turn(address, more=outcome.status is not None)

    def _learn(self, address: A, message: M, outcome: Outcome) -> bool:
        """Whether there is an address still."""
        if outcome.status == GONE and self.end(address):
            return False
        error = outcome.error
        if outcome.status is not None and not self.accepts(outcome.status):
            error = f"HTTP {outcome.status}"
        if error:
            self._failed(address, message, replace(outcome, error=error))
        else:
            self._delivered(address, message, outcome)
        return True

    @transaction.atomic
    def _begin_turn(self, address_id: int) -> A | None:
        """Nobody else delivers to this address until the turn ends. Nothing where somebody does,
        or where it may not be called now."""
        now = timezone.now()
        address: A | None = (
            self.addresses.objects.select_for_update(of=("self",))
            .ready(now)
            .select_related("activation")
            .filter(pk=address_id)
            .first()
        )
        if address is None:
            return None
        if address.busy_until is not None:
            # The last deliverer was killed at it. An address must not be able to do that for ever.
            self._count_failure(address, _("a entrega foi interrompida"))
            address.busy_until = None
            self._save_failure(address)
            if not address.may_be_tried(now):
                return None
        address.busy_until = now + LEASE
        address.save(update_fields=["busy_until"])
        return address

    def _waiting_at(self, address: A) -> QuerySet[M]:
        waiting: QuerySet[M] = self.messages.objects.waiting().filter(**{self.to: address.pk})
        return waiting

    def _next(self, address: A) -> list[M]:
        half_open = address.open_until is not None
        if self.in_order:
            return list(self._waiting_at(address).order_by("pk")[: 1 if half_open else AT_ONCE])
        due = self._waiting_at(address).filter(due_at__lte=timezone.now())
        if half_open:
            # Not the one that failed last: perhaps it alone is refused.
            return list(due.order_by("attempts", "-pk")[:1])
        return list(due.order_by("due_at", "pk")[:AT_ONCE])

    def _end_turn(self, address: A, *, more: bool) -> None:
        """Whoever wanted a turn meanwhile went away: what came for him is due, and seen here."""
        with transaction.atomic():
            self.addresses.objects.filter(pk=address.pk).update(
                busy_until=None, last_success_at=address.last_success_at
            )
            now = timezone.now()
            due = self._waiting_at(address).filter(due_at__lte=now)
            if more and address.may_be_tried(now) and due.exists():
                enqueue(self.task, address.pk)

    # -- What comes of an attempt ------------------------------------------------------------------
    # Only what the attempt taught is written: the rows may have been ended meanwhile. The address
    # before its messages, as whoever enables it, or gives it another URL, writes them.

    @transaction.atomic
    def _delivered(self, address: A, message: M, outcome: Outcome) -> None:
        now = timezone.now()
        address.last_success_at = now
        if address.failures_in_a_row:
            address.failures_in_a_row = 0
            address.failing_since = address.open_until = None
            address.save(update_fields=Address.HEALTH)
        message.attempts += 1
        message.delivered_at, message.given_up_at = now, None
        message.last_status, message.last_error = outcome.status, ""
        message.save(
            update_fields=["attempts", "delivered_at", "given_up_at", "last_status", "last_error"]
        )

    @transaction.atomic
    def _failed(self, address: A, message: M, outcome: Outcome) -> None:
        now = timezone.now()
        # Since when it fails may have been forgotten: then this is the first time.
        address.refresh_from_db(
            fields=["failures_in_a_row", "failing_since", "open_until"],
            from_queryset=self.addresses.objects.select_for_update(of=("self",)),
        )
        message.refresh_from_db(
            fields=["failing_since"], from_queryset=self.messages.objects.select_for_update()
        )
        message.attempts += 1
        message.last_status, message.last_error = outcome.status, outcome.error
        message.failing_since = message.failing_since or now
        failing_for = _failing_for(message.failing_since, now)
        self._count_failure(address, outcome.error)
        # Where the breaker opens the address is to blame: the message goes when the others go.
        message.due_at = address.open_until or now + _wait(failing_for, LONGEST_WAIT)
        written = ["attempts", "last_status", "last_error", "failing_since", "due_at"]
        if self.gives_up(message, outcome, failing_for):
            message.given_up_at = now
            written.append("given_up_at")
        message.save(update_fields=written)
        self._save_failure(address)
        if address.disabled_at is None and (message.given_up_at is None or self.in_order):
            enqueue(self.task, address.pk, at=message.due_at)

    def _count_failure(self, address: A, error: str) -> None:
        now = timezone.now()
        address.failures_in_a_row += 1
        address.failing_since = address.failing_since or now
        if address.failures_in_a_row < FAILURES_TO_OPEN and not self.in_order:
            return
        failing_for = _failing_for(address.failing_since, now)
        if failing_for < GIVE_UP_AFTER:
            address.open_until = now + _wait(failing_for, LONGEST_OPEN)
            return
        address.open_until, address.disabled_at = None, now
        address.disabled_reason = _("Nenhuma entrega desde %(since)s; por último: %(error)s") % {
            "since": when(address.failing_since),
            "error": error,
        }

    def _save_failure(self, address: A) -> None:
        address.save(update_fields=Address.HEALTH)
        if address.disabled_at:
            self._waiting_at(address).update(given_up_at=address.disabled_at)

    # -- What the operator does --------------------------------------------------------------------

    @transaction.atomic
    def enable(self, address_id: int) -> bool:
        """Send to the address again, at once and from the beginning, whatever was given up.
        Whether it was disabled."""
        address = self.addresses.objects.select_for_update().filter(pk=address_id).first()
        if address is None or address.disabled_at is None:
            return False
        address.disabled_at, address.disabled_reason = None, ""
        address.failures_in_a_row, address.failing_since = 0, None
        address.save(update_fields=Address.HEALTH)
        _take_up_again(self.messages.objects.filter(**{self.to: address_id}))
        enqueue(self.task, address_id)
        return True

    def replayable(self, messages: QuerySet[M]) -> QuerySet[M]:
        """Of these, what does not wait anyway, itself or as another row, and is for somebody."""
        same = self.messages.objects.waiting().filter(**{name: OuterRef(name) for name in self.key})
        over = Q(given_up_at__isnull=False) | Q(delivered_at__isnull=False) & ~Exists(same)
        return messages.exclude(self.for_nobody).filter(over)

    @transaction.atomic
    def replay(self, messages: QuerySet[M]) -> int:
        """Send these once more, where they are not waiting anyway; how many that are.

        Raises `Refused` where an address is disabled.
        """
        messages = messages.exclude(self.for_nobody)
        receivers = sorted(set(messages.order_by().values_list(self.to, flat=True).distinct()))
        # Whoever asks for the same at the same moment waits here, and then finds them waiting.
        addresses = self.addresses.objects.select_for_update().filter(pk__in=receivers)
        if any(address.disabled_at for address in addresses.order_by("pk")):
            raise Refused(
                _("As notificações desta integração estão desligadas: religue-as primeiro.")
            )
        # Those given up first, so that none is copied as well.
        count = _take_up_again(messages)
        waiting = self.messages.objects.waiting().filter(**{f"{self.to}__in": receivers})
        known, key_of = set(waiting.values_list(*self.key)), attrgetter(*self.key)
        copies = []
        for message in messages.exclude(delivered_at=None).order_by("pk"):
            if key_of(message) not in known:
                known.add(key_of(message))
                copies.append(self.copy(message))
        self.messages.objects.bulk_create(copies, batch_size=500)
        enqueue_all(self.task, [(pk,) for pk in receivers])
        return count + len(copies)

    def prune(self) -> bool:
        """Forget some of those that ended long ago, or are for nobody. Whether there may be
        more. What was given up lately may yet be wanted: it may have waited for long before."""
        before = timezone.now() - KEPT
        ended = Q(delivered_at__isnull=False) | Q(given_up_at__lt=before)
        old = self.messages.objects.filter(ended | self.for_nobody, created_at__lt=before)
        return forget_some(PRUNED_AT_ONCE, old.order_by("created_at"))


def _attempt(letter: Letter, secrets: list[str] | None) -> Outcome:
    if secrets is None:
        reason = _(
            "o segredo das notificações foi selado com uma chave que saiu de CREDENTIAL_KEYS: gere"
            " outras credenciais na integração, ou ponha a chave de volta"
        )
        return Outcome(None, reason)
    headers = signature_headers(secrets, letter.message_id, timezone.now(), letter.body)
    headers["Content-Type"] = "application/json"
    try:
        answer = send("POST", letter.url, data=letter.body, headers=headers, seconds=READ_SECONDS)
    except (Unavailable, Unreadable) as error:
        return Outcome(None, str(error))
    return Outcome(answer.status)


def webhook_secrets(activation_id: int) -> list[str] | None:
    """The latest first; two or more while the partner changes from one to the next, or from an
    activation that moved to this one. None where no key opens any of them."""
    issued = Credential.objects.issued_in_use().filter(
        Q(activation=activation_id) | Q(activation__moved_to=activation_id)
    )
    sealed = issued.order_by("-pk").values_list("sealed", flat=True)
    opened = list(map(unseal_known, sealed))
    secrets = [values["webhook_secret"] for values in opened if values]
    return secrets if secrets or not opened else None


def _failing_for(since: datetime, now: datetime) -> timedelta:
    """No longer than the portal was last seen to run: after it was off, what waited in the queue is
    tried before the time in between is left out."""
    seen_at = Heartbeat.objects.values_list("beat_at", flat=True).first()
    return max(min(now, seen_at or now) - since, timedelta())


def _wait(failing_for: timedelta, longest: timedelta) -> timedelta:
    """As long again as it has failed already, so that the waits double."""
    wait = min(max(failing_for, FIRST_WAIT), longest)
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def _take_up_again(messages: QuerySet[Any]) -> int:
    return messages.exclude(given_up_at=None).update(
        given_up_at=None, failing_since=None, due_at=timezone.now()
    )


def is_over(path: str) -> Q:
    """Messages whose activation, found by this path, is switched off for good, or moved."""
    return Q(**{f"{path}__state__in": OVER})
