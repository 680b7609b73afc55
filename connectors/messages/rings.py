"""Platforms that ring: what they tell is stored, then fetched by the flow that it concerns.

A run that was rung for fetches what was told and nothing else: a busy shop rings far more often
than its account could be looked through.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connectors import exchanges
from connectors.contract import Ability, Changed, Client, NoticeSource, Page
from connectors.errors import (
    ConnectorError,
    NotFound,
    OutOfBudget,
    Rejected,
    Several,
    Unauthorized,
)
from connectors.forgetting import forget_some
from connectors.hashing import digest
from connectors.models import Activation, ActivationFlow, Doorbell, Ring, Run, State
from connectors.queue import enqueue, enqueue_all
from connectors.runs.running import Attempt, run_flow
from connectors.services import client_of
from connectors.trouble.failures import record_notice_failure, unfetched

# Of one flow in one run. What is over is the next run's, which starts at once.
AT_ONCE = 100
KEPT = timedelta(days=7)
PRUNED_AT_ONCE = 5000
RUNG = "rung"  # why a task was queued

A = TypeVar("A", bound=Ability)
Task = Callable[[int, str], None]


def ring(secret: str, body: bytes, tasks: Mapping[type[Ability], Task]) -> Any:
    """Store what the platform says has changed, queue its fetching; what to answer.

    What cannot be taken is put on record. Raises `NotFound` for an address that is nobody's (any
    more), `Unreadable` and `Unauthorized` as the client does.
    """
    doorbell = (
        Doorbell.objects.select_related("activation__connector", "activation__store")
        .filter(secret_hash=digest(secret))
        .exclude(activation__state=State.REVOKED)
        .first()
    )
    if doorbell is None:
        raise NotFound("")
    client = client_of(doorbell.activation)
    if not isinstance(client, NoticeSource):
        raise NotFound("")  # its connector no longer listens
    try:
        changed = client.read_notice(body)
        answer = client.answer_notice(body)
    except ConnectorError as error:
        record_notice_failure(doorbell.activation, body, error)
        if isinstance(error, Rejected):
            return {"ok": False, "error": str(error)}
        raise
    _store(doorbell.activation, changed, tasks)
    return answer


@transaction.atomic
def _store(
    activation: Activation, changed: list[Changed], tasks: Mapping[type[Ability], Task]
) -> None:
    now = timezone.now()
    Doorbell.objects.filter(pk=activation.pk).update(last_rung_at=now)
    for each in changed:
        facts = {"ability": each.ability.__name__, "record_id": each.record_id[:200]}
        again = Ring.objects.open().filter(activation=activation, **facts)
        if not again.update(rung_at=now, times=F("times") + 1):
            new = Ring(activation=activation, rung_at=now, **facts)
            # The same, at the same moment, is as new as this one.
            Ring.objects.bulk_create([new], ignore_conflicts=True)
    for ability in {each.ability for each in changed}:
        flows = ActivationFlow.objects.filter(activation=activation, ability=ability.__name__)
        enqueue_all(tasks[ability], [(pk, RUNG) for pk in flows.values_list("pk", flat=True)])


def pages_to_pull(
    attempt: Attempt,
    ability: type[Ability],
    client: Client | Ability,
    changed: Callable[[str], Iterable[Page]],
) -> Iterator[Page]:
    """What the platform rang for, fetched; then, if this is its turn, the flow's own pages."""
    if isinstance(client, NoticeSource):
        yield from _told(attempt, ability, client)
    if not attempt.only_told:
        yield from changed(attempt.since)


def _told(attempt: Attempt, ability: type[Ability], client: NoticeSource) -> Iterator[Page]:
    rings = Ring.objects.open().filter(activation=attempt.activation, ability=ability.__name__)
    told = {each.record_id: each for each in rings.order_by("pk")[:AT_ONCE]}
    for record_id in dict.fromkeys([*unfetched(attempt.flow, AT_ONCE), *told]):
        exchanges.forget()
        try:
            items = list(client.fetch(ability, record_id))
        except (Unauthorized, OutOfBudget):
            raise
        except Several as error:
            attempt.part(record_id, error)
        except ConnectorError as error:
            exchange = exchanges.last()
            attempt.judge(error, record_id)  # it may be this one alone that has no answer
            attempt.fail(record_id, error, exchange=exchange)
        else:
            failed_before = record_id in attempt.open_failures
            attempt.open_failures.discard(record_id)  # what was fetched may fail by the same name
            yield Page(items, attempt.since)
            if failed_before and record_id not in attempt.open_failures:
                attempt.open_failures.add(record_id)
                attempt.mend(record_id)  # not before it is stored
        # Rung again meanwhile, it stays open: what was fetched may be older than that.
        if each := told.get(record_id):
            now = timezone.now()
            Ring.objects.filter(pk=each.pk, rung_at=each.rung_at).update(handled_at=now)


def run_flow_or_rings(
    flow_id: int, ability: type[A], work: Callable[[Attempt, A], None], task: Task, why: str
) -> None:
    """Run a flow, or only fetch what was rung for; and where its platform rang too late for this
    run, queue `task` once more."""
    flow = ActivationFlow.objects.filter(pk=flow_id).first()
    if flow is None:
        return
    mine = {"activation_id": flow.activation_id, "ability": flow.ability}
    told = Ring.objects.open().filter(**mine)
    if why == RUNG and (not told.exists() or Run.objects.filter(ended_at=None, **mine).exists()):
        return  # another run has fetched it, or asks below whether there is more

    def begin(attempt: Attempt, client: A) -> None:
        attempt.only_told = why == RUNG
        work(attempt, client)

    runs = Run.objects.filter(**mine).order_by("-pk")
    before = runs.first()
    run_flow(flow_id, ability, begin)
    # A run that failed has its own patience, one that is still going on will ask this itself, and
    # an integration that is paused runs nothing.
    last = runs.first()
    went_well = last is not None and last.outcome in (Run.Outcome.DONE, Run.Outcome.PARTIAL)
    if went_well and last != before and told.exists():
        enqueue_all(task, [(flow_id, RUNG)])


def prune_rings() -> None:
    """Forget what was fetched long ago, some at a time."""
    old = Ring.objects.filter(handled_at__lt=timezone.now() - KEPT)
    if forget_some(PRUNED_AT_ONCE, old):
        enqueue(prune_rings)
