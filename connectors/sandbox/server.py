"""One HTTP server with many platforms in it, each under its own first path segment.

    POST /control/platforms              {"name", "kind", "credentials": {}}    opens one
    GET  /control/platforms/{name}       what it holds, for whoever compares both sides
    POST /control/platforms/{name}/{verb}   what its people do: add a product, place an order …
    POST /control/platforms/{name}/faults   {"rates": {}, "seed"}   what goes wrong from now on

Everything else goes to the platform that the first segment names, in the platform's own API.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sandbox.faults import Faults, HungUp
from connectors.sandbox.messages import Request, Response


class Platform(ABC):
    """One shop's account at one platform. The server calls it under its lock, one at a time."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        self.name = name
        self.credentials = dict(credentials)
        self.lock = threading.RLock()
        self.faults = Faults({})

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """The platform's own API."""

    def is_reading(self, request: Request) -> bool:
        """The request asks, and changes nothing."""
        return request.method == "GET"

    @abstractmethod
    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """Something that the platform's people do; answers what came of it."""

    @abstractmethod
    def report(self) -> dict[str, Any]:
        """What it holds."""

    @abstractmethod
    def work(self) -> None:
        """What its people do by themselves as time passes; called every second."""


class Sandbox:
    """The server. `kinds` says which class plays each kind of platform."""

    def __init__(
        self, kinds: Mapping[str, type[Platform]], port: int = 0, address: str = "127.0.0.1"
    ) -> None:
        self.kinds = kinds
        self.platforms: dict[str, Platform] = {}
        handler = type("Handler", (_Handler,), {"sandbox": self})
        self.server = _Server((address, port), handler)
        self.url = f"http://{address}:{self.server.server_port}"
        self.closing = threading.Event()

    def open(self, kind: str, name: str, credentials: Mapping[str, str]) -> Platform:
        platform = self.kinds[kind](name, credentials)
        self.platforms[name] = platform
        return platform

    def start(self) -> "Sandbox":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def work_until_closed(self) -> None:
        """The platforms' people at work, until `close`."""
        while not self.closing.wait(1):
            for platform in list(self.platforms.values()):
                with platform.lock:
                    platform.work()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: Request) -> Response:
        if request.path[:2] == ("control", "platforms"):
            return self._control(request)
        platform = self.platforms.get(request.path[0]) if request.path else None
        if platform is None:
            return Response({"error": "no such platform"}, 404)
        inner = Request(
            request.method, request.path[1:], request.query, request.headers, request.body
        )

        def handle(request: Request) -> Response:
            with platform.lock:
                return platform.handle(request).written()

        return platform.faults.answer(inner, handle, platform.is_reading(inner))

    def _control(self, request: Request) -> Response:
        name_and_verb = request.path[2:]
        if not name_and_verb:
            wanted = request.json()
            self.open(wanted["kind"], wanted["name"], wanted.get("credentials", {}))
            return Response({"url": f"{self.url}/{wanted['name']}"}, 201)
        platform = self.platforms.get(name_and_verb[0])
        if platform is None:
            return Response({"error": "no such platform"}, 404)
        with platform.lock:
            if request.method == "GET":
                return Response(platform.report()).written()
            if name_and_verb[1] == "faults":
                platform.faults = Faults(**request.json())
                return Response({})
            return Response(platform.control(name_and_verb[1], request.json() or {})).written()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who called has gone away in the middle; that is his business."""


class _Handler(BaseHTTPRequestHandler):
    sandbox: Sandbox
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits 40 ms

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=tuple(unquote(segment) for segment in parts.path.split("/") if segment),
            query=dict(parse_qsl(parts.query)),
            headers=self.headers,
            body=self.rfile.read(length),
        )
        try:
            response = self.sandbox.answer(request)
        except HungUp:
            self.close_connection = True
            return
        except Exception as error:
            response = Response({"error": repr(error)}, 500)
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the demo's screen is for the demo."""
