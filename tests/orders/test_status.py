"""How an order's status may move (pluggto-api.md, section 7.1)."""

import pytest

from connectors.records import OrderStatus as S
from orders.status import STAGE, may_become


def test_every_status_has_its_place():
    assert set(STAGE) == set(S)


@pytest.mark.parametrize(
    ("status", "following"),
    [
        (S.PENDING, S.APPROVED),
        (S.PENDING, S.UNDER_REVIEW),
        (S.UNDER_REVIEW, S.PENDING),
        (S.APPROVED, S.WAITING_INVOICE),
        (S.APPROVED, S.SHIPPING_INFORMED),
        (S.WAITING_INVOICE, S.INVOICED),
        (S.INVOICED, S.INVOICE_ERROR),
        (S.INVOICE_ERROR, S.INVOICED),
        (S.SHIPPING_INFORMED, S.SHIPPED),
        (S.SHIPPED, S.DELIVERED),
        *((status, S.CANCELED) for status in S),
        *((status, S.REFUNDED) for status in S),
    ],
)
def test_an_order_may_go_on(status, following):
    assert may_become(status, following)


@pytest.mark.parametrize(
    ("status", "following"),
    [
        (S.APPROVED, S.PENDING),
        (S.INVOICED, S.APPROVED),
        (S.SHIPPED, S.INVOICED),
        (S.DELIVERED, S.SHIPPED),
        *((S.CANCELED, status) for status in sorted(set(S) - {S.CANCELED, S.REFUNDED})),
    ],
)
def test_an_order_does_not_go_back(status, following):
    assert not may_become(status, following)
