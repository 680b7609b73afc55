"""The baselines of order_reads.py and order_posts.py, written by hand: no token, no limit, nothing
around the view."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex
from typing import Any

import orjson
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from psycopg.types.json import Jsonb
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.hub import wire
from connectors.hub.wire import Kind, Table
from orders.models import Line, Order, Payment, Shipment, StatusChange

BARE = "django.core.wsgi:get_wsgi_application()"
LIMIT = 50
TIMES = ("created_at", "modified_at", "approved_at")


def empty(table: Table) -> dict[str, Any]:
    return {name: [] if kind is Kind.LIST else None for name, kind in table.items()}


def amounts(table: Table) -> tuple[str, ...]:
    return tuple(name for name, kind in table.items() if kind is Kind.MONEY)


ORDER, ITEM, VARIATION, PAYMENT, SHIPMENT = (
    empty(table)
    for table in (wire.ORDER, wire.ITEM, wire.ITEM_VARIATION, wire.PAYMENT, wire.SHIPMENT)
)
ORDER_AMOUNTS, ITEM_AMOUNTS, PAYMENT_AMOUNTS = map(amounts, (wire.ORDER, wire.ITEM, wire.PAYMENT))
DATES = tuple(n for n in Shipment.COLUMNS if wire.SHIPMENT[n] is Kind.MOMENT)


def number(value: Any) -> float | int:
    found = float(value)
    return int(found) if found.is_integer() else found


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")[:23] + "Z"


def filled(into: dict[str, Any], row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The empty form, then what is kept as JSON, then the columns."""
    kept = row.pop("fields")
    public_id = row.pop("public_id")
    document = {**into, **kept, **row, "id": public_id}
    for name in names:
        if document[name] is not None:
            document[name] = number(document[name])
    return document


def tags(shipments: list[dict[str, Any]]) -> dict[str, int | None]:
    types = {d["type"] for s in shipments for d in s["documents"]}
    return {
        "has_invoice_key": 1 if any(s["nfe_key"] for s in shipments) else None,
        "has_invoice_xml": 1 if "invoice" in types else None,
        "has_invoice_pdf": 1 if "invoice_pdf" in types else None,
        "has_invoice_number": 1 if any(s["nfe_number"] for s in shipments) else None,
        "has_invoice_label": 1 if "label" in types else None,
        "has_payment_form": None,
        "has_track": 1 if any(s["track_code"] for s in shipments) else None,
        "has_track_url": 1 if any(s["track_url"] for s in shipments) else None,
        "has_label": 1 if "label" in types else None,
        "has_category": None,
    }


def _item(row: dict[str, Any]) -> dict[str, Any]:
    document = filled(ITEM, row, ITEM_AMOUNTS)
    document["variation"] = {**VARIATION, **(document["variation"] or {})}
    return document


def _payment(row: dict[str, Any]) -> dict[str, Any]:
    return filled(PAYMENT, row, PAYMENT_AMOUNTS)


def _shipment(row: dict[str, Any]) -> dict[str, Any]:
    document = filled(SHIPMENT, row, ())
    for name in DATES:
        if row[name] is not None:
            document[name] = moment(row[name])
    return document


def _step(row: dict[str, Any]) -> dict[str, Any]:
    return {"status": row["status"], "date": moment(row["at"])}


# -- (b) `.values()` and orjson ------------------------------------------------------------------
def with_values(request: HttpRequest, store_id: int, caller_id: int) -> HttpResponse:
    mine = Order.objects.filter(store=store_id)
    rows = list(
        mine.order_by("pk").values(
            *("pk", "public_id", "fields", *Order.COLUMNS, *TIMES),
            *("source__client_id", "modified_by__client_id"),
        )[:LIMIT]
    )  # fmt: skip
    ids = [row["pk"] for row in rows]
    columns = ("order_id", "public_id", "fields")
    items = _by_order(Line.objects.filter(order__in=ids).values(*columns, *Line.COLUMNS), _item)
    payments = _by_order(
        Payment.objects.filter(order__in=ids).values(*columns, *Payment.COLUMNS), _payment
    )
    shipments = _by_order(
        Shipment.objects.filter(order__in=ids).values(*columns, *Shipment.COLUMNS), _shipment
    )
    steps = _by_order(
        StatusChange.objects.filter(order__in=ids, applied=True).values("order_id", "status", "at"),
        _step,
    )
    found = []
    for row in rows:
        pk = row.pop("pk")
        created, modified, approved = (row.pop(name) for name in TIMES)
        created_by, modified_by = row.pop("source__client_id"), row.pop("modified_by__client_id")
        document = filled(ORDER, row, ORDER_AMOUNTS)
        document |= {
            "order_id": pk,
            "user_id": str(store_id),
            "created": moment(created),
            "created_by": created_by,
            "modified": moment(modified),
            "modified_by": modified_by,
            "approved_date": approved and moment(approved),
            "timestamp": int(modified.timestamp()),
            "ack": False,
            "deleted": False,
            "tags": tags(shipments[pk]),
            "status_history": steps[pk],
            "items": items[pk],
            "payments": payments[pk],
            "shipments": shipments[pk],
        }
        found.append({"Order": document})
    body = {"total": mine.count(), "showing": len(found), "limit": LIMIT, "result": found}
    return _answer(body)


def _by_order(rows: Iterable[dict[str, Any]], write: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.pop("order_id")].append(write(row))
    return found


def _answer(body: dict[str, Any]) -> HttpResponse:
    content = orjson.dumps(body)
    headers = {"Content-Length": str(len(content))}  # else it is sent in chunks
    return HttpResponse(content, content_type="application/json", headers=headers)


