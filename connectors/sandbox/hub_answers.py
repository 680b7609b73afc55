"""How the hub says no (pluggto-api.md, sections 2.5 and 3), and what its lists filter by."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.messages import Response

Json = dict[str, Any]

USUAL_PAGE, LARGEST_PAGE = 20, 100


def error(status: int, kind: str, details: str) -> Response:
    message = "An error occurred, see details for more information."
    return Response({"error": True, "type": kind, "message": message, "details": details}, status)


def oauth_error(kind: str, description: str, status: int = 400) -> Response:
    return Response({"code": status, "error": kind, "error_description": description}, status)


def listed(found: list[Json], name: str, query: Mapping[str, str]) -> Response:
    """A page of what was found."""
    limit = min(int(query.get("limit", USUAL_PAGE)), LARGEST_PAGE)
    start = (int(query.get("page", 1)) - 1) * limit
    rows = [{name: each} for each in found[start : start + limit]]
    return Response({"total": len(found), "showing": len(rows), "limit": limit, "result": rows})


def is_within(moment: str, wanted: str | None) -> bool:
    """`2026-05-01to2026-05-31`, both days included; also full times, or a single day."""
    if not wanted:
        return True
    first, _, last = wanted.partition("to")
    last = last or first
    return first <= moment and moment[: len(last)] <= last
