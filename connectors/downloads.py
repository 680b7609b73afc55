"""What a person saves to a file."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import JsonResponse, StreamingHttpResponse

from connectors.workbooks import Cell, workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a spreadsheet program may take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER = re.compile(r"[+-][\d.,]+")


def as_file(content: dict[str, Any] | list[dict[str, Any]], name: str) -> JsonResponse:
    return JsonResponse(
        content,
        safe=False,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers=saved_as(name),
    )


def as_csv(rows: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    """Row by row, as they come."""
    return StreamingHttpResponse(
        csv_lines(rows), content_type="text/csv; charset=utf-8", headers=saved_as(name)
    )


def as_xlsx(rows: Iterable[Sequence[Cell]], name: str, title: str) -> StreamingHttpResponse:
    """Likewise; however many there are."""
    harmless = ([defused(c) if isinstance(c, str) else c for c in row] for row in rows)
    return StreamingHttpResponse(
        workbook(harmless, title), content_type=XLSX, headers=saved_as(name)
    )


def csv_lines(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """For Excel in Portuguese: semicolons, and UTF-8 with its mark."""
    writer = csv.writer(_Echo(), delimiter=";")
    yield b"\xef\xbb\xbf"
    for row in rows:
        yield str(writer.writerow([defused(cell) for cell in row])).encode()


def defused(text: str) -> str:
    """A text that no spreadsheet program runs. A number with its sign is no formula."""
    return f"'{text}" if text.startswith(FORMULA) and not NUMBER.fullmatch(text) else text


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