# -- (a) DRF's ModelSerializer -------------------------------------------------------------------
class Hub(serializers.ModelSerializer):
    """Columns as DRF writes them; beside them what is kept as JSON."""

    id = serializers.CharField(source="public_id")
    FORM: dict[str, Any]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**self.FORM, **instance.fields, **super().to_representation(instance)}


class LineSerializer(Hub):
    FORM = ITEM

    class Meta:
        model = Line
        fields = ("id", *Line.COLUMNS)


class PaymentSerializer(Hub):
    FORM = PAYMENT

    class Meta:
        model = Payment
        fields = ("id", *Payment.COLUMNS)


class ShipmentSerializer(Hub):
    FORM = SHIPMENT

    class Meta:
        model = Shipment
        fields = ("id", *Shipment.COLUMNS)


class StepSerializer(serializers.ModelSerializer):
    date = serializers.DateTimeField(source="at")

    class Meta:
        model = StatusChange
        fields = ("status", "date")


class OrderSerializer(Hub):
    FORM = ORDER
    order_id = serializers.IntegerField(source="pk")
    user_id = serializers.CharField(source="store_id")
    created = serializers.DateTimeField(source="created_at")
    created_by = serializers.CharField(source="source.client_id")
    modified = serializers.DateTimeField(source="modified_at")
    modified_by = serializers.CharField(source="modified_by.client_id", default=None)
    approved_date = serializers.DateTimeField(source="approved_at")
    tags = serializers.SerializerMethodField()
    status_history = StepSerializer(many=True, source="status_changes")
    items = LineSerializer(many=True, source="lines")
    payments = PaymentSerializer(many=True)
    shipments = ShipmentSerializer(many=True)

    class Meta:
        model = Order
        fields = (
            "id", *Order.COLUMNS, "order_id", "user_id", "created", "created_by", "modified",
            "modified_by", "approved_date", "tags", "status_history", "items", "payments",
            "shipments",
        )  # fmt: skip

    def get_tags(self, order: Order) -> dict[str, int | None]:
        shipments = [
            {"documents": [], **each.fields, **{n: getattr(each, n) for n in Shipment.COLUMNS}}
            for each in order.shipments.all()
        ]
        return tags(shipments)


class WithSerializer(APIView):
    def get(self, request: Request, store_id: int, caller_id: int) -> Response:
        mine = Order.objects.filter(store=store_id).order_by("pk")
        orders = mine.select_related("source", "modified_by").prefetch_related(
            "lines", "payments", "shipments", "status_changes"
        )[:LIMIT]
        found = OrderSerializer(orders, many=True).data
        body = {
            "total": mine.count(),
            "showing": len(found),
            "limit": LIMIT,
            "result": [{"Order": each} for each in found],
        }
        response = Response(body)
        response.accepted_renderer, response.accepted_media_type, response.renderer_context = (
            request.accepted_renderer, request.accepted_media_type, self.get_renderer_context()
        )  # fmt: skip
        response.render()
        response["Content-Length"] = str(len(response.content))
        return response


# -- The minimal INSERTs ---------------------------------------------------------------------------
INTO_ORDER = """
    INSERT INTO orders_order (public_id, fields, store_id, source_id, original_id, channel,
        channel_account, status, total, approved_at, created_at, modified_at, modified_by_id,
        legal_hold, buyer_links)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false, 0) RETURNING id
"""
INTO_LINE = """
    INSERT INTO orders_line (public_id, fields, order_id, sku, name, quantity, price) VALUES
"""
INTO_PAYMENT = """
    INSERT INTO orders_payment (public_id, fields, order_id, payment_type, payment_total)
    VALUES (%s, %s, %s, %s, %s)
"""
INTO_SHIPMENT = f"""
    INSERT INTO orders_shipment (public_id, fields, order_id, {", ".join(Shipment.COLUMNS)})
    VALUES (%s, %s, %s{", %s" * len(Shipment.COLUMNS)})
"""  # noqa: S608
TEXTS = tuple(name for name in Shipment.COLUMNS if name not in DATES)


@transaction.atomic
def insert(request: HttpRequest, store_id: int, caller_id: int) -> HttpResponse:
    document = orjson.loads(request.body)
    items, payments, shipments = (document.pop(name) for name in ("items", "payments", "shipments"))
    public_id, now = token_hex(12), timezone.now()
    head = [document.pop(n, "") for n in ("original_id", "channel", "channel_account", "status")]
    total = document.pop("total")
    with connection.cursor() as cursor:
        cursor.execute(
            INTO_ORDER,
            [
                public_id,
                _json(document),
                store_id,
                caller_id,
                *head,
                total,
                now,
                now,
                now,
                caller_id,
            ],
        )
        (pk,) = cursor.fetchone()
        values: list[Any] = []
        for item in items:
            columns = [item.pop(name) for name in Line.COLUMNS]
            values += [token_hex(12), _json(item), pk, *columns]
        rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(items))
        cursor.execute(INTO_LINE + rows, values)
        for payment in payments:
            columns = [payment.pop(name) for name in Payment.COLUMNS]
            cursor.execute(INTO_PAYMENT, [token_hex(12), _json(payment), pk, *columns])
        for shipment in shipments:
            columns = [
                shipment.pop(n, None) or ("" if n in TEXTS else None) for n in Shipment.COLUMNS
            ]
            cursor.execute(INTO_SHIPMENT, [token_hex(12), _json(shipment), pk, *columns])
    response = _answer({"id": public_id})
    response.status_code = 201
    return response


def _json(document: dict[str, Any]) -> Jsonb:
    return Jsonb(document, orjson.dumps)


WHOSE = "stores/<int:store_id>/callers/<int:caller_id>"
urlpatterns = [
    path(f"{WHOSE}/values", with_values),
    path(f"{WHOSE}/serializer", WithSerializer.as_view()),
    path(f"{WHOSE}/orders", insert),
]
