"""Which request a log line belongs to, and whose: in every line, and the id in every answer."""

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Trace:
    request_id: str = "-"
    caller: str = "-"  # store and activation, once the API knows them


NOBODY = Trace()
KEY = "tomada.trace"  # of the request's META
_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


class RequestIds:
    """Takes the caller's own id where it can be written into a log, and makes one otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        theirs = request.headers.get(HEADER, "")
        trace = Trace(theirs if SANE.fullmatch(theirs) else uuid.uuid4().hex)
        request.META[KEY] = trace
        token = _current.set(trace)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response.headers[HEADER] = trace.request_id
        return response


def request_id() -> str:
    return (_current.get() or NOBODY).request_id


def note_caller(store_id: int, activation_id: int) -> None:
    """From here on the request's log lines say who calls."""
    if trace := _current.get():
        trace.caller = f"store={store_id} activation={activation_id}"


class AddTrace(logging.Filter):
    """Gives each record `request_id`, and `caller` where it does not say itself whose it is: a
    cluster's (`Activation.in_the_log`). Django's own line about an answer is written when the
    middleware is through; it carries the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        trace = getattr(request, "META", {}).get(KEY) or _current.get() or NOBODY
        record.request_id = trace.request_id
        record.caller = getattr(record, "caller", trace.caller)
        return True


class NoSecretAddresses(logging.Filter):
    """Django names the address of whatever was answered with an error. Some are secrets."""

    SECRET = re.compile(r"(/(?:webhooks|handover|status)/)[^/\s]+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.SECRET.sub(r"\1***", record.getMessage()), ()
        return True


class JsonLine(logging.Formatter):
    """One object a line, for whoever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        # "store=1 activation=2", as it was noted
        line |= dict(re.findall(r"(\w+)=(\w+)", getattr(record, "caller", "")))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


Place = tuple[str, int, int, type[BaseException] | None]


class Bounded(logging.Filter):
    """Of what one place in the code says over and over, so many lines a minute in each process;
    the first one of the next minute tells how many were left out. A database that is away for an
    hour must not fill the disk with the same traceback."""

    MOST, SECONDS = 30, 60
    MOST_PLACES = 1000

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.minute = 0
        self.counts: dict[Place, int] = {}
        self.left_out: dict[Place, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # Django says all that it answers with an error from one line: what it was is told apart.
        error = record.exc_info[0] if record.exc_info else None
        place = (record.pathname, record.lineno, record.levelno, error)
        with self.lock:
            minute = int(time.monotonic() // self.SECONDS)
            if minute != self.minute or len(self.counts) > self.MOST_PLACES:
                self.left_out = {
                    at: n - self.MOST for at, n in self.counts.items() if n > self.MOST
                }
                self.minute, self.counts = minute, {}
            count = self.counts[place] = self.counts.get(place, 0) + 1
            missed = self.left_out.pop(place, 0) if count == 1 else 0
        if missed:
            record.msg, record.args = f"{record.getMessage()} (and {missed} more like it)", ()
        return count <= self.MOST
