import re
from typing import Any

from django.core.cache import caches
from django.db.models import Q
from django.http import HttpResponse
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import Refused
from connectors.hub.identifiers import made_at, public_id_of
from connectors.hub.tokens import caller_of
from connectors.models import Activation
from connectors.payload import read_value, to_text

DEFAULT_LIMIT = LARGEST_LIMIT = 100
# In these orders a row that changes goes to the end: where nobody remembers its older place, those
# in between are passed over.
BY_CHANGE = ("modified_at", "modification__at")
WALK = 60 * 60  # seconds for which such a place is remembered


class HubPagination(BasePagination):
    """`limit` with either `page` (from 1) or `next` (the id of the last row received), in the order
    that the view gave to its rows, else oldest first.

    The answer is `{"total", "showing", "limit", "result"}`; clients see the end by an empty
    result, by fewer rows than the limit, or by a total of 0 (pluggto-api.md, section 4.2).
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> Any:
        """The page, which nobody has asked the database for yet."""
        self.limit = min(_number(request, "limit", DEFAULT_LIMIT), LARGEST_LIMIT)
        order = queryset.query.order_by or ("pk",)
        columns, by_change = [column.lstrip("-") for column in order], order[0] in BY_CHANGE
        caller = caller_of(request)
        last_id = read_value(request.query_params.get("next", ""), to_text, "?next")
        if last_id:
            mine = queryset.model._default_manager.filter(store=caller.store, public_id=last_id)
            place = _place(caller, last_id, order)
            last = (by_change and caches["shared"].get(place)) or mine.values(*columns).first()
            after = _after(last, order) if last else _after_deleted(last_id, order)
            queryset = queryset.filter(after) if after else queryset.none()
        self.total = queryset.count()
        start = (_number(request, "page", 1) - 1) * self.limit if not last_id else 0
        page = queryset.order_by(*order)[start : start + self.limit]
        if by_change:
            # Whoever works a page off changes its last row before he asks for the next page.
            for row in list(page.prefetch_related(None).values("public_id", *columns))[-1:]:
                caches["shared"].set(_place(caller, row.pop("public_id"), order), row, WALK)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"total": self.total, "showing": len(data), "limit": self.limit, "result": data}
        )

    def get_written_response(self, rows: list[str]) -> HttpResponse:
        """The same of rows that are JSON already."""
        text = '{"total":%d,"showing":%d,"limit":%d,"result":[%s]}'
        shown = (self.total, len(rows), self.limit, ",".join(rows))
        return HttpResponse(text % shown, content_type="application/json")


def _place(caller: Activation, public_id: str, order: tuple[str, ...]) -> str:
    """Where it is remembered how a row stood when the caller was shown it as a page's last."""
    return f"after:{public_id_of(caller.client_id, public_id, *order)}"


def _after(last: dict[str, Any], order: tuple[str, ...]) -> Q:
    """What comes behind a row: a later value, or the same one and then what comes later."""
    name, *rest = order
    column = name.lstrip("-")
    later = Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": last[column]})
    return later | (Q(**{column: last[column]}) & _after(last, tuple(rest))) if rest else later


def _after_deleted(public_id: str, order: tuple[str, ...]) -> Q | None:
    """Behind a row that is not there any more, where its id says where it was: its second's other
    rows are shown once more rather than passed over."""
    moment = made_at(public_id) if order[0] in ("pk", "created_at") else None
    return Q(created_at__gte=moment) if moment else None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise Refused(f"?{name}={text[:20]}: not a positive whole number")
    return int(text)
