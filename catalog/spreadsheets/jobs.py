"""A spreadsheet's way from the upload to the catalogue, in the background.

Whoever works at one holds it for a while and says so again with each chunk; when he dies, the next
one goes on behind the last chunk that was stored. Of a store's spreadsheets one is imported at a
time, in the order in which they were confirmed.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from time import monotonic

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import BinaryField, Count, Max, QuerySet
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.levels import lock_store
from catalog.models import Spreadsheet, SpreadsheetRow
from catalog.spreadsheets.columns import match
from catalog.spreadsheets.files import is_csv, read_rows
from catalog.spreadsheets.lines import Line, Outcome, Reader
from catalog.spreadsheets.mappings import MappingRows
from catalog.spreadsheets.products import ProductRows
from connectors.bulk import insert_all
from connectors.errors import Refused
from connectors.models import Activation, Store
from connectors.queue import enqueue, enqueue_all

AT_ONCE = 1000
PIECE = 512 * 1024  # bytes of a file
HELD_FOR = timedelta(minutes=2)
TURN = 120  # seconds; then others come before us
KEPT_FOR = timedelta(days=30)
MOST_WAITING = 20  # of one store
State = Spreadsheet.State
ROWS: dict[Spreadsheet.Kind, type[ProductRows] | type[MappingRows]] = {
    Spreadsheet.Kind.PRODUCTS: ProductRows,
    Spreadsheet.Kind.MAPPINGS: MappingRows,
}


class _NotOurs(Exception):
    """Somebody else works at it by now, or it is not its turn."""


@transaction.atomic
def upload(
    store: Store,
    kind: Spreadsheet.Kind,
    file_name: str,
    content: bytes,
    by: User,
    activation: Activation | None = None,
) -> Spreadsheet:
    """Take a file in; nothing of the catalogue changes. Raises `Refused` for what is no
    spreadsheet."""
    as_csv = is_csv(content)
    if (activation is None) == (kind == Spreadsheet.Kind.MAPPINGS):
        raise Refused(_("Escolha a integração."))
    if activation is not None and activation.store_id != store.pk:
        raise Refused(_("Esta integração é de outra loja."))
    lock_store(store)
    if Spreadsheet.objects.at_work().filter(store=store).count() >= MOST_WAITING:
        raise Refused(_("Já há planilhas demais em andamento; espere uma delas terminar."))
    spreadsheet = Spreadsheet.objects.create(
        store=store,
        activation=activation,
        kind=kind,
        file_name=file_name[-200:] or "planilha",
        content=content,
        is_csv=as_csv,
        created_by=by,
    )
    enqueue(work, spreadsheet.pk)
    return spreadsheet


@transaction.atomic
def confirm(spreadsheet_id: int) -> bool:
    """Write what was shown. Whether it waited for just that."""
    waiting = Spreadsheet.objects.filter(pk=spreadsheet_id, state=State.READY)
    confirmed = waiting.update(state=State.IMPORTING, confirmed_at=timezone.now(), held_until=None)
    if confirmed:
        enqueue(work, spreadsheet_id)
    return bool(confirmed)


@transaction.atomic
def cancel(spreadsheet_id: int) -> bool:
    """Nothing of it is written. Whether it could still be stopped."""
    idle = Spreadsheet.objects.filter(pk=spreadsheet_id, state__in=[State.READING, State.READY])
    return bool(idle.update(state=State.CANCELLED, content=b"", ended_at=timezone.now()))


def work(spreadsheet_id: int) -> None:
    """Go on with it, wherever it stands. May run twice at once: one of the two goes away."""
    now = timezone.now()
    mine = Spreadsheet.objects.filter(pk=spreadsheet_id)
    if not mine.free(now).update(held_until=now + HELD_FOR):
        return
    named = mine.select_related("store", "activation__store", "activation__connector")
    spreadsheet = named.defer("content").get()
    is_read = spreadsheet.state != State.READING
    step: Callable[[Spreadsheet], bool] = _import if is_read else _read
    try:
        ended = step(spreadsheet)
    except Refused as error:
        (_refuse_the_rest if is_read else _give_up)(spreadsheet, str(error))
    except _NotOurs:
        return
    else:
        if not ended:
            mine.at_work().update(held_until=None)
            enqueue(work, spreadsheet_id)


def continue_all_spreadsheets() -> None:
    """Those whose worker died, and those that nobody began."""
    now = timezone.now()
    # Nobody holds one for so long: the clock was put back.
    Spreadsheet.objects.at_work().filter(held_until__gt=now + 2 * HELD_FOR).update(held_until=None)
    free = Spreadsheet.objects.free(now)
    first_of: dict[tuple[int, str], int] = {}
    for pk, store_id, state in free.order_by("confirmed_at", "pk").values_list(
        "pk", "store_id", "state"
    ):
        key = (store_id, state if state == State.IMPORTING else str(pk))
        first_of.setdefault(key, pk)
    enqueue_all(work, [(pk,) for pk in first_of.values()])


def prune_spreadsheets() -> None:
    old = Spreadsheet.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    old.exclude(state=State.IMPORTING).delete()


def counts_of(spreadsheet: Spreadsheet) -> dict[str, int]:
    """How many rows have each outcome."""
    counted = spreadsheet.lines.order_by().values_list("outcome").annotate(Count("pk"))
    return dict.fromkeys(Outcome.values, 0) | dict(counted)


# -- How -------------------------------------------------------------------------------------------


def _read(spreadsheet: Spreadsheet) -> bool:
    """Whether it came to the end."""
    began = monotonic()
    rows = read_rows(_content(spreadsheet), as_csv=spreadsheet.is_csv)
    _number, headers = next(rows, (0, []))
    reader = Reader(match(headers, spreadsheet.kind))
    handler = ROWS[Spreadsheet.Kind(spreadsheet.kind)](spreadsheet, writes=False)
    rows = (row for row in rows if row[0] > spreadsheet.read_to)
    while chunk := list(islice(rows, AT_ONCE)):
        lines = [reader.line(number, cells) for number, cells in chunk]
        with transaction.atomic():
            _hold(spreadsheet, State.READING)
            handler.judge(lines)
            _keep(spreadsheet, lines, handler.keys_of)
            spreadsheet.headers, spreadsheet.read_to = headers, lines[-1].number
            spreadsheet.rows += len(lines)
            spreadsheet.save(update_fields=["headers", "read_to", "rows"])
        if monotonic() - began > TURN:
            return False
    if not spreadsheet.rows:
        raise Refused(_("A planilha não tem linhas."))
    with transaction.atomic():
        _hold(spreadsheet, State.READING)
        spreadsheet.state, spreadsheet.content, spreadsheet.held_until = State.READY, b"", None
        spreadsheet.save(update_fields=["state", "content", "held_until"])
    return True


def _content(spreadsheet: Spreadsheet) -> bytes:
    """In pieces: a database's driver takes five times as much memory as what it fetches at once."""
    mine, content = Spreadsheet.objects.filter(pk=spreadsheet.pk), bytearray()
    while True:
        piece = Substr("content", len(content) + 1, PIECE, output_field=BinaryField())
        fetched = mine.values_list(piece, flat=True).first()
        if not fetched:
            return bytes(content)
        content += fetched


