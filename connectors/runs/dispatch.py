"""Whose turn it is.

Each flow has slots of its own, one per interval, at a place in the interval that follows from its
number: a thousand activations of one minute are spread over all of it, and no delay, failure or
run out of turn moves them. Slots that passed while nobody looked are not made up for.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import ExpressionWrapper, F, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import Ability
from connectors.models import ActivationFlow, Run, State
from connectors.models.flows import QUEUE_LIFE, RUN_LIFE
from connectors.queue import enqueue_all, enqueue_in_turn
from connectors.spec import Mode

AT_ONCE = 1000
SPREAD = 2_654_435_761  # a prime: neighbours' slots lie far from each other


def start_due(ability: type[Ability], task: Callable[[int], None]) -> int:
    """Queue `task` for every flow of this ability whose turn it is; how many that were.

    Several dispatchers may call it at once: a flow is given to one of them.
    """
    started = 0
    while batch := _start_some(ability, task):
        started += batch
    return started


@transaction.atomic
def _start_some(ability: type[Ability], task: Callable[[int], None]) -> int:
    now = timezone.now()
    due = list(
        ActivationFlow.objects.select_for_update(skip_locked=True, of=("self",))
        .due(now)
        .after_their_products()
        .filter(
            ability=ability.__name__,
            activation__state=State.ACTIVE,
            activation__mode=Mode.MANAGED,
        )
        .order_by("due_at")
        .values_list("pk", flat=True)[:AT_ONCE]
    )
    ActivationFlow.objects.filter(pk__in=due).update(slot_at=F("due_at"), due_at=next_slot(now))
    enqueue_in_turn(task, [(pk,) for pk in due])
    return len(due)


def next_slot(now: datetime) -> ExpressionWrapper:
    """The first slot after this moment, for the database to compute."""
    wide = models.BigIntegerField()  # said, for Django takes a number for one of 32 bits
    spread = Value(int(now.timestamp()), wide) + F("pk") * Value(SPREAD, wide)
    passed = spread % F("every")
    left = ExpressionWrapper(F("every") - passed, output_field=models.IntegerField())
    wait = ExpressionWrapper(left * Value(timedelta(seconds=1)), models.DurationField())
    begin = Value(now.replace(microsecond=0))
    return ExpressionWrapper(begin + wait, models.DateTimeField())


@transaction.atomic
def read_everything_again() -> int:
    """Every flow that we run begins from the beginning, at once; how many that are. Runs that are
    open are taken from their owners, who are gone."""
    ours = ActivationFlow.objects.filter(activation__mode=Mode.MANAGED)
    # In one order, as somebody else may do the same; a run before its flow, as when it ends.
    for rows in (Run.objects.filter(ended_at=None), ours):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    Run.objects.abandon(_("Um backup foi restaurado."))
    return ours.update(cursor="", due_at=timezone.now(), slot_at=None, failures_in_a_row=0)


def follow_clock_back() -> None:
    """The clock was put back: what ran, or was queued, in what is the future now would wait for
    that. It is due instead, and who died at a run holds its flow no longer than ever."""
    now = timezone.now()
    held = Run.objects.filter(ended_at=None, expires_at__gt=now + RUN_LIFE)
    held.update(expires_at=now + RUN_LIFE)
    ahead = models.Q(last_run_at__gt=now) | models.Q(slot_at__gt=now)
    ours = ActivationFlow.objects.filter(ahead, activation__mode=Mode.MANAGED)
    ours.update(due_at=now, slot_at=None)


def start_now(activation_id: int, task: Callable[[int], None], *abilities: type[Ability]) -> None:
    """Queue `task` for these flows of one activation without waiting for their turn, in the
    caller's transaction."""
    names = [ability.__name__ for ability in abilities]
    flows = ActivationFlow.objects.filter(activation_id=activation_id, ability__in=names)
    enqueue_all(task, flows.values_list("pk"))


def start_soon(task: Callable[[int], None], flows: models.QuerySet[ActivationFlow]) -> None:
    """Queue `task` for those of these flows that do not wait in the queue already, in the caller's
    transaction: a thousand changes start one run. A platform that is down is left alone until its
    flow's turn comes, and so is a flow that somebody else is starting or ending at this moment."""
    now = timezone.now()
    idle = flows.select_for_update(skip_locked=True, of=("self",)).filter(
        models.Q(slot_at=None) | models.Q(slot_at__lt=now - QUEUE_LIFE),
        failures_in_a_row=0,
        activation__state=State.ACTIVE,
        activation__mode=Mode.MANAGED,
    )
    with transaction.atomic():
        ids = list(idle.order_by("pk").values_list("pk", flat=True))
        ActivationFlow.objects.filter(pk__in=ids).update(slot_at=now)
        enqueue_all(task, [(pk,) for pk in ids])


def make_due(flows: models.QuerySet[ActivationFlow]) -> int:
    """The next dispatcher, within a minute, starts these, whatever they were waiting for; how many
    they are. Partners' flows are not ours to start."""
    return flows.filter(activation__mode=Mode.MANAGED).update(due_at=timezone.now())
