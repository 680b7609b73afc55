"""Files that strangers made: what is read of them, and what is refused."""

import io
import zipfile
from os import urandom

import pytest
from defusedxml import EntitiesForbidden
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet._reader import WorkSheetParser

from catalog.spreadsheets import sheet
from catalog.spreadsheets.files import is_csv, read_rows
from connectors.downloads import csv_lines, defused
from connectors.errors import Refused
from tests.catalog.spreadsheets.sheets import downloaded, text, xlsx

ROWS = [["SKU", "Nome"], ["A", "Pão de açúcar"]]


CELLS_AND_A_ROW = "<c/>" * 40 + "<row><c><v>1</v></c></row>"


def rows_of(content: bytes) -> list[list[str]]:
    return [cells for _number, cells in read_rows(content, as_csv=is_csv(content))]


def altered(content: bytes, name: str, change: bytes, padding: bytes = b"") -> bytes:
    """The same XLSX, one of its parts replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for part in old.namelist():
            new.writestr(part, change if part == name else old.read(part))
        if padding:
            new.writestr("padding", padding)
    return file.getvalue()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_csv_is_read_whatever_its_delimiter_and_encoding(delimiter: str, encoding: str) -> None:
    assert rows_of(text(*ROWS, delimiter=delimiter, encoding=encoding)) == ROWS


def test_dashes_and_quotes_of_a_csv_of_excel_are_kept() -> None:
    row = ["A", "Tênis – “Azul” … 50 €"]

    assert rows_of(text(["SKU", "Nome"], row, encoding="cp1252"))[1] == row


def test_a_line_break_that_another_program_put_into_a_cell_is_read_as_one() -> None:
    content = xlsx(["SKU", "Descrição"], ["A", "Leve._x000D_\nForte._x000D_"])

    assert rows_of(content)[1] == ["A", "Leve.\nForte."]


def test_numbers_of_an_xlsx_keep_their_digits() -> None:
    content = xlsx(["SKU", "EAN", "Preço"], [12, 7891234567895.0, 1234.5], ["x", None, 0.123])

    assert rows_of(content)[1:] == [["12", "7891234567895", "1234,5"], ["x", "", "0,123"]]


def test_a_number_that_is_shown_with_zeros_is_read_with_them() -> None:
    book = Workbook()
    for row in (["SKU", "NCM"], [123, 1012100], [45, 61091000]):
        book.worksheets[0].append(row)
    for place, shown in (("A2", "00000"), ("B2", "00000000"), ("B3", "0.00")):
        book.worksheets[0][place].number_format = shown
    book.save(file := io.BytesIO())

    assert rows_of(file.getvalue())[1:] == [["00123", "01012100"], ["45", "61091000"]]


def test_a_row_with_an_impossible_number_is_not_waited_for() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="999999999999"><c><v>2</v></c></row>'
        b"</sheetData></worksheet>"
    )

    assert rows_of(altered(xlsx(*ROWS), "xl/worksheets/sheet1.xml", sheet)) == [["1"]]


def test_empty_rows_are_passed_over_and_the_others_keep_their_numbers() -> None:
    content = xlsx(["SKU"], [], ["A"], [None], ["B"])

    assert list(read_rows(content, as_csv=False)) == [(1, ["SKU"]), (3, ["A"]), (5, ["B"])]


def test_where_reading_broke_off_is_said_by_the_rows_number_in_the_file() -> None:
    content = text(["SKU"], [], ["A"], [], ["A" * 200_000])

    with pytest.raises(Refused, match=r"depois da linha 4\."):
        list(read_rows(content, as_csv=True))


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"\xd0\xcf\x11\xe0old", b"PK\x03\x04broken", b"a\x00b", b"a" * 5000 + b"\x00",
     b"x" * (20 * 2**20 + 1)],
)  # fmt: skip
def test_what_is_no_spreadsheet_is_refused_at_the_door(content: bytes) -> None:
    with pytest.raises(Refused):
        is_csv(content)


def test_an_archive_that_unpacks_to_gigabytes_is_not_opened() -> None:
    bomb = altered(xlsx(*ROWS), "xl/worksheets/sheet1.xml", b"0" * 60 * 2**20)

    with pytest.raises(Refused, match="grande demais"):
        is_csv(bomb)


@pytest.mark.parametrize(
    ("name", "around", "inside"),
    [
        ("xl/worksheets/sheet1.xml", "<sheetData><row>{}</row></sheetData>", "<c/>"),
        ("xl/worksheets/sheet1.xml", "<sheetData><row>{}</row></sheetData>", CELLS_AND_A_ROW),
        ("xl/worksheets/sheet1.xml", "<sheetData>{}</sheetData>", CELLS_AND_A_ROW),
        ("xl/worksheets/sheet1.xml", "<sheetData>{}</sheetData>", '<row r="1"><c/></row>'),
        ("xl/worksheets/sheet1.xml", "<sheetData>{}</sheetData>", "<row><c/></row>"),
        ("xl/styles.xml", "<cellXfs>{}</cellXfs>", "<xf/>"),
    ],
    ids=[
        "cells of a row",
        "rows in a row",
        "cells in no row",
        "rows in one place",
        "empty rows",
        "formats",
    ],
)
def test_a_small_file_does_not_fill_the_memory_nor_the_day(
    name: str, around: str, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MOST_UNHEARD", 250_000)
    kind = "styleSheet" if "styles" in name else "worksheet"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = f'<{kind} xmlns="{space}">{around.format(inside * (5_000_000 // len(inside)))}</{kind}>'
    padding = urandom(len(text) // 150)  # so that it has not grown by too much
    content = altered(xlsx(*ROWS), name, text.encode(), padding)

    with pytest.raises(Refused, match="grande demais"):
        rows_of(content)


def test_a_row_that_is_formatted_to_its_end_is_read() -> None:
    book = Workbook()
    book.worksheets[0].append(["SKU"])
    for column in range(2, 16_385):
        book.worksheets[0].cell(1, column).font = Font(bold=True)
    book.save(file := io.BytesIO())

    assert rows_of(file.getvalue()) == [["SKU"]]


def test_xml_entities_are_not_expanded() -> None:
    evil = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData>'
        b"</worksheet>"
    )
    content = altered(xlsx(*ROWS), "xl/worksheets/sheet1.xml", evil)

    with pytest.raises(Refused) as refusal:
        rows_of(content)

    assert isinstance(refusal.value.__cause__, EntitiesForbidden)


def test_the_first_sheet_is_the_first_that_has_cells() -> None:
    book = Workbook()
    book.create_chartsheet("Gráfico", 0)
    book.worksheets[0].append(["SKU"])
    book.create_sheet("Outra").append(["Nome"])
    book.save(file := io.BytesIO())

    assert rows_of(file.getvalue()) == [["SKU"]]


def test_a_sheet_is_not_asked_how_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not say so would be parsed twice."""
    monkeypatch.setattr(WorkSheetParser, "parse_dimensions", None)

    assert rows_of(xlsx(*ROWS)) == ROWS


