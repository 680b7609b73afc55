"""Whose turn it is, and how a run ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ

from connectors.contract import OrderSink, ProductSource, StockSource
from connectors.errors import Refused, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.models import Activation, ActivationFlow, Failure, Run, State, Store
from connectors.payload import Payload
from connectors.runs import Attempt, run_flow, start_due, start_now
from connectors.services import pause, resume
from tests.conftest import flow_of, make_managed

HOUR = timedelta(hours=1)


def task(flow_id: int) -> None:
    """What is queued in these tests."""


@pytest.fixture
def activation(store: Store) -> Activation:
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    OrmQ.objects.all().delete()
    return activation


@pytest.fixture
def flow(activation: Activation) -> ActivationFlow:
    return ActivationFlow.objects.get(pk=flow_of(activation, StockSource))


def queued() -> list[int]:
    return [row.task["args"][0] for row in OrmQ.objects.order_by("pk")]


def run(flow: ActivationFlow, work: Callable[[Attempt, Any], None]) -> Run:
    run_flow(flow.pk, StockSource, work)
    flow.refresh_from_db()
    return Run.objects.latest("pk")


def fails_with(error: Exception) -> Callable[[Attempt, Any], None]:
    def work(attempt: Attempt, client: Any) -> None:
        raise error

    return work


def takes(*records: dict[str, Any], bad: dict[str, Exception] | None = None) -> Any:
    """Work that takes each record, except for the bad ones."""

    def work(attempt: Attempt, client: Any) -> None:
        for record in records:
            with attempt.item(Payload(record)) as item:
                if record["sku"] in (bad or {}):
                    raise (bad or {})[record["sku"]]
                item.changed = record.get("changed", True)

    return work


# -- Whose turn it is ---------------------------------------------------------------------------


def test_a_flow_is_given_to_one_dispatcher_and_comes_again_after_its_interval(
    flow: ActivationFlow,
) -> None:
    before = timezone.now()

    first, second = start_due(StockSource, task), start_due(StockSource, task)

    flow.refresh_from_db()
    assert (first, second, queued()) == (1, 0, [flow.pk])
    assert before + timedelta(minutes=5) <= flow.due_at <= timezone.now() + timedelta(minutes=5)


def test_only_the_flows_of_the_ability_are_started(activation: Activation) -> None:
    start_due(OrderSink, task)

    assert queued() == [flow_of(activation, OrderSink)]


def test_a_flow_whose_time_has_not_come_waits(flow: ActivationFlow) -> None:
    ActivationFlow.objects.update(due_at=timezone.now() + timedelta(seconds=5))

    assert start_due(StockSource, task) == 0


@pytest.mark.parametrize("state", sorted(set(State) - {State.ACTIVE}))
def test_only_active_integrations_run(state: State, activation: Activation) -> None:
    Activation.objects.update(state=state)

    assert start_due(StockSource, task) == 0


def test_flows_may_be_started_out_of_turn(activation: Activation) -> None:
    start_now(activation.pk, task, ProductSource, OrderSink)

    assert sorted(queued()) == sorted(flow_of(activation, a) for a in (ProductSource, OrderSink))


# -- How a run ends -----------------------------------------------------------------------------


def test_a_run_counts_what_it_saw_and_what_changed(flow: ActivationFlow) -> None:
    done = run(flow, takes({"sku": "A"}, {"sku": "B", "changed": False}))

    assert (done.outcome, done.seen, done.changed, done.failed) == (Run.Outcome.DONE, 2, 1, 0)
    assert done.ended_at is not None
    assert flow.last_success_at == flow.last_change_at == done.ended_at


def test_a_run_without_changes_is_a_success_but_no_change(flow: ActivationFlow) -> None:
    run(flow, takes())

    assert (flow.last_success_at is not None, flow.last_change_at) == (True, None)


def test_one_bad_record_does_not_stop_the_others(flow: ActivationFlow) -> None:
    bad = {"B": Unreadable("$.quantity: got NoneType")}

    done = run(flow, takes({"sku": "A"}, {"sku": "B", "quantity": None}, {"sku": "C"}, bad=bad))

    assert (done.outcome, done.seen, done.changed, done.failed) == (Run.Outcome.PARTIAL, 3, 2, 1)
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind) == ("B", Failure.Kind.UNREADABLE)
    assert failure.reason == "$.quantity: got NoneType"
    assert failure.payload == {"sku": "B", "quantity": None}
    assert failure.run == done


@pytest.mark.parametrize(
    ("error", "kind"),
    [(Rejected("no"), Failure.Kind.REJECTED), (Refused("não"), Failure.Kind.REFUSED)],
)
def test_a_failure_says_whose_no_it_was(error: Exception, kind: str, flow: ActivationFlow) -> None:
    run(flow, takes({"sku": "A"}, bad={"A": error}))

    assert Failure.objects.get().kind == kind


def test_the_same_record_failing_again_is_the_same_failure(flow: ActivationFlow) -> None:
    run(flow, takes({"sku": "A"}, bad={"A": Rejected("first")}))

    run(flow, takes({"sku": "A"}, bad={"A": Rejected("second")}))

    failure = Failure.objects.get()
    assert (failure.times, failure.reason, failure.resolved_at) == (2, "second", None)


def test_the_next_run_mends_what_failed(flow: ActivationFlow) -> None:
    run(flow, takes({"sku": "A"}, bad={"A": Rejected("no")}))

    run(flow, takes({"sku": "A"}))

    failure = Failure.objects.get()
    assert failure.resolved_at is not None
    assert failure.resolution == "Passou numa execução seguinte."


def test_a_record_without_a_name_is_known_again_by_its_content(flow: ActivationFlow) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        with attempt.item(Payload({"quantity": "?"})):
            raise Unreadable("$.sku: got NoneType")

    run(flow, work)
    run(flow, work)

    failure = Failure.objects.get()
    assert failure.times == 2
    assert failure.record_id.startswith("sha256:")


def test_a_platform_that_is_down_is_asked_less_and_less_often(flow: ActivationFlow) -> None:
    waits = []

    for _number in range(6):
        failed = run(flow, fails_with(Unavailable("GET stock: HTTP 503")))
        assert failed.ended_at is not None
        waits.append(flow.due_at - failed.ended_at)

    assert (failed.outcome, failed.reason) == (Run.Outcome.FAILED, "GET stock: HTTP 503")
    assert waits == [timedelta(minutes=m) for m in (10, 20, 40, 60, 60, 60)]
    assert flow.failures_in_a_row == 6
    assert Activation.objects.get().state == State.ACTIVE


def test_a_platform_that_says_when_is_asked_then(flow: ActivationFlow) -> None:
    failed = run(flow, fails_with(Unavailable("GET stock: HTTP 429", after=90)))

    assert failed.ended_at is not None
    assert flow.due_at - failed.ended_at == timedelta(seconds=90)


def test_a_success_ends_the_waiting(flow: ActivationFlow) -> None:
    run(flow, fails_with(Unavailable("…")))

    run(flow, takes({"sku": "A"}))

    assert flow.failures_in_a_row == 0


def test_what_was_taken_before_the_platform_went_down_counts(flow: ActivationFlow) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        takes({"sku": "A"})(attempt, client)
        attempt.advance("page 1")
        with attempt.item(Payload({"sku": "B"})):
            raise Unavailable("GET stock: HTTP 502")

    failed = run(flow, work)

    assert (failed.outcome, failed.changed, failed.cursor_after) == ("failed", 1, "page 1")
    assert flow.cursor == "page 1"
    assert not Failure.objects.exists()


def test_refused_credentials_pause_the_integration_until_somebody_looks(
    flow: ActivationFlow,
) -> None:
    failed = run(flow, fails_with(Unauthorized("GET stock: HTTP 401")))

    activation = Activation.objects.get()
    assert (failed.outcome, failed.reason) == (Run.Outcome.FAILED, "GET stock: HTTP 401")
    assert (activation.state, activation.paused_reason) == (State.PAUSED, "GET stock: HTTP 401")


def test_a_fault_of_ours_is_on_record_and_shows_no_data(flow: ActivationFlow) -> None:
    failed = run(flow, fails_with(KeyError("secret")))

    assert (failed.outcome, failed.reason) == (Run.Outcome.FAILED, "Erro do portal: KeyError")


def test_a_very_long_reason_is_cut(flow: ActivationFlow) -> None:
    failed = run(flow, fails_with(Unavailable("x" * 5000)))

    assert failed.reason == "x" * 500


def test_a_paused_integration_does_not_run_what_was_queued(
    activation: Activation, flow: ActivationFlow
) -> None:
    pause(activation.pk, "…")

    run_flow(flow.pk, StockSource, fails_with(AssertionError()))

    assert not Run.objects.exists()
    resume(activation.pk)


@responses.activate
def test_a_client_that_meets_a_broken_platform_ends_its_run(flow: ActivationFlow) -> None:
    responses.get("https://loja.example.com.br/stock", body="<html>", status=200)

    def work(attempt: Attempt, client: StockSource) -> None:
        for _page in client.changed_stock(attempt.since):
            pass

    failed = run(flow, work)

    assert failed.outcome == Run.Outcome.FAILED
    assert "not JSON" in failed.reason


# -- One at a time ------------------------------------------------------------------------------


def test_a_flow_never_runs_twice_at_once(flow: ActivationFlow) -> None:
    inner = []

    def work(attempt: Attempt, client: Any) -> None:
        run_flow(flow.pk, StockSource, lambda attempt, client: inner.append(attempt))

    run(flow, work)

    assert inner == []
    assert Run.objects.count() == 1


def test_two_flows_of_one_integration_may_run_at_once(
    activation: Activation, flow: ActivationFlow
) -> None:
    inner = []

    def work(attempt: Attempt, client: Any) -> None:
        other = flow_of(activation, ProductSource)
        run_flow(other, ProductSource, lambda attempt, client: inner.append(attempt))

    run(flow, work)

    assert len(inner) == 1


def test_the_database_holds_one_open_run_per_flow(activation: Activation) -> None:
    fields = {"activation": activation, "ability": "StockSource", "flow": "stock"}
    Run.objects.create(**fields, expires_at=timezone.now() + HOUR)

    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(**fields, expires_at=timezone.now() + HOUR)


def test_a_run_whose_worker_died_is_closed_by_the_next(
    activation: Activation, flow: ActivationFlow
) -> None:
    dead = Run.objects.create(
        activation=activation,
        ability="StockSource",
        flow="stock",
        expires_at=timezone.now() - timedelta(seconds=1),
    )

    done = run(flow, takes({"sku": "A"}))

    dead.refresh_from_db()
    assert (dead.outcome, dead.reason) == (Run.Outcome.ABANDONED, "Quem executava parou.")
    assert done.outcome == Run.Outcome.DONE


def test_a_run_that_is_still_going_on_is_not_disturbed(
    activation: Activation, flow: ActivationFlow
) -> None:
    going_on = Run.objects.create(
        activation=activation, ability="StockSource", flow="stock", expires_at=timezone.now() + HOUR
    )

    run_flow(flow.pk, StockSource, fails_with(AssertionError()))

    going_on.refresh_from_db()
    assert (going_on.outcome, Run.objects.count()) == (Run.Outcome.RUNNING, 1)
