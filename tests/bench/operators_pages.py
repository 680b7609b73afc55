"""The admin's front page and its list of runs, at 10,000 activations, of which 10,000,000 runs were
written in 30 days, evenly. Of these the portal keeps those of the last two days and, of the days
before, those that changed something or went wrong: one in ten here, 1,600,000 in all. Some that
should be gone by now are pruned as the portal does it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import perf_counter

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from connectors.models import Run
from connectors.runs.pruning import IDLE_KEPT, KEPT, prune_runs
from tests.bench.figures import Figure, in_turns
from tests.bench.seeding import Size, fill, indexed_afterwards, seed

ACTIVATIONS, WRITTEN = 10_000, 10_000_000
NOTABLE = 10  # one in so many
EXPIRED = 30_000
ROUNDS = 5
MOST_QUERIES, MOST_MS = 20, 300
PAGES = {
    "front page": "",
    "runs": "connectors/run/",
    "runs, last page": "connectors/run/?p=100",
    "runs that did something": "connectors/run/?worth=notable",
    "runs that failed": "connectors/run/?outcome__exact=failed",
    "runs of a flow": "connectors/run/?flow__exact=stock",
    "runs of an integration": "connectors/run/?activation__id__exact=77",
    "runs, searched": "connectors/run/?q=Loja 77",
}


def measure() -> list[Figure]:
    size = Size(
        activations=ACTIVATIONS, runs=1, products=20_000, orders=50_000, notices=50_000
    )  # fmt: skip
    seed(size)
    Run.objects.all().delete()
    seed_runs()
    figures = [
        Figure("runs kept", Run.objects.count()),
        *_pruning(),
    ]
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="banco"))
    for name, path in PAGES.items():
        figures += _of_page(name, partial(_visit, client, f"/admin/{path}"))
    return figures


def seed_runs() -> None:
    """Those that are kept, and some that expired in the last hours, before the others."""
    recent = WRITTEN * IDLE_KEPT // KEPT
    older = (WRITTEN - recent) // NOTABLE
    # The number of each among those that were written.
    n = f"CASE WHEN i <= {older} THEN i::bigint * {NOTABLE} ELSE {WRITTEN - recent - older} + i END"
    gap = KEPT.total_seconds() / WRITTEN
    started = f"now() - interval '{gap} seconds' * ({WRITTEN} - ({n})) + interval '1 minute'"
    notable = f"({n}) % {NOTABLE} = 0"
    with indexed_afterwards(Run):
        fill(
            Run, older + recent,
            activation_id=f"1 + (i::bigint * 7919) % {ACTIVATIONS}", ability="'StockSource'",
            flow="(ARRAY['stock','prices','products'])[1 + i % 3]",
            started_at=started, planned_at=started, expires_at=started, ended_at=started,
            outcome=f"CASE WHEN {notable} AND i % 7 = 0 THEN 'failed' ELSE 'done' END",
            seen="i % 500", changed=f"CASE WHEN {notable} THEN 1 + i % 7 ELSE 0 END",
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE connectors_run")
    late = timezone.now() - IDLE_KEPT - timedelta(hours=1)
    Run.objects.bulk_create(
        Run(
            activation_id=1 + number % ACTIVATIONS, ability="StockSource", flow="stock",
            started_at=late, expires_at=late, ended_at=late, outcome=Run.Outcome.DONE,
        )
        for number in range(EXPIRED)
    )  # fmt: skip


def _pruning() -> list[Figure]:
    before, longest, began = Run.objects.count(), 0.0, perf_counter()
    more = True
    while more:
        OrmQ.objects.all().delete()
        since = perf_counter()
        prune_runs()
        longest = max(longest, perf_counter() - since)
        more = OrmQ.objects.exists()
    took, gone = perf_counter() - began, before - Run.objects.count()
    return [
        Figure("runs pruned", gone, at_least=EXPIRED),
        Figure("pruned, against written in the same time", gone / took / _written_per_second()),
        Figure("the longest batch", longest * 1000, "ms"),
    ]


def _written_per_second() -> float:
    return WRITTEN / KEPT.total_seconds()


def _of_page(name: str, visit: Callable[[], None]) -> list[Figure]:
    visit()  # the first time fills the caches
    with CaptureQueriesContext(connection) as queries:
        visit()
        asked = len(queries)
    (took,) = in_turns(ROUNDS, visit)
    return [
        Figure(f"{name}, queries", asked, at_most=MOST_QUERIES),
        Figure(f"{name}, time", took * 1000, "ms", at_most=MOST_MS),
    ]


def _visit(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
