"""Thousands of rows in one statement. PostgreSQL takes each column as one array, which is several
times as fast as a placeholder for each value; other databases take Django's own bulk methods."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

AT_ONCE = 500
FEW = 50  # are as quick as Django writes them, in one statement


def among(values: Collection[Any]) -> Any:
    """For `__in`: numbers, or texts. Thousands of placeholders cost more than what they ask for."""
    if connection.vendor != "postgresql" or not values:
        return list(values)
    if isinstance(next(iter(values)), int):
        # As text, which the driver need not look through.
        return RawSQL("SELECT unnest(%s::bigint[])", [f"{{{','.join(map(str, values))}}}"])
    return RawSQL("SELECT unnest(%s::text[])", [list(values)])


def update_rows(
    model: type[models.Model], columns: Sequence[str], rows: Mapping[int, Sequence[Any]]
) -> None:
    """Set these columns of the rows with these primary keys, each to its own values."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        objects = [
            model(pk=pk, **dict(zip(columns, values, strict=True))) for pk, values in rows.items()
        ]
        model._default_manager.bulk_update(objects, columns, batch_size=AT_ONCE)
        return
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in columns)]
    sets = ", ".join(f"{quote(field.column)} = new.v{i}" for i, field in enumerate(fields) if i)
    sql = (
        f"UPDATE {quote(model._meta.db_table)} AS old SET {sets} FROM unnest({_types(fields)})"  # noqa: S608
        f" AS new({_names(fields)}) WHERE old.{quote(fields[0].column)} = new.v0"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(rows), *map(list, zip(*rows.values(), strict=True))])


def upsert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    unique: Sequence[str],
) -> None:
    """Insert these rows; where one with the same `unique` columns is there, change that one."""
    if not rows:
        return
    changing = [name for name in columns if name not in unique]
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(
            [model(**dict(zip(columns, row, strict=True))) for row in rows],
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=unique,
            update_fields=changing,
        )
        return
    quote = connection.ops.quote_name
    fields = {name: _field(model, name) for name in columns}
    into = ", ".join(quote(field.column) for field in fields.values())
    key = ", ".join(quote(fields[name].column) for name in unique)
    sets = ", ".join(
        f"{quote(column)} = excluded.{quote(column)}"
        for column in (fields[name].column for name in changing)
    )
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({into})"  # noqa: S608
        f" SELECT * FROM unnest({_types(list(fields.values()))})"
        f" ON CONFLICT ({key}) DO UPDATE SET {sets}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, list(map(list, zip(*rows, strict=True))))


def insert_all(rows: Sequence[models.Model]) -> None:
    """New rows of one model, which have their ids afterwards. To PostgreSQL many go as a stream."""
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql" or len(rows) < FEW:
        model._default_manager.bulk_create(rows, batch_size=AT_ONCE)
        return
    quote, table, key = connection.ops.quote_name, model._meta.db_table, model._meta.pk
    fields: Any = model._meta.concrete_fields
    into = ", ".join(quote(field.column) for field in fields)
    with connection.cursor() as cursor:
        if isinstance(key, models.AutoField):
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [quote(table), key.column, len(rows)],
            )
            for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
                row.pk = number
        with cursor.copy(f"COPY {quote(table)} ({into}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    [f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields]
                )


def _field(model: type[models.Model], name: str) -> Any:
    return next(f for f in model._meta.concrete_fields if name in (f.name, f.attname))


def _types(fields: Sequence[Any]) -> str:
    return ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in fields)


def _names(fields: Sequence[Any]) -> str:
    return ", ".join(f"v{i}" for i in range(len(fields)))
