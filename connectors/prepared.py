"""What is asked at every call, and is the same but for its values: the ORM writes the statement at
the first asking, which takes it several times as long as the rest, and only fills in afterwards.

    STOCK_OF = Prepared(lambda: Stock.objects.filter(product=Slot("product")))
    STOCK_OF(product=1)

Whatever a statement depends on but its slots (a setting, today's date) must not be in it.
"""

import json
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.expressions import Expression, RawSQL

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")


class Slot(Expression):
    """Where a value will stand, as its column has it: a number, or a text."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


def slot_of_many(name: str, kind: str) -> Any:
    """For `__in`: numbers ("bigint"), or texts ("text"), which are given by `many`."""
    if connection.vendor == "postgresql":
        return RawSQL(f"SELECT unnest(%s::{kind}[])", [Slot(name)])  # noqa: S611
    return RawSQL("SELECT value FROM json_each(%s)", [Slot(name)])


def many(values: Collection[int] | Collection[str]) -> Any:
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))


class Prepared(Generic[R]):
    """A question. `ask` says it with slots; it is called with their values."""

    def __init__(self, ask: Callable[[], "models.QuerySet[Any, R]"]) -> None:
        self._ask = ask
        self._written: tuple[Any, Any, str, tuple[Any, ...]] | None = None

    def __call__(self, **values: Any) -> list[R]:
        queryset, compiler, sql, params = self._written or self._write()
        # The very objects that would read an answer to the ORM's own statement, for this asking:
        # another thread may ask the same at this moment, over its own connection.
        asked, query, compiler = _twin(queryset), _twin(queryset.query), _twin(compiler)
        filled = tuple(values[each.name] if isinstance(each, Slot) else each for each in params)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.as_sql = lambda *args, **options: (sql, filled)
        query.get_compiler = lambda *args, **options: compiler
        asked._query = query
        return list(asked._iterable_class(asked))

    def _write(self) -> tuple[Any, Any, str, tuple[Any, ...]]:
        queryset = self._ask()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([each for each, *_as in compiler.select])
        compiler.get_converters = lambda expressions: converters
        compiler.connection = None  # this thread's
        self._written = queryset, compiler, sql, tuple(params)
        return self._written


def _twin(of: Any) -> Any:
    """Another one with all that is its own. The ORM's ways ask the database, or copy for long."""
    twin = object.__new__(type(of))
    twin.__dict__.update(of.__dict__)
    return twin


def insert(*rows: M) -> None:
    """New rows of one model, a few; they have their ids afterwards."""
    if not rows:
        return
    model, here = type(rows[0]), connections[DEFAULT_DB_ALIAS]
    if here.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    sql, fields = _insertion(model, len(rows))
    values = [
        prepare(getattr(row, name), connection=here) for row in rows for name, prepare in fields
    ]
    with here.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    for row, (pk,) in zip(rows, found, strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@lru_cache(maxsize=500)
def _insertion(model: type[models.Model], rows: int) -> tuple[str, list[tuple[str, Any]]]:
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
