"""Every migration of ours in a database of its own, on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import POSTGRES_HOME, Postgres
from tests.upgrades.release import MIGRATIONS

pytestmark = pytest.mark.long
Manage = Callable[..., str]
QUEUE_MUCH = """
from django.db import connection
from django_q.models import OrmQ
from connectors.queue import enqueue
from portal.pruning import prune_sessions

sequence = "pg_get_serial_sequence('django_q_ormq', 'id')"
connection.cursor().execute(f"SELECT setval({sequence}, 2147483646)")
enqueue(prune_sessions)
enqueue(prune_sessions)
print(sorted(OrmQ.objects.values_list("pk", flat=True)))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def manage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manage]:
    """What manage.py says; on an empty database."""

    def call(*words: str) -> str:
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "manage.py", *words],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'upgrade.sqlite3'}"
        yield call
        return
    if not list(POSTGRES_HOME.glob("*/bin")):
        pytest.skip("needs PostgreSQL's programs")
    server = Postgres(fsync="off")
    try:
        url = server.url_of("postgres")
        yield call
    finally:
        server.close()


def test_every_migration_can_be_undone_and_done_again(manage: Manage) -> None:
    manage("migrate", "-v0")
    for app in reversed(MIGRATIONS):
        manage("migrate", app, "zero", "-v0")

    manage("migrate", "-v0")

    assert "No changes" in manage("makemigrations", "--check", "--dry-run")


@pytest.mark.parametrize("manage", ["postgresql"], indirect=True)
def test_the_queue_goes_on_when_its_numbers_are_used_up(manage: Manage) -> None:
    manage("migrate", "-v0")

    said = manage("shell", "-v0", "-c", QUEUE_MUCH)

    assert said.strip() == "[1, 2147483647]"


def test_the_first_releases_data_comes_along(manage: Manage) -> None:
    for app in ("auth", "contenttypes", "admin", "sessions", "django_q"):
        manage("migrate", app, "-v0")
    for app, migration in MIGRATIONS.items():
        manage("migrate", app, migration, "-v0")
    manage("shell", "-v0", "-c", "from tests.upgrades.release import put; put()")

    manage("migrate", "-v0")

    said = manage(
        "shell", "-v0", "-c", "from tests.upgrades.after import wrong; print(*wrong(), sep='\\n')"
    )
    assert said.strip() == ""
