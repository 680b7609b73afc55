"""Workbooks that leave while they are written."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from connectors import workbooks
from connectors.workbooks import Cell, workbook


def opened(rows: list[list[Cell]], title: str = "Pedidos") -> Any:
    return load_workbook(BytesIO(b"".join(workbook(rows, title))))


def test_what_is_written_is_what_is_read() -> None:
    moment = datetime(2026, 3, 1, 2, 30, 15, tzinfo=UTC)  # still February in São Paulo
    rows: list[list[Cell]] = [
        ["Número", "Valor", "Quando", "Vazio", "Quantos"],
        ["00123", Decimal("1234567.89"), moment, "", 7],
        [' <b>"&\n=1+1 ', Decimal("-0.01"), moment, "\x00\x0b😀", 0],
    ]

    sheet = opened(rows).active

    (_headers, first, second) = sheet.iter_rows(values_only=True)
    assert first == ("00123", 1234567.89, datetime(2026, 2, 28, 23, 30, 15), None, 7)
    assert second[:2] == (' <b>"&\n=1+1 ', -0.01)
    assert second[3:] == ("😀", 0)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
    assert sheet["A2"].number_format == "@"  # whoever changes it keeps its noughts
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(
    ("count", "sheets"), [(0, [1]), (1, [2]), (9, [10]), (10, [10, 2]), (27, [10] * 3)]
)
def test_what_one_sheet_does_not_take_goes_on_in_the_next(
    count: int, sheets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 10)
    monkeypatch.setattr(workbooks, "AT_ONCE", 4)

    book = opened([["SKU"], *([f"S-{n}"] for n in range(count))], "A & B")

    rows = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    assert [len(each) for each in rows] == sheets
    assert {each[0] for each in rows} == {("SKU",)}
    assert [row[0] for each in rows for row in each[1:]] == [f"S-{n}" for n in range(count)]
    assert book.sheetnames[:2] == ["A & B", "A & B 2"][: len(sheets)]


def test_it_leaves_while_rows_are_still_to_come() -> None:
    asked = 0

    def rows() -> Iterator[list[Cell]]:
        nonlocal asked
        for asked in range(100_000):
            yield [f"linha {asked} {hash(str(asked))}"]

    parts = workbook(rows(), "Pedidos")

    for _part in range(3):
        next(parts)

    assert asked < 3 * workbooks.AT_ONCE


def test_a_cell_holds_no_more_than_a_program_takes() -> None:
    sheet = opened([["x" * 40_000]]).active

    assert len(sheet["A1"].value) == workbooks.MOST_CHARACTERS
