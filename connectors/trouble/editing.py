"""Correcting what arrived, and asking the platform for it once more."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import BY_NAME, Ability, Client, Flow, NoticeSource
from connectors.errors import ConnectorError, NotAllowed, Refused
from connectors.models import Activation, ActivationFlow, Failure, Ring, Run
from connectors.payload import Payload, to_storable
from connectors.runs.dispatch import make_due
from connectors.services import client_of
from connectors.trouble.failures import kept, retry
from connectors.trouble.originals import covered, originals_of, to_correct

# Which of a record's names is its id, by the method that reads it.
READERS = {
    "ProductSource": ("read_product", ("sku",)),
    "PriceSource": ("read_price", ("sku",)),
    "StockSource": ("read_stock", ("sku",)),
    "OrderSource": ("read_order", ("original_id",)),
    "FulfilmentSource": ("read_fulfilment", ("hub_id", "external_id")),
}


def read_edited(text: str) -> dict[str, Any]:
    """What a person typed, as JSON. Raises `Refused`, which names the place."""
    try:
        edited = json.loads(text)
        to_storable(edited)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise Refused(_("Não é JSON: linha %(line)d, coluna %(column)d.") % where) from error
    except (ValueError, RecursionError) as error:
        raise Refused(_("Há um valor que o portal não consegue guardar.")) from error
    if not isinstance(edited, dict):
        raise Refused(_("O conteúdo tem de ser um objeto JSON."))
    return edited


def with_value(payload: Any, place: str, value: Any) -> dict[str, Any]:
    """A copy in which this place (`a.b.0.c`) has this value. Raises `Refused` where the place is
    not there: only its last name may be new."""
    copy: Any = json.loads(json.dumps(payload))
    part = copy
    *names, last = place.removeprefix("$.").split(".")
    try:
        for name in names:
            part = part[int(name)] if isinstance(part, list) else part[name]
        if isinstance(part, list):
            part[int(last)] = value
        elif isinstance(part, dict):
            part[last] = value
        else:
            raise KeyError(last)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise Refused(_("O conteúdo não tem o campo %s.") % place) from error
    return dict(copy)


def edit(failure_id: int, edited: dict[str, Any], by: User, client: Client | None = None) -> None:
    """Keep it beside the original, to be tried in its place at once. Raises `Refused`, and
    `ConnectorError` where the reader of this flow refuses it too."""
    failure = Failure.objects.select_related("activation__connector", "activation__store").get(
        pk=failure_id
    )
    if not failure.can_be_edited:
        raise NotAllowed(_("Esta falha não se corrige aqui: abra o registro de onde ela vem."))
    client = client or client_of(failure.activation, Flow(failure.flow))
    method, ids = READERS[failure.ability]
    record = getattr(client, method)(Payload(edited))
    record_id = next((each for each in (getattr(record, name) for name in ids) if each), "")
    with transaction.atomic():
        locked = Failure.objects.select_for_update().get(pk=failure_id)
        if locked.resolved_at is not None:
            raise Refused(_("Esta falha já está resolvida."))
        same = Failure.objects.open().filter(activation=locked.activation_id, flow=locked.flow)
        if same.filter(record_id=record_id[:200]).exclude(pk=failure_id).exists():
            raise Refused(_("Já há outra falha aberta do registro %s.") % record_id)
        columns = {
            **covered(to_correct(locked)[0], edited),
            "record_id": record_id[:200],  # by it the next run knows that it is mended
            "edited_at": timezone.now(),
            "edited_by": by,
            "translated": kept(record),
        }
        Failure.objects.filter(pk=failure_id).update(**columns)
        retry(Failure.objects.filter(pk=failure_id))


def fetch_again(failures: Iterable[Failure]) -> tuple[list[int], dict[str, str]]:
    """Have the platform asked once more: for each of these alone, where its client can, else for
    the whole flow. The ids of those for which that was possible, and why not for the others, by
    their records."""
    done: list[int] = []
    refusals: dict[str, str] = {}
    groups: dict[tuple[int, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.activation_id, failure.ability), []).append(failure)
    for group in groups.values():
        try:
            _fetch(group)
        except (Refused, ConnectorError) as error:
            refusals |= {failure.record_id: str(error) for failure in group}
        else:
            done += [failure.pk for failure in group]
    return done, refusals


def _fetch(failures: list[Failure]) -> None:
    """Of one activation and ability."""
    activation, ability = failures[0].activation, BY_NAME.get(failures[0].ability)
    if ability is None or failures[0].ability not in READERS:
        raise NotAllowed(_("Isto sai daqui: não há o que buscar. Use “Tentar de novo”."))
    numbers = fetchable(activation, ability, failures)
    with transaction.atomic():
        flow = ActivationFlow.objects.filter(activation=activation, ability=ability.__name__)
        rings = [
            Ring(activation=activation, ability=ability.__name__, record_id=number[:200])
            for number in sorted(set(numbers.values()))
        ]
        # One that rang already is fetched by that.
        Ring.objects.bulk_create(rings, ignore_conflicts=True)
        if len(numbers) < len(failures):
            _read_from_the_beginning(activation, ability, flow)
        retry(Failure.objects.filter(pk__in=[failure.pk for failure in failures]))
        make_due(flow)


def fetchable(
    activation: Activation, ability: type[Ability], failures: Iterable[Failure]
) -> dict[int, str]:
    """By failure: what the platform calls its record, where the client can fetch it alone."""
    client = client_of(activation)
    if not isinstance(client, NoticeSource):
        return {}
    found = {}
    for failure in failures:
        if failure.payload is None:  # it was rung for, and could not be fetched then
            found[failure.pk] = failure.record_id
        elif isinstance(original := originals_of(failure)[0], dict):
            found[failure.pk] = client.number_of(ability, Payload(original))
    return {pk: number for pk, number in found.items() if number}


def _read_from_the_beginning(activation: Activation, ability: type[Ability], flow: Any) -> None:
    """The cursor of a run that goes on would be written over this."""
    client = client_of(activation)
    if ability in client.forgets:
        return  # its cursor holds what the platform has forgotten; the daily pass reads it all
    # Before it is asked: a run that begins meanwhile waits, and reads the new cursor.
    list(flow.select_for_update())
    if Run.objects.filter(activation=activation, ability=ability.__name__, ended_at=None).exists():
        raise Refused(_("O fluxo está em execução: peça de novo quando ele terminar."))
    flow.update(cursor="")
