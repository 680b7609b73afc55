"""Runs a flow, one at a time, its end on record."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors import exchanges
from connectors.bulk import among
from connectors.contract import Ability, Client, Page
from connectors.errors import (
    ConnectorError,
    Held,
    OutOfBudget,
    Refused,
    Several,
    Unauthorized,
    Unavailable,
)
from connectors.exchanges import Exchange
from connectors.models import Activation, ActivationFlow, Failure, Run, State
from connectors.models.flows import RUN_LIFE
from connectors.payload import Payload
from connectors.runs.dispatch import make_due
from connectors.runs.outcomes import close, end, fail, wait_for_budget
from connectors.services import client_of, pause_refused
from connectors.spec import secrets_of
from connectors.trouble.causes import OUR_BUG
from connectors.trouble.failures import guess_id, parked, record_failure, storable

log = logging.getLogger(__name__)
A = TypeVar("A", bound=Ability)

# A run that has so much to do gives up its turn before that, between two pages.
TURN_SECONDS = settings.Q_CLUSTER["timeout"] / 2
# So many records, one after the other, may each have a trouble of its own; more have the same.
MOST_IN_A_ROW = 5


class _TurnOver(Exception):
    """The rest is the next run's, at once."""


class _Released(Exception):
    """An operator took the flow away from this run, or it was taken for dead: it may write no
    more."""


@dataclass
class Item:
    """One record of a run, and what it is `guessed` to be called before it is read. `changed` is
    for the run's count; `record`, and of a push where it comes from, are kept should it fail."""

    record_id: str
    guessed: str
    changed: bool = False
    record: Any = None
    source: Callable[[], Any] | None = None


