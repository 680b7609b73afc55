"""The columns that our spreadsheets have."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.fields import ENTRIES, Entry, text_of
from catalog.models import Spreadsheet
from connectors.errors import Refused
from connectors.lookups import plain
from connectors.spec import Text

REASON = "Motivo"  # the column that we add, and pass over when the file comes back
SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+")  # 7891234567895, in a CSV
LISTS = re.compile(r"\s*[;\n|]\s*")


@dataclass(frozen=True)
class Column:
    """`header` is Portuguese in every language: the file outlives whoever downloaded it."""

    name: str
    header: str
    read: Callable[[str], Any]
    help: Text = ""
    example: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()


def sku(text: str) -> str:
    if SHORTENED.fullmatch(text):
        raise Refused(_("o Excel encurtou este número: formate a coluna como texto."))
    return text_of(100)(text)


def _photos(text: str) -> list[dict[str, Any]]:
    urls = [url for url in LISTS.split(text) if url]
    for url in urls:
        if not re.fullmatch(r"https?://[^\s\"'<>]{3,990}", url):
            raise Refused(_("%s não é um endereço.") % url[:60])
    return [{"url": url} for url in dict.fromkeys(urls)]


def _categories(text: str) -> list[dict[str, Any]]:
    return [{"name": name[:200]} for name in dict.fromkeys(LISTS.split(text)) if name]


def _attributes(text: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for pair in LISTS.split(text):
        label, equals, value = (part.strip() for part in pair.partition("="))
        if not pair:
            continue
        if not (label and equals and value):
            raise Refused(_("escreva assim: Cor=Azul; Tamanho=M."))
        code = plain(label).replace(" ", "_")[:100]
        value = {"code": plain(value).replace(" ", "_")[:100], "label": value[:200]}
        found[code] = {"code": code, "label": label[:200], "value": value}
    return list(found.values())


EXAMPLES = {
    "name": "Camiseta básica", "ean": "7891234567895", "brand": "Feira", "price": "59,90",
    "special_price": "49,90", "quantity": "10", "ncm": "61091000", "cest": "2803800",
    "origin": "0", "handling_time": "2", "warranty_time": "3",
    "warranty_message": "Contra defeito de fabricação", "dimension.height": "2",
    "dimension.width": "25", "dimension.length": "30", "dimension.weight": "0,2",
    "description": "Camiseta de algodão.",
}  # fmt: skip


def _of_entry(entry: Entry) -> Column:
    return Column(
        entry.name,
        HEADERS[entry.name],
        entry.read,
        entry.help,
        EXAMPLES.get(entry.name, ""),
        choices=tuple(value for value, _label in entry.choices),
    )


HEADERS = {
    "name": "Nome", "ean": "GTIN/EAN", "brand": "Marca", "model": "Modelo", "price": "Preço",
    "special_price": "Preço promocional", "quantity": "Estoque", "ncm": "NCM", "cest": "CEST",
    "nbm": "NBM", "isbn": "ISBN", "origin": "Origem",
    "handling_time": "Prazo de manuseio (dias)",
    "manufacture_time": "Prazo de fabricação (dias)", "warranty_time": "Garantia (meses)",
    "warranty_message": "Mensagem da garantia", "dimension.height": "Altura (cm)",
    "dimension.width": "Largura (cm)", "dimension.length": "Comprimento (cm)",
    "dimension.weight": "Peso (kg)", "description": "Descrição",
}  # fmt: skip

PRODUCTS: tuple[Column, ...] = (
    Column(
        "sku",
        "SKU",
        sku,
        gettext_lazy("O código do produto; onde há um ERP, o código dele."),
        "CAM-01-AZ-M",
        required=True,
    ),
    Column(
        "parent",
        "SKU do produto pai",
        sku,
        gettext_lazy("Só de uma variação; a linha do pai vem antes."),
        "",
    ),
    *map(_of_entry, ENTRIES),
    Column(
        "categories",
        "Categorias",
        _categories,
        gettext_lazy("Separadas por ponto e vírgula."),
        "Roupas; Camisetas",
    ),
    Column(
        "attributes",
        "Atributos",
        _attributes,
        gettext_lazy("Assim: Cor=Azul; Tamanho=M."),
        "Cor=Azul; Tamanho=M",
    ),
    Column(
        "photos",
        "Fotos",
        _photos,
        gettext_lazy("Endereços, separados por ponto e vírgula."),
        "https://exemplo.com.br/camiseta.jpg",
    ),
)
MAPPINGS: tuple[Column, ...] = (
    Column("code", "Código no sistema", sku, "", "1234", required=True),
    Column("sku", "SKU", sku, "", "CAM-01-AZ-M", required=True),
)
COLUMNS = {Spreadsheet.Kind.PRODUCTS: PRODUCTS, Spreadsheet.Kind.MAPPINGS: MAPPINGS}


def columns_of(kind: str) -> tuple[Column, ...]:
    return COLUMNS[Spreadsheet.Kind(kind)]


def match(headers: list[str], kind: str) -> dict[int, Column]:
    """Which column stands where. Raises `Refused` for what is missing, unknown or there twice."""
    known = {plain(column.header): column for column in columns_of(kind)}
    places: dict[int, Column] = {}
    for place, header in enumerate(headers):
        if not header or plain(header) == plain(REASON):
            continue
        column = known.get(plain(header.rstrip("*")))
        if column is None:
            raise Refused(_("Não conhecemos a coluna “%s”: use o modelo.") % header[:60])
        if column in places.values():
            raise Refused(_("A coluna “%s” está duas vezes.") % header[:60])
        places[place] = column
    for column in columns_of(kind):
        if column.required and column not in places.values():
            raise Refused(_("Falta a coluna “%s”.") % column.header)
    return places


def template(kind: str) -> bytes:
    """The empty spreadsheet: headers, one row as an example, lists to choose from, and a second
    sheet that explains the columns."""
    # Only here, and in files.py: openpyxl takes as much memory as half of our own code.
    from catalog.spreadsheets.template import write_template

    return write_template(columns_of(kind))


def refused_rows(spreadsheet: Spreadsheet) -> Iterator[list[str]]:
    """The file's own rows that were refused, each with its reason, to mend and send again."""
    width = len(spreadsheet.headers)
    lines = spreadsheet.lines.filter(outcome="refused").order_by("number")
    rows = lines.values_list("cells", "reason").iterator(chunk_size=1000)
    return chain(
        [[*spreadsheet.headers, REASON]],
        ([*cells, *[""] * (width - len(cells)), reason] for cells, reason in rows),
    )
