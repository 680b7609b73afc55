"""What the specifications mean for orders, connector by connector (product.md, the table)."""

from typing import cast

import pytest

from connectors.records import OrderStatus
from connectors.registry import SPECS

PENDING, APPROVED, CANCELED = OrderStatus.PENDING, OrderStatus.APPROVED, OrderStatus.CANCELED
INVOICED, SHIPPED, DELIVERED = OrderStatus.INVOICED, OrderStatus.SHIPPED, OrderStatus.DELIVERED
SHIPPING_INFORMED = OrderStatus.SHIPPING_INFORMED
PAID = OrderStatus.PAID  # an old word for approved
REFUNDED = OrderStatus.REFUNDED
# The statuses in which each takes an order; of which it is told, once it took one; that it reports.
MEANT: dict[str, tuple[set[OrderStatus], set[OrderStatus], set[OrderStatus]]] = {
    "rocky": (
        {PENDING, APPROVED, PAID},
        {PENDING, APPROVED, PAID, CANCELED, REFUNDED},
        {INVOICED, SHIPPING_INFORMED},
    ),
    "webstore": ({APPROVED, PAID}, {APPROVED, PAID}, {INVOICED, SHIPPING_INFORMED, SHIPPED}),
    "linx": (
        set(OrderStatus),
        set(OrderStatus),
        {INVOICED, SHIPPING_INFORMED, SHIPPED, DELIVERED},
    ),
    "otimo": ({APPROVED, PAID}, {APPROVED, PAID}, {INVOICED}),
    "olist": (
        {APPROVED, PAID},
        {APPROVED, PAID, CANCELED, REFUNDED},
        {INVOICED, SHIPPING_INFORMED, SHIPPED, DELIVERED},
    ),
    "pluga": (set(), set(), set()),
    "pluggto": (set(), set(), set()),
    "rockyerp": (set(), set(), set()),
    "linxlayer": (set(), set(), set()),
}
every_connector = pytest.mark.parametrize("slug", MEANT)


def test_what_each_connector_means_is_written_down() -> None:
    assert set(SPECS) - set(MEANT) == set(), "write it down in MEANT"


@every_connector
def test_a_connector_takes_orders_only_in_the_statuses_that_it_consumes(slug: str) -> None:
    wanted, _followed, _reported = MEANT[slug]

    assert {status for status in OrderStatus if SPECS[slug].wants(status)} == wanted


@every_connector
def test_a_connector_is_told_what_it_follows_of_an_order_that_it_took(slug: str) -> None:
    _wanted, followed, _reported = MEANT[slug]

    assert {status for status in OrderStatus if SPECS[slug].follows(status)} == followed


def test_a_status_as_the_database_gives_it_is_followed_too() -> None:
    stored = cast(OrderStatus, "canceled")

    assert SPECS["rocky"].follows(stored)
    assert not SPECS["webstore"].follows(stored)


@every_connector
def test_a_connector_may_report_only_the_statuses_of_its_reports(slug: str) -> None:
    _wanted, _followed, reported = MEANT[slug]

    assert SPECS[slug].may_report == reported


def test_orders_come_from_channels_and_only_a_partner_posts_them() -> None:
    assert [slug for slug, spec in SPECS.items() if spec.is_channel] == ["pluga", "pluggto"]
    assert [slug for slug, spec in SPECS.items() if spec.creates_orders] == ["pluga"]


def test_the_catalogue_comes_from_those_whose_route_ends_here() -> None:
    senders = [slug for slug, spec in SPECS.items() if spec.sends_catalogue]
    told = [slug for slug, spec in SPECS.items() if spec.is_told_products]

    assert senders == ["rocky", "webstore", "linx", "olist", "rockyerp", "linxlayer"]
    assert told == ["pluga"]
