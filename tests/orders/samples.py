"""Orders as channels send them."""

import json
from pathlib import Path
from typing import Any

from connectors import wire
from connectors.payload import Payload
from orders.wire import OrderDocument, read_order

ROOT = Path(__file__).parent.parent
FULL = json.loads((ROOT / "connectors/pluggto/order_full.json").read_text("utf-8"))["Order"]

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
