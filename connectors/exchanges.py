"""The last call that was made on this thread: what was asked, and what was answered.

http.py notes every call; whoever puts a failure on record asks for the last one. Only what may be
shown to people leaves this file.
"""

import json
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from connectors.redaction import people_in, without_people, without_secrets

LONGEST = 8_000  # characters of each body that are kept


@dataclass(frozen=True)
class Exchange:
    """One call. Headers are left out: there the credentials travel, and nothing else that helps.
    `repr` shows nothing of it."""

    method: str
    url: str = field(repr=False)
    request: Mapping[str, Any] = field(repr=False)  # as given to the HTTP library
    asked_at: datetime
    seconds: float
    status: int | None = None
    answer: bytes = field(default=b"", repr=False)
    error: str = ""

    def as_document(self, secrets: Collection[str] = ()) -> dict[str, Any]:
        """To be kept, without secrets and people. Each body is JSON where it can, shortened where
        it must."""
        params = {name: each for name, each in (self.request.get("params") or {}).items() if each}
        address = self.url + (f"?{urlencode(params)}" if params else "")
        asked = self.request.get("json", self.request.get("data"))
        document = {
            "method": self.method,
            "address": address,
            "asked_at": self.asked_at.isoformat(),
            "seconds": round(self.seconds, 3),
            "request": _opened(asked),
            "status": self.status,
            "answer": _opened(self.answer),
            "error": self.error,
        }
        # Before it is shortened: what was cut off in the middle has no places any more.
        clean: dict[str, Any] = without_people(
            without_secrets(document, secrets), people_in(document["request"])
        )
        for name in ("request", "answer"):
            clean[name] = shortened(clean[name])
        return clean


_last: ContextVar[Exchange | None] = ContextVar("last_exchange", default=None)


def note(exchange: Exchange) -> None:
    _last.set(exchange)


def forget() -> None:
    """What comes from here on is about something else."""
    _last.set(None)


def last() -> Exchange | None:
    return _last.get()


def shortened(body: Any) -> Any:
    """The body; of one that is too long, its beginning as text."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
    return body if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)})"


def _opened(body: Any) -> Any:
    """JSON as such, also where it travels as text in a form's field."""
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    if isinstance(body, Mapping):
        return {
            name: _opened(each) if isinstance(each, str) and each[:1] in "[{" else each
            for name, each in body.items()
        }
    if isinstance(body, str) and body.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body