def _import(spreadsheet: Spreadsheet) -> bool:
    began = monotonic()
    reader = Reader(match(spreadsheet.headers, spreadsheet.kind))
    handler = ROWS[Spreadsheet.Kind(spreadsheet.kind)](spreadsheet, writes=True)
    while True:
        with transaction.atomic():
            lock_store(spreadsheet.store)
            _hold(spreadsheet, State.IMPORTING)
            _wait_for_older(spreadsheet)
            rows = list(_left(spreadsheet).order_by("number")[:AT_ONCE])
            if not rows:
                _end(spreadsheet)
                return True
            lines = [reader.line(row.number, row.cells) for row in rows]
            handler.write(lines)
            _note_surprises(rows, lines)
            spreadsheet.done_to = rows[-1].number
            spreadsheet.save(update_fields=["done_to"])
        if monotonic() - began > TURN:
            return False


def _left(spreadsheet: Spreadsheet) -> QuerySet[SpreadsheetRow]:
    """Its rows that are to be imported still."""
    due = spreadsheet.lines.filter(outcome__in=[Outcome.CREATE, Outcome.UPDATE])
    return due.filter(number__gt=spreadsheet.done_to)


def _hold(spreadsheet: Spreadsheet, state: State) -> None:
    """Lock it, and see that nobody has gone on with it meanwhile."""
    locked = Spreadsheet.objects.select_for_update().defer("content").filter(pk=spreadsheet.pk)
    row = locked.first()
    places = (spreadsheet.read_to, spreadsheet.done_to)
    if row is None or row.state != state or (row.read_to, row.done_to) != places:
        raise _NotOurs
    locked.update(held_until=timezone.now() + HELD_FOR)


