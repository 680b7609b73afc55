"""What a list is asked for: `?field=value`, a span of time, an order (pluggto-api.md, sections 4.2
and 5.3). The list is one store's; its index bounds whatever a field without a column costs."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThan

from connectors.errors import Refused
from connectors.hub.hubobject import HubObject
from connectors.hub.wire import NOT_DATA, READERS, Kind, moment_text
from connectors.payload import LOCAL, read_value, to_flag, to_moment, to_text, to_whole

Rows = TypeVar("Rows", bound=QuerySet)
Query = Mapping[str, str]

# They say how a list is shown, and not what is in it.
NOT_FILTERS = NOT_DATA | {
    "limit", "page", "next", "orderby", "orderdirection", "order", "sort", "showExternal",
}  # fmt: skip
EVERYTHING, NOTHING = Q(), Q(pk__in=())
# Our answers show milliseconds, our columns hold microseconds: what is shown must be found.
SHOWN = timedelta(milliseconds=1)


def search(
    rows: Rows, model: type[HubObject], query: Query, own: Mapping[str, Callable[[str], Q]]
) -> Rows:
    """The rows that have every value that is asked for; `own` are the fields that are not simply
    one of the row's. An empty value asks for nothing, and a field that nobody has is nobody's.

    Raises `Unreadable` for a value that its field cannot have.
    """
    for name, text in query.items():
        if text and name not in NOT_FILTERS:
            text = read_value(text, to_text, f"?{name}")
            rows = rows.filter(own[name](text) if name in own else _has(model, name, text))
    return rows


def _has(model: type[HubObject], name: str, text: str) -> Q:
    kind = model.TABLE.get(name, Kind.ANY)
    if kind in (Kind.LIST, Kind.OBJECT) or not name.isidentifier():
        return NOTHING
    if kind is Kind.MOMENT:
        return within(_kept(name), name, text, moment_text)
    value = read_value(text, READERS[kind], f"?{name}")
    if name in model.COLUMNS:
        return Q(**{name: value})
    return Q(Exact(_kept(name), str(value).lower() if kind is Kind.FLAG else str(value)))


def _kept(name: str) -> Combinable:
    """A field that has no column, as the text that stands in the JSON."""
    return Cast(KeyTextTransform(name, "fields"), TextField())


def within(
    column: str | Combinable,
    name: str,
    text: str,
    convert: Callable[[datetime], Any] = lambda moment: moment,
) -> Q:
    """`AtoB`, or one of the two, or `A` alone. A date is its whole day in São Paulo.

    Raises `Unreadable`.
    """
    column = F(column) if isinstance(column, str) else column
    first, separator, last = text.partition("to")
    condition = EVERYTHING
    if first:
        begin, _end = read_value(first, _span, f"?{name}")
        condition &= Q(GreaterThanOrEqual(column, convert(begin)))
    if last or not separator:
        _begin, end = read_value(last or first, _span, f"?{name}")
        condition &= Q(LessThan(column, convert(end)))
    return condition


def _span(text: str) -> tuple[datetime, datetime]:
    """From its first instant to the first one after it. A time without a fraction is its whole
    second: whoever asks second by second misses nothing."""
    begin = to_moment(text)
    if len(text.strip()) > len("2025-04-27"):
        return begin, begin + (SHOWN if "." in text else timedelta(seconds=1))
    return begin, to_moment(str((begin.astimezone(LOCAL) + timedelta(days=1)).date()))


def in_second(column: str, text: str) -> Q:
    """Of the Unix time that `?timestamp=` asks for. Raises `Unreadable`."""
    begin = read_value(text, _unix_time, "?timestamp")
    return Q(**{f"{column}__gte": begin, f"{column}__lt": begin + timedelta(seconds=1)})


def _unix_time(value: str) -> datetime:
    return datetime.fromtimestamp(to_whole(value), UTC)


def shows_external(query: Query) -> bool:
    """Raises `Unreadable`."""
    return read_value(query.get("showExternal", ""), to_flag, "?showExternal")


def ordering(query: Query, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns to order by, unique together: `?orderby=created&orderdirection=desc`,
    `?sort=-created`, or `?order=desc` alone. Oldest first where nothing is asked.

    Raises `Refused`.
    """
    name = query.get("sort") or query.get("orderby") or ""
    direction = query.get("orderdirection") or query.get("order") or "asc"
    if name.startswith("-"):
        name, direction = name[1:], "desc"
    if direction.lower() not in ("asc", "desc"):
        raise Refused(f"?order={direction[:20]}: use asc or desc")
    if name and name not in columns:
        raise Refused(f"?orderby={name[:20]}: use one of {', '.join(columns)}")
    sign = "-" if direction.lower() == "desc" else ""
    return tuple(f"{sign}{column}" for column in ([columns[name]] if name else []) + ["pk"])
