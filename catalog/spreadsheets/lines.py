"""A row of a spreadsheet on its way: read, then judged."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Spreadsheet, SpreadsheetRow
from catalog.spreadsheets.columns import Column
from connectors.bulk import among
from connectors.errors import Refused

Outcome = SpreadsheetRow.Outcome
# What a spreadsheet program leaves in a cell of what it could not work out, or had no room to show.
ERROR = re.compile(
    r"#(N/[AD]|REF!|VALOR!|VALUE!|DIV/0!|NOME\?|NAME\?|N[ÚU]M!|NULO!|NULL!|CALC!|DESPEJAR!|SPILL!)"
    r"|##+|Err:\d+"
)
# A day in a cell, as files.py reads it. None of our columns takes one.
DAY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")


@dataclass
class Line:
    number: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)  # of the cells that are not empty
    outcome: Outcome = Outcome.SAME
    reasons: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return "\n".join(self.reasons)

    def refuse(self, reason: str) -> None:
        self.outcome = Outcome.REFUSED
        self.reasons.append(reason)

    @property
    def is_refused(self) -> bool:
        return self.outcome == Outcome.REFUSED


@dataclass(frozen=True)
class Earlier:
    """A row further up in the same file."""

    number: int
    second_key: str


class Reader:
    """Reads rows into lines. Of a column that says the same again and again, each text once."""

    def __init__(self, places: Mapping[int, Column]) -> None:
        self.columns = [
            (place, column, lru_cache(maxsize=1000)(partial(_read, column.read)))
            for place, column in places.items()
        ]
        self.example = [(place, column.example) for place, column in places.items()]

    def line(self, number: int, cells: list[str]) -> Line:
        line, width = Line(number, cells), len(cells)
        for place, column, read in self.columns:
            text = cells[place] if place < width else ""
            if text:
                try:
                    line.values[column.name] = read(text)
                except Refused as error:
                    line.refuse(f"{column.header}: {error}")
            elif column.required:
                line.refuse(_("%s: falta.") % column.header)
        if all((cells[at] if at < width else "") == text for at, text in self.example):
            line.refuse(_("É o exemplo do modelo, e não um produto da loja."))
        return line


def _read(read: Callable[[str], Any], text: str) -> Any:
    if ERROR.fullmatch(text):
        raise Refused(_("%s é um erro da planilha, e não um valor.") % text)
    if DAY.fullmatch(text):
        raise Refused(_("o Excel fez disto uma data: formate a coluna como texto."))
    return read(text)


def earlier_rows(
    spreadsheet: Spreadsheet, lines: Sequence[Line], names: Sequence[str]
) -> dict[str, Earlier]:
    """What stands above these lines, was not refused, and has a key that they name."""
    wanted = {line.values[name] for line in lines for name in names if name in line.values}
    if not wanted or not lines:
        return {}
    above = spreadsheet.lines.filter(key__in=among(wanted), number__lt=lines[0].number)
    found = above.exclude(outcome=Outcome.REFUSED).values_list("key", "number", "second_key")
    return {key: Earlier(number, second) for key, number, second in found}
