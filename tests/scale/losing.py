"""A web server's host and a cluster's are lost in the middle of the day, for good."""

import time
from pathlib import Path

from django.db import connections

from portal.schedules import install
from tests.scale.processes import SpreadOut
from tests.soak.feeding import Feeder
from tests.soak.story import is_even, open_all

LOST = ("web-1", "cluster-1")
BEFORE, AFTER = 20, 20  # seconds of selling
SEED = 1


def play(folder: Path) -> bool:
    """Whether every fact is there, once."""
    print("\n== Killing one loses nothing", flush=True)  # noqa: T201
    install()
    processes = SpreadOut(folder)
    try:
        world = open_all(processes)
        feeder = Feeder(world, processes.web_url, SEED)
        feeder.start()
        time.sleep(BEFORE)
        processes.lose(*LOST)
        sold = len(feeder.sales)
        time.sleep(AFTER)
        feeder.finish()
        print(  # noqa: T201
            f"  {' and '.join(LOST)}: off the net and killed after {sold} orders;"
            f" {len(feeder.sales) - sold} more came"
        )
        return is_even(world, feeder)
    finally:
        processes.close()
        connections.close_all()
