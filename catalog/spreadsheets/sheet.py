"""The first sheet of an XLSX file, as openpyxl reads it, and nothing else of the file."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from connectors.errors import Refused

# Elements that lie in memory: of a row until it ends, and what stands in none. Tags: of rows that
# hold nothing, one behind the other, and of a part that is opened as a whole. Excel knows 16,384
# columns and 65,490 formats.
MOST_IN_MEMORY, MOST_UNHEARD, MOST_IN_PART = 200_000, 2_000_000, 400_000
OPENED_WHOLE = ("styles.xml", "workbook.xml", ".rels", "[content_types].xml")
PADDED = re.compile(r"0{2,50}")  # 00000


class _Source:
    """The sheet, piece by piece as it is parsed. A small file can hold millions of empty cells. Its
    elements are counted by a parser of its own: in a text, a comment may look like a row."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.depth = self.in_memory = self.before_row = self.unheard = 0
        self.parser = ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._leave_it

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.unheard += piece.count(b"<")
        with suppress(ExpatError):  # whoever reads it says what is wrong with it
            self.parser.Parse(piece)
        if self.in_memory > MOST_IN_MEMORY or self.unheard > MOST_UNHEARD:
            raise _too_large()
        return piece

    def _begin(self, name: str, attributes: Any) -> None:
        if name.endswith("row"):
            self.depth += 1  # one may stand in another
            if self.depth == 1:
                self.before_row = self.in_memory
        self.in_memory += 1

    def _end(self, name: str) -> None:
        if name.endswith("row"):
            self.depth -= 1
            if not self.depth:
                self.in_memory = self.before_row

    def _leave_it(self, *declared: Any) -> None:
        raise ExpatError


class _Sheet(ReadOnlyWorksheet):
    source: _Source

    @contextmanager
    def _get_source(self) -> Iterator[_Source]:
        with super()._get_source() as file:  # type: ignore[misc]
            self.source = _Source(file)
            yield self.source

    def heard(self) -> None:
        """Its last row held something."""
        self.source.unheard = 0

    def _get_size(self) -> None:
        """Not asked: what a file says of it is often wrong, and where it says nothing, as our own
        do, the whole sheet would be parsed for it before its first row."""

    def _get_row(self, row: list[dict[str, Any]], *args: Any, **options: Any) -> tuple[Any, ...]:
        """With the zeros that a number is only shown with: of a code they are a part."""
        for cell in row if self.padded else ():
            if type(cell["value"]) is int and (width := self.padded.get(cell["style_id"])):
                cell["value"] = str(cell["value"]).zfill(width)
        return super()._get_row(row, *args, **options)  # type: ignore[misc]

    @cached_property
    def padded(self) -> dict[int, int]:
        """How many digits at least a cell of this style shows."""
        book: Any = self.parent
        formats = {164 + place: text for place, text in enumerate(book._number_formats)}
        shown = {n: formats.get(style.numFmtId, "") for n, style in enumerate(book._cell_styles)}
        return {n: len(text) for n, text in shown.items() if PADDED.fullmatch(text)}


@contextmanager
def first_sheet(content: bytes) -> Iterator[Any]:
    """Raises whatever a broken file makes openpyxl stumble over, and `LookupError` where there is
    no sheet."""
    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    with reader.archive:
        _check_parts(reader.archive)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        for sheet, part in reader.parser.find_sheets():
            if "chartsheet" not in part.Type and part.target in reader.valid_files:
                yield _Sheet(reader.wb, sheet.name, part.target, reader.shared_strings)
                return
        raise LookupError("no sheet")


def _check_parts(archive: ZipFile) -> None:
    for name in archive.namelist():
        if name.lower().endswith(OPENED_WHOLE) and archive.read(name).count(b"<") > MOST_IN_PART:
            raise _too_large()


def _too_large() -> Refused:
    return Refused(_("A planilha, aberta, é grande demais: divida-a."))
