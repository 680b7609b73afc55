"""The design's tables, and the same tables printed from the specifications."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from connectors.describe import NOTHING, mode_rows, rows
from connectors.registry import SPECS
from connectors.spec import Spec

DESIGN = Path(__file__).with_name("specification_table.md")
SAME_IN_BOTH = {NOTHING, "hub → ERP", "ERP → hub"}
# What is experimental is not the design's.
BY_NAME = {spec.name: spec for spec in SPECS.values() if not spec.unavailable}


def read_tables() -> list[list[list[str]]]:
    """Each table's rows, heading first, without the line under the heading."""
    tables: list[list[list[str]]] = [[]]
    for line in DESIGN.read_text().splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line[1:-1].split("|")])
        elif tables[-1]:
            tables.append([])
    return [[table[0], *table[2:]] for table in tables if table]


MODES, SYSTEMS = read_tables()
SYSTEM_NAMES = SYSTEMS[0][1:]


def designed_cells() -> Iterator[tuple[str, str, str]]:
    for label, *cells in SYSTEMS[1:]:
        for name, cell in zip(SYSTEM_NAMES, cells, strict=True):
            yield name, label, cell


def designed_modes() -> Iterator[tuple[str, str, str]]:
    for names, *cells in MODES[1:]:
        for name in names.removesuffix(" (upstream)").split(", "):
            for mode, cell in zip(MODES[0][1:], cells, strict=True):
                yield name, mode, cell


def find(heading: str) -> Spec:
    """The specification of a column; the design says of one what kind of system it is."""
    return BY_NAME[heading.removesuffix(" (ERP)")]


def markdown(lines: list[list[str]]) -> str:
    heading, *others = ["".join(f"| {cell} " if cell else "| " for cell in row) for row in lines]
    return "".join(f"{line}|\n" for line in (heading, "|---" * len(lines[0]), *others))


@pytest.mark.parametrize(
    ("name", "label", "cell"), [pytest.param(*c, id=f"{c[0]}: {c[1]}") for c in designed_cells()]
)
def test_every_cell_of_the_design_is_printed_from_the_specification(
    name: str, label: str, cell: str
) -> None:
    with override("en"):
        printed = dict(rows(find(name)))

    assert printed[label] == cell


def test_the_rows_are_the_designs_rows_in_its_order() -> None:
    designed = [label for label, *_ in SYSTEMS[1:]]

    with override("en"):
        printed = {spec.slug: [label for label, _ in rows(spec)] for spec in SPECS.values()}

    assert printed == dict.fromkeys(SPECS, designed)


@pytest.mark.parametrize(
    ("name", "mode", "cell"), [pytest.param(*c, id=f"{c[0]}: {c[1]}") for c in designed_modes()]
)
def test_every_cell_of_the_modes_matrix_is_printed_from_the_specification(
    name: str, mode: str, cell: str
) -> None:
    with override("en"):
        printed = dict(mode_rows(BY_NAME[name]))

    assert printed[mode] == cell


def test_the_modes_matrix_names_every_connector() -> None:
    assert {name for name, *_ in designed_modes()} == set(BY_NAME), f"see {DESIGN.name}"


def test_the_whole_table_printed_as_markdown_is_the_designs() -> None:
    with override("en"):
        columns = [rows(find(name)) for name in SYSTEM_NAMES]
    lines = [[row[0][0], *(cell for _, cell in row)] for row in zip(*columns, strict=True)]

    table = markdown([["", *SYSTEM_NAMES], *lines])

    sys.stdout.write(f"\n{table}\n")  # for people: pytest -s
    assert table in DESIGN.read_text()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_label_and_cell_has_a_portuguese_text_of_its_own(spec: Spec) -> None:
    same_in_both = {*SAME_IN_BOTH, *(contact.address for contact in spec.contacts)}
    with override("en"):
        english = [*rows(spec), *mode_rows(spec)]

    with override("pt-br"):
        portuguese = [*rows(spec), *mode_rows(spec)]

    untranslated = {
        text
        for pair, theirs in zip(portuguese, english, strict=True)
        for text, other in zip(pair, theirs, strict=True)
        if text == other and text not in same_in_both
    }
    assert untranslated == set(), "append them to django.po (make compiles it)"
