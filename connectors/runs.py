"""Whose turn it is; runs a flow, one at a time, its end on record."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import Ability
from connectors.errors import ConnectorError, Refused, Unauthorized, Unavailable
from connectors.models import Activation, ActivationFlow, Failure, Run, State
from connectors.payload import Payload, to_storable
from connectors.queue import enqueue_all
from connectors.services import client_of, pause
from connectors.spec import Mode

log = logging.getLogger(__name__)
A = TypeVar("A", bound=Ability)

MOST_AT_ONCE = 1000
LONGEST_WAIT = timedelta(hours=1)
# A run whose worker was killed for overtime cannot be going on after this.
RUN_LIFE = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 60)


@transaction.atomic
def start_due(ability: type[Ability], task: Callable[[int], None]) -> int:
    """Queue `task` for every flow of this ability whose turn it is; how many that were.

    Several dispatchers may call it at once: a flow is given to one of them.
    """
    now = timezone.now()
    due = list(
        ActivationFlow.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(
            ability=ability.__name__,
            due_at__lte=now,
            activation__state=State.ACTIVE,
            activation__mode=Mode.MANAGED,
        )
        .order_by("due_at")
        .only("pk", "every")[:MOST_AT_ONCE]
    )
    for every in {flow.every for flow in due}:
        ids = [flow.pk for flow in due if flow.every == every]
        ActivationFlow.objects.filter(pk__in=ids).update(due_at=now + timedelta(seconds=every))
    enqueue_all(task, [(flow.pk,) for flow in due])
    return len(due)


def start_now(activation_id: int, task: Callable[[int], None], *abilities: type[Ability]) -> None:
    """Queue `task` for these flows of one activation without waiting for their turn, in the
    caller's transaction."""
    names = [ability.__name__ for ability in abilities]
    flows = ActivationFlow.objects.filter(activation_id=activation_id, ability__in=names)
    enqueue_all(task, flows.values_list("pk"))


@dataclass
class Item:
    """One record of a run. `changed` is for the run's count."""

    record_id: str
    changed: bool = False


@dataclass
class Attempt:
    """A run while it is going on."""

    run: Run
    flow: ActivationFlow
    activation: Activation
    open_failures: set[str] = field(default_factory=set)

    @property
    def since(self) -> str:
        return self.flow.cursor

    def advance(self, cursor: str) -> None:
        """Everything up to this cursor is stored."""
        if cursor != self.flow.cursor:
            self.flow.cursor = cursor
            self.flow.save(update_fields=["cursor"])

    @contextmanager
    def item(
        self, payload: Payload | None = None, record_id: str = "", *, settles: bool = True
    ) -> Iterator[Item]:
        """One record. What is wrong with it alone is put on record, and the run goes on;
        `Unavailable` and `Unauthorized` are not about the record, and end the run.

        With `settles=False` the record is only read here: its fate is decided afterwards, by
        `mend` or `fail`.
        """
        guessed = record_id or _guess_id(payload)
        item = Item(guessed)
        self.run.seen += 1
        try:
            yield item
        except (Unavailable, Unauthorized):
            raise
        except (ConnectorError, Refused) as error:
            self.fail(item.record_id, error, payload)
        else:
            self.run.changed += item.changed
            if item.record_id != guessed:
                self.mend(guessed)  # it could not even be read then
            if settles:
                self.mend(item.record_id)

    def parked(self, record_ids: Iterable[str]) -> list[Payload]:
        """What failed earlier and is still open, of these records, as it arrived."""
        failures = Failure.objects.filter(
            activation=self.activation,
            flow=self.flow.flow,
            record_id__in=self.open_failures.intersection(record_ids),
            resolved_at=None,
        )
        return [Payload(failure.payload) for failure in failures if failure.payload]

    def fail(self, record_id: str, error: Exception, payload: Payload | None = None) -> None:
        record_id = _storable(record_id)[:200]
        self.run.failed += 1
        self.open_failures.add(record_id)
        record_failure(self.run, record_id, error, payload.data if payload else None)

    def mend(self, record_id: str) -> None:
        """It went well; if it had failed before, that is over."""
        if record_id not in self.open_failures:
            return
        self.open_failures.discard(record_id)
        Failure.objects.filter(
            activation=self.activation,
            flow=self.flow.flow,
            record_id=record_id,
            resolved_at=None,
        ).update(resolved_at=timezone.now(), resolution=_("Passou numa execução seguinte."))


