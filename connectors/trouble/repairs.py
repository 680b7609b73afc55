"""What a person does about failures: one, or thousands. Few are done at once; many in the
background, some at a time, with the count on a page."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connectors.contract import Client, Flow
from connectors.errors import ConnectorError, Refused
from connectors.models import Failure, FailureQuerySet, Repair
from connectors.queue import enqueue
from connectors.redaction import people_in, without_people
from connectors.services import client_of
from connectors.trouble.editing import edit, fetch_again, with_value
from connectors.trouble.failures import dismiss, retry
from connectors.trouble.originals import to_correct

# In one step; more than these are the queue's. The first two are one statement each.
AT_ONCE = {
    Repair.Action.RETRY: 1000,
    Repair.Action.DISMISS: 1000,
    Repair.Action.FETCH: 100,
    Repair.Action.EDIT: 50,
}
SHOWN = 20  # reasons


def repair(
    action: Repair.Action,
    failures: QuerySet[Failure],
    by: User,
    *,
    reason: str = "",
    place: str = "",
    value: Any = None,
) -> Repair:
    """Do it to those of these failures that are open. Where they are many it is not over yet."""
    chosen = list(
        failures.filter(resolved_at=None).order_by("pk").values_list("pk", flat=True).distinct()
    )
    with transaction.atomic():
        asked = Repair.objects.create(
            action=action,
            reason=reason,
            place=place,
            value=value,
            asked_by=by,
            chosen=chosen,
            total=len(chosen),
        )
        if len(chosen) > AT_ONCE[action]:
            enqueue(go_on_repairing, asked.pk)
        else:
            go_on_repairing(asked.pk)
    asked.refresh_from_db()
    return asked


def go_on_repairing(repair_id: int) -> None:
    """From where the last one came to: whoever dies at it loses nothing, and does nothing twice."""
    while _repair_some(repair_id):
        pass


@transaction.atomic
def _repair_some(repair_id: int) -> bool:
    """Whether there are more."""
    asked = Repair.objects.select_for_update().select_related("asked_by").get(pk=repair_id)
    if asked.ended_at is not None:
        return False
    action = Repair.Action(asked.action)
    ids = asked.chosen[asked.seen : asked.seen + AT_ONCE[action]]
    open_ones = Failure.objects.open().filter(pk__in=ids)
    done, refusals = DO[action](asked, open_ones)
    Failure.objects.filter(pk__in=done).update(repair=asked)
    asked.seen += len(ids)
    asked.done += len(done)
    asked.refusals = [*asked.refusals, *map(list, refusals.items())][:SHOWN]
    if asked.seen >= asked.total:
        asked.ended_at = timezone.now()
        asked.value = _shown(asked.place, asked.value)  # nothing needs it any more
    asked.save(update_fields=["seen", "done", "refusals", "ended_at", "value"])
    return asked.ended_at is None


def _shown(place: str, value: Any) -> Any:
    """The value of this place, without personal data."""
    names = place.removeprefix("$.").split(".")
    nested = value
    for name in reversed(names):
        nested = {name: nested}
    nested = without_people(nested)
    for name in names:
        nested = nested[name]
    return nested


Done = tuple[list[int], dict[str, str]]


def _retry(asked: Repair, failures: FailureQuerySet) -> Done:
    able = failures.filter(retry_at__isnull=False)
    ids = list(able.values_list("pk", flat=True))
    retry(able)
    return ids, {}


def _dismiss(asked: Repair, failures: FailureQuerySet) -> Done:
    ids = list(failures.values_list("pk", flat=True))
    dismiss(failures, asked.reason, str(asked.asked_by))
    return ids, {}


def _fetch(asked: Repair, failures: FailureQuerySet) -> Done:
    return fetch_again(failures.select_related("activation__connector", "activation__store"))


def _edit(asked: Repair, failures: FailureQuerySet) -> Done:
    done: list[int] = []
    refusals: dict[str, str] = {}
    clients: dict[tuple[int, str], Client] = {}
    for failure in failures.select_related("activation__connector", "activation__store"):
        payload = edited = None
        try:
            account = failure.activation_id, failure.flow
            if failure.can_be_edited and account not in clients:
                clients[account] = client_of(failure.activation, Flow(failure.flow))
            payload, corrected = to_correct(failure)
            edited = with_value(corrected or payload, asked.place, asked.value)
            edit(failure.pk, edited, asked.asked_by, clients.get(account))
        except (Refused, ConnectorError) as error:
            refusals[failure.record_id] = without_people(str(error), people_in(edited or payload))
        else:
            done.append(failure.pk)
    return done, refusals


DO = {
    Repair.Action.RETRY: _retry,
    Repair.Action.FETCH: _fetch,
    Repair.Action.EDIT: _edit,
    Repair.Action.DISMISS: _dismiss,
}
