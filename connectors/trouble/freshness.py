"""What is expected of each flow of an activation, and what it was last seen to do.

In managed mode silence counts from the last run that went well. In partner mode from the partner's
last call that went well, from his first one on: when he begins is his affair. Orders and what
becomes of them are no sign in partner mode, nor is what comes on change: perhaps nothing happened.
An operator who knows a partner's habits may set a tolerance there all the same.
"""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from connectors.contract import Ability, Flow
from connectors.models import Activation, ActivationFlow
from connectors.registry import SPECS
from connectors.spec import Cadence, Mode, Spec

NOTED_EVERY = timedelta(minutes=1)
DAY = timedelta(days=1)
# How long after its interval a flow is late. Ours runs by the clock; a partner's may have a
# quiet night.
LEAST_GRACE = {Mode.MANAGED: timedelta(minutes=10), Mode.PARTNER: timedelta(hours=2)}
INTERVALS_OF_GRACE = {Mode.MANAGED: 2, Mode.PARTNER: 6}
MOST_GRACE = timedelta(hours=12)
SOLD_FIRST = (Flow.ORDERS, Flow.FULFILMENT)


def seconds(interval: timedelta) -> int:
    """A cadence in seconds, by the portal's clock (a demo's minute is a second)."""
    return max(1, round(interval.total_seconds() / 60 * settings.SECONDS_PER_MINUTE))


def expected(cadence: Cadence, mode: Mode, flow: Flow) -> tuple[timedelta, timedelta | None]:
    """How often something should happen, and how long after that it is late; None for never."""
    every = cadence.every
    if mode == Mode.PARTNER:
        if cadence.on_change and cadence.daily_full_pass:
            every = DAY
        elif cadence.on_change or flow in SOLD_FIRST:
            return every, None
    grace = max(every * INTERVALS_OF_GRACE[mode], LEAST_GRACE[mode])
    return every, min(grace, MOST_GRACE)


def flows_of(activation_id: int, mode: Mode, spec: Spec) -> list[ActivationFlow]:
    """The flows of an activation, as its specification wants them. Not stored yet."""
    return [_flow(activation_id, mode, ability, spec.flows[ability]) for ability in spec.flows]


def _flow(
    activation_id: int, mode: Mode, ability: type[Ability], cadence: Cadence
) -> ActivationFlow:
    every, grace = expected(cadence, mode, ability.flow)
    return ActivationFlow(
        activation_id=activation_id,
        ability=ability.__name__,
        flow=ability.flow,
        every=seconds(every),
        grace=None if grace is None else seconds(grace),
        watched_since=timezone.now() if mode == Mode.MANAGED else None,
    )


def sync_flows() -> None:
    """Every activation has the flows of its specification, also those that the specification has
    only learned since it was switched on; and all that we run ourselves are watched."""
    for spec in SPECS.values():
        for mode in spec.modes:
            for ability, cadence in spec.flows.items():
                if mode == Mode.MANAGED:
                    _watch(spec, ability, cadence)
                known = ActivationFlow.objects.filter(
                    activation=OuterRef("pk"), ability=ability.__name__
                )
                without = Activation.objects.consuming().filter(
                    ~Exists(known), connector__slug=spec.slug, mode=mode
                )
                ActivationFlow.objects.bulk_create(
                    (
                        _flow(pk, mode, ability, cadence)
                        for pk in without.values_list("pk", flat=True)
                    ),
                    batch_size=1000,
                    ignore_conflicts=True,
                )


def _watch(spec: Spec, ability: type[Ability], cadence: Cadence) -> None:
    """Those that ran before there was anybody to watch them."""
    model = _flow(0, Mode.MANAGED, ability, cadence)
    ActivationFlow.objects.filter(
        activation__connector__slug=spec.slug,
        activation__mode=Mode.MANAGED,
        ability=ability.__name__,
        watched_since=None,
    ).update(watched_since=model.watched_since, grace=model.grace)


def note_call(
    activation_id: int, flows: Collection[str], *, good: bool = True, changed: bool = False
) -> None:
    """The partner called for these flows; whether that went well, and changed anything. One
    statement, which writes at most once a minute of each kind."""
    now = timezone.now()
    old = now - NOTED_EVERY

    def stale(name: str) -> Q:
        return Q(**{name: None}) | Q(**{f"{name}__lt": old})

    facts: dict[str, object] = {
        "last_call_at": now,
        "watched_since": Coalesce(F("watched_since"), now),
    }
    news = stale("last_call_at")
    if good:
        facts["last_success_at"] = now
        news |= stale("last_success_at")
    if changed:
        facts["last_change_at"] = now
        news |= stale("last_change_at")
    ActivationFlow.objects.filter(news, activation=activation_id, flow__in=flows).update(**facts)
