"""Thousands of rows in one statement. PostgreSQL takes each column as one array, which is several
times as fast as a placeholder for each value; other databases take Django's own bulk methods."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.expressions import RawSQL

from connectors.prepared import as_array, listed, many

AT_ONCE = 500
FEW = 200  # are as quick in one statement, which need not ask for their ids before


def among(values: Collection[Any]) -> Any:
    """For `__in`: numbers, or texts. Thousands of placeholders cost more than what they ask for."""
    if connection.vendor != "postgresql" or not values:
        return list(values)
    kind = "bigint" if isinstance(next(iter(values)), int) else "text"
    return RawSQL(listed(kind), [many(values)])  # noqa: S611  no text of anybody's


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
        values = [list(rows), *map(list, zip(*rows.values(), strict=True))]
        cursor.execute(sql, [as_array(column) for column in values])


def upsert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    unique: Sequence[str],
    **same: Any,
) -> None:
    """Insert these rows, with what is the `same` in all of them; where one with the same `unique`
    columns is there, change that one."""
    if connection.vendor == "postgresql":
        _insert(model, columns, rows, same, unique)
        return
    model._default_manager.bulk_create(
        _objects(model, columns, rows, same),
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=unique,
        update_fields=[name for name in (*columns, *same) if name not in unique],
    )


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], **same: Any
) -> None:
    """Insert these rows, with what is the `same` in all of them, and defaults for the rest. Nobody
    learns their ids: then there need be no objects."""
    if connection.vendor != "postgresql":
        objects = _objects(model, columns, rows, same)
        model._default_manager.bulk_create(objects, batch_size=AT_ONCE)
        return
    made = {}
    for field in model._meta.concrete_fields:
        if field.primary_key or field.attname in (*columns, *same):
            continue
        if field.has_default() and callable(field.default):
            made[field.attname] = field.default
        elif (value := field.get_default()) is not None:
            same[field.attname] = value
    if made:
        rows = [(*row, *(default() for default in made.values())) for row in rows]
    _insert(model, (*columns, *made), rows, same)


def _objects(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any],
) -> list[models.Model]:
    return [model(**dict(zip(columns, row, strict=True)), **same) for row in rows]


def _insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any],
    unique: Sequence[str] = (),
) -> None:
    if not rows:
        return
    sql, jsons = _insertion(model, tuple(columns), tuple(same), tuple(unique))
    values: list[Any] = [*same.values(), *map(list, zip(*rows, strict=True))]
    for i, value in enumerate(values):
        if i in jsons:
            values[i] = json.dumps(value)
        elif i >= len(same):
            values[i] = as_array(value)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@cache  # for one row, to write the statement takes longer than to run it
def _insertion(
    model: type[models.Model],
    columns: tuple[str, ...],
    same: tuple[str, ...],
    unique: tuple[str, ...],
) -> tuple[str, list[int]]:
    """The statement, and which of its parameters are JSON."""
    quote = connection.ops.quote_name
    fields = {name: _field(model, name) for name in (*same, *columns)}
    constant, varying = ([fields[name] for name in names] for names in (same, columns))
    into = ", ".join(quote(field.column) for field in fields.values())
    values = ", ".join([*(f"%s::{_type(field)}" for field in constant), "new.*"])
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({into})"  # noqa: S608
        f" SELECT {values} FROM ROWS FROM ({', '.join(map(_listed, varying))})"
        f" AS new({_names(varying)})"
    )
    if unique:
        key = ", ".join(quote(fields[name].column) for name in unique)
        changing = [quote(field.column) for name, field in fields.items() if name not in unique]
        sets = ", ".join(f"{column} = excluded.{column}" for column in changing)
        sql += f" ON CONFLICT ({key}) DO UPDATE SET {sets}"
    jsons = [i for i, f in enumerate(fields.values()) if isinstance(f, models.JSONField)]
    return sql, jsons


def insert_all(rows: Sequence[models.Model]) -> None:
    """New rows of one model, which have their ids afterwards. To PostgreSQL many go as a stream."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        type(rows[0])._default_manager.bulk_create(rows)
    elif len(rows) < FEW:
        _insert_few(rows)
    else:
        _stream(rows)


def _insert_few(rows: Sequence[models.Model]) -> None:
    sql, fields = _insertion_of(type(rows[0]), len(rows))
    here = connections[DEFAULT_DB_ALIAS]  # asked for once, not for each value
    values = [
        prepare(getattr(row, name), connection=here) for row in rows for name, prepare in fields
    ]
    with here.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    for row, (pk,) in zip(rows, found, strict=True):
        row.pk = pk
    _note_stored(rows)


@lru_cache(maxsize=500)
def _insertion_of(model: type[models.Model], rows: int) -> tuple[str, list[tuple[str, Any]]]:
    """The statement, and how the values of each row are made ready for it."""
    quote, key = connection.ops.quote_name, cast(Any, model._meta.pk)
    is_made = isinstance(key, models.AutoField)
    columns: Any = model._meta.concrete_fields
    fields = [field for field in columns if not (is_made and field is key)]
    into = ", ".join(quote(field.column) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({into})"  # noqa: S608
        f" VALUES {', '.join([row] * rows)} RETURNING {quote(key.column)}"
    )
    return sql, [(field.attname, field.get_db_prep_save) for field in fields]


def _stream(rows: Sequence[models.Model]) -> None:
    model = type(rows[0])
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
    _note_stored(rows)


def _note_stored(rows: Sequence[models.Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _field(model: type[models.Model], name: str) -> Any:
    return next(f for f in model._meta.concrete_fields if name in (f.name, f.attname))


def _types(fields: Sequence[Any]) -> str:
    return ", ".join(f"%s::{_type(field)}[]" for field in fields)


def _type(field: Any) -> str:
    """Without its length: a cast would cut what is too long, where the column refuses it."""
    return str(field.rel_db_type(connection)).partition("(")[0]


def _listed(field: Any) -> str:
    """A column's values, one under the other. JSON comes as one list of itself."""
    json_field = isinstance(field, models.JSONField)
    return "jsonb_array_elements(%s::jsonb)" if json_field else f"unnest(%s::{_type(field)}[])"


def _names(fields: Sequence[Any]) -> str:
    return ", ".join(f"v{i}" for i in range(len(fields)))