def test_an_xlsx_that_was_damaged_on_its_way_is_refused_and_not_an_error_of_ours() -> None:
    content = xlsx(*ROWS, *([f"{n * 7919 % 1000}", "Nome"] for n in range(500)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    begin = part.header_offset + 30 + len(part.filename)

    for place in range(begin + 20, begin + part.compress_size, 40):
        damaged = bytearray(content)
        damaged[place] ^= 0x5F
        with pytest.raises(Refused):
            rows_of(bytes(damaged))


def test_an_xlsx_that_breaks_off_is_refused_and_not_an_error_of_ours() -> None:
    content = altered(xlsx(*ROWS), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row")

    with pytest.raises(Refused):
        rows_of(content)


@pytest.mark.parametrize("evil", ["=1+1", "=1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1"])
def test_no_cell_that_we_write_is_a_formula(evil: str) -> None:
    sheet = load_workbook(io.BytesIO(downloaded([[evil]]))).worksheets[0]
    line = b"".join(csv_lines([[evil]])).decode("utf-8-sig")

    assert (sheet["A1"].data_type, sheet["A1"].value) == ("s", "'" + evil)
    assert line.lstrip('"').startswith("'")
    assert rows_of(downloaded([[evil.strip()]])) == [[evil.strip()]]


def test_a_code_that_another_system_guarded_against_excel_is_the_code() -> None:
    assert rows_of(b'SKU;Estoque\r\n="00123";12\r\n')[1] == ["00123", "12"]


def test_a_negative_number_is_no_formula() -> None:
    assert [defused("-5"), defused("+5,2"), defused("-5a")] == ["-5", "+5,2", "'-5a"]
