from typing import Any, cast

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import Refused
from connectors.models import Activation

DEFAULT_LIMIT = LARGEST_LIMIT = 100


class HubPagination(BasePagination):
    """`limit` with either `page` (from 1) or `next` (the id of the last row received).

    The answer is `{"total", "showing", "limit", "result"}`; clients see the end by an empty
    result, by fewer rows than the limit, or by a total of 0 (pluggto-api.md, section 4.2).
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.limit = min(_number(request, "limit", DEFAULT_LIMIT), LARGEST_LIMIT)
        last_id = request.query_params.get("next")
        if last_id:
            caller = cast(Activation, request.auth)
            mine = queryset.model._default_manager.filter(store=caller.store)
            last = mine.filter(public_id=last_id).values("pk")[:1]
            queryset = queryset.filter(pk__gt=last)
        self.total = queryset.count()
        start = (_number(request, "page", 1) - 1) * self.limit if not last_id else 0
        return list(queryset.order_by("pk")[start : start + self.limit])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"total": self.total, "showing": len(data), "limit": self.limit, "result": data}
        )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
        raise Refused(f"?{name}={text[:20]}: not a positive whole number")
    return int(text)