def _wait_for_older(spreadsheet: Spreadsheet) -> None:
    older = Spreadsheet.objects.filter(
        store=spreadsheet.store_id, state=State.IMPORTING, confirmed_at__lt=spreadsheet.confirmed_at
    )
    if older.exists():
        raise _NotOurs  # its end starts us


def _keep(
    spreadsheet: Spreadsheet, lines: list[Line], keys_of: Callable[[Line], tuple[str, str]]
) -> None:
    rows = []
    for line in lines:
        key, second_key = keys_of(line)
        rows.append(
            SpreadsheetRow(
                spreadsheet=spreadsheet,
                number=line.number,
                key=key,
                second_key=second_key,
                cells=line.cells,
                outcome=line.outcome,
                reason=line.reason,
            )
        )
    insert_all(rows)


def _note_surprises(rows: list[SpreadsheetRow], lines: list[Line]) -> None:
    """What came out otherwise than was shown: the catalogue has changed since."""
    other = []
    for row, line in zip(rows, lines, strict=True):
        if row.outcome != line.outcome:
            row.outcome, row.reason = line.outcome, line.reason
            other.append(row)
    SpreadsheetRow.objects.bulk_update(other, ["outcome", "reason"], batch_size=AT_ONCE)


def _end(spreadsheet: Spreadsheet) -> None:
    now = timezone.now()
    last = spreadsheet.lines.aggregate(last=Max("number"))["last"] or 0
    Spreadsheet.objects.filter(pk=spreadsheet.pk).update(
        state=State.DONE, done_to=last, ended_at=now, held_until=None
    )
    waiting = Spreadsheet.objects.filter(store=spreadsheet.store_id, state=State.IMPORTING)
    following = waiting.order_by("confirmed_at", "pk").first()
    if following is not None:
        Spreadsheet.objects.filter(pk=following.pk).update(held_until=None)
        enqueue(work, following.pk)


@transaction.atomic
def _give_up(spreadsheet: Spreadsheet, reason: str) -> None:
    open_ = Spreadsheet.objects.filter(pk=spreadsheet.pk, state=State.READING)
    if open_.update(
        state=State.UNREADABLE,
        reason=reason[:500],
        content=b"",
        held_until=None,
        ended_at=timezone.now(),
    ):
        spreadsheet.lines.all().delete()


def _refuse_the_rest(spreadsheet: Spreadsheet, reason: str) -> None:
    """Its headers were known when it was read, before an upgrade: what was not imported by then is
    to be sent again, and the store's next spreadsheet does not wait for it."""
    with suppress(_NotOurs), transaction.atomic():
        _hold(spreadsheet, State.IMPORTING)  # it may have been discarded before it was read
        _left(spreadsheet).update(outcome=Outcome.REFUSED, reason=reason)
        _end(spreadsheet)
