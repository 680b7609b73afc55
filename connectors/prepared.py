"""What is asked at every call, and is the same but for its values: the ORM writes the statement at
the first asking, which takes it several times as long as the rest, and only fills in afterwards.

    STOCK_OF = Prepared(lambda: Stock.objects.filter(product=Slot("product")))
    STOCK_OF(product=1)

Whatever a statement depends on but its slots (a setting, today's date) must not be in it.
"""

import json
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.expressions import Expression, RawSQL

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
    return RawSQL(listed(kind), [Slot(name)])  # noqa: S611


def listed(kind: str) -> str:
    """The same, in a statement by hand."""
    if connection.vendor == "postgresql":
        return f"SELECT unnest(%s::{kind}[])"
    return "SELECT value FROM json_each(%s)"


def many(values: Collection[int] | Collection[str]) -> Any:
    """In one parameter."""
    is_postgresql = connection.vendor == "postgresql"
    return as_array(list(values)) if is_postgresql else json.dumps(list(values))


def as_array(values: list[Any]) -> Any:
    """For PostgreSQL: numbers as text, which the driver need not look through."""
    some = next((value for value in values if value is not None), None)
    if not isinstance(some, int | Decimal) or isinstance(some, bool):
        return values
    return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"


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
        compiler.has_composite_fields = lambda expressions: False  # there are none in any model
        compiler.connection = None  # this thread's
        self._written = queryset, compiler, sql, tuple(params)
        return self._written


def _twin(of: Any) -> Any:
    """Another one with all that is its own. The ORM's ways ask the database, or copy for long."""
    twin = object.__new__(type(of))
    twin.__dict__.update(of.__dict__)
    return twin
