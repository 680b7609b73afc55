"""What it costs to say whose turn it is, minute after minute of a clock that is moved by hand.

The activations are of every managed connector alike, each flow at its connector's cadence. A minute
is measured from its tick to the last row in the queue: the CPU of this process and of its database
connection's. Nobody runs what is queued: it is noted down and taken out, outside of the measuring.
"""

import math
import os
from datetime import timedelta
from pathlib import Path
from statistics import linear_regression
from time import process_time

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from catalog.push import push_all_prices, push_all_products, push_all_stock
from catalog.tasks import pull_all_prices, pull_all_products, pull_all_stock
from connectors.models import Activation, Connector
from connectors.registry import SPECS
from connectors.runs.dispatch import SPREAD
from connectors.spec import Mode
from orders.tasks import pull_all_fulfilments, pull_all_orders, push_all_orders
from tests.bench.figures import Figure
from tests.bench.seeding import fill
from tests.clock import Clock
from tests.conftest import make_store

# How many minutes of each size: the longer, the fewer are due in one.
MINUTES = {1_000: 15, 10_000: 2, 100_000: 1}
DISPATCHERS = (
    pull_all_orders, push_all_orders, pull_all_fulfilments, pull_all_stock, pull_all_prices,
    pull_all_products, push_all_products, push_all_prices, push_all_stock,
)  # fmt: skip
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> list[Figure]:
    make_store()
    User.objects.create_user("ativadora")
    clock = Clock()
    timezone.now = clock
    figures, due, costs = [], [], []
    for activations, minutes in MINUTES.items():
        _seed(activations, clock)
        cost = sum(_minute(clock) for _minute_ in range(minutes))
        wrong, ran = _wrong_slots(minutes, clock)
        due.append(math.log(ran / minutes))
        costs.append(math.log(cost / minutes))
        figures += [
            Figure(f"{activations:,} activations: CPU of one due run", cost / ran * 1e6, "µs"),
            Figure(f"{activations:,} activations: slots run twice, or skipped", wrong, at_most=0),
        ]
        if activations == 10_000:
            share = cost / minutes / 60 * 100
            figures.append(Figure("10,000 activations: of one core", share, "%", at_most=5))
    slope = linear_regression(due, costs).slope
    return [*figures, Figure("log of the cost against log of the due runs", slope, at_most=1.05)]


def _seed(count: int, clock: Clock) -> None:
    """Instead of those that there are; each flow in the middle of its life."""
    specs = [spec for spec in SPECS.values() if Mode.MANAGED in spec.modes]
    connectors = [Connector.objects.get(slug=spec.slug).pk for spec in specs]
    flows = [
        (connector, ability.__name__, ability.flow.value, int(cadence.every.total_seconds()))
        for connector, spec in zip(connectors, specs, strict=True)
        for ability, cadence in spec.flows.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE connectors_activation, django_q_ormq CASCADE")
        cursor.execute("DROP TABLE IF EXISTS ran")
        cursor.execute("CREATE TABLE ran (flow bigint, slot timestamptz)")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # the keys are right
        cursor.execute("SET LOCAL synchronous_commit = off")
        fill(
            Activation, count,
            store_id="(SELECT id FROM connectors_store)", name="'Integração ' || i",
            created_by_id="(SELECT id FROM auth_user)", submission="gen_random_uuid()",
            connector_id=f"(ARRAY{connectors})[1 + i % {len(connectors)}]",
            mode="'managed'", state="'active'", plugin_url="'https://loja.example.com.br'",
        )  # fmt: skip
        values = ", ".join(["(%s, %s, %s, %s)"] * len(flows))
        begin = int(clock.now.timestamp())
        cursor.execute(
            "WITH f (connector, ability, flow, every) AS"  # noqa: S608
            f" (SELECT * FROM (VALUES {values}) AS given),"
            " numbered AS (SELECT row_number() OVER (ORDER BY a.id) AS id, a.id AS activation, f.*"
            "  FROM connectors_activation a JOIN f ON f.connector = a.connector_id)"
            " INSERT INTO connectors_activationflow (id, activation_id, ability, flow, every,"
            "  due_at, cursor, failures_in_a_row, last_run_at, last_success_at)"
            " SELECT id, activation, ability, flow, every,"
            "  to_timestamp(%s + every - (%s + id * %s) %% every), '', 0, %s, %s FROM numbered",
            [*(value for flow in flows for value in flow), begin, begin, SPREAD, *[clock.now] * 2],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE connectors_activation, connectors_activationflow")


def _minute(clock: Clock) -> float:
    """Seconds of CPU."""
    clock.go(timedelta(minutes=1))
    before = process_time() + _cpu_of_database()
    for dispatcher in DISPATCHERS:
        dispatcher()
    cost = process_time() + _cpu_of_database() - before
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH queued AS (DELETE FROM django_q_ormq RETURNING id), begun AS"
            " (UPDATE connectors_activationflow AS flow SET slot_at = NULL FROM"
            "  (SELECT id, slot_at FROM connectors_activationflow WHERE slot_at IS NOT NULL) AS was"
            "  WHERE flow.id = was.id RETURNING was.id, was.slot_at),"
            " noted AS (INSERT INTO ran SELECT id, slot_at FROM begun)"
            " SELECT (SELECT count(*) FROM queued), (SELECT count(*) FROM begun)"
        )
        queued, begun = cursor.fetchone()
        assert queued == begun
        cursor.execute("VACUUM connectors_activationflow, django_q_ormq")
    return cost


def _cpu_of_database() -> float:
    """Of the server process at the other end of this connection."""
    assert connection.connection is not None
    pid = connection.connection.info.backend_pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _wrong_slots(minutes: int, clock: Clock) -> tuple[int, int]:
    """How many slots ran another number of times than once; and all runs. A flow's slots are where
    its number puts them, whatever the dispatcher wrote."""
    end = int(clock.now.timestamp())
    begin = end - 60 * minutes
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH wanted AS ("
            "  SELECT id AS flow, to_timestamp(moment) AS slot FROM connectors_activationflow,"
            "  generate_series(%s - (%s + id * %s) %% every + every, %s, every) AS moment)"
            " SELECT count(*) FROM wanted FULL JOIN"
            "  (SELECT flow, slot, count(*) AS times FROM ran GROUP BY flow, slot) AS done"
            " USING (flow, slot) WHERE times IS DISTINCT FROM 1 OR wanted.slot IS NULL",
            [begin, begin, SPREAD, end],
        )
        (wrong,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM ran")
        (ran,) = cursor.fetchone()
    return wrong, ran
