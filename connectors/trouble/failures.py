"""Records that could not be taken or delivered: kept with what arrived, tried again, dismissed.

What failed is tried again by itself after 1, 5, 15 and 60 minutes, and then every six hours; at
once when somebody saves what was missing (`retry_parked`). Its flow does it, before anything else,
in its next run.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import SINK_NAMES
from connectors.models import Activation, ActivationFlow, Failure, FailureQuerySet, Run
from connectors.payload import Payload, to_storable
from connectors.redaction import people_in, without_people, without_secrets
from connectors.runs.dispatch import make_due
from connectors.trouble.causes import cause_of
from connectors.trouble.originals import covered, masked, opened, originals_of

WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 360)]
NOTICE, LONGEST_NOTICE = "aviso", 10_000  # bytes of it that are kept
AT_ONCE = 500  # of one flow in one run, which has more to do


def guess_id(payload: Payload | None) -> str:
    """A name for a record that may turn out to be unreadable: the same at every attempt."""
    if payload is None:
        return ""
    for key in ("sku", "id", "order_id", "codigo"):
        if payload.data.get(key):
            return storable(str(payload.data[key]))[:200]
    text = json.dumps(payload.data, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]


def storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def record_failure(
    run: Run,
    record_id: str,
    error: Exception,
    payload: Any,
    translated: Any = None,
    exchange: dict[str, Any] | None = None,
    secrets: Collection[str] = (),
) -> None:
    """The same record failing again is the same failure, once more.

    `payload` is where it came from, `translated` the record made of it, as far as it came;
    `exchange` the call that was refused, without its secrets. `secrets` are the account's: an
    answer that the error quotes may repeat them. Of all that, people read no personal data.
    """
    people = people_in(payload)
    which = {"activation_id": run.activation_id, "flow": run.flow, "record_id": record_id}
    facts = {
        "ability": run.ability,
        "translated": kept(translated, people),
        "exchange": kept(exchange, people),
        "reason": without_people(storable(without_secrets(str(error), secrets)), people),
    }
    _record(which, error, payload, run, facts)


def record_notice_failure(activation: Activation, body: bytes, error: Exception) -> None:
    """A notice of a platform's that could not be taken. One that fails of the same reason is the
    same failure: it can only be sent again, and not be tried again by us."""
    text = body.decode(errors="replace")
    try:
        text = json.dumps(masked(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = masked(text)
    record_id = masked(storable(f"{NOTICE}: {error}"))[:200]
    which = {"activation_id": activation.pk, "flow": "", "record_id": record_id}
    notice = {NOTICE: storable(text[:LONGEST_NOTICE])}
    _record(which, error, notice, None, {}, can_retry=False)


def record_untold(activation: Activation, record_id: str, error: Exception) -> None:
    """Something that the other side cannot be told: a person must. It stands in no flow's way."""
    which = {"activation_id": activation.pk, "flow": "", "record_id": record_id}
    _record(which, error, None, None, {}, can_retry=False)


def kept(value: Any, people: Collection[str] = ()) -> Any:
    """A record or a document as JSON that every database can hold, without personal data."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    value = without_people(value, {*people, *people_in(value)})
    text = json.dumps(value, default=_plain)
    try:
        return to_storable(json.loads(text))
    except ValueError:
        return ascii(value)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return DjangoJSONEncoder().default(value)


@transaction.atomic
def _record(
    which: dict[str, Any],
    error: Exception,
    payload: Any,
    run: Run | None,
    facts: dict[str, Any],
    *,
    can_retry: bool = True,
) -> None:
    now = timezone.now()
    try:
        to_storable(payload)
    except ValueError:
        # What no database can hold is shown instead as Python writes it.
        payload, can_retry = {"payload": ascii(masked(payload))}, False
    facts = {"reason": masked(storable(without_secrets(str(error))))} | facts
    facts |= {
        "run": run,
        "kind": Failure.kind_of(error),
        "cause": cause_of(error).code,
        "last_at": now,
    }
    same = Failure.objects.open().filter(**which)
    known = same.select_for_update().first()
    times = known.times if known else 0
    corrected = originals_of(known)[1] if known else None
    retry_at = now + WAITS[min(times, len(WAITS) - 1)] if can_retry else None
    if corrected is None or corrected != payload:  # else both stay
        facts |= covered(payload) | {"edited_at": None, "edited_by": None}
        if retry_at is None or (run and run.ability in SINK_NAMES):
            facts["sealed"] = ""  # it is not tried again from here, but read anew from our tables
    if known:
        same.update(times=F("times") + 1, retry_at=retry_at, **facts)
    else:
        failure = Failure(retry_at=retry_at, **which, **facts)
        # The flow's other direction may record it at the same moment.
        Failure.objects.bulk_create([failure], ignore_conflicts=True)


def parked(flow: ActivationFlow, record_ids: Collection[str] = ()) -> list[Payload]:
    """What arrived earlier, failed, and is to be tried again: because its time has come, or
    because it is one of these records."""
    now = timezone.now()
    failures = (
        Failure.objects.open()
        .filter(activation=flow.activation_id, flow=flow.flow, retry_at__isnull=False)
        .filter(ability__in=[flow.ability, ""])  # not what the other direction sent
        .filter(Q(retry_at__lte=now) | Q(record_id__in=record_ids))
    )
    oldest = failures.exclude(payload=None).order_by("retry_at", "pk")[:AT_ONCE]
    rows = oldest.values_list("pk", "payload", "edited", "sealed")
    both = {pk: opened(payload, edited, sealed) for pk, payload, edited, sealed in rows}
    lost = [pk for pk, originals in both.items() if originals == (None, None)]
    # Its key is gone. Until it is back, the others go before it.
    Failure.objects.filter(pk__in=lost).update(retry_at=timezone.now() + WAITS[-1])
    return [Payload(edited or payload) for payload, edited in both.values() if edited or payload]


def unfetched(flow: ActivationFlow, most: int) -> list[str]:
    """The names of what was rung for, could not be fetched then, and is to be tried again."""
    due = Failure.objects.open().filter(
        activation=flow.activation_id, flow=flow.flow, ability=flow.ability, payload__isnull=True
    )
    due = due.filter(retry_at__lte=timezone.now()).order_by("retry_at", "pk")
    return list(due.values_list("record_id", flat=True)[:most])


@transaction.atomic
def retry_parked(
    activation_id: int, record_ids: Collection[str] | None = None, cause: str | None = None
) -> int:
    """Somebody may have mended what these failed of: they are due again, and so are their flows;
    how many they are."""
    failures = Failure.objects.open().filter(activation=activation_id)
    if record_ids is not None:
        failures = failures.filter(record_id__in=record_ids)
    if cause is not None:
        failures = failures.filter(cause=cause)
    return retry(failures)


@transaction.atomic
def retry(failures: QuerySet[Failure]) -> int:
    """These are due again, and so are their flows; how many they are."""
    chosen = failures.filter(resolved_at=None)
    theirs = chosen.filter(activation=OuterRef("activation"), flow=OuterRef("flow"))
    make_due(ActivationFlow.objects.filter(Exists(theirs)))
    return chosen.filter(retry_at__isnull=False).update(retry_at=timezone.now())


@transaction.atomic
def dismiss(failures: FailureQuerySet, reason: str, by: str) -> int:
    """Nobody is to look at these any more. Should one fail again, that is a new failure."""
    resolution = _("Dispensada por %(user)s: %(reason)s") % {"user": by, "reason": reason}
    return failures.resolve(resolution)
