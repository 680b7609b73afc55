"""Forgetting troubles that were over long ago, and what was kept to mend them."""

from datetime import timedelta

from django.utils import timezone

from connectors.forgetting import forget_some
from connectors.models import Alert, Failure, Incident
from connectors.queue import enqueue

KEPT = timedelta(days=90)
AT_ONCE = 1000


def prune_troubles() -> None:
    """Some at a time. What people did about them stays in the record of acts."""
    before = timezone.now() - KEPT
    over = (
        Failure.objects.filter(resolved_at__lt=before).order_by("resolved_at"),
        Incident.objects.filter(ended_at__lt=before).order_by("pk"),
        Alert.objects.filter(sent_at__lt=before).order_by("pk"),
        # They were given up long before.
        Alert.objects.filter(sent_at=None, created_at__lt=before).order_by("pk"),
    )
    if forget_some(AT_ONCE, *over):
        enqueue(prune_troubles)
