"""Forgetting what ended long ago."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from connectors.models import Run
from connectors.queue import enqueue

# A run that changed nothing says little after a day, and there are the most of them.
KEPT, IDLE_KEPT = timedelta(days=30), timedelta(days=2)
AT_ONCE = 2_000  # so that no delete takes long


def prune_runs() -> None:
    """Some at a time; the flow itself remembers when it last ran and what came of it."""
    now = timezone.now()
    # Each by an index of its own: between the idle ones lie those that are kept for longer.
    old = Run.objects.exclude(ended_at=None).filter(started_at__lt=now - KEPT)
    idle = Run.objects.idle().filter(started_at__lt=now - IDLE_KEPT)
    if [prune(each) for each in (old, idle)] != [False, False]:
        enqueue(prune_runs)


def prune(runs: QuerySet[Run]) -> bool:
    """The oldest of them. Whether there may be more."""
    some = list(runs.order_by("started_at").values_list("pk", flat=True)[:AT_ONCE])
    Run.objects.filter(pk__in=some).delete()
    return len(some) == AT_ONCE
