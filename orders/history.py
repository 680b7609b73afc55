"""An order's history: each step, and who took it."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from connectors.bulk import insert_all
from connectors.models import Activation
from connectors.records import OrderStatus
from orders.models import Order, StatusChange, author_of

By = Activation | AbstractBaseUser | None


def record_step(order: Order, previous: str, by: By) -> StatusChange:
    step = StatusChange(order=order, status=order.status, previous=previous, **_author_fields(by))
    insert_all([step])
    return step


def record_refusal(order: Order, status: OrderStatus, by: By) -> bool:
    """Once: somebody who asks every minute for the same says nothing new. Whether it is news."""
    _step, is_news = StatusChange.objects.get_or_create(
        order=order, status=status, previous=order.status, applied=False, **_author_fields(by)
    )
    return is_news


def _author_fields(by: By) -> dict[str, Any]:
    return {
        "activation": by if isinstance(by, Activation) else None,
        "user": by if isinstance(by, AbstractBaseUser) else None,
        "author": author_of(by)[:200],
    }
