"""Comparisons of both sides: whose turn it is, one step at a time, and what people ask for."""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.errors import ConnectorError, NotAllowed, Refused, Unavailable
from connectors.findings import Findings
from connectors.forgetting import forget_some
from connectors.models import Activation, Comparison, Difference, Listed, State
from connectors.models.activations import IN_USE
from connectors.queue import enqueue, enqueue_all
from connectors.spec import Mode

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)
# Begun in one minute; a day has 1440 of them. What is over waits: nobody waits for these.
BEGUN_AT_ONCE = 20
# A step whose worker died is taken up again after this.
STEP_LIFE = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 60)
LATER = timedelta(minutes=5)
KEPT = timedelta(days=30)
PRUNED_AT_ONCE = 5000
STEP_SECONDS = 60

# What a step found last, to be stored with the comparison's end; None where there is more to do.
Last = Iterable[Findings] | None


def begin_daily(activations: QuerySet[Activation], purpose: Comparison.Purpose) -> None:
    """Begin those whose last comparison is a day old, some at a time. An integration's first one
    comes a day after it was activated, so they lie spread over the day as the activations do."""
    now = timezone.now()
    recent = Comparison.objects.filter(
        activation=OuterRef("pk"), purpose=purpose, asked_at__gt=now - EVERY
    )
    due = activations.filter(
        ~Exists(recent), state=State.ACTIVE, created_at__lte=now - EVERY
    ).order_by("pk")
    begun = [Comparison(activation=each, purpose=purpose) for each in due[:BEGUN_AT_ONCE]]
    # The same one, by another dispatcher at the same moment, is as good.
    Comparison.objects.bulk_create(begun, ignore_conflicts=True)


def follow_clock_back(back: timedelta) -> None:
    """The clock was put back by so much: what was asked for, or waits, in what is the future now
    would hold the next ones up until then."""
    now = timezone.now()
    Comparison.objects.filter(asked_at__gt=now).update(asked_at=F("asked_at") - back)
    going_on = Comparison.objects.filter(ended_at=None)
    going_on.filter(due_at__gt=now).update(due_at=now)
    going_on.filter(busy_until__gt=now + STEP_LIFE).update(busy_until=now + STEP_LIFE)


@transaction.atomic
def compare_now(activation: Activation, by: User) -> Comparison:
    """The daily comparison of the catalogue, without waiting for its turn. One at a time: asked
    again while it goes on, it is that one. Raises `NotAllowed` where there is nothing to read."""
    Activation.objects.select_for_update(no_key=True).get(pk=activation.pk)
    spec = activation.spec
    readable = spec.lists_catalogue or spec.feeds_catalogue
    if activation.mode != Mode.MANAGED or activation.state == State.REVOKED or not readable:
        raise NotAllowed(_("Esta integração não tem catálogo que o portal possa ler e comparar."))
    purposes = Comparison.Purpose
    purpose = purposes.CHANNEL if spec.lists_catalogue else purposes.CATALOGUE
    going_on = activation.comparisons.filter(purpose=purpose, ended_at=None).first()
    return going_on or activation.comparisons.create(purpose=purpose, asked_by=by)


@transaction.atomic
def start_steps(purposes: Collection[Comparison.Purpose], step: Callable[[int], None]) -> None:
    """Queue `step` for every comparison that can go on."""
    now = timezone.now()
    due = list(
        Comparison.objects.select_for_update(skip_locked=True)
        .filter(purpose__in=purposes, ended_at=None, due_at__lte=now)
        .filter(Q(busy_until=None) | Q(busy_until__lte=now))
        .order_by("due_at")
        .values_list("pk", flat=True)[:1000]
    )
    # Not again in a minute, while the queue is long.
    Comparison.objects.filter(pk__in=due).update(due_at=now + LATER)
    enqueue_all(step, [(pk,) for pk in due])


def claim(comparison_id: int) -> Comparison | None:
    """This comparison, for one worker; None where it is over, somebody else's, or must wait."""
    now = timezone.now()
    free = Comparison.objects.filter(pk=comparison_id, ended_at=None).filter(
        Q(busy_until=None) | Q(busy_until__lte=now)
    )
    if not free.update(busy_until=now + STEP_LIFE):
        return None
    comparison = Comparison.objects.select_related(
        "activation__connector", "activation__store"
    ).get(pk=comparison_id)
    state = comparison.activation.state
    if state in IN_USE:
        if state == State.ACTIVE:
            return comparison
        put_off(comparison, LATER)  # until its platform has answered once, or somebody resumes it
    else:
        finish(comparison, _("A integração foi desligada."))
    return None


def put_off(comparison: Comparison, wait: timedelta = timedelta()) -> None:
    """The next step comes after this."""
    comparison.busy_until, comparison.due_at = None, timezone.now() + wait
    comparison.save(update_fields=["busy_until", "due_at"])


@transaction.atomic
def finish(comparison: Comparison, reason: str = "") -> None:
    """`reason`: why it could not come to its end."""
    Listed.objects.filter(comparison=comparison).delete()
    comparison.ended_at, comparison.reason = timezone.now(), reason[:500]
    comparison.busy_until = None
    comparison.save(update_fields=["ended_at", "reason", "busy_until"])


def take_step(
    comparison_id: int, work: Callable[[Comparison], Last], step: Callable[[int], None]
) -> None:
    """Let `work` go on with a comparison. Never raises: how it went is on record."""
    comparison = claim(comparison_id)
    if comparison is None:
        return
    try:
        last = work(comparison)
        if last is not None:
            _conclude(comparison, last)
    except Unavailable as error:
        put_off(comparison, timedelta(seconds=error.after) if error.after else LATER)
    except (ConnectorError, Refused) as error:
        finish(comparison, str(error))
    except Exception as error:
        log.exception("comparison %s broke", comparison.pk, extra=comparison.activation.in_the_log)
        finish(comparison, _("Erro do portal: %s") % type(error).__name__)
    else:
        if last is None:
            put_off(comparison)
            enqueue(step, comparison.pk)


@transaction.atomic
def _conclude(comparison: Comparison, last: Iterable[Findings]) -> None:
    """With its end: whoever died in between would find them once more."""
    for findings in last:
        findings.save()
    finish(comparison)


@transaction.atomic
def ask_to_mend(differences: QuerySet[Difference], by: User) -> int:
    """Have these fetched, or sent, whichever mends them; for how many that is possible."""
    chosen = Difference.objects.mendable().filter(pk__in=differences.values("pk"), asked_at=None)
    return chosen.update(asked_at=timezone.now(), asked_by=by)


def prune_comparisons() -> None:
    """Forget old ones, some at a time; not one that still holds a synchronisation back."""
    old = Comparison.objects.filter(asked_at__lt=timezone.now() - KEPT, ended_at__isnull=False)
    old = old.exclude(pk__in=Comparison.objects.holding())
    found = Difference.objects.filter(comparison__in=old)
    empty = old.filter(~Exists(Difference.objects.filter(comparison=OuterRef("pk"))))
    if forget_some(PRUNED_AT_ONCE, found, empty):
        enqueue(prune_comparisons)
