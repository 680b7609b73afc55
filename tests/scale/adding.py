"""What one more web server, and one more cluster, bring.

Each host gets a part of a core, so that adding one adds something even where the machine has few
cores: a host of full size would have taken all of them already."""

import os
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from statistics import mean

from django.db import connections
from django.db.models import Sum
from django_q.models import OrmQ

from connectors.models import Run
from orders.models import OrderLink
from tests.bench.order_posts import calls, seed
from tests.bench.serving import send
from tests.conftest import make_store
from tests.scale.hosts import HOSTS
from tests.scale.processes import CLUSTERS, WEB_PORT, WEBS, SpreadOut
from tests.scale.shops import SHOPS, SKUS, Shops
from tests.soak.story import wait_for

HOSTS_CORES = 0.25
ROUNDS = 2
ORDERS_EACH = 3  # for every shop, in each round
POSTING_SECONDS, POSTED_AT_MOST, WARMING = 4.0, 4_000, 30
LONGEST, LOOK_EVERY = 120, 0.05  # seconds

Measure = Callable[[Sequence[str]], float]  # with these hosts; so many a second


def play(folder: Path) -> bool:
    """What was to be measured was measured; nobody says how fast it must be."""
    print("\n== Adding one", flush=True)  # noqa: T201
    processes = SpreadOut(folder)
    processes.open("sandbox", "balancer", *WEBS, *CLUSTERS)
    try:
        wait_for(processes.sandbox_url)
        for name in WEBS:
            wait_for(f"http://{HOSTS[name].address}:{WEB_PORT}/healthz")
        shops = Shops(processes.sandbox_url)
        _measure(processes, shops)
    finally:
        processes.close()
        connections.close_all()
    return True


def _measure(processes: SpreadOut, shops: Shops) -> None:
    print(f"  {'per second':36} {'one':>8} {'two':>8} {'ratio':>7}")  # noqa: T201
    is_bound = _give_little(CLUSTERS)
    _compare("prices and stocks applied", CLUSTERS, lambda some: _levels(processes, shops, some))
    _compare(
        "orders pushed to the platforms", CLUSTERS, lambda some: _pushes(processes, shops, some)
    )
    for name in CLUSTERS:
        processes.kill(name)
    is_bound &= _give_little(WEBS)
    _compare("orders POSTed", WEBS, _posting())
    size = f"of {HOSTS_CORES:g} cores each" if is_bound else "each with all of the machine"
    print(  # noqa: T201
        f"  The hosts are {size}, on a machine of {os.cpu_count()} cores, which PostgreSQL, the"
        " callers and\n  the platforms use too: as far as cores allow. No mark is set.",
        flush=True,
    )


def _give_little(names: Sequence[str]) -> bool:
    return all(HOSTS[name].give(HOSTS_CORES) for name in names)


def _compare(what: str, names: tuple[str, ...], measure: Measure) -> None:
    """In turns: whatever else the machine does meets both."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _round in range(ROUNDS):
        for found, some in zip(rates, (names[:1], names), strict=True):
            found.append(measure(some))
    one, two = map(mean, rates)
    print(f"  {what:36} {one:8.1f} {two:8.1f} {two / one:7.2f}", flush=True)  # noqa: T201


def _posting() -> Measure:
    channel = seed(make_store())
    bearer = {"Authorization": f"Bearer {channel.token}"}
    requests = cycle(calls(POSTED_AT_MOST, "/api/orders", "scale", **bearer))

    def post(names: Sequence[str]) -> float:
        addresses = [(HOSTS[name].address, WEB_PORT) for name in names]
        send(addresses, requests, most=WARMING)
        return send(addresses, requests, seconds=POSTING_SECONDS)

    return post


def _levels(processes: SpreadOut, shops: Shops, names: Sequence[str]) -> float:
    last = Run.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    seconds = _time(processes, names, shops.ask_for_levels, _is_worked_off)
    runs = Run.objects.filter(pk__gt=last)
    applied = runs.aggregate(all=Sum("changed"))["all"]
    assert applied == 2 * SHOPS * SKUS, f"{applied}: {set(runs.values_list('outcome', 'reason'))}"
    return float(applied / seconds)


def _pushes(processes: SpreadOut, shops: Shops, names: Sequence[str]) -> float:
    before = shops.at_platforms()
    seconds = _time(
        processes, names, lambda: shops.order(processes.web_url, ORDERS_EACH), _is_pushed
    )
    _wait_until(_is_worked_off)  # what else an order brings: not the next round's business
    pushed = shops.at_platforms() - before
    assert pushed == ORDERS_EACH * SHOPS, pushed
    return pushed / seconds


def _time(
    processes: SpreadOut,
    names: Sequence[str],
    fill: Callable[[], None],
    is_done: Callable[[], bool],
) -> float:
    """How long these clusters take for what was queued while all of them slept."""
    resting = [name for name in CLUSTERS if name not in names]
    with processes.asleep(*resting):
        with processes.asleep(*names):
            fill()
        return _wait_until(is_done)


def _wait_until(is_done: Callable[[], bool]) -> float:
    """How long that was, in seconds."""
    began = time.monotonic()
    while not is_done():
        assert time.monotonic() - began < LONGEST, "what was queued is not done"
        time.sleep(LOOK_EVERY)
    return time.monotonic() - began


def _is_worked_off() -> bool:
    return not OrmQ.objects.exists()


def _is_pushed() -> bool:
    return not OrderLink.objects.stale().exists()
