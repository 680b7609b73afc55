"""What dies, and when: at random, and the same for the same seed as far as time allows."""

import time
from collections import Counter
from random import Random

from tests.soak.database import Database, OnPostgres
from tests.soak.processes import Processes

SHARES = {
    "web worker": 3, "web": 1, "cluster process": 3, "cluster": 2, "clock": 1, "database": 2,
}  # fmt: skip


class Crashes:
    def __init__(self, processes: Processes, database: Database, seed: int) -> None:
        self.processes, self.database = processes, database
        self.random = Random(seed)
        self.clusters = [name for name in processes.commands if name.startswith("cluster")]
        self.count: Counter[str] = Counter()

    def go_on_for(self, seconds: float) -> None:
        kinds = [kind for kind in SHARES if kind != "database" or self.database.can_fall]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.random.uniform(0.5, 2.5))
            (kind,) = self.random.choices(kinds, [SHARES[kind] for kind in kinds])
            self._crash(kind)
            self.count[kind] += 1

    def _crash(self, kind: str) -> None:
        match kind:
            case "web worker":
                self.processes.kill_one("web", self.random)
            case "cluster process":
                self.processes.kill_one(self.random.choice(self.clusters), self.random)
            case "cluster":
                self.processes.kill(self.random.choice(self.clusters))
            case "database" if isinstance(self.database, OnPostgres):
                self.database.fall()
                time.sleep(self.random.uniform(0, 1.5))
                self.database.start()
            case _:
                self.processes.kill(kind)
