"""Workbooks that leave while they are written: of a million rows, memory and disk hold a few.

An XLSX file is a zip of XML parts (ECMA-376). Libraries write the whole of it to a disk first, and
whoever asked for it would wait that long.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from string import ascii_uppercase
from xml.sax.saxutils import escape, quoteattr

from connectors.payload import LOCAL

Cell = str | int | Decimal | datetime

MOST_ROWS = 500_000  # of one sheet; a program takes twice as many, a part of a zip so many bytes
MOST_CHARACTERS = 32_767  # of one cell
MOST_COLUMNS = 100
AT_ONCE = 500
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
DAY_0 = datetime(1899, 12, 30)  # a spreadsheet's days have no zone
LETTERS = [tens + unit for tens in ("", *"ABC") for unit in ascii_uppercase][:MOST_COLUMNS]

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
TEXT, MONEY, MOMENT = 1, 2, 3  # the cell formats below, by their place
STYLES = f"""{XML}<styleSheet xmlns="{MAIN}">
<numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm:ss"/></numFmts>
<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2">
<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>
</fills>
<borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="4">
<xf/>
<xf numFmtId="49" applyNumberFormat="1"/>
<xf numFmtId="4" applyNumberFormat="1"/>
<xf numFmtId="164" applyNumberFormat="1"/>
</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""
# The first row, the headers, stays in sight.
SHEET = f"""{XML}<worksheet xmlns="{MAIN}">
<sheetViews><sheetView workbookViewId="0">
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>
</sheetView></sheetViews>
<cols><col min="1" max="{MOST_COLUMNS}" width="20" customWidth="1"/></cols>
<sheetData>"""


def workbook(rows: Iterable[Sequence[Cell]], title: str) -> Iterator[bytes]:
    """The file's bytes as they come. The first row is the headers; where there are more than one
    sheet takes, each sheet has them."""
    left = iter(rows)
    headers, number = next(left, ()), 0
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        while True:
            number += 1
            body = islice(left, MOST_ROWS - 1)
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                part.write(SHEET.encode())
                written = chain([headers], body)
                place = 1
                while chunk := list(islice(written, AT_ONCE)):
                    lines = (_row(row, at) for at, row in enumerate(chunk, place))
                    part.write("".join(lines).encode())
                    place += len(chunk)
                    yield pipe.taken()
                part.write(b"</sheetData></worksheet>")
            following = next(left, None) if place > MOST_ROWS else None
            if following is None:
                break
            left = chain([following], left)
        for name, text in _frame(title, number):
            archive.writestr(name, text)
    yield pipe.taken()


class _Pipe:
    """A file without a place to go back to: what was written is taken away."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.written.append(bytes(data))
        return len(data)

    # The archive asks for these two; nothing is kept back.
    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        data = b"".join(self.written)
        self.written.clear()
        return data


def _row(cells: Sequence[Cell], number: int) -> str:
    inner = "".join(
        _cell(cell, f"{letter}{number}") for letter, cell in zip(LETTERS, cells, strict=False)
    )
    return f'<row r="{number}">{inner}</row>'


def _cell(cell: Cell, place: str) -> str:
    """Texts as texts: whatever one begins with, nothing is a formula."""
    if isinstance(cell, str):
        if not cell:
            return ""
        text = escape(NOT_IN_XML.sub("", cell[:MOST_CHARACTERS]))
        text = f'<is><t xml:space="preserve">{text}</t></is>'
        return f'<c r="{place}" s="{TEXT}" t="inlineStr">{text}</c>'
    if isinstance(cell, datetime):
        days = (cell.astimezone(LOCAL).replace(tzinfo=None) - DAY_0).total_seconds() / 86_400
        return f'<c r="{place}" s="{MOMENT}"><v>{days:.8f}</v></c>'
    if isinstance(cell, Decimal):
        return f'<c r="{place}" s="{MONEY}"><v>{cell:f}</v></c>'
    return f'<c r="{place}"><v>{cell}</v></c>'


def _frame(title: str, sheets: int) -> Iterator[tuple[str, str]]:
    """The parts that say what the others are."""
    numbers = range(1, sheets + 1)
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    named = "".join(
        f'<sheet name={quoteattr(f"{title} {n}" if n > 1 else title)} sheetId="{n}" r:id="rId{n}"/>'
        for n in numbers
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    yield "xl/styles.xml", STYLES
    yield (
        "xl/workbook.xml",
        f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{named}</sheets></workbook>',
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{related}'
        f'<Relationship Id="rIdStyles" Type="{OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>",
    )
    yield (
        "_rels/.rels",
        f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    yield (
        "[Content_Types].xml",
        f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>'
        f"{types}</Types>",
    )
