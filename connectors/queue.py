"""The only door to the queue."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task


class _Collector(ORM):
    """Takes the packages that async_task makes and keeps them, to be stored in one statement."""

    def __init__(self, at: datetime) -> None:
        super().__init__(Conf.CLUSTER_NAME)
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
    # By name: a queued reference to a function since renamed kills the queue's reader each time.
    name = f"{task.__module__}.{task.__qualname__}"
    collector = _Collector(at or timezone.now())
    for args in calls:
        async_task(name, *args, broker=collector)
    OrmQ.objects.bulk_create(collector.rows, batch_size=500)
