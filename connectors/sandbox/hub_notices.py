"""The hub's notifications (pluggto-api.md, section 12): told until they are answered with 200."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from connectors.sandbox.hub_answers import Json

SECONDS = 10
MOST_TRIES = 8
USER = 8203


@dataclass
class _Waiting:
    body: Json
    tries: int = 0
    not_before: float = 0


class Bell:
    """Rings at one address. `times` says how often each notice goes out: once, on a good day."""

    def __init__(self, times: Callable[[], int]) -> None:
        self.times = times
        self.address = ""
        self.waiting: deque[_Waiting] = deque()
        self.answers: list[tuple[int, Any]] = []  # status and body of each
        self.given_up: list[Json] = []

    def tell(self, kind: str, action: str, id: str, *changes: str) -> None:
        if not self.address:
            return
        flags = {name: name in changes for name in ("status", "stock", "price")}
        body = {"type": kind, "id": id, "action": action, "user": USER, "changes": flags}
        self.waiting.extend(_Waiting(body) for _number in range(self.times()))

    def ring(self) -> None:
        """What is due goes out; what is not taken comes back after twice the time."""
        now = time.monotonic()
        for _number in range(len(self.waiting)):
            notice = self.waiting.popleft()
            if notice.not_before > now:
                self.waiting.append(notice)
            elif not self._is_taken(notice.body):
                self._keep(notice, now)

    def _keep(self, notice: _Waiting, now: float) -> None:
        tries = notice.tries + 1
        if tries == MOST_TRIES:
            self.given_up.append(notice.body)
        else:
            self.waiting.append(_Waiting(notice.body, tries, now + 2**tries / 10))

    def _is_taken(self, body: Json) -> bool:
        try:
            answer = requests.post(self.address, json=body, timeout=SECONDS)
        except requests.RequestException:
            return False
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        self.answers.append((answer.status_code, answer.json() if is_json else answer.text))
        return answer.status_code == 200
