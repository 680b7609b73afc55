"""The queue's cluster, in processes of its own that are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import Event, Value
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django_q import cluster as cluster_of_the_queue
from django_q.cluster import get_mp_context
from django_q.conf import Conf

from portal.cluster import Sentinel, keep_what_was_not_done, wait_for_database
from tests.soak.processes import members_of

pytestmark = pytest.mark.long

SECONDS = 30
LEAST = 6  # the cluster, its sentinel, two workers, a monitor and a pusher

# All that a cluster needs while it has nothing to do.
TABLES = """
import django; django.setup()
from django.db import connection
from django_q.models import OrmQ, Schedule, Task

with connection.schema_editor() as editor:
    for model in (OrmQ, Schedule, Task):
        editor.create_model(model)
"""


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'queue.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "LOG_LEVEL": "CRITICAL",
    }
    begin = [sys.executable, "-c", TABLES]
    subprocess.run(begin, cwd=settings.BASE_DIR, env=environment, check=True)  # noqa: S603
    process = subprocess.Popen(
        [sys.executable, "manage.py", "cluster"],
        cwd=settings.BASE_DIR,
        env=environment,
        start_new_session=True,
    )
    try:
        until(lambda: len(members_of(process.pid)) >= LEAST)
        yield process
    finally:
        for pid in members_of(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def test_where_one_worker_is_killed_all_end_for_a_new_beginning(
    cluster: "subprocess.Popen[bytes]",
) -> None:
    (sentinel,) = children_of(cluster.pid)
    a_worker = children_of(sentinel)[0]

    os.kill(a_worker, signal.SIGKILL)

    assert cluster.wait(SECONDS) == 1
    until(lambda: members_of(cluster.pid) == [])


def test_where_the_sentinel_is_killed_all_end(cluster: "subprocess.Popen[bytes]") -> None:
    (sentinel,) = children_of(cluster.pid)

    os.kill(sentinel, signal.SIGKILL)

    assert cluster.wait(SECONDS) == 1
    until(lambda: members_of(cluster.pid) == [])


def test_where_the_cluster_is_killed_nobody_goes_on_without_it(
    cluster: "subprocess.Popen[bytes]",
) -> None:
    os.kill(cluster.pid, signal.SIGKILL)

    until(lambda: members_of(cluster.pid) == [])


def test_told_to_stop_it_ends_in_order(cluster: "subprocess.Popen[bytes]") -> None:
    cluster.terminate()

    assert cluster.wait(SECONDS) == 0


def test_told_to_stop_all_at_once_they_end_in_order_too(
    cluster: "subprocess.Popen[bytes]",
) -> None:
    os.killpg(cluster.pid, signal.SIGTERM)  # as systemd does

    assert cluster.wait(SECONDS) == 0


def test_a_worker_that_is_late_with_his_task_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as each inherits it
        begun.set()
        time.sleep(SECONDS)

    monkeypatch.setattr(Conf, "SYNC", True)  # the test's own connection stays open
    begun = Event()
    sentinel = Sentinel.__new__(Sentinel)
    late: Any = get_mp_context().Process(target=work)
    late.timer = Value("f", 0)
    sentinel.monitor = sentinel.pusher = None
    sentinel.pool, sentinel.reincarnations = [late], 0
    monkeypatch.setattr(sentinel, "spawn_worker", lambda: None)
    late.start()
    begun.wait(SECONDS)

    sentinel.reincarnate(late)

    late.join(SECONDS / 10)
    assert late.exitcode == -signal.SIGKILL


def test_a_sentinel_that_fails_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(sentinel: Sentinel) -> None:
        get_mp_context().Process(target=time.sleep, args=(SECONDS,), daemon=True).start()
        raise OSError("no memory for another process")

    monkeypatch.setattr(cluster_of_the_queue.Sentinel, "start", fail)
    failing = get_mp_context().Process(target=Sentinel.__new__(Sentinel).start)

    failing.start()

    failing.join(SECONDS / 3)
    assert failing.exitcode == 1


def test_it_begins_when_the_database_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OperationalError("gone"), OperationalError("starting up"), None])

    def connect() -> None:
        if error := next(answers):
            raise error

    monkeypatch.setattr(connection, "ensure_connection", connect)
    monkeypatch.setattr("portal.cluster.SECONDS_BETWEEN_TRIES", 0)

    wait_for_database()

    assert list(answers) == []


def test_who_waits_for_the_database_ends_when_told_to() -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "cluster"],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": "postgres://nobody:none@127.0.0.1:1/none",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "LOG_LEVEL": "ERROR",
        },
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    with process:
        assert b"the database is away" in process.stderr.readline()

        process.terminate()

        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(
    "error",
    ["django.db.utils.OperationalError: gone", "psycopg.errors.ReadOnlySqlTransaction: no"],
)
def test_a_task_that_found_no_database_comes_back(error: str) -> None:
    lost = {"success": False, "result": f"gone : … {error}"}
    failed = {"success": False, "result": "… ValueError: no", "ack_failure": True}
    done = {"success": True, "result": None, "ack_failure": True}

    for task in (lost, failed, done):
        keep_what_was_not_done(task)

    assert [task["ack_failure"] for task in (lost, failed, done)] == [False, True, True]
