"""Forgetting what the frameworks keep for ever: sessions that ended, what the queue could not do,
logins that failed."""

from datetime import timedelta

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import Task

from connectors.forgetting import forget_some
from connectors.queue import enqueue

KEPT = timedelta(days=30)
AT_ONCE = 1000


def prune_sessions() -> None:
    """Some at a time."""
    now = timezone.now()
    over = (
        Session.objects.filter(expire_date__lt=now).order_by("expire_date"),
        Task.objects.filter(stopped__lt=now - KEPT).order_by("stopped"),
        AccessAttempt.objects.filter(attempt_time__lt=now - KEPT).order_by("pk"),
    )
    if forget_some(AT_ONCE, *over):
        enqueue(prune_sessions)
