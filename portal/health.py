"""What a watcher outside asks: whether the process lives, whether it can serve, and whether the
portal's clock and queue go on.

    GET /healthz        alive. Asks nobody; for whoever restarts processes
    GET /readyz         503 where this process cannot serve: no database, a read-only one,
                        migrations missing
    GET /readyz?all=1   also for what stands still behind it: no clock, a backlog, a full disk

A web process takes orders also while the clusters are down; were /readyz to say no then, a balancer
would take it away. So what is behind it only answers with 503 to whoever asks for all.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.middleware.common import CommonMiddleware
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.models import OrmQ

from connectors.models import Heartbeat

# The watch looks every minute; the scheduler within a cluster every half.
CLOCK_STOPPED_AFTER = timedelta(minutes=5)
BACKLOG_AFTER = timedelta(minutes=10)
LEAST_FREE = 0.05  # of the disk
OK = "ok"
SERVING = ("database", "migrations")  # without these nobody can be answered
PROBED = ("/healthz", "/readyz", "/metrics")


class CommonButForProbes(CommonMiddleware):
    """Balancers and scrapers call a process by its address, which is no name of ALLOWED_HOSTS; what
    they are told holds none."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path in PROBED else super().process_request(request)


class Queue(NamedTuple):
    waiting: int
    oldest: timedelta


def queue(now: datetime) -> Queue:
    """What nobody has taken yet. A task's lock is the moment from which it may be taken."""
    found = OrmQ.objects.filter(lock__lte=now).aggregate(count=Count("pk"), first=Min("lock"))
    return Queue(found["count"], now - (found["first"] or now))


def clock_age(now: datetime) -> timedelta | None:
    """Since the recurring tasks last ran; nothing where they never did."""
    beat_at = Heartbeat.objects.values_list("beat_at", flat=True).first()
    return None if beat_at is None else now - beat_at


def free_share() -> float:
    """Of the fullest disk on which our files lie, and the database where that is SQLite. A folder
    may be gone: whoever cleans up temporary files took it away."""
    folders = [settings.BASE_DIR, settings.METRICS_DIR]
    if connection.vendor == "sqlite":
        folders.append(Path(connection.settings_dict["NAME"]).parent)
    usages = [shutil.disk_usage(folder) for folder in folders if folder.exists()]
    return min(usage.free / usage.total for usage in usages)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    found = {name: _ask(check) for name, check in CHECKS.items()}
    asked = CHECKS if "all" in request.GET else SERVING
    is_ready = all(found[name] == OK for name in asked)
    is_whole = all(answer == OK for answer in found.values())
    state = "ready" if is_whole else "degraded" if is_ready else "not ready"
    return JsonResponse({"state": state, "checks": found}, status=200 if is_ready else 503)


def _ask(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, InterfaceError) as error:
        return type(error).__name__


def _database() -> str:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT 1")
            return OK
        # A copy that does not lead (yet, or any more) answers questions, and takes no order.
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return OK if cursor.fetchone() == ("off",) else "read-only"


@cache
def _migrated() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated
    return True


class NotMigrated(Exception):
    """Not kept in the cache, as an answer would be: it is asked again."""


def _migrations() -> str:
    """Once they are applied they stay it, as far as this process' code is concerned."""
    try:
        _migrated()
    except NotMigrated:
        return "missing"
    return OK


def _clock() -> str:
    age = clock_age(timezone.now())
    if age is None:
        return "never ran"
    return OK if age < CLOCK_STOPPED_AFTER else f"silent for {age.total_seconds():.0f} s"


def _queue() -> str:
    waiting, oldest = queue(timezone.now())
    if oldest < BACKLOG_AFTER:
        return OK
    return f"{waiting} tasks wait, the oldest for {oldest.total_seconds():.0f} s"


def _disk() -> str:
    free = free_share()
    return OK if free > LEAST_FREE else f"{free:.0%} free"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "clock": _clock,
    "queue": _queue,
    "disk": _disk,
}
