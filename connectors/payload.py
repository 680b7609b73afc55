"""Reading JSON that somebody else wrote."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.errors import Unreadable

# Where a platform writes a time without a zone, it means this one.
LOCAL = ZoneInfo("America/Sao_Paulo")
# No price, weight or quantity of a shop comes near this; beyond it the columns end.
LARGEST = 10**11
FINEST = 10  # decimals
DEEPEST = 50

T = TypeVar("T")


def to_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError
    return str(to_storable(value)).strip()


def to_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError
    text = str(value).strip()
    # To Python 1_000 and other alphabets' digits are numbers, and to nobody else.
    if "_" in text or not text.isascii():
        raise ValueError
    number = Decimal(text)
    if not number.is_finite() or abs(number) > LARGEST:
        raise ValueError
    # Written out, the exponent of 1e-999999 would be a million digits.
    return round(number, FINEST) if int(number.as_tuple().exponent) < -FINEST else number


def to_whole(value: Any) -> int:
    number = to_decimal(value)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def to_flag(value: Any) -> bool:
    """Clients send true, 1, "1" and "true" for the same thing."""
    known = {"1": True, "true": True, "0": False, "false": False, "": False}
    return known[str(value).strip().lower()]


def is_no(value: Any) -> bool:
    """A mark that is not set. A form has only texts, and "0" is one that Python takes for true."""
    return not value or str(value).strip().lower() in ("", "0", "false")


def to_moment(value: Any) -> datetime:
    """An aware UTC time from a full ISO time, `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`."""
    if not isinstance(value, str):
        raise TypeError
    # Not every writer pads the fraction to the three or six digits that Python wants.
    text = re.sub(r"\.(\d{1,6})\d*", lambda match: f".{match[1]:0<6}", value.strip())
    # In a query, a plus that was not encoded is a blank.
    text = re.sub(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$", r"\1+\2", text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=LOCAL)
    moment.astimezone(LOCAL)  # no page could show what this cannot: year 1 in UTC, .NET's no date
    return moment.astimezone(UTC)


def to_storable(value: Any, depth: int = 0) -> Any:
    """The value as it is, where every database can hold it. Neither PostgreSQL's text nor its JSON
    has room for the end of a C string, for half a character, or for a number without end."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError
        if not value.isascii():
            value.encode()
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValueError
    elif isinstance(value, dict | list):
        if depth > DEEPEST:
            raise ValueError
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            to_storable(part, depth + 1)
    return value


def parse(body: bytes) -> Any:
    """What a body of JSON says. Raises `Unreadable`, which shows only its beginning."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {body[:60]!r}") from error


class Payload:
    """One JSON object and the place where it stood, so that an error can name the place.

    Every reader raises `Unreadable` (`$.items[2].price: got NoneType`). Those with `optional`
    answer None for a key that is absent, null or an empty string.
    """

    __slots__ = ("data", "path")  # a run makes one for each record

    def __init__(self, data: Any, path: str = "$") -> None:
        if not isinstance(data, dict):
            raise Unreadable(f"{path}: got {type(data).__name__}, not an object")
        self.data: dict[str, Any] = data
        self.path = path

    def text(self, key: str) -> str:
        return self._read(key, to_text)

    def money(self, key: str) -> Decimal:
        return self._read(key, to_decimal)

    def whole(self, key: str) -> int:
        return self._read(key, to_whole)

    def moment(self, key: str) -> datetime:
        return self._read(key, to_moment)

    def optional_text(self, key: str) -> str:
        return "" if self.is_blank(key) else self.text(key)

    def optional_money(self, key: str) -> Decimal | None:
        return None if self.is_blank(key) else self.money(key)

    def optional_moment(self, key: str) -> datetime | None:
        return None if self.is_blank(key) else self.moment(key)

    def is_blank(self, key: str) -> bool:
        return self.data.get(key) in (None, "")

    def one(self, key: str) -> "Payload":
        return Payload(self.data.get(key), f"{self.path}.{key}")

    def each(self, key: str) -> "list[Payload]":
        """The objects of a list; none where the key is absent or null."""
        values = self.data.get(key)
        if values is None:
            return []
        if not isinstance(values, list):
            raise Unreadable(f"{self.path}.{key}: got {type(values).__name__}, not a list")
        return [Payload(value, f"{self.path}.{key}[{i}]") for i, value in enumerate(values)]

    def _read(self, key: str, convert: Callable[[Any], T]) -> T:
        return read_value(self.data.get(key), convert, f"{self.path}.{key}")


def read_value(value: Any, convert: Callable[[Any], T], path: str) -> T:
    """The converted value. Raises `Unreadable`, which shows only the value's beginning."""
    try:
        return convert(value)
    except (TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: got {type(value).__name__}") from error
    except (ValueError, KeyError, InvalidOperation, OverflowError) as error:
        shown = type(value).__name__ if isinstance(value, dict | list) else str(value)
        raise Unreadable(f"{path}: cannot read {shown[:40]!r}") from error
