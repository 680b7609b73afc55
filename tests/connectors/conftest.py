import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User

from connectors.contract import ABILITIES, Ability, Client
from connectors.models import Store
from connectors.sandbox.server import Sandbox
from tests.connectors.day import Day


def abilities_of(client: type[Client]) -> set[type[Ability]]:
    return {ability for ability in ABILITIES if issubclass(client, ability)}


class Receiver:
    """A web server on this machine that keeps what it is sent. `replies` are what it answers
    next, each a status, headers and body; after them, 200 with nothing."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, dict[str, str], bytes]] = []
        self.replies: list[tuple[int, dict[str, str], bytes]] = []
        handler = type("Handler", (_Handler,), {"receiver": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _method, _path, _headers, body in self.received]

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.replies.append((status, headers, body))


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.receiver.received.append((self.command, self.path, dict(self.headers), body))
        status, headers, answer = (self.receiver.replies or [(200, {}, b"")]).pop(0)
        headers = {"Content-Length": str(len(answer)), **headers}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(answer)
        if int(headers["Content-Length"]) != len(answer):
            self.close_connection = True  # the rest never comes

    do_GET = do_POST = do_PUT = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def day(live_server: Any, sandbox: Sandbox, operator: User, store: Store) -> Day:
    return Day(live_server.url, sandbox, operator, store)
