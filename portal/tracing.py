"""Which request a log line belongs to, and whose: in every line, and the id in every answer."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

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
    """Gives each record `request_id` and `caller`. Django's own line about an answer is written
    when the middleware is through; it carries the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        trace = getattr(request, "META", {}).get(KEY) or _current.get() or NOBODY
        record.request_id, record.caller = trace.request_id, trace.caller
        return True
