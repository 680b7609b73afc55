"""What a person may enter of a product: how each field is read, and what is certainly wrong.

What is only unlikely is written all the same, with a warning.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.errors import Refused
from connectors.hub.hubobject import CENT_OF_A_CENT
from connectors.hub.wire import decimal_text
from connectors.payload import to_decimal
from connectors.spec import Text

GTIN_LENGTHS = (8, 12, 13, 14)
NO_GTIN = "SEM GTIN"
ORIGINS = tuple(str(number) for number in range(9))
MOST_DAYS, MOST_MONTHS = 365, 600
UNLIKELY_DAYS = 60
# Chapters of the NCM that do not exist; 98 and 99 are for special uses.
NO_CHAPTERS = {"00", "77"}
THOUSANDS = re.compile(r"-?(?!0\.)\d{1,3}(\.\d{3})+(,\d+)?")  # 0.250 is no thousand
THOUSAND_OR_ONE = re.compile(r"-?(?!0\.)\d{1,3}\.\d{3}")
DIGITS = re.compile(r"[^0-9]+")  # \d would take other alphabets' too


class Part(Enum):
    """The part of the form that a field stands in."""

    NAME = gettext_lazy("Identificação")
    FISCAL = gettext_lazy("Fiscal")
    TIMES = gettext_lazy("Prazos e garantia")
    LEVELS = gettext_lazy("Preço e estoque")
    SIZE = gettext_lazy("Embalagem")
    TEXTS = gettext_lazy("Textos")


@dataclass(frozen=True)
class Entry:
    """One field as people enter it. `name` is the hub's; "dimension.width" is a part of one."""

    name: str
    label: Text
    part: Part
    read: Callable[[str], Any]
    help: Text = ""
    choices: tuple[tuple[str, Text], ...] = ()
    is_long: bool = False

    @property
    def owner(self) -> str:
        """The field that a connector sends or does not."""
        return self.name.partition(".")[0]


def number(text: str) -> Decimal:
    """As Brazilians and as programs write it. What may be either is refused, and not guessed."""
    text = text.replace("R$", "").replace("\xa0", "").strip()
    if THOUSAND_OR_ONE.fullmatch(text):
        raise Refused(_("%s pode ser mil ou um: escreva os decimais com vírgula.") % text)
    if THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    try:
        return to_decimal(text.replace(",", "."))
    except (ValueError, ArithmeticError) as error:
        raise Refused(_("%s não é um número.") % text) from error


