from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.payload import Payload, read_value, to_flag


def test_a_value_of_the_wrong_kind_is_named_by_its_place() -> None:
    payload = Payload({"items": [{"price": 1}, {"price": None}]})

    with pytest.raises(Unreadable) as refused:
        payload.each("items")[1].money("price")

    assert str(refused.value) == "$.items[1].price: got NoneType"


def test_a_value_that_cannot_be_read_shows_only_its_beginning() -> None:
    payload = Payload({"order": {"total": "x" * 5000}})

    with pytest.raises(Unreadable) as refused:
        payload.one("order").money("total")

    assert str(refused.value) == f"$.order.total: cannot read '{'x' * 40}'"


@pytest.mark.parametrize("data", [None, [], "text", 7, True])
def test_what_is_not_an_object_is_refused(data: Any) -> None:
    with pytest.raises(Unreadable, match=r"^\$: got \w+, not an object$"):
        Payload(data)


def test_what_is_not_a_list_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.items: got dict, not a list$"):
        Payload({"items": {}}).each("items")


def test_what_is_not_an_object_in_a_list_is_refused_with_its_place() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.items\[1\]: got str, not an object$"):
        Payload({"items": [{}, "SKU1"]}).each("items")


def test_a_list_that_is_absent_or_null_is_empty() -> None:
    payload = Payload({"items": None})

    assert payload.each("items") == payload.each("shipments") == []


@pytest.mark.parametrize(
    ("value", "money"),
    [("10.90", "10.90"), (10.9, "10.9"), (7, "7"), (" 1e2 ", "1E+2"), ("-0.01", "-0.01")],
)
def test_money_is_exact(value: Any, money: str) -> None:
    assert Payload({"price": value}).money("price") == Decimal(money)


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "1e400", "10,90", "1_000", "١٢", "", "1" * 13, True, None, [], {}],
)
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"^\$\.price: "):
        Payload({"price": value}).money("price")


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), (3.0, 3), ("3.00", 3), (-1, -1)])
def test_a_whole_number_is_read_however_it_is_written(value: Any, number: int) -> None:
    assert Payload({"quantity": value}).whole("quantity") == number


@pytest.mark.parametrize("value", [1.5, "1.5", "dois", False, None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"^\$\.quantity: "):
        Payload({"quantity": value}).whole("quantity")


@pytest.mark.parametrize(
    ("value", "text"), [("  Ana ", "Ana"), (123, "123"), ("", ""), (1.5, "1.5")]
)
def test_a_text_may_come_as_a_number(value: Any, text: str) -> None:
    assert Payload({"name": value}).text("name") == text


@pytest.mark.parametrize("value", ["a\x00b", True, None, [], {}])
def test_what_no_column_can_hold_is_no_text(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"^\$\.name: "):
        Payload({"name": value}).text("name")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-05T10:00:00.000Z", datetime(2026, 11, 5, 10, tzinfo=UTC)),
        ("2026-11-05T10:00:00-03:00", datetime(2026, 11, 5, 13, tzinfo=UTC)),
        ("2026-11-05 10:00:00", datetime(2026, 11, 5, 13, tzinfo=UTC)),  # in São Paulo
        ("2026-11-05 10:00", datetime(2026, 11, 5, 13, tzinfo=UTC)),
        ("2026-11-05T10:00:00 02:00", datetime(2026, 11, 5, 8, tzinfo=UTC)),  # a query's "+02:00"
        ("2026-11-05 10:00:00.5 0000", datetime(2026, 11, 5, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-05", datetime(2026, 11, 5, 3, tzinfo=UTC)),
        ("2026-11-05T10:00:00.5Z", datetime(2026, 11, 5, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-05T10:00:00.123456789Z", datetime(2026, 11, 5, 10, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_utc(value: str, moment: datetime) -> None:
    read = Payload({"at": value}).moment("at")

    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "05/11/2026", "0000-00-00", "ontem", 1762336800, None, "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",  # in São Paulo, no year has it
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"^\$\.at: "):
        Payload({"at": value}).moment("at")


@pytest.mark.parametrize("data", [{}, {"x": None}, {"x": ""}])
def test_an_optional_value_may_be_absent_null_or_empty(data: dict[str, Any]) -> None:
    payload = Payload(data)

    assert payload.optional_text("x") == ""
    assert payload.optional_money("x") is None
    assert payload.optional_moment("x") is None


def test_an_optional_value_that_is_there_must_be_right() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.x: cannot read 'abc'$"):
        Payload({"x": "abc"}).optional_money("x")


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        (1, True),
        ("1", True),
        ("true", True),
        (0, False),
        ("False", False),
        ("", False),
    ],
)
def test_a_flag_is_read_however_it_is_written(value: Any, flag: bool) -> None:
    assert read_value(value, to_flag, "$.x") is flag


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.x: cannot read 'talvez'$"):
        read_value("talvez", to_flag, "$.x")
