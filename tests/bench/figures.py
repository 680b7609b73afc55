"""What a row of the table says, and how things are timed so that it is true on a busy machine."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; a ratio has none. What it must reach, where the row promises something."""

    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def in_turns(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """The median of each one's times, in seconds. They take turns: whatever else the machine does
    meanwhile slows all of them."""
    times: list[list[float]] = [[] for _work in works]
    for _round in range(rounds):
        for work, took in zip(works, times, strict=True):
            began = perf_counter()
            work()
            took.append(perf_counter() - began)
    return [median(took) for took in times]


def peak_mb() -> float:
    """The most memory that this process has held, in MB. Not what getrusage says: that begins with
    what the process held that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
