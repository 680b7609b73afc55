"""Looking at the ERP's lists. A look takes many runs, for an account may make as few as 20 calls a
minute: how far it has come is its cursor."""

import json
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

from connectors.contract import Page
from connectors.errors import Rejected, Unreadable
from connectors.payload import LOCAL, Payload

# Looks overlap by this much: clocks differ, and an invoice may be authorised some minutes after
# its order was last changed. What is read twice changes nothing.
OVERLAP = timedelta(minutes=15)
# The whole catalogue is read once a day: that mends what was lost on the way.
FULL_PASS = timedelta(days=1)
# Rows between two cursors. Each costs up to three calls, and 20 a minute must be enough.
AT_ONCE = 5
# Seconds. The queue kills a task after 300; what is left is the next run's.
LONGEST_RUN = 240
NOT_READ = "erro_ao_obter"

# Of a list, with a text "id" and whatever else is needed to read the record.
Row = dict[str, Any]


class Found(NamedTuple):
    """What came of a page or a row: records, and rows that are still to be read."""

    items: list[Payload]
    todo: list[Row]


@dataclass(frozen=True)
class Look:
    """`todo` are the rows that were listed and are still to be read. `began` is when a list was
    last begun, whose next page is `page`, 0 after the last; `since` bounds what it lists."""

    since: str = ""
    began: str = ""
    page: int = 0
    todo: tuple[Row, ...] = ()

    @classmethod
    def of(cls, cursor: str) -> "Look":
        values = json.loads(cursor) if cursor else {}
        return cls(**{**values, "todo": tuple(values.get("todo", ()))})

    @property
    def cursor(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def full_pass_is_due(self) -> bool:
        return not self.began or _now() - datetime.fromisoformat(self.began) >= FULL_PASS

    def begin(self) -> "Look":
        return replace(self, began=_now().isoformat(), page=1)

    def listed(self, rows: Iterable[Row], *, more: bool) -> "Look":
        waiting = {row["id"] for row in self.todo}
        new = [row for row in rows if row["id"] not in waiting]
        return replace(self, page=self.page + 1 if more else 0, todo=(*self.todo, *new))

    def first(self, rows: list[Row]) -> "Look":
        """These rows are read before the others, and instead of older ones of the same record."""
        newer = {row["id"] for row in rows}
        rest = (row for row in self.todo if row["id"] not in newer)
        return replace(self, todo=(*rows, *rest))


ListPage = Callable[[Look], tuple[Found, bool]]  # the page, and whether there are more
Updates = Callable[[datetime], list[Payload]]
Read = Callable[[Row], Found]


def _now() -> datetime:
    return datetime.now(LOCAL).replace(microsecond=0)


def repeatable(cursor: str, list_page: ListPage, read: Read) -> Generator[Page, None, None]:
    """What a search finds that may be asked as often as one likes."""
    look = Look.of(cursor)
    if not look.page:
        look = look.begin()
    look = yield from _list(look, list_page)
    look = replace(look, since=look.began)
    yield Page([], look.cursor)
    yield from _read(look, read)


def destructive(
    cursor: str, list_page: ListPage, updates: Updates, read: Read
) -> Generator[Page, None, None]:
    """What `updates` names, a list that forgets what it answered, and once a day everything that
    `list_page` finds. What changed is read first: a full pass may take hours.

    Where `updates` is refused, everything else is done before the refusal is raised.
    """
    look = Look.of(cursor)
    if not look.page and look.full_pass_is_due:
        look = look.begin()
        look = replace(look, since=look.since or look.began)
    look = yield from _list(look, list_page)
    refusal = None
    try:
        look = yield from _drain(look, updates)
    except Rejected as error:
        refusal = error
    yield from _read(look, read)
    if refusal:
        raise refusal


def _list(look: Look, list_page: ListPage) -> Generator[Page, None, Look]:
    """All pages at once, before their rows are read: while those take their time, rows would
    move from page to page."""
    while look.page:
        found, more = list_page(look)
        look = look.listed(found.todo, more=more)
        yield Page(found.items, look.cursor)
    return look


def _drain(look: Look, updates: Updates) -> Generator[Page, None, Look]:
    """Ask until there is nothing, and store each answer, in the cursor, before asking again."""
    began = _now().isoformat()
    before: list[Row] = []
    while rows := [
        {**each.data, "id": each.text("id")}
        for each in updates(datetime.fromisoformat(look.since) - OVERLAP)
    ]:
        if rows == before:
            break  # a list that does not forget after all would be asked for ever
        before = rows
        look = look.first(rows)
        yield Page([], look.cursor)
    look = replace(look, since=began)
    yield Page([], look.cursor)
    return look


def _read(look: Look, read: Read) -> Generator[Page, None, None]:
    deadline = monotonic() + LONGEST_RUN
    while look.todo and monotonic() < deadline:
        found = [_carefully(read, row) for row in look.todo[:AT_ONCE]]
        new = [row for each in found for row in each.todo]
        look = replace(look, todo=(*new, *look.todo[AT_ONCE:]))
        yield Page([item for each in found for item in each.items], look.cursor)


def _carefully(read: Read, row: Row) -> Found:
    """One record that the ERP refuses must not stop the others, nor stand before all of them at
    every run: its refusal is handed on in its place, for `as_read` to raise."""
    try:
        return read(row)
    except (Rejected, Unreadable) as error:
        return Found([Payload({"id": row["id"], NOT_READ: str(error)})], [])


def as_read(payload: Payload) -> Payload:
    """Raises what went wrong when the payload was to be read."""
    if NOT_READ in payload.data:
        raise Rejected(payload.text(NOT_READ))
    return payload
