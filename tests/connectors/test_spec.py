"""What the specifications mean for orders, connector by connector (product.md, the table)."""

from typing import cast

import pytest

from connectors.records import OrderStatus
from connectors.registry import SPECS

PENDING, APPROVED, CANCELED = OrderStatus.PENDING, OrderStatus.APPROVED, OrderStatus.CANCELED
INVOICED, SHIPPED, DELIVERED = OrderStatus.INVOICED, OrderStatus.SHIPPED, OrderStatus.DELIVERED
SHIPPING_INFORMED = OrderStatus.SHIPPING_INFORMED
PAID = OrderStatus.PAID  # an old word for approved


@pytest.mark.parametrize(
    ("slug", "wanted"),
    [
        ("rocky", {PENDING, APPROVED, PAID}),
        ("webstore", {APPROVED, PAID}),
        ("linx", set(OrderStatus)),
        ("otimo", {APPROVED, PAID}),
        ("olist", {APPROVED, PAID}),
        ("pluga", set()),
        ("pluggto", set()),
    ],
)
def test_a_connector_takes_orders_only_in_the_statuses_that_it_consumes(
    slug: str, wanted: set[OrderStatus]
) -> None:
    assert {status for status in OrderStatus if SPECS[slug].wants(status)} == wanted


@pytest.mark.parametrize(
    ("slug", "followed"),
    [
        ("rocky", {PENDING, APPROVED, PAID, CANCELED, OrderStatus.REFUNDED}),
        ("webstore", {APPROVED, PAID}),
        ("linx", set(OrderStatus)),
        ("otimo", {APPROVED, PAID}),
        ("olist", {APPROVED, PAID, CANCELED, OrderStatus.REFUNDED}),
        ("pluga", set()),
        ("pluggto", set()),
    ],
)
def test_a_connector_is_told_what_it_follows_of_an_order_that_it_took(
    slug: str, followed: set[OrderStatus]
) -> None:
    assert {status for status in OrderStatus if SPECS[slug].follows(status)} == followed


def test_a_status_as_the_database_gives_it_is_followed_too() -> None:
    stored = cast(OrderStatus, "canceled")

    assert SPECS["rocky"].follows(stored)
    assert not SPECS["webstore"].follows(stored)


@pytest.mark.parametrize(
    ("slug", "reported"),
    [
        ("rocky", {INVOICED, SHIPPING_INFORMED}),
        ("webstore", {INVOICED, SHIPPING_INFORMED, SHIPPED}),
        ("linx", {INVOICED, SHIPPING_INFORMED, SHIPPED, DELIVERED}),
        ("otimo", {INVOICED}),
        ("olist", {INVOICED, SHIPPING_INFORMED, SHIPPED, DELIVERED}),
        ("pluga", set()),
        ("pluggto", set()),
    ],
)
def test_a_connector_may_report_only_the_statuses_of_its_reports(
    slug: str, reported: set[OrderStatus]
) -> None:
    assert SPECS[slug].may_report == reported


def test_orders_come_from_channels_and_only_a_partner_posts_them() -> None:
    assert [slug for slug, spec in SPECS.items() if spec.is_channel] == ["pluga", "pluggto"]
    assert [slug for slug, spec in SPECS.items() if spec.creates_orders] == ["pluga"]


def test_the_catalogue_comes_from_those_whose_route_ends_here() -> None:
    senders = [slug for slug, spec in SPECS.items() if spec.sends_catalogue]
    told = [slug for slug, spec in SPECS.items() if spec.is_told_products]

    assert senders == ["rocky", "webstore", "linx", "olist", "rockyerp", "linxlayer"]
    assert told == ["pluga"]
