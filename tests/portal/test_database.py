"""What the portal says to PostgreSQL when it connects."""

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL"),
    pytest.mark.django_db,
]


def shown(setting: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return str(cursor.fetchone()[0])


def test_what_a_host_had_locked_that_vanished_is_free_within_half_a_minute() -> None:
    idle, interval, count = (
        int(shown(f"tcp_keepalives_{name}")) for name in ("idle", "interval", "count")
    )

    assert 0 < idle + interval * count <= 30
    assert 0 < int(shown("tcp_user_timeout")) <= 30_000


def test_what_is_asked_again_and_again_is_planned_once() -> None:
    with connection.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT %s + 1", [number])
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%+ 1'")
        (prepared,) = cursor.fetchone()

    assert prepared == 1
