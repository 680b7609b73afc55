"""What goes wrong between us and a platform, on purpose: so often, and the same for the same seed.

A fault strikes before the platform hears of the request, or after it has done what was asked, when
only the answer is lost. Callers that survive both lose nothing and do nothing twice.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from connectors.sandbox.messages import Request, Response

Answer = Callable[[Request], Response]

SLOW_SECONDS = 0.2


class HungUp(Exception):
    """The connection ends without an answer."""


@dataclass
class Faults:
    """`rates` gives each kind of fault its share of the requests, from 0 to 1; in sum at most 1."""

    rates: Mapping[str, float]
    seed: int = 0
    struck: dict[str, int] = field(default_factory=dict)
    pages: dict[tuple[str, ...], tuple[Request, Response]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        if unknown := self.rates.keys() - KINDS.keys() - {TWICE}:
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")

    def answer(self, request: Request, handle: Answer, reading: bool) -> Response:
        """The platform's answer, or what is left of it."""
        kind = self._draw()
        if kind == REPEATED_PAGE and not reading:
            kind = None
        if kind is None:
            response = handle(request)
        else:
            self.struck[kind] = self.struck.get(kind, 0) + 1
            response = KINDS[kind](self, request, handle)
        if reading:
            self.pages[request.path] = request, response
        return response

    def times(self) -> int:
        """How often a notice of the platform's goes out."""
        return 2 if self.random.random() < self.rates.get(TWICE, 0) else 1

    def _draw(self) -> str | None:
        dice = self.random.random()
        for kind in KINDS:
            dice -= self.rates.get(kind, 0)
            if dice < 0:
                return kind
        return None


def _down(faults: Faults, request: Request, handle: Answer) -> Response:
    raise HungUp


def _lost_answer(faults: Faults, request: Request, handle: Answer) -> Response:
    handle(request)
    raise HungUp


def _slow(faults: Faults, request: Request, handle: Answer) -> Response:
    time.sleep(SLOW_SECONDS)
    return handle(request)


def _too_many(faults: Faults, request: Request, handle: Answer) -> Response:
    return Response({"error": "too many"}, 429, {"Retry-After": "1"})


def _server_error(faults: Faults, request: Request, handle: Answer) -> Response:
    return Response({"error": "broken"}, 500)


def _late_server_error(faults: Faults, request: Request, handle: Answer) -> Response:
    handle(request)
    return Response({"error": "broken"}, 502)


def _truncated(faults: Faults, request: Request, handle: Answer) -> Response:
    response = handle(request)
    return replace(response, data=response.body[: len(response.body) // 2])


def _repeated_page(faults: Faults, request: Request, handle: Answer) -> Response:
    """What this address answered last to another question, whatever is asked for now. Not what it
    answered to the same one: a level that has become old looks like one that is true."""
    asked, answered = faults.pages.get(request.path, (request, None))
    if answered is None or (asked.query, asked.body) == (request.query, request.body):
        return handle(request)
    return answered


def _out_of_order(faults: Faults, request: Request, handle: Answer) -> Response:
    response = handle(request)
    return replace(response, data=_shuffled(json.loads(response.body), faults.random))


def _shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(part, random) for key, part in value.items()}
    if isinstance(value, list):
        return random.sample([_shuffled(part, random) for part in value], len(value))
    return value


REPEATED_PAGE = "repeated_page"
KINDS: dict[str, Callable[[Faults, Request, Answer], Response]] = {
    "down": _down,
    "lost_answer": _lost_answer,
    "slow": _slow,
    "429": _too_many,
    "500": _server_error,
    "502_after": _late_server_error,
    "truncated": _truncated,
    REPEATED_PAGE: _repeated_page,
    "out_of_order": _out_of_order,
}
TWICE = "notices_twice"
