"""What is expected of each flow, and when it is late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.contract import FulfilmentSource, OrderSink, ProductSource, StockSource
from connectors.models import Activation, ActivationFlow, Freshness, State, Store
from connectors.services import pause, resume
from connectors.trouble.freshness import note_call, sync_flows
from tests.conftest import flow_of, make_managed, make_partner

URL, TOKEN = "https://loja.example.com.br", {"token": "t"}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def managed(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, TOKEN)


@pytest.fixture
def partner(store: Store) -> Activation:
    activation = make_partner(store, "rocky").activation
    Activation.objects.update(state=State.ACTIVE)
    return activation


def freshness(activation: Activation, ability: type, **ago: timedelta | None) -> str:
    """Of a flow whose dates lie that long ago."""
    now = timezone.now()
    pk = flow_of(activation, ability)
    dates = {name: None if each is None else now - each for name, each in ago.items()}
    ActivationFlow.objects.filter(pk=pk).update(**dates)
    return ActivationFlow.objects.with_freshness(now).get(pk=pk).freshness


@pytest.mark.parametrize(
    ("last_success", "expected"),
    [
        (timedelta(minutes=4), Freshness.FRESH),
        # Every 5 minutes, and 10 of grace.
        (timedelta(minutes=14, seconds=50), Freshness.FRESH),
        (timedelta(minutes=15, seconds=1), Freshness.LATE),
        (timedelta(minutes=44, seconds=50), Freshness.LATE),
        (timedelta(minutes=45, seconds=1), Freshness.STOPPED),
        (timedelta(days=9), Freshness.STOPPED),
    ],
)
def test_what_we_run_is_late_after_its_interval_and_its_grace(
    managed: Activation, last_success: timedelta, expected: str
) -> None:
    found = freshness(
        managed,
        StockSource,
        last_success_at=last_success,
        last_change_at=HOUR,
        watched_since=10 * DAY,
    )

    assert found == expected


def test_what_never_succeeded_is_late_from_its_beginning_on(managed: Activation) -> None:
    found = [freshness(managed, StockSource, watched_since=MINUTE * m) for m in (1, 16, 46)]

    assert found == [Freshness.WAITING, Freshness.LATE, Freshness.STOPPED]


def test_what_runs_and_never_changes_anything_is_a_state_of_its_own(managed: Activation) -> None:
    found = [
        freshness(managed, StockSource, last_success_at=MINUTE, **dates)
        for dates in (
            {"watched_since": 6 * DAY, "last_change_at": None},
            {"watched_since": 8 * DAY, "last_change_at": None},
            {"watched_since": 90 * DAY, "last_change_at": 6 * DAY},
            {"watched_since": 90 * DAY, "last_change_at": 8 * DAY},
        )
    ]

    assert found == [
        Freshness.FRESH, Freshness.UNCHANGED, Freshness.FRESH, Freshness.UNCHANGED,
    ]  # fmt: skip


@pytest.mark.parametrize("ability", [OrderSink, FulfilmentSource])
def test_where_nothing_is_sold_nothing_need_change(managed: Activation, ability: type) -> None:
    found = freshness(managed, ability, last_success_at=MINUTE, watched_since=90 * DAY)

    assert found == Freshness.FRESH


def test_an_integration_that_is_not_on_is_not_judged(managed: Activation) -> None:
    pause(managed.pk, "…")

    assert freshness(managed, StockSource, last_success_at=DAY) == Freshness.OFF


def test_an_integration_that_is_resumed_is_not_late_for_its_pause(managed: Activation) -> None:
    freshness(managed, StockSource, last_success_at=9 * DAY, watched_since=10 * DAY)
    pause(managed.pk, "…")

    resume(managed.pk)
    Activation.objects.update(state=State.ACTIVE)

    assert freshness(managed, StockSource) == Freshness.FRESH


# -- Partners --------------------------------------------------------------------------------------


def test_a_partner_that_has_not_begun_is_waited_for(partner: Activation) -> None:
    later = timezone.now() + 90 * DAY

    flows = ActivationFlow.objects.with_freshness(later).filter(activation=partner)

    assert {flow.freshness for flow in flows} == {Freshness.WAITING}
    assert len(flows) == 5


def test_a_partner_that_called_is_expected_again(partner: Activation) -> None:
    note_call(partner.pk, ["stock"], changed=True)

    found = [
        freshness(partner, StockSource, last_success_at=ago, watched_since=DAY)
        for ago in (MINUTE, HOUR, 2.5 * HOUR, 9 * HOUR)
    ]

    assert found == [Freshness.FRESH, Freshness.FRESH, Freshness.LATE, Freshness.STOPPED]


def test_a_partner_whose_calls_are_all_refused_is_late(partner: Activation) -> None:
    note_call(partner.pk, ["stock"], good=False)

    found = freshness(partner, StockSource, watched_since=3 * HOUR, last_call_at=MINUTE)

    assert found == Freshness.LATE


@pytest.mark.parametrize("ability", [OrderSink, FulfilmentSource])
def test_a_partner_that_is_told_of_orders_may_be_silent(partner: Activation, ability: type) -> None:
    note_call(partner.pk, ["orders", "fulfilment"])

    found = freshness(partner, ability, last_success_at=9 * DAY, watched_since=90 * DAY)

    assert found == Freshness.FRESH


def test_what_comes_on_change_is_expected_at_its_daily_full_pass(store: Store) -> None:
    linx = make_partner(store, "linx").activation
    Activation.objects.update(state=State.ACTIVE)

    found = [
        freshness(
            linx, ProductSource, last_success_at=ago, last_change_at=DAY, watched_since=9 * DAY
        )
        for ago in (23 * HOUR, 35 * HOUR, 37 * HOUR)
    ]

    assert found == [Freshness.FRESH, Freshness.FRESH, Freshness.LATE]


def test_a_tolerance_set_by_hand_counts(partner: Activation) -> None:
    ActivationFlow.objects.filter(pk=flow_of(partner, OrderSink)).update(grace=600)

    found = freshness(partner, OrderSink, last_success_at=HOUR, watched_since=DAY)

    assert found == Freshness.STOPPED


# -- The rows --------------------------------------------------------------------------------------


def test_integrations_from_before_get_the_flows_that_they_lack(
    managed: Activation, partner: Activation
) -> None:
    kept = ActivationFlow.objects.get(pk=flow_of(managed, StockSource))
    ActivationFlow.objects.exclude(pk=kept.pk).delete()

    sync_flows()
    sync_flows()

    assert managed.flows.count() == partner.flows.count() == 5
    assert managed.flows.get(ability="StockSource") == kept
    assert partner.flows.get(ability="StockSource").watched_since is None


def test_what_ran_before_there_was_anybody_to_watch_is_watched_from_now_on(
    managed: Activation,
) -> None:
    managed.flows.update(watched_since=None, grace=None)

    sync_flows()

    stock = managed.flows.get(ability="StockSource")
    assert stock.watched_since is not None
    assert stock.grace


def test_one_partners_call_is_not_anothers(store: Store, partner: Activation) -> None:
    other = make_partner(store, "rocky").activation

    note_call(partner.pk, ["stock"])

    assert not other.flows.exclude(last_call_at=None).exists()
    assert partner.flows.exclude(last_call_at=None).count() == 1
