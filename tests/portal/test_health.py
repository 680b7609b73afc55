"""What a watcher outside is told."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from connectors.models import Heartbeat
from portal import health


@pytest.fixture(autouse=True)
def not_asked_yet() -> Iterator[None]:
    health._migrated.cache_clear()
    yield
    health._migrated.cache_clear()


@pytest.fixture
def at_work(db: None) -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"beat_at": timezone.now()})


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(type(connections["default"]), "cursor", refuse)


def ask(query: str = "") -> tuple[int, dict[str, Any]]:
    answer = Client().get(f"/readyz{query}")
    return answer.status_code, answer.json()


def test_who_lives_says_so_without_a_database(no_database: None) -> None:
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_who_calls_the_process_by_its_address_is_answered(
    path: str, at_work: None, settings: Any
) -> None:
    settings.ALLOWED_HOSTS, settings.METRICS_TOKEN = ["portal.example.com.br"], "token"
    caller = Client(SERVER_NAME="10.0.0.7", headers={"Authorization": "Bearer token"})

    assert caller.get(path).status_code == 200
    assert caller.get("/login/").status_code == 400


def test_whose_everything_goes_on_is_ready(at_work: None) -> None:
    assert ask("?all=1") == (200, {"state": "ready", "checks": dict.fromkeys(health.CHECKS, "ok")})


def test_without_a_database_nobody_is_ready(no_database: None) -> None:
    code, told = ask()

    assert (code, told["state"]) == (503, "not ready")
    assert told["checks"]["database"] == "OperationalError"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no copies")
def test_whose_database_only_reads_takes_no_orders(at_work: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")

    code, told = ask()

    assert (code, told["checks"]["database"]) == (503, "read-only")


def test_whose_migrations_are_missing_is_not_ready_until_they_are_applied(
    at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["0003"])
        before = ask()

    assert (before[0], before[1]["checks"]["migrations"]) == (503, "missing")
    assert ask()[0] == 200


@pytest.mark.parametrize(("beat", "said"), [(None, "never ran"), (360, "silent for 360 s")])
def test_a_clock_that_stands_still_is_seen_but_orders_are_taken(
    beat: int | None, said: str, db: None
) -> None:
    Heartbeat.objects.all().delete()
    if beat:
        Heartbeat.objects.create(pk=1, beat_at=timezone.now() - timedelta(seconds=beat))

    assert ask()[0] == 200
    assert ask()[1]["state"] == "degraded"
    assert ask("?all=1")[0] == 503
    assert ask()[1]["checks"]["clock"] == said


def test_a_backlog_is_seen(at_work: None) -> None:
    old = timezone.now() - timedelta(minutes=11)
    for moment in (old, timezone.now() + timedelta(hours=1)):  # the second waits for its time
        OrmQ.objects.create(key="tomada", payload="x", lock=moment)

    code, told = ask("?all=1")

    assert (code, told["checks"]["queue"]) == (503, "1 tasks wait, the oldest for 660 s")


def test_a_full_disk_is_seen(at_work: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "free_share", lambda: 0.02)

    assert ask()[0] == 200
    assert ask("?all=1")[1]["checks"]["disk"] == "2% free"


@pytest.mark.parametrize("full", ["database", "metrics"])
def test_the_fullest_disk_counts(
    full: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_DIR = tmp_path / "metrics"
    monkeypatch.setattr(connection, "vendor", "sqlite")
    name = tmp_path / "database" / "portal.sqlite3"
    for folder in (settings.METRICS_DIR, name.parent):
        folder.mkdir()
    monkeypatch.setitem(connection.settings_dict, "NAME", name)
    free = {tmp_path / full: 3}
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=free.get(folder, 60), total=100)
    )

    assert health.free_share() == 0.03


def test_who_lost_the_folder_of_the_metrics_serves_on(
    at_work: None, tmp_path: Path, settings: Any
) -> None:
    settings.METRICS_DIR = tmp_path / "gone"

    assert ask()[0] == 200
