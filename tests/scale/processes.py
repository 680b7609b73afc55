"""The portal's processes, each on a host of its own; the balancer and the sandbox stand outside."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import free_port
from tests.scale.hosts import HOSTS, OURS
from tests.soak.processes import Processes, members_of, web_at

WEB_PORT = 8000
WEBS, CLUSTERS = ("web-1", "web-2"), ("cluster-1", "cluster-2")


class SpreadOut(Processes):
    def __init__(self, folder: Path) -> None:
        clusters = len(CLUSTERS)
        super().__init__(folder, clusters, free_port(), free_port())
        servers = [f"{HOSTS[name].address}:{WEB_PORT}" for name in WEBS]
        sandbox = self.sandbox_url.rpartition(":")[2]
        front = f"{OURS}:{self.web_url.rpartition(':')[2]}"
        self.web_url, self.sandbox_url = f"http://{front}", f"http://{OURS}:{sandbox}"
        self.commands = {
            "sandbox": ["-m", "connectors.sandbox", sandbox, OURS],
            "balancer": ["-m", "tests.scale.balancer", front, *servers],
            "clock": self.commands["clock"],
            **{name: web_at(server) for name, server in zip(WEBS, servers, strict=True)},
            **{name: ["manage.py", "cluster"] for name in CLUSTERS},
        }
        self.prefixes = {name: host.prefix for name, host in HOSTS.items()}
        for host in HOSTS.values():
            host.join_the_net()  # an earlier part lost some

    def lose(self, *names: str) -> None:
        """Off the net first: not even the end of its connections is heard of."""
        for name in names:
            HOSTS[name].leave_the_net()
        super().lose(*names)

    @contextmanager
    def asleep(self, *names: str) -> Iterator[None]:
        """For a while they do nothing at all, and need not be started again."""
        self._signal(names, signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(names, signal.SIGCONT)

    def _signal(self, names: tuple[str, ...], what: signal.Signals) -> None:
        for name in names:
            for pid in members_of(self.running[name].pid):
                os.kill(pid, what)
