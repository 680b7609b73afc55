"""The admin's front page: what needs a person now, each with the page that mends it, and the last
day in figures. A constant number of queries, whatever there is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from connectors.models import (
    Activation,
    ActivationFlow,
    Ask,
    Brake,
    Comparison,
    Credential,
    Endpoint,
    Failure,
    Freshness,
    Heartbeat,
    Incident,
    State,
    Store,
    Subscription,
)
from connectors.models.activations import OVER
from connectors.models.credentials import ENDS_SOON
from connectors.moments import when
from connectors.trouble.alerts import alerts_in_trouble
from connectors.trouble.causes import CAUSES, OTHER, Actor
from connectors.trouble.incidents import GAP
from portal.hours import ENDED_BADLY, Chart, Hour, charts_of, last_hours

SHOWN = 5  # of each kind; the list behind the number has all of them
DAY = timedelta(days=1)
ILL = (Freshness.STOPPED, Freshness.LATE, Freshness.UNCHANGED)


@dataclass(frozen=True)
class Row:
    text: str
    url: str
    detail: str | Promise = ""


@dataclass
class Need:
    """One kind of thing that waits for somebody."""

    title: str
    count: int
    url: str
    urgent: bool = False
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    title: str
    count: int
    url: str = ""


@dataclass(frozen=True)
class Front:
    asleep_since: datetime | None
    needs: list[Need]
    last_day: list[Figure]
    charts: list[Chart]
    next_step: Row | None  # where there is no integration yet


def front_page(may: Callable[[str], bool]) -> Front | None:
    """For whoever may see what is on it."""
    if not all(may(f"connectors.view_{name}") for name in ("activation", "failure", "run")):
        return None
    now = timezone.now()
    needs = [
        *_refused(), *_questions(), *_differences(now), *_flows(now), *_failures(),
        *_credentials(), *_integrations(), *_messages(),
    ]  # fmt: skip
    needs = sorted((need for need in needs if need.count), key=lambda need: not need.urgent)
    hours = last_hours(now)
    return Front(
        _asleep_since(now),
        needs,
        _last_day(now, hours),
        charts_of(hours),
        None if needs else _next_step(may),
    )


def _next_step(may: Callable[[str], bool]) -> Row | None:
    """Nothing is wrong, because nothing is there."""
    if Activation.objects.exists():
        return None
    if not Store.objects.exists():
        if not may("connectors.add_store"):
            return None
        text = _("Cadastre a primeira loja")
        return Row(text, reverse("admin:connectors_store_add"), _("Depois, ative um conector."))
    if not may("connectors.add_activation"):
        return None
    text = _("Ative o primeiro conector")
    return Row(text, _list("connector"), _("Escolha o conector e abra os seus detalhes."))


def _some(rows: QuerySet[Any]) -> tuple[list[Any], int]:
    """The first of them, and how many they are, in one query."""
    first = list(rows.annotate(total=Window(Count("pk")))[:SHOWN])
    return first, first[0].total if first else 0


def _counts(**kinds: QuerySet[Any]) -> dict[str, int]:
    """How many there are of each, in one query."""
    first, *others = (
        rows.order_by().values_list(Value(kind), Count("pk")) for kind, rows in kinds.items()
    )
    return dict.fromkeys(kinds, 0) | dict(first.union(*others, all=True))


def _list(name: str, **query: str) -> str:
    return reverse(f"admin:connectors_{name}_changelist") + (
        f"?{urlencode(query)}" if query else ""
    )


def _page(name: str, pk: int) -> str:
    return reverse(f"admin:connectors_{name}_change", args=[pk])


def _asleep_since(now: datetime) -> datetime | None:
    """Who is asleep tells nobody that anything is late; who never ran, since there is something
    to do."""
    beat_at = Heartbeat.objects.values_list("beat_at", flat=True).first()
    if beat_at is None:
        beat_at = Activation.objects.order_by("pk").values_list("created_at", flat=True).first()
    return beat_at if beat_at is not None and now - beat_at > GAP else None


def _refused() -> list[Need]:
    refused = Incident.objects.filter(kind=Incident.Kind.REFUSED, ended_at=None)
    some, count = _some(refused.select_related("activation__store").order_by("opened_at"))
    return [
        Need(
            _("Credencial recusada: integração parada"),
            count,
            _list("incident", situation="open", kind__exact=Incident.Kind.REFUSED),
            urgent=True,
            rows=[
                Row(str(each.activation), _page("activation", each.activation_id), each.reason)
                for each in some
            ],
        )
    ]


def _questions() -> list[Need]:
    """Runs that stopped and asked, and first synchronisations that wait for a yes."""
    brakes = Brake.objects.open().select_related("activation__store").defer("asked", "sample")
    some, count = _some(brakes.order_by("asked_at"))
    rows = [Row(str(each), _page("brake", each.pk)) for each in some]
    url = _list("brake", situation="open")
    previews = Comparison.objects.holding().select_related("activation__store")
    shown, waiting = _some(previews.order_by("asked_at"))
    return [
        Need(_("Sincronizações que pararam e perguntam"), count, url, True, rows),
        Need(
            _("Prévias que esperam aprovação"),
            waiting,
            _list("comparison", situation="holding"),
            rows=[Row(str(each.activation), _page("comparison", each.pk)) for each in shown],
        ),
    ]


def _differences(now: datetime) -> list[Need]:
    """Of the latest daily comparisons; the older ones were made again since."""
    some, count = _some(
        Comparison.objects.differing(now).select_related("activation__store").order_by("pk")
    )
    rows = [
        Row(str(each.activation), _page("comparison", each.pk), each.get_purpose_display())
        for each in some
    ]
    url = _list("comparison", situation="differing")
    return [Need(_("Conciliações com diferenças"), count, url, rows=rows)]


def _credentials() -> list[Need]:
    ending = Credential.objects.ending(ENDS_SOON).select_related("activation__store")
    some, count = _some(ending.order_by("ends_at"))
    rows = [
        Row(str(each.activation), _page("activation", each.activation_id), _ends(each.ends_at))
        for each in some
    ]
    url = _list("credential", situation="ending")
    return [Need(_("Credenciais que vencem em breve"), count, url, rows=rows)]


def _ends(moment: datetime) -> str:
    return _("Até %s") % when(moment)


def _flows(now: datetime) -> list[Need]:
    ill = ActivationFlow.objects.with_freshness(now).filter(freshness__in=ILL)
    # Sorted by what is needed for that; the few that are shown are read whole after it.
    worst = ill.annotate(
        total=Window(Count("pk"), partition_by="freshness"),
        place=Window(RowNumber(), partition_by="freshness", order_by="late_at"),
    ).filter(place__lte=SHOWN)
    found = list(worst.order_by("place").values_list("pk", "freshness", "total"))
    some = ActivationFlow.objects.select_related("activation__store").in_bulk(
        pk for pk, _state, _total in found
    )
    counts = {state: total for _pk, state, total in found}
    rows: dict[str, list[Row]] = {state: [] for state in ILL}
    for pk, state, _total in found:
        if flow := some.get(pk):
            rows[state].append(Row(str(flow), _page("activation", flow.activation_id)))
    return [
        Need(
            _("Fluxos: %s") % state.label.lower(),
            counts.get(state, 0),
            _list("activationflow", freshness=state),
            urgent=state == Freshness.STOPPED,
            rows=rows[state],
        )
        for state in ILL
    ]


def _failures() -> list[Need]:
    """By cause; each leads to its failures, and each of those to the page that mends it."""
    counted = list(Failure.objects.open().order_by().values_list("cause").annotate(Count("pk")))
    rows, total, codes = [], 0, []
    for code, count in sorted(counted, key=lambda pair: -pair[1]):
        cause = CAUSES.get(code, CAUSES[OTHER])
        if cause.actor != Actor.NOBODY:
            total += count
            codes.append(code)
            url = _list("failure", situation="open", cause=code)
            rows.append(Row(f"{count} × {cause.title}", url, cause.actor.label))
    # Those that pass by themselves are in neither.
    those = {"cause__in": ",".join(codes)} if len(codes) < len(counted) else {}
    url = _list("failure", situation="open", **those)
    return [Need(_("Registros que falharam"), total, url, rows=rows)]


def _integrations() -> list[Need]:
    """Those that were refused have a place of their own."""
    refused = Incident.objects.filter(
        activation=OuterRef("pk"), kind=Incident.Kind.REFUSED, ended_at=None
    )
    others = Activation.objects.filter(~Exists(refused)).select_related("store")
    titles = {
        State.PAUSED: _("Integrações pausadas"),
        State.WAITING: _("Integrações que ainda não foram chamadas"),
        State.DRAFT: _("Ativações começadas e não concluídas"),
    }
    some = (
        others.filter(state__in=titles)
        .annotate(
            total=Window(Count("pk"), partition_by="state"),
            place=Window(RowNumber(), partition_by="state", order_by="created_at"),
        )
        .filter(place__lte=SHOWN)
    )
    by_state: dict[str, list[Any]] = {state: [] for state in titles}
    for each in some:
        by_state[each.state].append(each)
    needs = []
    for state, title in titles.items():
        rows = [
            Row(str(each), _page("activation", each.pk), each.paused_reason)
            for each in by_state[state]
        ]
        count = by_state[state][0].total if rows else 0
        needs.append(Need(title, count, _list("activation", state__exact=state), rows=rows))
    return needs


def _messages() -> list[Need]:
    going_on = [state for state in State.values if state not in OVER]
    disabled = Endpoint.objects.exclude(disabled_at=None).filter(activation__state__in=going_on)
    unheard = Subscription.objects.filter(ended_at=None).exclude(disabled_at=None)
    asks = Ask.objects.filter(answered_at=None)
    count = _counts(disabled=disabled, unheard=unheard, asks=asks)
    return [
        Need(
            _("Pedidos de lojistas que esperam resposta"),
            count["asks"],
            _list("ask", answered_at__isempty="1"),
        ),
        Need(
            _("Endereços de parceiros que desistimos de avisar"),
            count["disabled"],
            _list("activation", endpoint__disabled_at__isempty="0", state__in=",".join(going_on)),
        ),
        Need(
            _("Assinaturas de eventos desligadas"),
            count["unheard"],
            _list("subscription", disabled_at__isempty="0", ended_at__isempty="1"),
        ),
        Need(
            _("Alertas que não saem"),
            alerts_in_trouble(),
            _list("alert", sent_at__isempty="1"),
            urgent=True,
        ),
    ]


def _last_day(now: datetime, hours: list[Hour]) -> list[Figure]:
    since = now - DAY
    recent = Q(first_at__gte=since) | Q(resolved_at__gte=since)
    failures = Failure.objects.filter(recent).aggregate(
        new=Count("pk", filter=Q(first_at__gte=since)),
        resolved=Count("pk", filter=Q(resolved_at__gte=since)),
    )
    flows: dict[str, Any] = ActivationFlow.objects.aggregate(
        ran=Count("pk", filter=Q(last_run_at__gte=since)),
        called=Count("pk", filter=Q(last_call_at__gte=since)),
        changed=Count("pk", filter=Q(last_change_at__gte=since)),
    )
    orders = sum(hour.orders for hour in hours)
    ended_badly = sum(hour.failed for hour in hours)
    # Each leads to the rows that it counts: those of the hours, and those since then.
    first, then = hours[0].begins_at.isoformat(), since.isoformat()
    new_orders = reverse("admin:orders_order_changelist")
    new_orders += f"?{urlencode({'created_at__gte': first})}"
    bad_runs = _list("run", outcome__in=",".join(ENDED_BADLY), started_at__gte=first)
    return [
        Figure(_("pedidos novos"), orders, new_orders),
        Figure(_("execuções que falharam"), ended_badly, bad_runs),
        Figure(
            _("falhas novas"),
            failures["new"],
            _list("failure", situation="all", first_at__gte=then),
        ),
        Figure(
            _("falhas resolvidas"),
            failures["resolved"],
            _list("failure", situation="resolved", resolved_at__gte=then),
        ),
        Figure(
            _("fluxos que rodaram"), flows["ran"], _list("activationflow", last_run_at__gte=then)
        ),
        Figure(
            _("fluxos que o parceiro chamou"),
            flows["called"],
            _list("activationflow", last_call_at__gte=then),
        ),
        Figure(
            _("fluxos que mudaram algo"),
            flows["changed"],
            _list("activationflow", last_change_at__gte=then),
        ),
    ]
