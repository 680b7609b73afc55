"""Whose turn it is."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ

from connectors.contract import Ability, OrderSink, PriceSource, ProductSource, StockSource
from connectors.errors import Refused
from connectors.models import Activation, ActivationFlow, Alert, Failure, Run, State, Store
from connectors.models.flows import RUN_LIFE
from connectors.queue import enqueue
from connectors.runs import dispatch
from connectors.runs.dispatch import make_due, start_due, start_now
from connectors.runs.running import _begin, run_flow
from connectors.services import pause, resume
from connectors.trouble.failures import record_failure
from connectors.trouble.incidents import watch_flows
from tests.clock import Clock
from tests.conftest import flow_of, make_managed, make_partner

MINUTE = timedelta(minutes=1)


def task(flow_id: int) -> None:
    """What is queued in these tests."""


@pytest.fixture
def activation(store: Store) -> Activation:
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    OrmQ.objects.all().delete()
    products_were_read(activation)
    return activation


@pytest.fixture
def flow(activation: Activation) -> ActivationFlow:
    return ActivationFlow.objects.get(pk=flow_of(activation, StockSource))


def queued() -> list[int]:
    return [row.task["args"][0] for row in OrmQ.objects.order_by("pk")]


def products_were_read(activation: Activation) -> None:
    products = activation.flows.filter(ability=ProductSource.__name__)
    products.update(last_success_at=timezone.now())


def begin(flow: ActivationFlow) -> None:
    """The queue came to it."""
    ActivationFlow.objects.filter(pk=flow.pk).update(slot_at=None)


def test_a_flow_is_given_to_one_dispatcher_and_comes_again_within_its_interval(
    flow: ActivationFlow,
) -> None:
    planned = flow.due_at

    first, second = start_due(StockSource, task), start_due(StockSource, task)

    flow.refresh_from_db()
    assert (first, second, queued()) == (1, 0, [flow.pk])
    assert timezone.now() < flow.due_at <= timezone.now() + timedelta(minutes=5)
    assert flow.slot_at == planned


def test_a_new_integration_runs_at_once(flow: ActivationFlow) -> None:
    assert flow.due_at <= timezone.now()


@pytest.mark.parametrize("ability", [PriceSource, StockSource])
def test_prices_and_stock_wait_until_the_products_were_read_once(
    activation: Activation, ability: type[Ability]
) -> None:
    activation.flows.filter(ability=ProductSource.__name__).update(last_success_at=None)

    before = start_due(ability, task)
    products_were_read(activation)

    assert (before, start_due(ability, task)) == (0, 1)


def test_a_flow_keeps_its_place_in_the_interval_whatever_moved_it(flow: ActivationFlow) -> None:
    slots = []

    for delay in (timedelta(0), timedelta(seconds=17), timedelta(hours=3), timedelta(days=2)):
        begin(flow)
        ActivationFlow.objects.update(due_at=timezone.now() - delay)
        start_due(StockSource, task)
        flow.refresh_from_db()
        slots.append(flow.due_at)

    assert len({slot.timestamp() % flow.every for slot in slots}) == 1
    assert max(slots) - min(slots) <= timedelta(seconds=flow.every)


def test_slots_that_were_missed_are_not_made_up_for(flow: ActivationFlow) -> None:
    ActivationFlow.objects.update(due_at=timezone.now() - timedelta(days=1))

    started = start_due(StockSource, task)
    begin(flow)

    assert (started, start_due(StockSource, task)) == (1, 0)


def test_where_the_clock_is_put_back_no_flow_waits_for_it(
    flow: ActivationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.rule(monkeypatch)
    ActivationFlow.objects.update(due_at=clock.now)
    watch_flows()
    start_due(StockSource, task)
    run_flow(flow.pk, StockSource, lambda attempt, client: None)
    clock.go(timedelta(minutes=5))
    start_due(StockSource, task)  # and its task waits in the queue

    clock.go(timedelta(hours=-1))
    before = start_due(StockSource, task)
    watch_flows()
    after = start_due(StockSource, task)
    watch_flows()

    assert (before, after, start_due(StockSource, task)) == (0, 1, 0)


def test_where_the_clock_is_put_back_a_run_whose_worker_died_holds_its_flow_no_longer(
    flow: ActivationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.rule(monkeypatch)
    ActivationFlow.objects.update(due_at=clock.now)
    watch_flows()
    _begin(flow)

    clock.go(timedelta(days=-1))
    watch_flows()
    before = start_due(StockSource, task)
    clock.go(RUN_LIFE)

    assert (before, start_due(StockSource, task)) == (0, 1)


def test_where_the_clock_is_put_back_nothing_waits_for_it(
    flow: ActivationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.rule(monkeypatch, (Alert, "due_at"))
    watch_flows()
    enqueue(task, flow.pk)
    Alert.objects.create(channel="email", subject="agora", body="agora")
    run = _begin(flow)
    record_failure(run, "1", Refused("Não existe."), {"id": "1"})

    clock.go(timedelta(days=-1))
    watch_flows()
    clock.go(timedelta(seconds=Conf.RETRY))

    assert OrmQ.objects.filter(lock__lte=clock.now).exists()
    assert Alert.objects.get().due_at <= clock.now
    assert Failure.objects.get().retry_at <= clock.now


def test_the_flows_of_many_are_spread_over_the_interval(activation: Activation) -> None:
    row = ActivationFlow.objects.get(pk=flow_of(activation, StockSource))
    for number in range(120):
        row.pk, row.ability = None, f"Ability{number}"
        row._state.adding = True
        row.save()
    ActivationFlow.objects.filter(ability__startswith="Ability").update(
        due_at=timezone.now() - MINUTE
    )

    for number in range(120):
        start_due(type(f"Ability{number}", (), {}), task)

    slots = ActivationFlow.objects.filter(ability__startswith="Ability").values_list("due_at")
    per_second = Counter(due_at for (due_at,) in slots)
    assert len(per_second) >= 80
    assert max(per_second.values()) <= 5


def test_more_than_one_batch_is_started_in_one_go(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "AT_ONCE", 2)
    for number in range(5):
        make_managed(activation.store, "rocky", f"https://l{number}.example.com", {"token": "t"})
    OrmQ.objects.all().delete()

    assert start_due(OrderSink, task) == 6
    assert len(set(queued())) == 6


def test_a_flow_that_waits_in_the_queue_is_not_queued_again(flow: ActivationFlow) -> None:
    start_due(StockSource, task)
    ActivationFlow.objects.update(due_at=timezone.now())

    assert start_due(StockSource, task) == 0


def test_a_flow_whose_task_was_lost_is_queued_again(flow: ActivationFlow) -> None:
    ActivationFlow.objects.update(slot_at=timezone.now() - timedelta(hours=2))

    assert start_due(StockSource, task) == 1


def test_a_flow_that_runs_is_not_queued(flow: ActivationFlow) -> None:
    run = Run.objects.create(
        activation=flow.activation,
        ability="StockSource",
        flow="stock",
        expires_at=timezone.now() + MINUTE,
    )

    while_it_runs = start_due(StockSource, task)
    Run.objects.filter(pk=run.pk).update(expires_at=timezone.now())

    assert (while_it_runs, start_due(StockSource, task)) == (0, 1)


def test_only_the_flows_of_the_ability_are_started(activation: Activation) -> None:
    start_due(OrderSink, task)

    assert queued() == [flow_of(activation, OrderSink)]


def test_a_flow_whose_time_has_not_come_waits(flow: ActivationFlow) -> None:
    ActivationFlow.objects.update(due_at=timezone.now() + timedelta(seconds=5))

    assert start_due(StockSource, task) == 0


@pytest.mark.parametrize("state", sorted(set(State) - {State.ACTIVE, State.MOVED}))
def test_only_active_integrations_run(state: State, activation: Activation) -> None:
    Activation.objects.update(state=state)

    assert start_due(StockSource, task) == 0


def test_a_partners_flows_are_not_ours_to_run(store: Store) -> None:
    make_partner(store, "rocky")
    Activation.objects.update(state=State.ACTIVE)

    assert start_due(StockSource, task) == 0
    assert make_due(ActivationFlow.objects.all()) == 0


def test_an_integration_that_is_resumed_runs_at_once(flow: ActivationFlow) -> None:
    start_due(StockSource, task)
    pause(flow.activation_id, "…")

    resume(flow.activation_id)
    Activation.objects.update(state=State.ACTIVE)

    assert start_due(StockSource, task) == 1


def test_flows_may_be_started_out_of_turn(activation: Activation) -> None:
    start_now(activation.pk, task, ProductSource, OrderSink)

    assert sorted(queued()) == sorted(flow_of(activation, a) for a in (ProductSource, OrderSink))


def test_dispatching_takes_the_same_statements_for_one_and_for_many(
    activation: Activation,
) -> None:
    costs = []
    for count in (1, 20):
        for number in range(count - 1):
            make_managed(
                activation.store, "rocky", f"https://l{number}.example.com", {"token": "t"}
            )
        ActivationFlow.objects.update(due_at=timezone.now(), slot_at=None)
        with CaptureQueriesContext(connection) as queries:
            start_due(StockSource, task)
        costs.append(len(queries))

    assert costs[0] == costs[1]
