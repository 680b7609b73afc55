"""The first sheet of an XLSX file, as openpyxl reads it, and nothing else of the file."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

PADDED = re.compile(r"0{2,50}")  # 00000


class _Sheet(ReadOnlyWorksheet):
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
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        for sheet, part in reader.parser.find_sheets():
            if "chartsheet" not in part.Type and part.target in reader.valid_files:
                yield _Sheet(reader.wb, sheet.name, part.target, reader.shared_strings)
                return
        raise LookupError("no sheet")