@dataclass
class Attempt:
    """A run while it is going on."""

    run: Run
    flow: ActivationFlow
    activation: Activation
    open_failures: set[str] = field(default_factory=set)
    # Those of them whose time to be tried again has not come.
    resting: set[str] = field(default_factory=set)
    # What came of records that stood for several: it waits among the failures.
    parted: set[str] = field(default_factory=set)
    secrets: tuple[str, ...] = ()  # the account's: nothing that is kept of a call holds them
    client: Client | None = None
    only_told: bool = False  # it fetches what the platform rang for, and looks no further
    in_a_row: int = 0  # records newly in trouble that may not be theirs
    ends_at: float = field(default_factory=lambda: monotonic() + TURN_SECONDS)

    @property
    def since(self) -> str:
        return self.flow.cursor

    def advance(self, cursor: str) -> None:
        """Everything up to this cursor is stored."""
        with transaction.atomic():
            counts = {"seen": self.run.seen, "changed": self.run.changed, "failed": self.run.failed}
            if not Run.objects.filter(pk=self.run.pk, ended_at=None).update(**counts):
                raise _Released
            if cursor != self.flow.cursor:
                self.flow.cursor = cursor
                self.flow.save(update_fields=["cursor"])
        if monotonic() > self.ends_at:
            raise _TurnOver

    @contextmanager
    def item(
        self, payload: Payload | None = None, record_id: str = "", *, settles: bool = True
    ) -> Iterator[Item]:
        """One record. What is wrong with it alone is put on record, and the run goes on: also a
        fault of ours, and that a platform that answers otherwise has no answer to it, time and
        again. `Unauthorized`, and what is wrong with everything, end the run.

        With `settles=False` the record is only read here: its fate is decided afterwards, by
        `mend` or `fail`.
        """
        guessed = record_id or guess_id(payload)
        item = Item(guessed, guessed)
        exchanges.forget()
        self.run.seen += 1
        try:
            yield item
        except (Unauthorized, OutOfBudget, OperationalError, InterfaceError):
            raise
        except Several as error:
            self.in_a_row = 0
            self.part(guessed, error)
        except Exception as error:
            exchange = exchanges.last()
            self.judge(error, item.record_id)
            source = item.source() if item.source else payload and payload.data
            self.fail(item.record_id, _told(error), source, item.record, exchange)
        else:
            self.in_a_row = 0
            self.run.changed += item.changed
            if settles:
                self.mend(guessed)  # it could not even be read then
                self.mend(item.record_id)

    @transaction.atomic
    def part(self, record_id: str, several: Several) -> None:
        """It is over, and each of its parts waits for its own attempt: where the account's calls
        give out between two of them, what was read is not read again, and the rest is not lost."""
        self.mend(record_id)
        for part in several.parts:
            part_id = guess_id(Payload(part))
            self.parted.add(part_id)
            self.open_failures.add(part_id)
            record_failure(self.run, part_id, several, part, secrets=self.secrets)

    def judge(self, error: Exception, record_id: str) -> None:
        """Raises it, where it is not about this record alone."""
        if isinstance(error, ConnectorError | Refused) and not isinstance(error, Unavailable):
            self.in_a_row = 0
            return
        # Those that failed before come one after the other now, whatever stood between them then.
        known = record_id in self.open_failures
        self.in_a_row += not known
        if self.in_a_row > MOST_IN_A_ROW or (known and monotonic() > self.ends_at):
            raise error
        if not isinstance(error, Unavailable):
            log.exception(
                "a record of run %s of %s broke",
                self.run.pk,
                self.flow.ability,
                extra=self.activation.in_the_log,
            )
            return
        happened_before = self.flow.failures_in_a_row or known
        if self.client is None or error.after is not None or not happened_before:
            raise error
        try:
            self.client.check()
        except ConnectorError:
            raise error from None

    def with_parked(self, pages: Iterable[Page], mended: Collection[str] = ()) -> Iterator[Page]:
        """These pages, and before them what failed earlier and is to be tried again: what the
        platform says today is newer. What is known to be `mended` does not wait for its time."""
        if self.open_failures and (items := parked(self.flow, mended)):
            yield Page(items, self.since)
        yield from pages

    def rests(self, record_id: str) -> bool:
        """It failed, and is not to be tried again yet."""
        return record_id in self.resting

    def fail(
        self,
        record_id: str,
        error: Exception,
        source: Any = None,
        record: Any = None,
        exchange: Exchange | None = None,
    ) -> None:
        """On record: what it came from, what was made of it, and the call that was refused."""
        record_id = storable(record_id)[:200]
        self.run.failed += 1
        self.open_failures.add(record_id)
        told = exchange.as_document(self.secrets) if exchange else None
        record_failure(self.run, record_id, error, source, record, told, self.secrets)

    def mend_all_but(self, still: Callable[[set[str]], Iterable[str]]) -> None:
        """Of what failed on its way out, which this is asked of only if something did, those that
        it names are `still` to be sent. The rest is not: it was deleted, or is called something
        else, or nobody wants it any more."""
        if not self.open_failures:
            return
        mine = Failure.objects.open().filter(
            activation=self.activation, flow=self.flow.flow, ability=self.flow.ability
        )
        failed = set(mine.values_list("record_id", flat=True))
        if not (over := failed.difference(still(failed)) if failed else failed):
            return
        self.open_failures -= over
        mine.filter(record_id__in=among(over)).resolve(_("Não há mais o que enviar."))

    def mend(self, record_id: str) -> None:
        """It went well; if it had failed before, that is over."""
        if record_id not in self.open_failures:
            return
        self.open_failures.discard(record_id)
        Failure.objects.open().filter(
            activation=self.activation, flow=self.flow.flow, record_id=record_id
        ).resolve(_("Passou numa execução seguinte."))


def _told(error: Exception) -> Exception:
    """A fault of ours by its kind alone: its text may hold anything."""
    if isinstance(error, ConnectorError | Refused):
        return error
    return Refused(_("Erro do portal: %s") % type(error).__name__, cause=OUR_BUG)


