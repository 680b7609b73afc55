"""What a migration does to a large table while the portal writes into it, on PostgreSQL."""

import re

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.upgrades.release import MIGRATIONS

pytestmark = [
    pytest.mark.django_db(transaction=True),  # an index made meanwhile wants none
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]

LARGE = {
    apps.get_model(label)._meta.db_table
    for label in (
        "catalog.Modification", "catalog.Price", "catalog.Product", "catalog.Sent",
        "catalog.Stock", "catalog.Taken",
        "connectors.Delivery", "connectors.Event", "connectors.Failure", "connectors.Notice",
        "connectors.Run", "orders.Line", "orders.Order", "orders.OrderLink", "orders.OrderWord",
        "orders.Payment", "orders.Shipment", "orders.StatusChange", "orders.WrittenOrder",
    )
}  # fmt: skip
# They read the whole table, and whoever would write into it waits.
SLOW = (
    re.compile(r'CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).*? ON "(\w+)"'),
    re.compile(r'ALTER TABLE "(\w+)" ALTER COLUMN "\w+" (?:TYPE|SET NOT NULL)'),
    re.compile(r'ALTER TABLE "(\w+)" ADD CONSTRAINT'),
    re.compile(r'ALTER TABLE "(\w+)" ADD COLUMN .* CONSTRAINT .* REFERENCES'),
)
CREATES = re.compile(r'CREATE TABLE "(\w+)"')
# Some seconds for each million rows. Whoever comes from before them stops the portal meanwhile.
BEFORE = {
    "catalog.0002_synchronisation",
    "catalog.0004_indexes",
    "catalog.0005_fewer_indexes",
    "catalog.0006_lighter_products",
    "connectors.0002_synchronisation",
    "connectors.0004_trust",
    "connectors.0005_indexes",
    "connectors.0006_personal_data",
    "connectors.0007_lists",
    "connectors.0008_sealed_originals",
    "connectors.0010_fewer_indexes",
    "connectors.0013_event_ids",
    "orders.0002_synchronisation",
    "orders.0003_merchants",
    "orders.0004_indexes",
    "orders.0009_fewer_indexes",
}


def waits(label: str, name: str) -> set[str]:
    """The large tables that it makes its writers wait for."""
    loader = MigrationExecutor(connection).loader
    migration = loader.graph.nodes[label, name]
    statements = loader.collect_sql([(migration, False)])
    made = {table for line in statements for table in CREATES.findall(line)}
    found = {table for line in statements for rule in SLOW for table in rule.findall(line)}
    return (found & LARGE) - made


def test_no_migration_makes_a_large_tables_writers_wait() -> None:
    ours = [key for key in MigrationExecutor(connection).loader.graph.nodes if key[0] in MIGRATIONS]

    slow = {f"{label}.{name}" for label, name in sorted(ours) if waits(label, name)}

    assert slow == BEFORE
