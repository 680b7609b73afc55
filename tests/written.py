"""After each test that wrote orders: what the API would answer of them is what they are."""

import json
from typing import Any

import pytest
from django.db import connection

from orders.models import WrittenOrder
from orders.wire import Parts
from orders.written import compose

DATABASE = {"db", "transactional_db"}
# Tests set the clock back by hand.
TIMES = ("created", "modified", "approved_date", "timestamp")


def check(test: pytest.Item) -> None:
    if not DATABASE.isdisjoint(getattr(test, "fixturenames", ())) and not connection.needs_rollback:
        wrong = {text.order_id for text in WrittenOrder.objects.all() if not is_true(text)}
        assert not wrong, f"orders {sorted(wrong)} were changed, and not written down"


def is_true(text: WrittenOrder) -> bool:
    order = text.order
    return _without_times(text.body) == _without_times(compose(order, Parts.of(order)))


def _without_times(body: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body.replace("\x1d", "0"))
    for step in document["status_history"]:
        del step["date"]
    return {name: value for name, value in document.items() if name not in TIMES}