def text_of(most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > most:
            raise Refused(_("são no máximo %d caracteres.") % most)
        if "\x00" in text:
            raise Refused(_("há um caractere que não se pode guardar."))
        return text

    return read


def digits(*lengths: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        found = DIGITS.sub("", text)
        if len(found) not in lengths or re.search(r"[^0-9.\-\s/]", text):
            wanted = " ou ".join(map(str, lengths))
            raise Refused(
                _("são %(wanted)s algarismos, e não %(text)s.")
                % {"wanted": wanted, "text": text[:30]}
            )
        return found

    return read


def gtin(text: str) -> str:
    if text.strip().upper() == NO_GTIN:
        return ""
    found = digits(*GTIN_LENGTHS)(text)
    if not gtin_is_valid(found):
        raise Refused(_("o dígito do GTIN %s não confere.") % found)
    return found


def gtin_is_valid(code: str) -> bool:
    """Modulo 10, weights 3 and 1 from the right. Zeros alone add up, but are no product's."""
    body = reversed(code[:-1])
    total = sum(int(digit) * (1 if index % 2 else 3) for index, digit in enumerate(body))
    return code[-1:] == str(-total % 10) and set(code) != {"0"}


def isbn(text: str) -> str:
    found = re.sub(r"[\s-]", "", text).upper()
    if re.fullmatch(r"[0-9]{13}", found) and found.startswith(("978", "979")):
        valid = gtin_is_valid(found)
    elif re.fullmatch(r"[0-9]{9}[0-9X]", found):
        values = [10 if char == "X" else int(char) for char in found]
        valid = sum(value * (10 - index) for index, value in enumerate(values)) % 11 == 0
    else:
        raise Refused(_("um ISBN tem 10 ou 13 algarismos."))
    if not valid:
        raise Refused(_("o dígito do ISBN %s não confere.") % found)
    return found


def whole_up_to(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = number(text)
        if value != value.to_integral_value() or not 0 <= value <= most:
            raise Refused(_("é um número inteiro de 0 a %d.") % most)
        return int(value)

    return read


def amount(text: str) -> str:
    value = number(text)
    if value < 0:
        raise Refused(_("não é negativo."))
    return decimal_text(value.quantize(CENT_OF_A_CENT))


def size(text: str) -> int | float:
    value = number(text)
    if value < 0:
        raise Refused(_("não é negativo."))
    return int(value) if value == value.to_integral_value() else float(value)


def one_of(choices: tuple[tuple[str, Text], ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        wanted = text.strip().casefold()
        for value, label in choices:
            if wanted in (value.casefold(), str(label).casefold()):
                return value
        raise Refused(_("use um destes: %s.") % ", ".join(str(label) for _value, label in choices))

    return read


ORIGIN_CHOICES = tuple((each, each) for each in ORIGINS)

ENTRIES: tuple[Entry, ...] = (
    Entry("name", gettext_lazy("Nome"), Part.NAME, text_of(500)),
    Entry(
        "ean",
        gettext_lazy("GTIN/EAN"),
        Part.NAME,
        gtin,
        gettext_lazy("8, 12, 13 ou 14 algarismos, com o dígito certo; ou SEM GTIN."),
    ),
    Entry("brand", gettext_lazy("Marca"), Part.NAME, text_of(200)),
    Entry("model", gettext_lazy("Modelo"), Part.NAME, text_of(200)),
    Entry("price", gettext_lazy("Preço"), Part.LEVELS, amount),
    Entry("special_price", gettext_lazy("Preço promocional"), Part.LEVELS, amount),
    Entry(
        "quantity",
        gettext_lazy("Estoque"),
        Part.LEVELS,
        whole_up_to(2**31 - 1),
        gettext_lazy("Quantas unidades há, contadas agora."),
    ),
    Entry("ncm", gettext_lazy("NCM"), Part.FISCAL, digits(8), gettext_lazy("8 algarismos.")),
    Entry("cest", gettext_lazy("CEST"), Part.FISCAL, digits(7), gettext_lazy("7 algarismos.")),
    Entry("nbm", gettext_lazy("NBM"), Part.FISCAL, digits(8, 10)),
    Entry("isbn", gettext_lazy("ISBN"), Part.FISCAL, isbn),
    Entry(
        "origin",
        gettext_lazy("Origem"),
        Part.FISCAL,
        one_of(ORIGIN_CHOICES),
        gettext_lazy("0 é nacional; de 1 a 8, como na nota fiscal."),
        ORIGIN_CHOICES,
    ),
    Entry(
        "handling_time",
        gettext_lazy("Prazo de manuseio (dias)"),
        Part.TIMES,
        whole_up_to(MOST_DAYS),
    ),
    Entry(
        "manufacture_time",
        gettext_lazy("Prazo de fabricação (dias)"),
        Part.TIMES,
        whole_up_to(MOST_DAYS),
    ),
    Entry(
        "warranty_time",
        gettext_lazy("Garantia (meses)"),
        Part.TIMES,
        whole_up_to(MOST_MONTHS),
    ),
    Entry("warranty_message", gettext_lazy("Mensagem da garantia"), Part.TIMES, text_of(1000)),
    Entry("dimension.height", gettext_lazy("Altura (cm)"), Part.SIZE, size),
    Entry("dimension.width", gettext_lazy("Largura (cm)"), Part.SIZE, size),
    Entry("dimension.length", gettext_lazy("Comprimento (cm)"), Part.SIZE, size),
    Entry("dimension.weight", gettext_lazy("Peso (kg)"), Part.SIZE, size),
    Entry("description", gettext_lazy("Descrição"), Part.TEXTS, text_of(30_000), is_long=True),
)
BY_NAME = {entry.name: entry for entry in ENTRIES}


def warnings_of(document: dict[str, Any]) -> list[str]:
    """What is unlikely in it."""
    found = []
    ean = document.get("ean") or ""
    if ean.startswith("2") and len(ean) == 13:
        found.append(_("O GTIN %s é de uso interno de uma loja; canais o recusam.") % ean)
    ncm = document.get("ncm") or ""
    if ncm[:2] in NO_CHAPTERS:
        found.append(_("Não há NCM no capítulo %s.") % ncm[:2])
    for name in ("handling_time", "manufacture_time"):
        if (document.get(name) or 0) > UNLIKELY_DAYS:
            found.append(
                _("%(field)s: %(days)d dias é muito.")
                % {
                    "field": BY_NAME[name].label,
                    "days": document[name],
                }
            )
    price, special = document.get("price"), document.get("special_price")
    if price and special and Decimal(special) >= Decimal(price):
        found.append(_("O preço promocional não é menor que o preço."))
    if price is not None and not Decimal(price):
        found.append(_("O preço é zero."))
    return found
