"""Looking at the ERP's lists, row by row."""

import pytest

from connectors.contract import Page
from connectors.errors import OutOfBudget, Unavailable
from connectors.olist.look import NOT_READ, Found, Look, Row, repeatable
from connectors.payload import Payload

SILENT = "2"


def run(cursor: str, error: Exception) -> tuple[list[Page], Exception | None]:
    """The pages of one run over three rows, of which one answers with this error, and what ended
    it."""

    def list_page(look: Look) -> tuple[Found, bool]:
        return Found(todo=[{"id": number} for number in ("1", SILENT, "3")]), False

    def read(row: Row) -> Found:
        if row["id"] == SILENT:
            raise error
        return Found([Payload(row)])

    pages: list[Page] = []
    try:
        pages.extend(repeatable(cursor, list_page, read))
    except Unavailable as stopped:
        return pages, stopped
    return pages, None


def ids(pages: list[Page]) -> list[str]:
    return [payload.text("id") for page in pages for payload in page.items]


def test_a_row_that_never_gets_an_answer_keeps_no_other_waiting() -> None:
    error = Unavailable("erro interno (35)")

    at_first, stopped = run("", error)
    then, ended = run(at_first[-1].cursor, error)

    assert (ids(at_first), stopped) == (["1"], error)
    assert (ids(then), ended) == ([SILENT, "3"], None)
    [silent] = [each for page in then for each in page.items if NOT_READ in each.data]
    assert silent.data.items() >= {"id": SILENT, NOT_READ: "erro interno (35)"}.items()


def test_it_is_handed_on_alone_so_that_nothing_is_read_twice_should_it_stop_the_run() -> None:
    at_first, _stopped = run("", Unavailable("down"))

    then, _ended = run(at_first[-1].cursor, Unavailable("down"))

    assert ids([page for page in then if page.items][:1]) == [SILENT]


@pytest.mark.parametrize("times", [2, 3])
def test_no_row_is_to_blame_for_an_account_without_calls(times: int) -> None:
    cursor, stopped = "", None
    for _n in range(times):
        pages, stopped = run(cursor, OutOfBudget("Sem cota."))
        cursor = pages[-1].cursor if pages else cursor

    assert isinstance(stopped, OutOfBudget)
    assert "stuck" not in cursor
