"""Looking at the ERP's lists. A look takes many runs, for an account may make as few as 20 calls a
minute: how far it has come is its cursor, which holds at most two pages' rows."""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.utils.translation import gettext as _

from connectors.contract import Page
from connectors.errors import (
    ConnectorError,
    OutOfBudget,
    Rejected,
    Several,
    Unavailable,
    Unreadable,
)
from connectors.payload import LOCAL, Payload
from connectors.trouble.causes import PLAN

# Looks overlap by this much: clocks differ. What is read twice changes nothing.
OVERLAP = timedelta(minutes=15)
# The whole catalogue is read once a day: that mends what was lost on the way.
FULL_PASS = timedelta(days=1)
# A page ends after so many rows, or seconds: what was read until then can be stored.
AT_ONCE, PAGE_SECONDS = 100, 20
NOT_READ, TRIED_AT = "erro_ao_obter", "tentado_em"
UPDATES = "lista.atualizacoes"
VARIATIONS = "/variacoes"
# So many rows are read at one go: more may never fit into what a small plan leaves of a minute.
FEW = 5

# Of a list, with a text "id" and whatever else is needed to read the record.
Row = dict[str, Any]


@dataclass
class Found:
    """What came of a page or a row: records, rows that are still to be read, and rows that are
    worth another look at the next opportunity."""

    items: list[Payload] = field(default_factory=list)
    todo: list[Row] = field(default_factory=list)
    later: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """How far a look has come.

    `taken` are rows that the ERP has forgotten since it was asked for them, at `told_at`, and
    `todo` rows of the page that is being read; both are still to be read. `began` is when the list
    was last begun, `page` where it is, 0 after the last, and `seen` the page's rows. `since` bounds
    what is listed.

    While the ERP is `asked` for what it then forgets, that stands in the stored cursor. Who finds
    it there knows that an answer may be `lost`. At the row `stuck` the last run ended, because the
    ERP had no answer to it. Where it `refused` that, this is on record until it answers.
    """

    since: str = ""
    began: str = ""
    page: int = 0
    taken: tuple[Row, ...] = ()
    told_at: str = ""
    todo: tuple[Row, ...] = ()
    later: tuple[Row, ...] = ()
    seen: tuple[str, ...] = ()
    asked: bool = False
    lost: bool = False
    stuck: str = ""
    refused: bool = False

    @classmethod
    def of(cls, cursor: str) -> "Look":
        """Of what the other version of the API left there, only what both know."""
        known = {each.name for each in fields(cls)}
        left = json.loads(cursor) if cursor else {}
        values = {name: value for name, value in left.items() if name in known}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})

    @property
    def cursor(self) -> str:
        return json.dumps({n: v for n, v in asdict(self).items() if v}, ensure_ascii=False)

    @property
    def full_pass_is_due(self) -> bool:
        if self.lost or not self.began:
            return True
        return _now() - datetime.fromisoformat(self.began) >= FULL_PASS

    def without_future(self) -> "Look":
        """The clock was put back: what changed since is older than what is asked for, and was
        asked for in vain before. All is listed anew; what waits to be read stays."""
        known = [datetime.fromisoformat(each) for each in (self.since, self.began) if each]
        if all(each <= _now() + OVERLAP for each in known):
            return self
        return replace(self, since="", page=0, seen=(), lost=True)

    def begin(self) -> "Look":
        again = self.later
        return replace(
            self,
            began=_now().isoformat(),
            page=1,
            todo=again,
            later=(),
            seen=_ids(again),
            lost=False,
        )

    def listed(self, rows: Sequence[Row], *, more: bool) -> "Look":
        """A page is left behind when it was asked for again and showed nothing new: while its rows
        were read, which may take many minutes, others may have moved up to it."""
        new = [row for row in rows if row["id"] not in self.seen]
        if new:
            return replace(self, todo=(*self.todo, *new), seen=(*self.seen, *_ids(new)))
        return replace(self, page=self.page + 1 if more else 0, seen=())


ListPage = Callable[[Look], tuple[Found, bool]]  # the page, and whether there are more
Updates = Callable[[datetime], list[Row]]
Read = Callable[[Row], Found]
Looking = Generator[Page, None, Look]


def _now() -> datetime:
    return datetime.now(LOCAL).replace(microsecond=0)


def _ids(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row["id"] for row in rows)


def repeatable(cursor: str, list_page: ListPage, read: Read) -> Iterator[Page]:
    """What a search finds that may be asked as often as one likes."""
    look = yield from _read(Look.of(cursor).without_future(), "todo", read)
    if not look.page:
        look = look.begin()
    look = yield from _list(look, list_page, read)
    yield Page([], replace(look, since=look.began).cursor)


def destructive(cursor: str, list_page: ListPage, updates: Updates, read: Read) -> Iterator[Page]:
    """What `updates` names, a list that forgets what it answered, and everything that `list_page`
    finds: once a day, and after an answer that did not arrive. What changed is read first: a full
    pass may take hours. One that goes on is not begun again: the next follows it."""
    look = Look.of(cursor).without_future()
    look = replace(
        look, since=look.since or _now().isoformat(), lost=look.lost or look.asked, asked=False
    )
    look = yield from _drain(look, updates, read)
    look = yield from _read(look, "todo", read)
    if not look.page and look.full_pass_is_due:
        look = look.begin()
    yield from _list(look, list_page, read)


def everything(cursor: str, list_page: ListPage, read: Read) -> Iterator[Page]:
    """All that a list finds, once, from an earlier page's cursor on, and nothing that the ERP would
    forget."""
    yield from _list(Look.of(cursor) if cursor else Look().begin(), list_page, read)


