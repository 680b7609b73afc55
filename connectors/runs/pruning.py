"""Forgetting what ended long ago."""

from datetime import timedelta

from django.utils import timezone

from connectors.forgetting import forget_some
from connectors.models import Run
from connectors.queue import enqueue

# A run that changed nothing says little after a day, and there are the most of them.
KEPT, IDLE_KEPT = timedelta(days=30), timedelta(days=2)
AT_ONCE = 2_000


def prune_runs() -> None:
    """Some at a time; the flow itself remembers when it last ran and what came of it."""
    now = timezone.now()
    # Each by an index of its own: between the idle ones lie those that are kept for longer.
    old = Run.objects.exclude(ended_at=None).filter(started_at__lt=now - KEPT)
    idle = Run.objects.idle().filter(started_at__lt=now - IDLE_KEPT)
    if forget_some(AT_ONCE, old.order_by("started_at"), idle.order_by("started_at")):
        enqueue(prune_runs)
