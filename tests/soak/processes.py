"""The portal's processes: started, started again when they are gone, and killed without a word."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

CLOCK = """
import django; django.setup()
from portal.demo.clock import Clock
clock = Clock()
while True:
    clock.tick()
"""


def web_at(bind: str) -> list[str]:
    return [
        "-m", "gunicorn", "portal.wsgi", "--bind", bind, "--workers", "2",
        "--worker-class", "gthread", "--threads", "4",
    ]  # fmt: skip


class Processes:
    """As systemd or a container's runtime keeps them: whatever ends is started again. Each is the
    leader of a session of its own, by which its children are known."""

    def __init__(self, folder: Path, clusters: int, web_port: int, sandbox_port: int) -> None:
        self.folder = folder
        self.web_url = f"http://127.0.0.1:{web_port}"
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.commands = {
            "sandbox": ["-m", "connectors.sandbox", str(sandbox_port)],
            "web": web_at(f"127.0.0.1:{web_port}"),
            "clock": ["-c", CLOCK],
            **{f"cluster-{number}": ["manage.py", "cluster"] for number in range(clusters)},
        }
        # What starts a command elsewhere than here.
        self.prefixes: dict[str, list[str]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts = 0
        self.closing, self.keeping = threading.Event(), threading.Lock()
        self.keeper = threading.Thread(target=self._keep)

    def open(self, *names: str) -> None:
        for name in names or self.commands:
            if name not in self.running:
                self.running[name] = self._start(name)

    def keep(self) -> None:
        self.keeper.start()

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """For a while; nobody starts them again meanwhile."""
        with self.keeping:
            self._end(names)
            yield
            self.open(*names)

    def lose(self, *names: str) -> None:
        """For good."""
        with self.keeping:
            self._end(names)

    def close(self) -> None:
        self.closing.set()
        if self.keeper.is_alive():
            self.keeper.join()
        for name in self.running:
            self.kill(name)

    def _keep(self) -> None:
        while not self.closing.wait(0.3):
            with self.keeping:
                for name, process in self.running.items():
                    if process.poll() is not None:
                        self._kill_all(process.pid)  # as the end of a unit or a container does
                        self.running[name] = self._start(name)
                        self.restarts += 1

    def _end(self, names: Iterable[str]) -> None:
        for name in names:
            self.kill(name)
            del self.running[name]

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  our own commands
                [*self.prefixes.get(name, ()), sys.executable, *self.commands[name]],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    # -- Killing ---------------------------------------------------------------------------------
    def kill(self, name: str) -> None:
        """All of it at once."""
        process = self.running[name]
        self._kill_all(process.pid)
        process.wait()

    def kill_one(self, name: str, random: Random) -> None:
        """One of its processes, whichever: the others are left to find out."""
        if members := sorted(members_of(self.running[name].pid)):
            _kill(random.choice(members))

    def _kill_all(self, session: int) -> None:
        for pid in members_of(session):
            _kill(pid)


def members_of(session: int) -> list[int]:
    """The processes of a session, without those that are dead already."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