def _list(look: Look, list_page: ListPage, read: Read) -> Looking:
    """From where it is to the end; first the rows that wait."""
    look = yield from _read(look, "todo", read)
    while look.page:
        found, more = list_page(look)
        look = look.listed(found.todo, more=more)
        yield Page(found.items, look.cursor)
        look = yield from _read(look, "todo", read)
    return look


def _drain(look: Look, updates: Updates, read: Read) -> Looking:
    """Ask until there is nothing, and store each answer, in the cursor, before its rows are read
    and the next is asked for. What is not taken yet is safe where it is."""
    began = _now().isoformat()
    before: list[Row] = []
    while True:
        look = yield from _read(look, "taken", read)
        yield Page([], replace(look, asked=True).cursor)
        told_at = datetime.now(LOCAL).isoformat()
        try:
            rows = updates(datetime.fromisoformat(look.since) - OVERLAP)
        except OutOfBudget:  # it was not asked, or said no: nothing is lost
            yield Page([], look.cursor)
            raise
        except Rejected as error:  # without the extension there is no such list
            look = replace(look, refused=True)
            yield Page([Payload({"id": UPDATES, NOT_READ: str(error)})], look.cursor)
            return look
        over = not rows or rows == before  # one that does not forget would be asked for ever
        if over:
            look = replace(look, since=began, told_at="")
        else:
            look = replace(look, taken=tuple(rows), told_at=told_at)
        yield Page([], look.cursor)
        if look.refused:
            look = replace(look, refused=False)
            yield Page([Payload({"id": UPDATES})], look.cursor)
        if over:
            return look
        before = rows


def _read(look: Look, which: str, read: Read) -> Looking:
    """Read the rows in `taken` or in `todo`. Where the ERP, or the account's calls, give out, what
    was read until then is stored before that is said. A row at which it gives out once more is
    handed on as one that it refuses: it may be that row alone."""
    told_at = datetime.fromisoformat(look.told_at) if which == "taken" and look.told_at else None
    while rows := getattr(look, which):
        done, found, stopped, stuck = 0, Found(), None, look.stuck
        ends = monotonic() + PAGE_SECONDS
        for row in rows[:AT_ONCE]:
            try:
                one = _carefully(read, row)
            except Unavailable as error:
                if done or row["id"] != look.stuck or isinstance(error, OutOfBudget):
                    stopped = error
                    break
                one = _not_read(row, error)
            done += 1
            found.items += one.items
            found.todo += one.todo
            found.later += one.later
            if row["id"] == stuck:
                stuck = ""
                break
            if monotonic() >= ends:
                break
        if stopped and not isinstance(stopped, OutOfBudget):
            stuck = rows[done]["id"]
        left: dict[str, Any] = {which: (*found.todo, *rows[done:]), "stuck": stuck}
        is_news = done or stuck != look.stuck
        look = replace(look, later=(*look.later, *found.later), **left)
        if is_news:
            yield Page(found.items, look.cursor, told_at)
        if stopped:
            raise stopped
    return look


def _carefully(read: Read, row: Row) -> Found:
    """One record that the ERP refuses must not stop the others, nor stand before all of them at
    every run: it is handed on as it is, for `as_read` to raise what is wrong."""
    try:
        return read(row)
    except (Rejected, Unreadable) as error:
        return _not_read(row, error)


def _not_read(row: Row, error: ConnectorError) -> Found:
    return Found([Payload(_to_read(row, str(error)))])


def _to_read(row: Row, reason: str) -> Row:
    """It says nothing of the record itself: without the moment it would be known at the next time,
    and passed over, whatever the record has become."""
    return {**row, NOT_READ: reason, TRIED_AT: datetime.now(LOCAL).isoformat()}


def at_one_go(found: Found, read: Read) -> Found:
    """What was found, with what its rows lead to. Raises `Several` where those are many."""
    if len(found.todo) > FEW:
        reason = _("O produto tem muitas variações: cada uma é lida por si.")
        rows = [_to_read(each, reason) for each in found.todo]
        raise Several(reason, [*(each.data for each in found.items), *rows])
    return Found([*found.items, *(item for each in found.todo for item in read(each).items)])


def of_variations(row: Row) -> Row:
    """Under another name than the product's own row: when that is read well, the failure of this
    one is not over."""
    return {**row, "id": row["id"] + VARIATIONS}


def as_read(payload: Payload, read: Read) -> Payload:
    """A record that could not be read at first is asked for once more: this may be the portal's
    later attempt at what failed. Raises what is wrong with it, and `Several` where the row is that
    of a product with variations: theirs may take more calls than the account has at once."""
    if payload.data == {"id": UPDATES}:
        raise Several(UPDATES, [])  # it answers again, and what failed is over
    if NOT_READ not in payload.data:
        return payload
    if payload.data["id"] == UPDATES:
        raise Rejected(payload.text(NOT_READ), cause=PLAN)
    named = {NOT_READ, TRIED_AT}
    row = {name: value for name, value in payload.data.items() if name not in named}
    found = read(row)
    if found.later:  # here nobody else would look again
        raise Rejected(_("O registro %(id)s ainda não está completo no ERP.") % {"id": row["id"]})
    if len(found.items) == 1 and not found.todo:
        return found.items[0]
    reason = payload.text(NOT_READ)
    rows = [_to_read(each, reason) for each in found.todo]
    raise Several(reason, [*(each.data for each in found.items), *rows])
