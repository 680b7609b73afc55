"""Rows that are written by one statement."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from connectors.bulk import FEW, insert_all
from connectors.models import Event, Store

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("many", [3, FEW])
def test_rows_that_are_inserted_have_their_ids_and_every_value(store: Store, many: int) -> None:
    rows = [
        Event(store=store, hook="order.created", object_id=f"O{n}", data={"a": ["'x", n]}, at=AT)
        for n in range(many)
    ]

    insert_all(rows)

    stored = Event.objects.in_bulk([row.pk for row in rows])
    for row in rows:
        theirs = stored[row.pk]
        for field in Event._meta.concrete_fields:
            assert getattr(theirs, field.attname) == getattr(row, field.attname)
    assert not rows[0]._state.adding


def test_nothing_is_inserted_of_no_rows(store: Store, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        insert_all([])


def test_what_the_database_refuses_is_refused(store: Store) -> None:
    first = Event(store=store, hook="order.created", object_id="O1", data={})
    insert_all([first])

    again = Event(store=store, hook="x", object_id="O1", data={}, public_id=first.public_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all([again])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps what is too long")
def test_a_text_that_is_too_long_is_refused_and_not_cut(store: Store) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_all([Event(store=store, hook="x", object_id="O" * 201, data={})])
