"""Hosts on one network: Linux network namespaces, each with an address of its own on a bridge, and
a control group by which it can be given less than the machine."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BRIDGE, NETWORK, OURS = "tomada", "10.77.0.0/24", "10.77.0.1"
GROUPS = [Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")]  # version 1, version 2
PERIOD = 100_000  # microseconds, of which a host gets its share
JOIN = 'echo $$ > "$0" && exec "$@"'


class NotAllowed(Exception):
    """This machine lets nobody, or not us, make hosts."""


@dataclass(frozen=True)
class Host:
    name: str
    number: int

    @property
    def address(self) -> str:
        return f"10.77.0.{10 + self.number}"

    @property
    def namespace(self) -> str:
        return f"{BRIDGE}-{self.name}"

    @property
    def link(self) -> str:
        """Our end of its cable; such a name has at most 15 letters."""
        return f"{BRIDGE}-{self.number}"

    @property
    def group(self) -> Path | None:
        """None where the machine has no control groups that we know."""
        parent = next((each for each in GROUPS if (each / "cgroup.procs").exists()), None)
        return parent / self.namespace if parent else None

    @property
    def prefix(self) -> list[str]:
        """What runs a command there."""
        # In this order: a namespace does not see the control groups.
        join = ["sh", "-c", JOIN, f"{self.group}/cgroup.procs"] if self.group else []
        return [*join, "ip", "netns", "exec", self.namespace]

    def begin(self) -> None:
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self.link, "type", "veth", "peer", "eth0", "netns", self.namespace)
        _ip("link", "set", self.link, "master", BRIDGE)
        self.join_the_net()
        _ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        for name in ("lo", "eth0"):
            _ip("-n", self.namespace, "link", "set", name, "up")
        if self.group:
            self.group.mkdir(exist_ok=True)

    def join_the_net(self) -> None:
        _ip("link", "set", self.link, "up")

    def leave_the_net(self) -> None:
        """As if its cable was pulled: nobody hears that it is gone."""
        _ip("link", "set", self.link, "down")

    def give(self, cores: float) -> bool:
        """No more than so much of the machine. Whether it can be told."""
        quota = int(cores * PERIOD)
        for name, text in (
            ("cpu.cfs_quota_us", f"{quota}"),
            ("cpu.max", f"{quota} {PERIOD}"),
        ):
            if self.group and (self.group / name).exists():
                (self.group / name).write_text(text)
                return True
        return False

    def remove(self) -> None:
        """With all that still runs on it; where there is none, nothing happens."""
        for pid in _said("netns", "pids", self.namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        _said("link", "delete", self.link)
        _said("netns", "delete", self.namespace)
        if self.group and self.group.exists():
            with suppress(OSError):  # whoever was killed just now is not out of it yet
                self.group.rmdir()


HOSTS = {
    name: Host(name, number)
    for number, name in enumerate(("web-1", "web-2", "cluster-1", "cluster-2", "clock"))
}


@contextmanager
def network() -> Iterator[None]:
    """All the hosts, for a while. What an earlier run left behind goes first."""
    _remove()
    try:
        _begin()
        yield
    finally:
        _remove()


def _begin() -> None:
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("address", "add", f"{OURS}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for host in HOSTS.values():
            host.begin()
    except FileNotFoundError as error:
        raise NotAllowed("there is no `ip` (iproute2)") from error
    except subprocess.CalledProcessError as error:
        raise NotAllowed(f"{' '.join(error.cmd)}: {error.stderr.strip()}") from error
    except OSError as error:
        raise NotAllowed(str(error)) from error


def _remove() -> None:
    with suppress(FileNotFoundError):  # without `ip` there is nothing to remove
        for host in HOSTS.values():
            host.remove()
        _said("link", "delete", BRIDGE)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)  # noqa: S603, S607


def _said(*words: str) -> str:
    """What it says, whether it went well or not."""
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout
