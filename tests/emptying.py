"""Emptying the database after a test that committed.

Django's own way empties every table and lets the migrations' signals write anew what belongs there:
content types, permissions, roles, connectors. That took longer than most of the tests.
"""

from django.db import connection, transaction
from django.test import TransactionTestCase

from connectors.services import sync_connectors

# No test changes these.
KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def empty(_case: TransactionTestCase) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys are looked at when it commits, by both databases.
        for table in sorted(set(connection.introspection.table_names(cursor)) - KEPT):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608
        sync_connectors()


def empty_in_our_way() -> None:
    TransactionTestCase._fixture_teardown = empty