def run_flow(flow_id: int, ability: type[A], work: Callable[[Attempt, A], None]) -> bool:
    """Run one flow of one managed activation with its client. Never raises: how it went is on
    record, and decides what comes next (connectors.errors). Whether it went well, and became due
    again while it ran."""
    flow = (
        ActivationFlow.objects.select_related("activation__connector", "activation__store")
        .filter(pk=flow_id)
        .first()
    )
    if flow is None:
        return False
    ActivationFlow.objects.filter(pk=flow_id).update(slot_at=None)
    if flow.activation.state != State.ACTIVE or (run := _begin(flow)) is None:
        return False
    attempt, whose = Attempt(run, flow, flow.activation), flow.activation.in_the_log
    _recall_failures(attempt)
    try:
        client = client_of(flow.activation, ability.flow)
        attempt.client, attempt.secrets = client, secrets_of(flow.activation.spec, client.account)
        work(attempt, cast(A, client))
    except _Released:
        log.warning("run %s of %s was taken from its owner", run.pk, flow.ability, extra=whose)
    except _TurnOver:
        end(run, flow, only_told=attempt.only_told, over=False)
    except OutOfBudget as error:
        wait_for_budget(run, flow, error)
    except Unauthorized as error:
        if not _has_newer_credential(run):
            pause_refused(flow.activation_id, str(error))
        fail(run, flow, str(error))
    except Held as error:
        close(run, flow, Run.Outcome.HELD, str(error))
    except (ConnectorError, Refused) as error:
        fail(run, flow, str(error), error.after if isinstance(error, Unavailable) else None)
    except Exception as error:
        log.exception("run %s of %s broke", run.pk, flow.ability, extra=whose)
        fail(run, flow, _("Erro do portal: %s") % type(error).__name__)
    else:
        end(run, flow, only_told=attempt.only_told)
        became_due = (run.started_at, timezone.now())
        return ActivationFlow.objects.filter(pk=flow_id, due_at__range=became_due).exists()
    return False


def _recall_failures(attempt: Attempt) -> None:
    mine = Failure.objects.open().filter(activation=attempt.activation, flow=attempt.flow.flow)
    for record_id, retry_at in mine.values_list("record_id", "retry_at"):
        attempt.open_failures.add(record_id)
        if retry_at is None or retry_at > attempt.run.started_at:
            attempt.resting.add(record_id)


def _has_newer_credential(run: Run) -> bool:
    """Than the one that this run began with: that one was refused, and this one is to be tried."""
    received = run.activation.credentials.received()
    return received.filter(created_at__gt=run.started_at).exists()


def _begin(flow: ActivationFlow) -> Run | None:
    """An open run, or None where there is one already: then the flow is due again when that one
    ends, which may have passed already what this one was started for. One whose owner died is
    closed first."""
    now = timezone.now()
    going_on = Run.objects.filter(
        activation_id=flow.activation_id, ability=flow.ability, ended_at=None
    )
    going_on.filter(expires_at__lte=now).abandon(_("Quem executava parou."))
    try:
        with transaction.atomic():
            run = Run.objects.create(
                activation_id=flow.activation_id,
                ability=flow.ability,
                flow=flow.flow,
                planned_at=flow.slot_at or now,
                started_at=now,
                expires_at=now + RUN_LIFE,
                cursor_before=flow.cursor,
            )
            ActivationFlow.objects.filter(pk=flow.pk).update(last_run_at=now)
            _read_cursor(run, flow)
    except IntegrityError:
        make_due(ActivationFlow.objects.filter(pk=flow.pk))
        # Where it has ended meanwhile, perhaps too early to see that.
        return None if going_on.exists() else _begin(flow)
    return run


def _read_cursor(run: Run, flow: ActivationFlow) -> None:
    """Again, now that nobody else may move it: another run may have, since the flow was read."""
    flow.refresh_from_db(fields=["cursor"])
    if flow.cursor != run.cursor_before:
        run.cursor_before = flow.cursor
        run.save(update_fields=["cursor_before"])
