"""The source texts are Portuguese; every one of them has its English text in the catalogue."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import unfold
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import gettext, override, templatize

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "portal/locale/en/LC_MESSAGES/django.po"
THEME = Path(unfold.__file__).parent / "templates"
APPS = ("connectors", "catalog", "orders", "portal")
FUNCTIONS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "gettext_lazy": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def source_texts() -> Iterator[tuple[str, str]]:
    """Each text that a person may read, and the file that it stands in."""
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            yield from texts_in(file, file.read_bytes())
    for file in sorted((ROOT / "templates").rglob("*.html")):
        yield from texts_in(file, as_python(file))


def as_python(template: Path) -> bytes:
    """The template's texts as calls; its indentation would be none to Python."""
    code = templatize(template.read_text(), origin=template.name)
    return re.sub(r"(?m)^\s+", "", code).encode()


def texts_in(file: Path, code: bytes) -> Iterator[tuple[str, str]]:
    for _line, text, _comments, _context in extract(
        "python", BytesIO(code), keywords=FUNCTIONS, options={"encoding": "utf-8"}
    ):
        assert isinstance(text, str)
        yield text, file.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return dict(source_texts())


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def test_every_text_has_an_english_one(sources: dict[str, str], english: dict[str, str]) -> None:
    missing = {text: file for text, file in sources.items() if not english.get(text)}

    assert missing == {}, f"append to {CATALOGUE.relative_to(ROOT)}"


def test_nothing_is_translated_that_nobody_says(
    sources: dict[str, str], english: dict[str, str]
) -> None:
    assert sorted(set(english) - set(sources)) == []


def test_a_translation_has_the_placeholders_of_its_source(english: dict[str, str]) -> None:
    # In English the status is named by the hub's own word alone.
    left_out = {"%(label)s"}
    wrong = {
        source: text
        for source, text in english.items()
        if set(PLACEHOLDER.findall(source)) - left_out != set(PLACEHOLDER.findall(text)) - left_out
    }

    assert wrong == {}


def test_the_extraction_sees_code_and_templates(sources: dict[str, str]) -> None:
    files = set(sources.values())

    assert {"connectors/records.py", "templates/pages/order.html"} <= files
    assert "Pedido %(order)s" in sources


def test_the_admins_theme_speaks_portuguese_too() -> None:
    with override("pt-br"):
        english_only = {
            (template.name, text)
            for template in THEME.rglob("*.html")
            for _line, text, _comments, _context in extract(
                "python", BytesIO(as_python(template)), keywords=FUNCTIONS
            )
            if isinstance(text, str) and gettext(text) == text
        }

    assert english_only == set()