def _guess_id(payload: Payload | None) -> str:
    """A name for a record that may turn out to be unreadable: the same at every attempt."""
    if payload is None:
        return ""
    for key in ("sku", "id", "order_id", "codigo"):
        if payload.data.get(key):
            return _storable(str(payload.data[key]))[:200]
    text = json.dumps(payload.data, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def _storable_payload(payload: Any) -> Any:
    """What no database can hold is shown instead as Python writes it."""
    try:
        return to_storable(payload)
    except ValueError:
        return {"payload": ascii(payload)}


@transaction.atomic
def record_failure(run: Run, record_id: str, error: Exception, payload: Any) -> None:
    """The same record failing again is the same failure, once more."""
    facts = {
        "run": run,
        "kind": Failure.kind_of(error),
        "reason": _storable(str(error)),
        "payload": _storable_payload(payload),
        "last_at": timezone.now(),
    }
    again = Failure.objects.filter(
        activation_id=run.activation_id, flow=run.flow, record_id=record_id, resolved_at=None
    ).update(times=F("times") + 1, **facts)
    if not again:
        Failure.objects.create(
            activation_id=run.activation_id, flow=run.flow, record_id=record_id, **facts
        )


def run_flow(flow_id: int, ability: type[A], work: Callable[[Attempt, A], None]) -> None:
    """Run one flow of one managed activation with its client. Never raises: how it went is on
    record, and decides what comes next (connectors.errors)."""
    flow = (
        ActivationFlow.objects.select_related("activation__connector", "activation__store")
        .filter(pk=flow_id, activation__state=State.ACTIVE)
        .first()
    )
    if flow is None or (run := _begin(flow)) is None:
        return
    attempt = Attempt(run, flow, flow.activation)
    attempt.open_failures = set(
        Failure.objects.filter(
            activation=flow.activation, flow=flow.flow, resolved_at=None
        ).values_list("record_id", flat=True)
    )
    try:
        work(attempt, cast(A, client_of(flow.activation)))
    except Unauthorized as error:
        pause(flow.activation_id, str(error))
        _end(attempt, Run.Outcome.FAILED, str(error))
    except (ConnectorError, Refused) as error:
        wished = error.after if isinstance(error, Unavailable) else None
        _end(attempt, Run.Outcome.FAILED, str(error), wished)
    except Exception as error:
        log.exception("run %s of %s broke", run.pk, flow.ability)
        _end(attempt, Run.Outcome.FAILED, _("Erro do portal: %s") % type(error).__name__)
    else:
        _end(attempt, Run.Outcome.PARTIAL if run.failed else Run.Outcome.DONE)


def _begin(flow: ActivationFlow) -> Run | None:
    """An open run, or None where there is one already. One whose owner died is closed first."""
    now = timezone.now()
    Run.objects.filter(
        activation_id=flow.activation_id, ability=flow.ability, ended_at=None, expires_at__lte=now
    ).update(ended_at=now, outcome=Run.Outcome.ABANDONED, reason=_("Quem executava parou."))
    try:
        with transaction.atomic():
            return Run.objects.create(
                activation_id=flow.activation_id,
                ability=flow.ability,
                flow=flow.flow,
                expires_at=now + RUN_LIFE,
                cursor_before=flow.cursor,
            )
    except IntegrityError:
        return None


@transaction.atomic
def _end(attempt: Attempt, outcome: Run.Outcome, reason: str = "", wait: int | None = None) -> None:
    run, flow, now = attempt.run, attempt.flow, timezone.now()
    run.ended_at, run.outcome, run.reason = now, outcome, _storable(reason)[:500]
    run.cursor_after = flow.cursor
    run.save()
    if outcome == Run.Outcome.FAILED:
        flow.failures_in_a_row += 1
        patience = timedelta(seconds=wait or flow.every * 2 ** min(flow.failures_in_a_row, 10))
        flow.due_at = now + min(patience, LONGEST_WAIT)
        flow.save(update_fields=["failures_in_a_row", "due_at"])
        return
    flow.failures_in_a_row = 0
    flow.last_success_at = now
    if run.changed:
        flow.last_change_at = now
    flow.save(update_fields=["failures_in_a_row", "last_success_at", "last_change_at"])
