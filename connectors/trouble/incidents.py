"""What should not be, found by itself: a flow that is late, stopped, or runs and never changes
anything; an integration whose credentials were refused.

One incident from its beginning until it is over, with one alert at its beginning and one when it
has been well again for a while. What comes back within that while was never over: nobody is told
twice. An incident of an integration that is paused or revoked ends without a word.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from connectors import comparisons, queue
from connectors.messages import hooks, notices
from connectors.models import ActivationFlow, Alert, Failure, Freshness, Heartbeat, Incident, State
from connectors.models.activations import GOING_ON
from connectors.runs import dispatch
from connectors.spec import Mode
from connectors.trouble.alerts import tell
from connectors.trouble.failures import WAITS

CALM = timedelta(minutes=30)
# The watch looks every minute. After a gap the flows get this long to come round again.
GAP, PATIENCE = timedelta(minutes=5), timedelta(minutes=10)
SIGNS = {
    Incident.Kind.SILENT: (Freshness.LATE, Freshness.STOPPED),
    Incident.Kind.UNCHANGED: (Freshness.UNCHANGED,),
}
TOLD_AT_ONCE = 1000
COURIERS = (notices.COURIER, hooks.COURIER)


@transaction.atomic
def watch_flows() -> None:
    """Open and end incidents, and store the alerts that tell of them; in a constant number of
    statements, however many flows there are. One at a time: whoever comes second goes away."""
    now = timezone.now()
    Heartbeat.objects.get_or_create(pk=1)
    heartbeat = Heartbeat.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if heartbeat is None:
        return
    if abs(now - heartbeat.beat_at) > GAP:
        heartbeat.steady_since = now
    if now > heartbeat.beat_at + GAP:
        _leave_out(heartbeat.beat_at, now)
    if heartbeat.beat_at > now + GAP:
        _follow_clock_back(now, heartbeat.beat_at - now)
    heartbeat.beat_at = now
    heartbeat.save()
    flows = ActivationFlow.objects.with_freshness(now)
    for kind, signs in SIGNS.items():
        if now - heartbeat.steady_since >= PATIENCE:
            _open(kind, flows.filter(freshness__in=signs), now)
        _end(kind, flows, now)
    _end_refusals(now)
    _tell(now)


def _follow_clock_back(now: datetime, back: timedelta) -> None:
    """Nothing waits for what is the future now."""
    queue.follow_clock_back()
    dispatch.follow_clock_back()
    comparisons.follow_clock_back(back)
    ActivationFlow.objects.filter(watched_since__gt=now).update(watched_since=now)
    Failure.objects.open().filter(retry_at__gt=now + WAITS[-1]).update(retry_at=now)
    Alert.objects.filter(sent_at=None, due_at__gt=now).update(due_at=now)
    for courier in COURIERS:
        courier.follow_clock_back()


def _leave_out(began: datetime, now: datetime) -> None:
    """A partner that could not call while the portal was off was not silent meanwhile, and an
    address that nobody called did not fail."""
    for courier in COURIERS:
        courier.leave_out(began, now)
    heard = Greatest(Coalesce(F("last_success_at"), F("watched_since")), F("watched_since"))
    flows: QuerySet[Any] = ActivationFlow.objects.with_freshness(now).filter(
        Q(last_success_at=None) | Q(last_success_at__lte=began),
        activation__mode=Mode.PARTNER,
        # Of one that never changed anything, the time that it is watched is a sign as well.
        last_change_at__isnull=False,
        watched_since__lte=began,
        late_at__gt=began,
    )
    flows.update(watched_since=ExpressionWrapper(heard + Value(now - began), DateTimeField()))


def _open(kind: Incident.Kind, ill: QuerySet[Any], now: datetime) -> None:
    _come_back(Incident.objects.filter(flow__in=ill.values("pk"), kind=kind), now)
    known = Incident.objects.filter(flow=OuterRef("pk"), kind=kind, ended_at=None)
    new = ill.filter(~Exists(known)).values_list("pk", "activation_id")
    Incident.objects.bulk_create(
        [Incident(flow_id=flow, activation_id=activation, kind=kind) for flow, activation in new],
        batch_size=1000,
        ignore_conflicts=True,
    )


def _come_back(incidents: QuerySet[Incident], now: datetime) -> int:
    """It was well for less than a while: it goes on, and nobody is told again."""
    open_too = Incident.objects.filter(
        Q(flow=OuterRef("flow")) | Q(flow=None, activation=OuterRef("activation")),
        kind=OuterRef("kind"),
        ended_at=None,
    )
    lately = incidents.filter(
        ~Exists(open_too), healed=True, healing_told_at=None, ended_at__gt=now - CALM
    )
    return lately.update(ended_at=None, healed=False)


def _end(kind: Incident.Kind, flows: QuerySet[Any], now: datetime) -> None:
    """Well again, or no longer to be judged by this."""
    open_ = Incident.objects.filter(kind=kind, ended_at=None)
    well = flows.filter(freshness=Freshness.FRESH)
    open_.filter(flow__in=well.values("pk")).update(ended_at=now, healed=True)
    still = flows.filter(freshness__in=SIGNS[kind])
    open_.exclude(flow__in=still.values("pk")).update(ended_at=now)


def _tell(now: datetime) -> None:
    new = Incident.objects.filter(opening_told_at=None, ended_at=None)
    # What began and ended before anybody was told of it is nobody's news.
    well = Incident.objects.filter(
        healed=True, healing_told_at=None, opening_told_at__isnull=False, ended_at__lte=now - CALM
    )
    for incidents, healed in ((new, False), (well, True)):
        some = list(
            incidents.select_related(
                "activation__store", "activation__connector", "flow__activation__store"
            )
            .order_by("pk")[:TOLD_AT_ONCE]
        )  # fmt: skip
        told_at = {"healing_told_at" if healed else "opening_told_at": now}
        Incident.objects.filter(pk__in=[each.pk for each in some]).update(**told_at)
        tell(some, healed=healed)


# -- Credentials that were refused -----------------------------------------------------------------


def open_refusal(activation_id: int, reason: str) -> None:
    """In the transaction that pauses the integration."""
    now = timezone.now()
    refusals = Incident.objects.filter(
        activation=activation_id, flow=None, kind=Incident.Kind.REFUSED
    )
    if not _come_back(refusals, now):
        incident = Incident(
            activation_id=activation_id, kind=Incident.Kind.REFUSED, reason=reason[:500]
        )
        Incident.objects.bulk_create([incident], ignore_conflicts=True)


def is_refused(activation_id: int) -> bool:
    return Incident.objects.filter(
        activation=activation_id, kind=Incident.Kind.REFUSED, ended_at=None
    ).exists()


def _end_refusals(now: datetime) -> None:
    """Well again as soon as the integration goes on; if it is refused once more, that is soon."""
    open_ = Incident.objects.filter(kind=Incident.Kind.REFUSED, ended_at=None)
    open_.filter(activation__state__in=GOING_ON).update(ended_at=now, healed=True)
    open_.exclude(activation__state=State.PAUSED).update(ended_at=now)
