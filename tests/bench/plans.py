"""What PostgreSQL does for the queries of a page, as EXPLAIN says it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

LARGE = 10_000  # rows


def scanned_whole(work: Callable[[], Any]) -> list[str]:
    """The large tables that the queries of `work` read through from end to end, each with its
    query."""
    large, found = _large_tables(), []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT"):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            found.extend(
                f"{node['Relation Name']}: {sql[:300]}"
                for node in _nodes(plan[0]["Plan"])
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large
            )
        return result

    with connection.execute_wrapper(explained):
        work()
    return found


def _large_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [LARGE]
        )
        return {name for (name,) in cursor.fetchall()}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
