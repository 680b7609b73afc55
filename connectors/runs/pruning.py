"""Forgetting what ended long ago."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from connectors.models import Run
from connectors.queue import enqueue

# A run that changed nothing says little after a day, and there are the most of them.
KEPT, IDLE_KEPT = timedelta(days=30), timedelta(days=2)
AT_ONCE = 20_000


def prune_runs() -> None:
    """Some at a time; the flow itself remembers when it last ran and what came of it."""
    now = timezone.now()
    idle = Q(outcome=Run.Outcome.DONE, changed=0, started_at__lt=now - IDLE_KEPT)
    old = Run.objects.exclude(ended_at=None).filter(idle | Q(started_at__lt=now - KEPT))
    some = list(old.order_by("started_at").values_list("pk", flat=True)[:AT_ONCE])
    Run.objects.filter(pk__in=some).delete()
    if len(some) == AT_ONCE:
        enqueue(prune_runs)
