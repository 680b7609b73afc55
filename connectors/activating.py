"""The way from nothing to an active integration: the steps that its specification declares.

What was done is in the database, step by step, so it may be left at any moment, and gone on with by
somebody else. Whoever sends a step again changes nothing; two at the same step do not overwrite
each other unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from connectors.errors import Refused
from connectors.messages.doorbells import install_doorbell
from connectors.models import Activation, ActivationStep, Connector, State, Store, Trial
from connectors.models.activations import OVER
from connectors.models.steps import TrialQuerySet
from connectors.receipts import write_receipt
from connectors.runs.holding import ask_preview
from connectors.sealing import unseal_known
from connectors.services import (
    IssuedSecrets,
    change_settings,
    note_first_call,
    note_received_end,
    open_draft,
    record_credential,
    switch_on,
)
from connectors.spec import Does, Mode, Step


class Overtaken(Refused):
    """Somebody else saved the step since it was shown."""


@dataclass(frozen=True)
class Stop:
    """A step of one activation's way."""

    number: int
    step: Step
    done: ActivationStep | None

    @property
    def version(self) -> str:
        """What was seen by whoever was shown the step: another one if somebody saved since."""
        return self.done.done_at.isoformat() if self.done else ""


@dataclass
class Way:
    activation: Activation
    stops: list[Stop] = field(default_factory=list)

    @cached_property
    def reached(self) -> Stop | None:
        """The first that is not done; none where all are."""
        if self._taken_at_once:
            return None
        return next((stop for stop in self.stops if not self._is_done(stop)), None)

    def _is_done(self, stop: Stop) -> bool:
        """Whoever calls has been let in, however the merchant came there."""
        called = stop.step.does is Does.MERCHANT and self.activation.first_called_at is not None
        return stop.done is not None or called

    @property
    def _taken_at_once(self) -> bool:
        return self.activation.state != State.DRAFT and not any(s.done for s in self.stops)

    def is_open(self, stop: Stop) -> bool:
        return self.reached is None or stop.number <= self.reached.number

    def is_for_later(self, stop: Stop) -> bool:
        return any(s.step.does is Does.CHECK and s.number < stop.number for s in self.stops)

    def stop(self, key: str) -> Stop | None:
        return next((stop for stop in self.stops if stop.step.key == key), None)

    def beside(self, stop: Stop, by: int) -> Stop | None:
        """The one before or behind it."""
        number = stop.number + by
        return self.stops[number - 1] if 1 <= number <= len(self.stops) else None


def way_of(activation: Activation) -> Way:
    rows = activation.steps.select_related("done_by")
    done = {row.key: row for row in rows}
    steps = activation.spec.activating.steps_in(activation.mode)
    stops = [Stop(number, step, done.get(step.key)) for number, step in enumerate(steps, 1)]
    return Way(activation, stops)


@transaction.atomic
def begin(
    store: Store, connector: Connector, mode: Mode, by: User, submission: UUID
) -> tuple[Activation, bool]:
    """A draft with a name that is free; whether it is new. Raises `NotAllowed`."""
    Store.objects.select_for_update().get(pk=store.pk)
    taken = set(store.activations.filter(connector=connector).values_list("name", flat=True))
    names = [connector.name, *(f"{connector.name} {n}" for n in range(2, len(taken) + 3))]
    return open_draft(
        store=store,
        connector=connector,
        mode=mode,
        name=next(name for name in names if name not in taken),
        plugin_url=connector.spec.activating.default_url,
        submission=submission,
        by=by,
    )


@dataclass(frozen=True)
class FilledIn:
    """What was typed at a step; None for what it does not ask for."""

    name: str | None = None
    custom_name: str | None = None
    plugin_url: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    received: Mapping[str, str] | None = None
    received_end: datetime | None = None


@transaction.atomic
def fill_in(activation_id: int, key: str, seen: str, typed: FilledIn, by: User) -> bool:
    """Save a step; whether anything changed. Raises `Overtaken`, and `Refused` where the store has
    the name already."""
    activation, stop = _locked(activation_id, key, Does.FILL_IN)
    if not (changes := _changes(activation, typed)) and stop.done:
        return False
    if stop.version != seen:
        raise Overtaken(
            _("%(who)s já salvou este passo. Confira o que está gravado e salve outra vez.")
            % {"who": stop.done.done_by if stop.done else ""}
        )
    if "name" in changes:
        others = Activation.objects.filter(
            store=activation.store_id, connector=activation.connector_id, name=typed.name
        )
        if activation.state != State.DRAFT or others.exists():
            raise Refused(_("Esta loja já tem um pluggin com este nome neste conector."))
        Activation.objects.filter(pk=activation_id).update(name=typed.name)
    change_settings(activation_id, typed.custom_name, typed.plugin_url, typed.values)
    if typed.received and "received" in changes:
        record_credential(activation, typed.received, by, typed.received_end)
        install_doorbell(activation)
    elif typed.received_end and "received_end" in changes:
        note_received_end(activation_id, typed.received_end)
    facts = {"done_by": by, "done_at": timezone.now()}
    ActivationStep.objects.update_or_create(activation=activation, key=key, defaults=facts)
    return True


