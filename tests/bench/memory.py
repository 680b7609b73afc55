"""What a web process and a cluster of the queue hold in memory, against a project with the same
dependencies, an empty view and an empty task. In PSS: what processes share is shared out among
them. One after another, each warm: the web process has answered the API, a merchant's page and the
operators' (the other its view as often), the cluster has run every recurring task (the other as
many of its own)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ
from django_q.tasks import async_task

from portal.schedules import RECURRING
from tests.bench.bare_view import do_nothing
from tests.bench.figures import Figure
from tests.bench.order_reads import token_of
from tests.bench.serving import served
from tests.conftest import make_partner, make_store

BARE = {"DJANGO_SETTINGS_MODULE": "tests.bench.bare_project"}
ROUNDS = 10  # of calls; and so often each task is run, that each worker has run each
PAGES = ("/", "/orders/", "/admin/", "/admin/connectors/activation/")


def measure() -> list[Figure]:
    token, session = seed()
    web = web_mb("portal.wsgi", lambda url: call_portal(url, token, session))
    bare_web = web_mb("django.core.wsgi:get_wsgi_application()", call_view, **BARE)
    cluster = cluster_mb(["manage.py", "cluster"], [each.task for each in RECURRING])
    nothing = [do_nothing] * len(RECURRING)
    bare_cluster = cluster_mb(["-m", "django", "qcluster"], nothing, **BARE)
    return [
        Figure("a web process", web, "MB"),
        Figure("against an empty view", web / bare_web, at_most=1.5),
        Figure("a cluster, all its processes", cluster, "MB"),
        Figure("against an empty task", cluster / bare_cluster, at_most=1.5),
    ]


def seed() -> tuple[str, str]:
    """A partner's token, and the session of an operator who is a merchant as well."""
    store = make_store()
    token = token_of(make_partner(store, "linx"))
    user = User.objects.create_superuser("chefe")
    store.members.add(user)
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[-1])
    return token, client.cookies[settings.SESSION_COOKIE_NAME].value


def web_mb(app: str, call: Callable[[str], None], **environment: str) -> float:
    before = set(children(os.getpid()))
    with served(app, **environment) as port:
        (server,) = set(children(os.getpid())) - before
        for _round in range(ROUNDS):
            call(f"http://127.0.0.1:{port}")
        (worker,) = children(server)
        return pss_mb([worker])


def call_portal(url: str, token: str, session: str) -> None:
    get(f"{url}/api/orders", headers={"Authorization": f"Bearer {token}"})
    for page in PAGES:
        get(f"{url}{page}", cookies={settings.SESSION_COOKIE_NAME: session})


def call_view(url: str) -> None:
    for _page in ("/api/orders", *PAGES):
        get(f"{url}/")


def get(url: str, **said: dict[str, str]) -> None:
    response = requests.get(url, timeout=30, allow_redirects=False, **said)
    assert response.status_code == 200, f"{url}: {response.status_code}"


def cluster_mb(command: list[str], tasks: list[Callable[[], None]], **environment: str) -> float:
    for task in tasks * ROUNDS:
        async_task(f"{task.__module__}.{task.__qualname__}")
    process = subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *command], env={**os.environ, **environment}
    )
    try:
        for _attempt in range(600):
            if not OrmQ.objects.exists():
                return pss_mb([process.pid, *descendants(process.pid)])
            time.sleep(0.1)
        raise AssertionError("the cluster does not work")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


def pss_mb(pids: list[int]) -> float:
    rows = (Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids)
    return sum(int(row.split()[1]) for each in rows for row in each if row[:4] == "Pss:") / 1024
