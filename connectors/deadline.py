"""A limit on a whole HTTP call. `requests` limits only each wait: who sends one byte before every
timeout, in the headers or in the body, would hold a worker for ever."""

import io
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_ends_at: ContextVar[float] = ContextVar("tomada.call_ends_at")


def end_call_in(seconds: float) -> None:
    """From now on, for the answer to this thread's next call."""
    _ends_at.set(time.monotonic() + seconds)


def keep_deadlines(session: requests.Session) -> None:
    """Every answer in this session must be there, to its last byte, when its call has to end; else
    reading it raises what any other timeout raises."""
    for adapter in session.adapters.values():
        pools = cast(HTTPAdapter, adapter).poolmanager
        pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _TimedReader(io.RawIOBase):
    """A socket's reader that waits no longer than until its call has to end."""

    def __init__(self, sock: Any) -> None:
        self._sock, self._reader = sock, sock.makefile("rb", buffering=0)
        self._ends_at = _ends_at.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, self._sock.gettimeout() or left))
        count: int | None = self._reader.readinto(buffer)
        return count

    def close(self) -> None:
        self._reader.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
