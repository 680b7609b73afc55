"""Orders of the hub's API (pluggto-api.md, section 5). The frame around it (tokens, errors,
paging) is the portal's, and comes by REST_FRAMEWORK's settings."""

from typing import cast

from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import NotFound
from connectors.models import Activation
from connectors.payload import Payload
from orders.models import Order
from orders.services import create_order, update_order
from orders.wire import read_order, read_status, write_order


def _answer(order_id: int, caller: Activation, status: int = 200) -> Response:
    order = Order.objects.with_everything().get(pk=order_id)
    return Response({"Order": write_order(order, caller)}, status=status)


class OrderList(GenericAPIView):
    def get(self, request: Request) -> Response:
        """`?status=` takes one status or several with commas; `?original_id=`, `?channel=`:
        equality."""
        caller = cast(Activation, request.auth)
        orders = Order.objects.listed_for(caller)
        if wanted := request.query_params.get("status"):
            statuses = [read_status(Payload({"status": word})) for word in wanted.split(",")]
            orders = orders.filter(status__in=statuses)
        for name in ("original_id", "channel"):
            if value := request.query_params.get(name):
                orders = orders.filter(**{name: value})
        page = self.paginate_queryset(orders.with_everything()) or []
        return self.get_paginated_response(
            [{"Order": write_order(order, caller)} for order in page]
        )

    def post(self, request: Request) -> Response:
        caller = cast(Activation, request.auth)
        order = create_order(caller, read_order(Payload(request.data)))
        return _answer(order.pk, caller, 201)


class OrderDetail(APIView):
    def get(self, request: Request, public_id: str) -> Response:
        return _answer(self._find(request, public_id), cast(Activation, request.auth))

    def put(self, request: Request, public_id: str) -> Response:
        caller = cast(Activation, request.auth)
        order_id = self._find(request, public_id)
        update_order(order_id, read_order(Payload(request.data)), caller)
        return _answer(order_id, caller)

    def _find(self, request: Request, public_id: str) -> int:
        orders = Order.objects.readable_by(cast(Activation, request.auth))
        order_id = orders.filter(public_id=public_id).values_list("pk", flat=True).first()
        if order_id is None:
            raise NotFound(f"order {public_id}")
        return order_id
