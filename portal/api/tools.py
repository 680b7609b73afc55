"""What no-code tools need beside the hub's own resources: a ping, hooks, events to poll, and orders
as flat fields (platform-apis.md, section 10)."""

import re
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import Refused
from connectors.hub.openapi import TAKEN, asked, described, each
from connectors.hub.tokens import caller_of
from connectors.hub.wire import Kind, moment_text
from connectors.messages.hooks import events_of, subscribe, unsubscribe, write_event
from connectors.models import Subscription
from connectors.payload import Payload, read_value, to_moment, to_text, to_whole
from connectors.records import Document, OrderStatus
from connectors.spec import Hook
from orders.events import write_flat_order
from orders.flat import ITEM, read_flat_order
from orders.models import Order
from orders.services import create_order_once
from orders.wire import Parts
from portal.api.samples import sample_of

MOST_EVENTS = 100
HOOKS = {"enum": Hook.values}
TEXT = {"type": "string"}
PING = {
    "type": "object",
    "required": ["store", "integration", "events"],
    "properties": {"store": TEXT, "integration": TEXT, "events": {"type": "array", "items": HOOKS}},
}
HOOK = {
    "type": "object",
    "required": ["id", "event", "target_url", "state", "reason", "created"],
    "properties": {
        "id": TEXT,
        "event": HOOKS,
        "target_url": TEXT,
        "state": {"enum": ["closed", "open", "half_open", "disabled", "ended"]},
        "reason": TEXT,
        "created": TEXT,
    },
}
HOOK_INPUT = {
    "type": "object",
    "required": ["event", "target_url"],
    "properties": {"event": HOOKS, "target_url": {"type": "string", "format": "uri"}},
}
EVENT = {
    "type": "object",
    "required": ["id", "event", "at"],
    "properties": {"id": TEXT, "event": HOOKS, "at": {"type": "string", "format": "date-time"}},
}
ORDER_INPUT = {
    "type": "object",
    "required": ["original_id", "status", "items_sku", "items_quantity"],
    "properties": {
        "original_id": TAKEN[Kind.TEXT],
        "status": {"enum": OrderStatus.values},
        **dict.fromkeys(ITEM, TAKEN[Kind.TEXT]),
        "items_separator": TAKEN[Kind.TEXT],
        "total": TAKEN[Kind.TEXT],
    },
    "examples": [
        {
            "original_id": "1001",
            "status": "approved",
            "items_sku": "CAM-AZ-P; CAN-07",
            "items_quantity": "1; 2",
            "items_price": "59,90; 29,95",
            "shipping": "14,90",
            "payer_name": "Ana",
            "payer_lastname": "Souza",
            "payment_type": "pix",
        }
    ],
}
FLAT_ORDER = {
    "type": "object",
    "required": ["order_id", "original_id", "status", "items_text"],
    "properties": {"order_id": TEXT, "original_id": TEXT, "status": TEXT, "items_text": TEXT},
}
EVENT_QUERY = asked("event", _("O evento, como order.created."), HOOKS, required=True)
SINCE = asked("since", _("Só o que aconteceu desde então: ISO 8601, ou segundos desde 1970."))
NEXT = asked("next", _("O id do último evento que já chegou, para ver os anteriores a ele."))
LIMIT = asked(
    "limit", _("Quantos, no máximo 100."), {"type": "integer", "minimum": 1, "maximum": 999_999_999}
)


class Ping(APIView):
    @described(_("Conferir as credenciais"), PING)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        hooks = [hook.value for hook in Hook if hook in caller.spec.hooks]
        return Response({"store": caller.store.name, "integration": caller.name, "events": hooks})


class Hooks(APIView):
    @described(
        _("As assinaturas desta integração"),
        {"type": "object", "required": ["hooks"], "properties": {"hooks": each(HOOK)}},
    )
    def get(self, request: Request) -> Response:
        going_on = caller_of(request).subscriptions.going_on().order_by("pk")
        return Response({"hooks": [_write_hook(subscription) for subscription in going_on]})

    @described(_("Assinar um evento"), HOOK, status=201, takes=HOOK_INPUT)
    def post(self, request: Request) -> Response:
        """The answer's `id` is what unsubscribes. The same once more is the same subscription."""
        payload = Payload(request.data)
        hook = _hook(payload.text("event"), "$.event")
        subscription = subscribe(caller_of(request).pk, hook, payload.text("target_url"))
        return Response(_write_hook(subscription), status=201)


class HookDetail(APIView):
    @described(_("Encerrar uma assinatura"), HOOK)
    def delete(self, request: Request, hook_id: str) -> Response:
        return Response(_write_hook(unsubscribe(caller_of(request), hook_id)))


def _write_hook(subscription: Subscription) -> Document:
    ended = subscription.ended_at is not None
    return {
        "id": subscription.public_id,
        "event": subscription.hook,
        "target_url": subscription.target_url,
        "state": "ended" if ended else subscription.breaker.value,
        "reason": subscription.ended_reason if ended else subscription.disabled_reason,
        "created": moment_text(subscription.created_at),
    }


def _hook(text: str, place: str) -> Hook:
    if text not in Hook.values:
        raise Refused(f"{place}: {text[:40]!r} is not an event; use {', '.join(Hook.values)}")
    return Hook(text)


class Sample(APIView):
    @described(_("Um exemplo de um evento"), EVENT, query=(EVENT_QUERY,))
    def get(self, request: Request) -> Response:
        return Response(sample_of(caller_of(request), _asked_hook(request)))


def _asked_hook(request: Request) -> Hook:
    return _hook(read_value(request.query_params.get("event", ""), to_text, "?event"), "?event")


class Events(APIView):
    @described(
        _("Os últimos eventos de um tipo, do mais novo ao mais antigo"),
        {"type": "object", "required": ["events"], "properties": {"events": each(EVENT)}},
        query=(EVENT_QUERY, SINCE, LIMIT, NEXT),
    )
    def get(self, request: Request) -> Response:
        """Each event has an `id` of its own: what was seen is known by it. What happened in the
        last minutes before `since` is in the list again."""
        caller, query = caller_of(request), request.query_params
        since = query.get("since") or None
        events = events_of(
            caller, _asked_hook(request), since and read_value(since, _to_instant, "?since")
        )
        limit = read_value(query.get("limit") or MOST_EVENTS, to_whole, "?limit")
        if limit < 1:
            raise Refused("?limit: not a positive whole number")
        if last_id := read_value(query.get("next", ""), to_text, "?next"):
            events = events.before(last_id)
        page = events[: min(limit, MOST_EVENTS)]
        return Response({"events": [write_event(event, caller) for event in page]})


def _to_instant(value: Any) -> datetime:
    """Also as computers count: seconds, or milliseconds, since 1970."""
    text = to_text(value)
    if re.fullmatch(r"[0-9]{9,10}", text):
        return datetime.fromtimestamp(int(text), UTC)
    if re.fullmatch(r"[0-9]{12,13}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return to_moment(text)


class FlatOrders(APIView):
    @described(_("Criar um pedido com campos planos"), FLAT_ORDER, status=201, takes=ORDER_INPUT)
    def post(self, request: Request) -> Response:
        """`items_sku`, `items_quantity` … hold one value per item, between `;`, `|` or line breaks
        (orders/flat.py). The same order once more is answered with the one that there is."""
        caller = caller_of(request)
        order = create_order_once(caller, read_flat_order(Payload(request.data), caller))
        order = Order.objects.with_everything().get(pk=order.pk)
        return Response(write_flat_order(order, Parts.of(order)), status=201)
