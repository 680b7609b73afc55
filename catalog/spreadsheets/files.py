"""Opening files that strangers made, XLSX and CSV, and reading their rows as texts.

A file may be a bomb: an archive that unpacks to gigabytes is refused before it is opened, XML
entities are not expanded (openpyxl reads with defusedxml), and memory holds one row at a time.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _

from connectors.downloads import FORMULA
from connectors.errors import Refused

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 250 * 1024 * 1024
# The table of shared texts lies in memory as a whole.
MOST_SHARED = 64 * 1024 * 1024
MOST_TIMES = 200  # what an archive may grow by; honest spreadsheets stay below 30
MOST_PARTS = 1000
MOST_ROWS = 100_000
EXACT = 1e16  # of a number from here on, digits are missing
LAST_ROW = 2**20  # of any sheet; one that says it has another would be gone through for hours
MOST_COLUMNS = 60
MOST_CHARACTERS = 32_767  # of one cell, as in Excel
XLSX = b"PK\x03\x04"
OLD_XLS = b"\xd0\xcf\x11\xe0"
DELIMITERS = ";,\t"
CARRIAGE_RETURN = re.compile(r"_x000D_\n?")

Row = tuple[int, list[str]]  # its number in the file, counted from 1, and its cells


def is_csv(content: bytes) -> bool:
    """Raises `Refused` for what is neither."""
    if not content.strip():
        raise Refused(_("O arquivo está vazio."))
    if len(content) > MOST_BYTES:
        raise Refused(_("O arquivo tem mais de %d MB.") % (MOST_BYTES // 2**20))
    if content.startswith(XLSX):
        _check_archive(content)
        return False
    if content.startswith(OLD_XLS):
        raise Refused(_("Este é o formato antigo do Excel: salve a planilha como XLSX ou CSV."))
    if b"\x00" in content:
        raise Refused(_("Isto não é uma planilha XLSX nem CSV."))
    return True


def read_rows(content: bytes, *, as_csv: bool) -> Iterator[Row]:
    """Those that are not empty, the header first. Raises `Refused` at the place of the trouble."""
    number = count = 0
    try:
        for number, cells in enumerate(_csv_rows(content) if as_csv else _xlsx_rows(content), 1):
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                continue
            if len(cells) > MOST_COLUMNS:
                raise Refused(_("Linha %d: há colunas demais.") % number)
            count += 1
            if count > MOST_ROWS + 1:
                raise Refused(_("A planilha tem mais de %d linhas: divida-a.") % MOST_ROWS)
            yield number, cells
    except Refused:
        raise
    # Whatever a broken archive or a strange sheet makes the reader stumble over.
    except (
        ParseError, zipfile.BadZipFile, zlib.error, OSError, LookupError, ValueError, TypeError,
        AttributeError, EOFError, OverflowError, NotImplementedError, RuntimeError,
        UnboundLocalError, ArithmeticError, csv.Error,
    ) as error:  # fmt: skip
        raise Refused(_("Não deu para ler a planilha depois da linha %d.") % number) from error


def _check_archive(content: bytes) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Refused(_("Isto não é uma planilha XLSX nem CSV.")) from error
    unpacked = sum(part.file_size for part in parts)
    shared = sum(p.file_size for p in parts if p.filename.lower().endswith("sharedstrings.xml"))
    if (
        len(parts) > MOST_PARTS
        or unpacked > MOST_UNPACKED
        or unpacked > max(len(content), 10_000) * MOST_TIMES
        or shared > MOST_SHARED
    ):
        raise Refused(_("A planilha, aberta, é grande demais: divida-a."))


def _xlsx_rows(content: bytes) -> Iterator[list[str]]:
    # Only here: openpyxl takes as much memory as half of our own code, and nothing else needs it.
    from catalog.spreadsheets.sheet import first_sheet

    with first_sheet(content) as sheet:
        for row in sheet.iter_rows(None, LAST_ROW, None, MOST_COLUMNS + 1, values_only=True):
            if row.count(None) == len(row):  # there may be a million of them behind the last one
                yield []
                continue
            cells = [_read(value.strip()) if type(value) is str else _text(value) for value in row]
            if any(cells):
                sheet.heard()
            yield cells


def _read(text: str) -> str:
    # So Excel keeps the line breaks of other programs, which openpyxl leaves as they are.
    return _unquoted(CARRIAGE_RETURN.sub("\n", text).strip() if "_x000D_" in text else text)


def _text(value: Any) -> str:
    """As a person sees it in the cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        # A number with a comma: what is read later knows it for a decimal one, or a shortened one.
        return f"{value!r}".upper().replace(".", ",")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _csv_rows(content: bytes) -> Iterator[list[str]]:
    # Five bytes mean nothing in cp1252: one stray letter is no reason to refuse the file.
    text = io.TextIOWrapper(io.BytesIO(content), _encoding(content), errors="replace", newline="")
    head = text.readline(MOST_CHARACTERS)
    text.seek(0)
    delimiter = max(DELIMITERS, key=head.count)
    for cells in csv.reader(text, delimiter=delimiter):
        yield [_unquoted(cell.strip()) for cell in cells]


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"  # of an Excel in Portuguese
    return "utf-8-sig"


def _unquoted(text: str) -> str:
    """What was written so that Excel leaves it alone: by others as ="00123", or by ourselves."""
    if re.fullmatch(r'="[^"]*"', text):
        return text[2:-1]
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
