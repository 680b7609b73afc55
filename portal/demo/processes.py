"""The demo's other processes: web server, cluster, sandbox."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import requests
from django.conf import settings
from django.core.management.base import CommandError

START_SECONDS = 30
MANAGE = str(settings.BASE_DIR / "manage.py")


class Processes:
    """A context in which they run; what they print goes to files in the data folder."""

    def __init__(self, port: int) -> None:
        self.web_url = f"http://127.0.0.1:{port}"
        self.sandbox_url = f"http://127.0.0.1:{port + 1}"
        self.port = port
        self.environment = {"PORTAL_URL": self.web_url, **os.environ}
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        for port in (self.port, self.port + 1):
            if is_taken(port):
                raise CommandError(f"A porta {port} está em uso; escolha outra: PORT=… make demo")
        python = sys.executable
        self._start("sandbox", [python, "-m", "connectors.sandbox", str(self.port + 1)])
        self._start(
            "web",
            [
                python, "-m", "gunicorn", "--config", "python:portal.webserver", "portal.wsgi",
                "--bind", f"127.0.0.1:{self.port}",
            ],
        )  # fmt: skip
        self._start("cluster", [python, MANAGE, "cluster"])
        self._wait_for(self.sandbox_url)
        self._wait_for(self.web_url + "/login/")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()

    def check_alive(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                raise CommandError(f"{name} parou; veja {self.log_of(name)}")

    def log_of(self, name: str) -> Path:
        path: Path = settings.DATA_DIR / f"demo-{name}.log"
        return path

    def _start(self, name: str, command: list[str]) -> None:
        settings.DATA_DIR.mkdir(exist_ok=True)
        with self.log_of(name).open("wb") as log:
            # Its own group: Ctrl-C reaches only the demo, which then ends them in order.
            self.children[name] = subprocess.Popen(  # noqa: S603  our own commands
                command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for(self, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.check_alive()
            try:
                requests.get(url, timeout=5)
                return
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    raise CommandError(f"{url} não respondeu") from error
                time.sleep(0.2)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
