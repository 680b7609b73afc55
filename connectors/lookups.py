"""Finding a name by how people type it."""

import re
import unicodedata
from collections import defaultdict

from django.db.models import CharField
from django.db.models.lookups import IRegex

LONGEST = 100  # characters that are looked for
ACCENTS = "[\u0300-\u036f]*"  # some write them as characters of their own, behind the letter


def plain(text: str) -> str:
    """Without accents, case and double blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def _without_accent(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def _accented() -> dict[str, str]:
    """By each letter that has none, all that have one, large and small."""
    found: dict[str, str] = defaultdict(str)
    for letter in map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))):
        base = _without_accent(letter)
        if base != letter:
            found[base.lower()] += letter
    return found


ACCENTED = _accented()


class Called(IRegex):
    """`name__called="calca"` finds "Calça" and "CALÇA", with whatever accents either is written."""

    def get_prep_lookup(self) -> str:
        typed = unicodedata.normalize("NFC", str(self.rhs))
        return "".join(map(_alike, typed[:LONGEST]))


def _alike(letter: str) -> str:
    base = _without_accent(letter).lower()
    if base not in ACCENTED:
        return re.escape(letter)
    # In both cases: a database knows those of accented letters only by its locale.
    return f"[{base}{base.upper()}{ACCENTED[base]}]{ACCENTS}"


CharField.register_lookup(Called, "called")
