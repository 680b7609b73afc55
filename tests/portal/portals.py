"""A whole portal: web server, cluster and clock in processes of their own, on its own database."""

import base64
import html
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from connectors.registry import SPECS
from connectors.spec import Mode
from portal.demo.browser import Browser
from portal.demo.scene import VALUE

START_SECONDS = 60
DJANGO = "import django; django.setup()\n"
BEGIN = """
from django.contrib.auth.models import User
from django.core.management import call_command
from connectors.models import Store
call_command("migrate", verbosity=0)
User.objects.create_superuser("operadora", password="segredo")
Store.objects.create(name="Loja", cnpj="12ABC34501DE35", domain="loja.example")
"""
CLOCK = """
from portal.demo.clock import Clock
clock = Clock()
while True:
    clock.tick()
"""
ADDRESS = re.compile(r"data-address>([^<]+)<")


class Portal:
    """A minute of its cadences lasts a second. Its one store is number 1. It begins with what is in
    the folder's database `begin`."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.operator = Browser(self.url)
        self.log = folder / f"{name}.log"
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ENV_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{folder / name}.sqlite3",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOW_PRIVATE_ADDRESSES": "true",
            "SECURE_COOKIES": "false",
            "SECONDS_PER_MINUTE": "1",
            "WORKERS": "1",
            "API_RATE": "6000",
            "LOG_LEVEL": "WARNING",
        }
        self.bind = f"127.0.0.1:{port}"
        self.database = folder / f"{name}.sqlite3"
        self.begin = folder / "begin.sqlite3"
        self.children: list[subprocess.Popen[bytes]] = []

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  our own commands
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def open(self) -> "Portal":
        shutil.copy(self.begin, self.database)
        web = ("--bind", self.bind, "--worker-class", "gthread", "--threads", "4")
        self.children = [
            self._start("-m", "gunicorn", "portal.wsgi", *web),
            self._start("manage.py", "cluster"),
            self._start("-c", DJANGO + CLOCK),
        ]
        return self

    def let_in(self) -> None:
        """Once it answers, its operator signs in."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_there():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        self.operator.sign_in("/login/?next=/admin/", "operadora", "segredo")

    def _is_there(self) -> bool:
        try:
            return requests.get(self.url + "/login/", timeout=5).ok
        except requests.RequestException:
            return False

    def close(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()

    def prepare(self) -> None:
        """Make the database that portals begin with."""
        self.env["DATABASE_URL"] = f"sqlite:///{self.begin}"
        code = self._start("-c", DJANGO + BEGIN).wait(START_SECONDS)
        assert code == 0, self.log.read_text()

    # -- Its operator ----------------------------------------------------------------------------
    def activate(
        self, slug: str, mode: Mode, url: str, received: dict[str, str] | None = None
    ) -> "Activated":
        """Search the connector by name, open its details, take the steps of its activation."""
        spec = SPECS[slug]
        found = self.operator.open(f"/admin/connectors/connector/?q={spec.name}")
        details = self.operator.link(found, r"/admin/connectors/connector/\d+/change/")
        form = self.operator.link(self.operator.open(details), r"activation/add/\?connector=")
        pages = self.operator.activate(
            form,
            store="1",
            mode=mode.value,
            name=spec.name,
            plugin_url=url,
            **{f"credential_{name}": value for name, value in (received or {}).items()},
        )
        return Activated(self, pages)


class Activated:
    """An integration's page. `issued` are the values that were shown once."""

    def __init__(self, portal: Portal, pages: list[str]) -> None:
        self.portal = portal
        self.issued = {name: html.unescape(value) for name, value in VALUE.findall("".join(pages))}
        found = re.search(r"/admin/connectors/activation/(\d+)/", "".join(pages))
        assert found is not None
        self.path = f"/admin/connectors/activation/{found[1]}/change/"

    @property
    def doorbell(self) -> str:
        """The address that the operator copies into the other system's panel."""
        (address,) = ADDRESS.findall(self.portal.operator.open(self.path))
        return html.unescape(address)

    def change(self, **fields: Any) -> None:
        self.portal.operator.submit(self.path, "plugin_url", **fields)
