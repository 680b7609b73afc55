"""The file from which a merchant begins."""

import io
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from catalog.spreadsheets.columns import Column
from connectors.downloads import defused

CODES = {"sku", "parent", "code", "ean", "ncm", "nbm", "cest", "isbn"}


def write_template(columns: tuple[Column, ...]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Planilha")
    help_sheet = book.create_sheet("Ajuda")
    for position, column in enumerate(columns, 1):
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = max(14, len(column.header) + 2)
        if column.name in CODES:
            # Else Excel takes the zeros off what is typed in, or makes a day of it.
            sheet.column_dimensions[letter].number_format = "@"
        if column.choices:
            listed = DataValidation("list", formula1=f'"{",".join(column.choices)}"')
            listed.add(f"{letter}2:{letter}1048576")
            sheet.data_validations.append(listed)
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, column.header) for column in columns])
    sheet.append([_cell(sheet, column.example) for column in columns])
    for column in columns:
        required = _("obrigatória") if column.required else _("em branco, nada muda")
        help_sheet.append([column.header, required, str(column.help)])
    help_sheet.column_dimensions["A"].width = help_sheet.column_dimensions["B"].width = 28
    return _saved(book)


def _saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=defused(text))
    cell.data_type, cell.number_format = "s", "@"
    return cell


def _bold(sheet: Any, text: str) -> Any:
    cell = _cell(sheet, text)
    cell.font = Font(bold=True)
    return cell