def _changes(activation: Activation, typed: FilledIn) -> set[str]:
    names = ("name", "custom_name", "plugin_url")
    changed = {
        name for name in names if getattr(typed, name) not in (None, getattr(activation, name))
    }
    if any(activation.settings.get(key) != value for key, value in typed.values.items()):
        changed.add("values")
    latest = activation.credentials.received().order_by("-pk").first()
    if typed.received and dict(typed.received) != (unseal_known(latest.sealed) if latest else {}):
        changed.add("received")
    if typed.received_end and typed.received_end != (latest and latest.ends_at):
        changed.add("received_end")
    return changed


@transaction.atomic
def note(activation_id: int, key: str, by: User) -> bool:
    """Put on record that somebody says this step is done. The first one's word stays."""
    _locked(activation_id, key, Does.NOTE, Does.ADDRESS, Does.MERCHANT)
    return _mark_done(activation_id, key, by)


@transaction.atomic
def hand_out(activation_id: int, key: str, by: User) -> IssuedSecrets | None:
    """Switch the partner's integration on and issue its credentials, once."""
    _locked(activation_id, key, Does.ISSUE)
    issued = switch_on(activation_id, by)
    _mark_done(activation_id, key, by)
    return issued


@transaction.atomic
def conclude(activation_id: int, key: str, by: User, *, preview: bool = False) -> bool:
    """Whether this concluded it, and nobody before. A managed integration is switched on here,
    after it was tested: active where the platform let us in, else asked again until it does.
    Raises `Refused`."""
    activation, _stop = _locked(activation_id, key, Does.CHECK)
    if activation.state == State.DRAFT:
        trial = trials_of(activation).ended().first()
        if trial is None:
            raise Refused(_("Teste a conexão antes de concluir."))
        switch_on(activation_id, by)
        if trial.answered:
            note_first_call(activation_id)
        if preview and activation.mode == Mode.MANAGED and activation.spec.feeds_catalogue:
            ask_preview(activation, by, holds=True)
    concluded = _mark_done(activation_id, key, by)
    if concluded and activation.mode == Mode.PARTNER:
        # The one of the switching on knows neither what the link handed over nor any test.
        write_receipt(activation, by)
    return concluded


def _locked(activation_id: int, key: str, *does: Does) -> tuple[Activation, Stop]:
    """Raises `Refused` where the step is none of its steps, or its turn has not come."""
    activation = (
        Activation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("connector", "store")
        .get(pk=activation_id)
    )
    way = way_of(activation)
    stop = way.stop(key)
    if stop is None or stop.step.does not in does:
        raise Refused(_("Este passo não existe nesta ativação."))
    if not way.is_open(stop):
        raise Refused(_("Antes deste passo há outro a concluir."))
    if activation.state in OVER:
        raise Refused(_("Esta integração foi encerrada."))
    return activation, stop


def _mark_done(activation_id: int, key: str, by: User) -> bool:
    _row, new = ActivationStep.objects.get_or_create(
        activation_id=activation_id, key=key, defaults={"done_by": by}
    )
    return new


def waiting_for_merchant(store_ids: Any) -> list[Activation]:
    """Those of these stores that a merchant is to conclude: until the partner has called."""
    waiting = (
        Activation.objects.filter(
            store__in=store_ids, mode=Mode.PARTNER, state=State.WAITING, first_called_at=None
        )
        .select_related("store", "connector")
        .order_by("pk")
    )
    return [each for each in waiting if merchants_step(each) is not None]


def merchants_step(activation: Activation) -> Step | None:
    steps = activation.spec.activating.steps_in(activation.mode)
    return next((step for step in steps if step.does is Does.MERCHANT), None)


def last_trial(activation: Activation) -> Trial | None:
    return trials_of(activation).select_related("asked_by").first()


def trials_of(activation: Activation) -> TrialQuerySet:
    """Until it is switched on, what was typed in after a test was not tested."""
    trials = Trial.objects.filter(activation=activation)
    if activation.state != State.DRAFT:
        return trials
    since = ActivationStep.objects.filter(
        activation=OuterRef("activation"), done_at__gt=OuterRef("asked_at")
    )
    return trials.filter(Q(ended_at=None) | ~Exists(since))
