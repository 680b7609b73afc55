"""The only door to the queue.

Whoever is there first goes first, but what somebody waits for (an order that came in, a notice) is
taken as if it had come a minute earlier than what only has its turn: a thousand flows whose turn
came at once do not keep a buyer waiting, and none of them waits for ever.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django import db
from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Value, When
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from connectors.bulk import insert_all

HEAD_START = timedelta(minutes=1)
TURN, FIRST = Conf.CLUSTER_NAME, f"{Conf.CLUSTER_NAME}:first"  # the rows' keys


class Queue(ORM):
    """django-q2's own takes tasks in no order at all, and with a statement for each."""

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Some that are due now are this cluster's; where there are none, after a moment."""
        db.close_old_connections()
        now = timezone.now()
        waiting = OrmQ.objects.filter(key__in=[TURN, FIRST], lock__lte=now)
        if not waiting.exists():  # without a transaction, in which SQLite lets nobody else write
            sleep(Conf.POLL)
            return None
        earlier = ExpressionWrapper(F("lock") - Value(HEAD_START), DateTimeField())
        came_at = Case(When(key=FIRST, then=earlier), default=F("lock"))
        with transaction.atomic():
            locked = waiting.select_for_update(skip_locked=True).order_by(came_at, "pk")
            tasks = list(locked.values_list("pk", "payload")[: Conf.BULK])
            OrmQ.objects.filter(pk__in=[pk for pk, _payload in tasks]).update(
                lock=now + timedelta(seconds=Conf.RETRY)
            )
        return tasks


def follow_clock_back() -> None:
    """The clock was put back: what waits for what is the far future now comes soon. Not at once,
    for somebody may be at it."""
    soon = timezone.now() + timedelta(seconds=Conf.RETRY)
    OrmQ.objects.filter(lock__gt=soon).update(lock=soon)


class _Collector(ORM):
    """Takes the packages that async_task makes and keeps them, to be stored in one statement."""

    def __init__(self, key: str, at: datetime) -> None:
        super().__init__(key)
        self.at = at
        self.rows: list[OrmQ] = []

    def enqueue(self, task: str) -> int:
        self.rows.append(OrmQ(key=self.list_key, payload=task, lock=self.at))
        return len(self.rows)


def enqueue(task: Callable[..., Any], *args: int | str, at: datetime | None = None) -> None:
    enqueue_all(task, [args], at)


def enqueue_all(
    task: Callable[..., Any], calls: Iterable[tuple[int | str, ...]], at: datetime | None = None
) -> None:
    """One task per tuple of arguments, all stored at once, in the caller's transaction: a task
    exists if and only if its cause does. Nobody runs it before `at`."""
    _store(FIRST, task, calls, at or timezone.now())


def enqueue_in_turn(task: Callable[..., Any], calls: Iterable[tuple[int | str, ...]]) -> None:
    """The same, where nobody waits for it."""
    _store(TURN, task, calls, timezone.now())


def _store(
    key: str, task: Callable[..., Any], calls: Iterable[tuple[int | str, ...]], at: datetime
) -> None:
    # By name: a queued reference to a function since renamed kills the queue's reader each time.
    name = dotted(task)
    collector = _Collector(key, at)
    for args in calls:
        async_task(name, *args, broker=collector)
    insert_all(collector.rows)


def dotted(task: Callable[..., Any]) -> str:
    """The name by which the queue's workers find it."""
    return f"{task.__module__}.{task.__qualname__}"
