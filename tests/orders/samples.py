"""Orders as channels send them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django_q.models import OrmQ

from connectors.hub import wire
from connectors.models import Activation, Store
from connectors.payload import Payload
from connectors.records import LineRecord, OrderRecord, OrderStatus
from orders.wire import OrderDocument, read_order
from tests.conftest import make_managed

ROOT = Path(__file__).parent.parent
FULL = json.loads((ROOT / "connectors/pluggto/order_full.json").read_text("utf-8"))["Order"]

HUB = {"client_id": "a", "client_secret": "b", "api_user": "1", "api_secret": "c"}
# What the hub says of an order by itself, whatever was sent.
OURS = wire.ORDER_COMPUTED


def full_order(**changes: Any) -> dict[str, Any]:
    """Every field that a channel may send, with some of it changed."""
    return {name: value for name, value in FULL.items() if name not in OURS} | changes


def small_order(number: str = "1001", **changes: Any) -> dict[str, Any]:
    return {
        "original_id": number,
        "channel": "MercadoLivre",
        "status": "approved",
        "total": 59.9,
        "items": [{"sku": "CAN-07", "name": "Caneca", "quantity": 2, "price": 29.95}],
        **changes,
    }


def document(number: str = "1001", **changes: Any) -> OrderDocument:
    """A small order, as the services take it."""
    return read_order(Payload(small_order(number, **changes)))


RECORD = OrderRecord(
    status=OrderStatus.PENDING,
    original_id="2000011434004146",
    channel="MercadoLivre",
    total=Decimal("59.90"),
    lines=(LineRecord("CAN-07", 2, Decimal("29.95")),),
    fields={"payer_name": "Ana", "sale_intermediary": "12ABC34501DE35"},
    payments=({"payment_type": "credit", "payment_total": "59.9"},),
    shipments=({"id": "680e1e2fa7b4c10012d3f0e1", "shipping_company": "Mercado Envios"},),
    external_id="680e1e2fa7b4c10012d3f0a1",
)


def become(status: OrderStatus) -> OrderDocument:
    return OrderDocument(head={}, status=status)


def managed(store: Store, slug: str) -> Activation:
    """With an empty queue: what it queued itself is no news."""
    received = HUB if slug == "pluggto" else {"token": "t"}
    activation = make_managed(store, slug, f"https://{slug}.example", received)
    OrmQ.objects.all().delete()
    return activation
