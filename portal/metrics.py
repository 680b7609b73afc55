"""GET /metrics, for Prometheus, to whoever presents METRICS_TOKEN: how the portal is, from a
constant number of cheap queries, and how long its API takes.

What is asked of the database is the same whichever process answers. The API's times each process
writes into METRICS_DIR, where the one that is asked finds those of all on its machine.
"""

import logging
import shutil
import struct
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from connectors.models import (
    ActivationFlow,
    Delivery,
    Endpoint,
    Failure,
    Notice,
    Run,
    Subscription,
)
from portal.api.errors import PREFIX
from portal.health import clock_age, free_share, queue

log = logging.getLogger(__name__)
RECENT = timedelta(minutes=15)
# With less than this left on their disk no times are noted down: they are written into memory that
# stands for a file, and where the disk has no room for it, that kills the process with its answers.
ROOM = 16 * 2**20  # bytes
API_SECONDS = Histogram(
    "tomada_api_seconds",
    "How long the hub's API takes to answer",
    ["method", "route", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class ApiTimes:
    """Outside of the frame, so that what the frame does counts too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        began = time.perf_counter()
        response = self.get_response(request)
        if not _has_room():
            return response
        # The name, never the address: that holds records' ids, without number.
        route = request.resolver_match and request.resolver_match.url_name
        status = f"{response.status_code // 100}xx"
        method = request.method if request.method in METHODS else "other"
        try:
            times = API_SECONDS.labels(method, route or "unknown", status)
        except OSError:  # the folder is somebody else's: whoever called has his answer all the same
            return response
        times.observe(time.perf_counter() - began)
        return response


def _has_room() -> bool:
    try:
        return shutil.disk_usage(settings.METRICS_DIR).free >= ROOM
    except OSError:  # whoever cleans up temporary files took it away
        return False


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Without a token in the settings there is nothing here."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    is_told = scheme == "Bearer" and constant_time_compare(token, settings.METRICS_TOKEN)
    if not (settings.METRICS_TOKEN and is_told):
        raise Http404
    registry = CollectorRegistry()
    registry.register(TimesCollector())
    registry.register(PortalCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class TimesCollector(Collector):
    """The API's. Where they cannot be read, all else is told without them: whoever cleans up
    temporary files took their folder away, or one of its files is damaged."""

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        folder = str(settings.METRICS_DIR)
        try:
            of_all: Any = MultiProcessCollector(None, path=folder)  # type: ignore[no-untyped-call]
            found = list(of_all.collect())
        except (OSError, ValueError, RuntimeError, struct.error) as error:
            log.error("METRICS_DIR cannot be read: %s", error)
            yield gauge("tomada_api_times_up", "Whether the API's times can be read", 0)
            return
        yield gauge("tomada_api_times_up", "Whether the API's times can be read", 1)
        yield from found


class PortalCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        return ()  # else it would be asked for everything once more

    def collect(self) -> Iterable[Metric]:
        yield gauge("tomada_disk_free_ratio", "Share of the disk that is free", free_share())
        try:
            found = [*_work(), *_queue(), *_messages()]
        except (DatabaseError, InterfaceError):
            yield gauge("tomada_database_up", "Whether the database answers", 0)
            return
        yield gauge("tomada_database_up", "Whether the database answers", 1)
        yield from found


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def by(label: str, name: str, text: str, counts: Iterable[tuple[str, float]]) -> Metric:
    metric = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts:
        metric.add_metric([value], count)
    return metric


def _work() -> Iterable[Metric]:
    now = timezone.now()
    runs = Run.objects.filter(started_at__gte=now - RECENT)
    yield by(
        "outcome",
        "tomada_runs_recent",
        "Runs that began in the last 15 minutes",
        _counted(runs, "outcome"),
    )
    yield by(
        "kind",
        "tomada_failures_open",
        "Records in trouble",
        _counted(Failure.objects.open(), "kind"),
    )
    flows: Any = ActivationFlow.objects.with_freshness(now)
    yield by("freshness", "tomada_flows", "Flows by freshness", _counted(flows, "freshness"))


def _counted(rows: Any, column: str) -> Iterable[tuple[str, float]]:
    counts: Any = rows.order_by().values_list(column).annotate(count=Count("pk"))
    return [(str(value), count) for value, count in counts]


def _queue() -> Iterable[Metric]:
    now = timezone.now()
    waiting, oldest = queue(now)
    yield gauge("tomada_queue_tasks", "Tasks that nobody has taken", waiting)
    yield gauge("tomada_queue_oldest_seconds", "Age of the oldest", oldest.total_seconds())
    if (age := clock_age(now)) is not None:
        yield gauge("tomada_clock_age_seconds", "Since the clock last ran", age.total_seconds())


def _messages() -> Iterable[Metric]:
    waiting: list[tuple[str, float]] = []
    attempts: list[tuple[str, float]] = []
    troubled: list[tuple[str, float]] = []
    messages: Any
    for kind, messages, addresses in (
        ("notice", Notice, Endpoint),
        ("event", Delivery, Subscription),
    ):
        found = messages.objects.waiting().aggregate(count=Count("pk"), attempts=Sum("attempts"))
        waiting.append((kind, found["count"]))
        attempts.append((kind, found["attempts"] or 0))
        ill = Q(open_until__isnull=False) | Q(disabled_at__isnull=False)
        troubled.append((kind, addresses.objects.filter(ill).count()))
    yield by("kind", "tomada_messages_waiting", "Messages not delivered yet", waiting)
    yield by("kind", "tomada_messages_attempts", "Attempts at those that wait", attempts)
    yield by("kind", "tomada_addresses_in_trouble", "Addresses that do not answer", troubled)
