"""A real web server and real HTTP: gunicorn with one worker on one core, whoever calls it on the
others. Where there is one core only, they share it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from math import inf
from statistics import median

from tests.postgres import free_port

SERVERS_CORE, *_OTHERS = sorted(os.sched_getaffinity(0))
CALLERS_CORES = _OTHERS or [SERVERS_CORE]
WARMING = 200  # calls before the first that counts: imports, connections, plans
CONNECTIONS = 8  # as many as the server has threads (portal/webserver.py)


@contextmanager
def served(app: str, **environment: str) -> Iterator[int]:
    """The port at which a WSGI application answers, started as the portal is."""
    port = free_port()
    command = [
        *("-m", "gunicorn", "--worker-class", "gthread", "--threads", str(CONNECTIONS)),
        *("--keep-alive", "60", "--log-level", "error", "--bind", f"127.0.0.1:{port}", app),
    ]
    process = subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *command],
        env={**os.environ, "API_RATE": "1000000000", **environment},
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVERS_CORE}),
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def calls_per_second(
    rounds: int, seconds: float, *loads: tuple[int, Sequence[bytes]], warming: int = WARMING
) -> list[float]:
    """Of each server, by its port and the requests that it is sent over and over. They take turns;
    the median of each one's rounds. Raises `AssertionError` for an answer of no success."""
    os.sched_setaffinity(0, CALLERS_CORES)
    endless = [([("127.0.0.1", port)], cycle(requests)) for port, requests in loads]
    for addresses, requests in endless:
        send(addresses, requests, most=warming)
    rates: list[list[float]] = [[] for _load in loads]
    for _round in range(rounds):
        for (addresses, requests), found in zip(endless, rates, strict=True):
            found.append(send(addresses, requests, seconds=seconds))
    return [median(found) for found in rates]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(
    addresses: Sequence[tuple[str, int]],
    requests: Iterator[bytes],
    seconds: float = inf,
    most: int = 0,
) -> float:
    """How many each second, to all of these together, in so many seconds, or until there were so
    many."""
    callers = range(CONNECTIONS * len(addresses))
    done = [0 for _number in callers]
    wrong: list[bytes] = []
    ends_at = time.perf_counter() + seconds

    def work(number: int) -> None:
        address = addresses[number % len(addresses)]
        with socket.create_connection(address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.perf_counter() < ends_at and (not most or sum(done) < most):
                connection.sendall(next(requests))
                answer = _answer(connection)
                if not answer.startswith(b"HTTP/1.1 20"):
                    wrong.append(answer)
                    return
                done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in callers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    return sum(done) / (time.perf_counter() - began)


def _answer(connection: socket.socket) -> bytes:
    """All of one answer that says how long it is."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(connection)
    head, _end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    missing = int(length) - len(body)
    while missing > 0:
        answer += (more := _more(connection))
        missing -= len(more)
    return answer


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65536)
    assert more, "the server hung up"
    return more


def _wait_for(port: int) -> None:
    for _attempt in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError("the server does not start")
