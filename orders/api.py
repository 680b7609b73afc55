"""Orders of the hub's API (pluggto-api.md, section 5). The frame around it (tokens, errors,
paging) is the portal's, and comes by REST_FRAMEWORK's settings."""

from typing import Any, cast

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import NotFound
from connectors.hub.filters import shows_external
from connectors.hub.openapi import (
    ORDER_QUERY,
    SHOW_EXTERNAL,
    asked,
    described,
    listed,
    ref,
    wrapped,
)
from connectors.hub.tokens import caller_of
from connectors.models import Activation
from connectors.payload import Payload, read_value, to_text
from orders.called import in_own_words
from orders.models import Order
from orders.search import label_urls, search_orders
from orders.services import create_order, update_order
from orders.wire import read_order
from orders.written import read_new, read_written

ORDER = wrapped("Order")
LABEL_QUERY = (asked("orders", _("Até 50 ids de pedidos, com vírgulas.")),)
LABELS = {
    "type": "object",
    "required": ["urls"],
    "properties": {"urls": {"type": "array", "items": {"type": "string"}}},
}


def _answer(order_id: int, caller: Activation, *, show_external: bool = False) -> HttpResponse:
    order = Order.objects.filter(pk=order_id)
    (text,) = read_written(order, caller, show_external=show_external)
    return HttpResponse(_wrapped(text), content_type="application/json")


def _wrapped(text: str) -> str:
    return f'{{"Order":{text}}}'


class OrderList(GenericAPIView):
    @described(_("Procurar pedidos"), listed("Order"), query=(*ORDER_QUERY, SHOW_EXTERNAL))
    def get(self, request: Request) -> HttpResponse:
        """`?limit=` (at most 100) with `?page=` (from 1) or `?next=` (the id of the last order
        received). `?status=` takes one status or several with commas; `?created=`, `?modified=`
        and every other date take `AtoB`, days or full times, or one of them; any other parameter
        is equality on the order's field of that name: `?original_id=`, `?channel=`,
        `?external=` (the caller's own), `?ack=`, `?sub_status=` … `?orderby=` with
        `?orderdirection=`, `?order=desc`, or `?sort=-created`. `?showExternal=true` as for one."""
        caller = caller_of(request)
        show_external = shows_external(request.query_params)
        page = cast(Any, self.paginate_queryset(search_orders(request.query_params, caller)))
        texts = read_written(page, caller, show_external=show_external)
        paginator = cast(Any, self.paginator)
        answer: HttpResponse = paginator.get_written_response([_wrapped(text) for text in texts])
        return answer

    @described(_("Criar um pedido"), ORDER, status=201, takes=ref("OrderInput", "status"))
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        document = read_order(Payload(request.data), caller)
        text = read_new(create_order(caller, document), document)
        return HttpResponse(_wrapped(text), status=201, content_type="application/json")


class OrderDetail(APIView):
    @described(_("Um pedido"), ORDER, query=(SHOW_EXTERNAL,))
    def get(self, request: Request, public_id: str) -> HttpResponse:
        """`?showExternal=true`: `external` is the map of all clients' own numbers."""
        caller = caller_of(request)
        show_external = shows_external(request.query_params)
        return _answer(self._find(request, public_id), caller, show_external=show_external)

    @described(
        _("Alterar um pedido: situação, nota fiscal, rastreio"), ORDER, takes=ref("OrderInput")
    )
    def put(self, request: Request, public_id: str) -> HttpResponse:
        caller = caller_of(request)
        order_id = self._find(request, public_id)
        document = read_order(Payload(request.data), caller)
        update_order(order_id, in_own_words(document, order_id, caller), caller)
        return _answer(order_id, caller)

    def _find(self, request: Request, public_id: str) -> int:
        orders = Order.objects.readable_by(caller_of(request))
        order_id = orders.filter(public_id=public_id).values_list("pk", flat=True).first()
        if order_id is None:
            raise NotFound(f"order {public_id}")
        return order_id


class Labels(APIView):
    @described(_("As etiquetas de pedidos"), LABELS, query=LABEL_QUERY)
    def get(self, request: Request) -> Response:
        """`?orders=`: up to 50 ids with commas. Those without a label add none (section 8)."""
        asked = request.query_params.get("orders", "")
        public_ids = [word.strip() for word in read_value(asked, to_text, "?orders").split(",")]
        return Response({"urls": label_urls(public_ids, caller_of(request))})
