"""The first sheet of an XLSX file, as openpyxl reads it, and nothing else of the file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._read_only import ReadOnlyWorksheet


class _Sheet(ReadOnlyWorksheet):
    def _get_size(self) -> None:
        """Not asked: what a file says of it is often wrong, and where it says nothing, as our own
        do, the whole sheet would be parsed for it before its first row."""


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
