"""What becomes of a run when it ends, and of its flow: when its turn comes again."""

import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.errors import OutOfBudget
from connectors.models import ActivationFlow, Run
from connectors.redaction import without_secrets
from connectors.runs.dispatch import make_due
from connectors.trouble.failures import storable

LONGEST_WAIT, LONGEST_WISH = timedelta(hours=1), timedelta(days=1)
JITTER = 0.25  # thousands that failed together do not come back together


def close(run: Run, flow: ActivationFlow, outcome: Run.Outcome, reason: str = "") -> bool:
    """Whether it was still its owner's to end: a run that an operator released, or that was taken
    for dead, has its end already, and the flow may be another's."""
    run.ended_at, run.outcome, run.reason = (
        timezone.now(),
        outcome,
        storable(without_secrets(reason))[:500],
    )
    run.cursor_after = flow.cursor
    facts = ("ended_at", "outcome", "reason", "cursor_after", "seen", "changed", "failed")
    mine = Run.objects.filter(pk=run.pk, ended_at=None)
    return bool(mine.update(**{name: getattr(run, name) for name in facts}))


@transaction.atomic
def end(run: Run, flow: ActivationFlow, *, only_told: bool, over: bool = True) -> None:
    """It went well. Where it is not over, the rest is due at once."""
    if not close(run, flow, Run.Outcome.PARTIAL if run.failed else Run.Outcome.DONE):
        return
    facts: dict[str, Any] = {"failures_in_a_row": 0}
    if not over:
        facts["due_at"] = run.ended_at
    _update(flow, **facts, **_good_signs(run, only_told=only_told))


def _good_signs(run: Run, *, only_told: bool = False) -> dict[str, Any]:
    """What the platform told at once is no sign that looking for the rest works."""
    signs = {} if only_told else {"last_success_at": run.ended_at}
    return signs | ({"last_change_at": run.ended_at} if run.changed else {})


def _update(flow: ActivationFlow, **facts: Any) -> None:
    ActivationFlow.objects.filter(pk=flow.pk).update(**facts)


@transaction.atomic
def wait_for_budget(run: Run, flow: ActivationFlow, error: OutOfBudget) -> None:
    """Neither a failure nor, unless it came further, a success: a flow that never gets a turn is
    to be seen."""
    if not close(run, flow, Run.Outcome.WAITING, str(error)):
        return
    came_further = run.changed or run.cursor_after != run.cursor_before
    due_at = timezone.now() + timedelta(seconds=error.after or 0)
    signs = {"failures_in_a_row": 0, **_good_signs(run)} if came_further else {}
    _update(flow, due_at=due_at, **signs)


@transaction.atomic
def fail(run: Run, flow: ActivationFlow, reason: str, wish: int | None = None) -> None:
    """Asked less and less often; not before the other side wishes, where it says when."""
    if not close(run, flow, Run.Outcome.FAILED, reason):
        return
    failures = flow.failures_in_a_row + 1
    if wish is None:
        patience = min(timedelta(seconds=flow.every * 2 ** min(failures, 10)), LONGEST_WAIT)
        patience *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    else:
        patience = min(timedelta(seconds=wish), LONGEST_WISH)
        patience *= random.uniform(1, 1 + JITTER)  # noqa: S311
    _update(flow, failures_in_a_row=failures, due_at=timezone.now() + patience)


@transaction.atomic
def release_run(run_id: int, by: str) -> bool:
    """Take the flow away from a run that goes on, and make it due. Whether it went on."""
    run = Run.objects.select_for_update().filter(pk=run_id, ended_at=None).first()
    if run is None:
        return False
    run.ended_at, run.outcome = timezone.now(), Run.Outcome.ABANDONED
    run.reason = _("Liberada por %(user)s.") % {"user": by}
    run.save(update_fields=["ended_at", "outcome", "reason"])
    make_due(ActivationFlow.objects.filter(activation=run.activation_id, ability=run.ability))
    return True
