"""How a run goes, and how it ends."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from django.utils import timezone

from connectors.contract import ProductSource, StockSource
from connectors.errors import (
    OutOfBudget,
    Refused,
    Rejected,
    Several,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.models import Activation, ActivationFlow, Connector, Failure, Run, State, Store
from connectors.payload import Payload
from connectors.runs.outcomes import release_run
from connectors.runs.running import Attempt, run_flow
from connectors.services import pause, record_credential, resume, sync_connectors
from tests.conftest import flow_of, make_managed, make_operator

HOUR = timedelta(hours=1)


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})


@pytest.fixture
def flow(activation: Activation) -> ActivationFlow:
    return ActivationFlow.objects.get(pk=flow_of(activation, StockSource))


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


# -- How a run ends -----------------------------------------------------------------------------


def test_where_the_key_is_gone_the_run_says_so_and_goes_on_when_it_is_back(
    flow: ActivationFlow, settings: LazySettings
) -> None:
    keys = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    failed = run(flow, takes({"sku": "A"}))
    settings.CREDENTIAL_KEYS = keys
    done = run(flow, takes({"sku": "A"}))

    assert failed.outcome == Run.Outcome.FAILED
    assert "uma chave que saiu de CREDENTIAL_KEYS: registre-as outra vez" in failed.reason
    assert done.outcome == Run.Outcome.DONE


def test_a_run_counts_what_it_saw_and_what_changed(flow: ActivationFlow) -> None:
    done = run(flow, takes({"sku": "A"}, {"sku": "B", "changed": False}))

    assert (done.outcome, done.seen, done.changed, done.failed) == (Run.Outcome.DONE, 2, 1, 0)
    assert done.ended_at is not None
    assert flow.last_success_at == flow.last_change_at == done.ended_at


def test_what_turns_out_to_stand_for_several_waits_part_by_part(flow: ActivationFlow) -> None:
    run(flow, takes({"sku": "A"}, bad={"A": Rejected("no")}))

    done = run(flow, takes({"sku": "A"}, bad={"A": Several("no", [{"id": "1"}, {"id": "2"}])}))

    waiting = Failure.objects.open().order_by("pk").values_list("record_id", "payload", "times")
    assert list(waiting) == [("1", {"id": "1"}, 1), ("2", {"id": "2"}, 1)]
    assert (done.outcome, done.failed) == (Run.Outcome.DONE, 0)


def test_what_turns_out_to_stand_for_nothing_is_over(flow: ActivationFlow) -> None:
    run(flow, takes({"sku": "A"}, bad={"A": Rejected("no")}))

    run(flow, takes({"sku": "A"}, bad={"A": Several("no", [])}))

    assert not Failure.objects.open().exists()


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


def test_nor_does_one_that_is_nested_without_end(flow: ActivationFlow) -> None:
    deep: Any = "fundo"
    for _level in range(900):
        deep = {"mais": [deep]}
    bad = {"B": Unreadable("$.mais: got dict")}

    done = run(flow, takes({"sku": "A"}, {"sku": "B", "mais": deep}, {"sku": "C"}, bad=bad))

    assert (done.outcome, done.changed, done.failed) == (Run.Outcome.PARTIAL, 2, 1)
    assert Failure.objects.get().record_id == "B"


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
    # With a quarter of jitter: thousands that failed together do not come back together.
    for wait, minutes in zip(waits, (10, 20, 40, 60, 60, 60), strict=True):
        assert timedelta(minutes=0.75 * minutes) <= wait <= timedelta(minutes=1.26 * minutes)
    assert len(set(waits)) == 6
    assert flow.failures_in_a_row == 6
    assert Activation.objects.get().state == State.ACTIVE


def test_a_platform_that_says_when_is_asked_then(flow: ActivationFlow) -> None:
    failed = run(flow, fails_with(Unavailable("GET stock: HTTP 429", after=90)))

    assert failed.ended_at is not None
    assert timedelta(seconds=90) <= flow.due_at - failed.ended_at <= timedelta(seconds=113)


def test_a_platform_that_wishes_for_hours_gets_them(flow: ActivationFlow) -> None:
    failed = run(flow, fails_with(Unavailable("GET stock: HTTP 503", after=4 * 3600)))

    assert failed.ended_at is not None
    assert flow.due_at - failed.ended_at >= timedelta(hours=4)


def test_a_run_out_of_budget_waits_for_the_next_minute_and_is_no_failure(
    flow: ActivationFlow,
) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        takes({"sku": "A"})(attempt, client)
        attempt.advance("page 1")
        raise OutOfBudget("Acabou a cota.", 40)

    ActivationFlow.objects.update(failures_in_a_row=3)  # that is over: the platform answers

    waits = run(flow, work)

    assert (waits.outcome, waits.reason) == (Run.Outcome.WAITING, "Acabou a cota.")
    assert (waits.cursor_after, flow.cursor, flow.failures_in_a_row) == ("page 1", "page 1", 0)
    assert waits.ended_at is not None
    assert timedelta(seconds=40) <= flow.due_at - waits.ended_at < timedelta(seconds=42)
    assert flow.last_success_at == waits.ended_at


def test_a_run_that_came_no_further_for_lack_of_budget_is_no_success(flow: ActivationFlow) -> None:
    run(flow, fails_with(OutOfBudget("Acabou a cota.", 40)))

    assert (flow.last_success_at, flow.failures_in_a_row) == (None, 0)


def test_a_run_remembers_when_it_was_planned_for(flow: ActivationFlow) -> None:
    planned = timezone.now() - timedelta(seconds=20)
    ActivationFlow.objects.update(slot_at=planned)

    done = run(flow, takes())

    assert (done.planned_at, flow.slot_at) == (planned, None)
    assert flow.last_run_at == done.started_at


def test_a_run_with_very_much_to_do_gives_up_its_turn_between_two_pages(
    flow: ActivationFlow,
) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        attempt.ends_at = monotonic() - 1
        attempt.advance("page 1")
        raise AssertionError

    done = run(flow, work)

    assert (done.outcome, flow.cursor) == (Run.Outcome.DONE, "page 1")
    assert flow.due_at == done.ended_at == flow.last_success_at


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


def test_credentials_that_were_replaced_while_they_were_refused_pause_nothing(
    flow: ActivationFlow,
) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        record_credential(attempt.activation, {"token": "new"}, make_operator())
        raise Unauthorized("HTTP 401")

    failed = run(flow, work)

    assert (failed.outcome, failed.reason) == ("failed", "HTTP 401")
    assert Activation.objects.get().state == State.ACTIVE


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


# -- An operator takes the flow away ---------------------------------------------------------------


def test_a_released_run_is_over_and_its_flow_alone_is_due(
    store: Store, flow: ActivationFlow
) -> None:
    make_managed(store, "rocky", "https://outra.example.com.br", {"token": "u"})
    ActivationFlow.objects.update(due_at=timezone.now() + HOUR)

    def work(attempt: Attempt, client: Any) -> None:
        assert release_run(attempt.run.pk, "operadora")

    released = run(flow, work)

    assert released.outcome == Run.Outcome.ABANDONED
    assert released.reason == "Liberada por operadora."
    assert ActivationFlow.objects.get(due_at__lte=timezone.now()) == flow
    assert flow.last_success_at is None
    assert not release_run(released.pk, "outra")


def test_who_lost_his_run_writes_no_more(activation: Activation, flow: ActivationFlow) -> None:
    later: list[Run] = []

    def work(attempt: Attempt, client: Any) -> None:
        release_run(attempt.run.pk, "operadora")
        later.append(
            Run.objects.create(
                activation=activation,
                ability="StockSource",
                flow="stock",
                expires_at=timezone.now() + HOUR,
            )
        )
        attempt.advance("a cursor from long ago")
        raise AssertionError

    run_flow(flow.pk, StockSource, work)

    flow.refresh_from_db()
    later[0].refresh_from_db()
    assert (flow.cursor, later[0].outcome) == ("", Run.Outcome.RUNNING)


def test_the_end_of_a_run_taken_for_dead_does_not_overwrite_what_is_on_record(
    flow: ActivationFlow,
) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        Run.objects.update(
            ended_at=timezone.now(), outcome=Run.Outcome.ABANDONED, reason="Quem executava parou."
        )
        raise Unavailable("GET stock: HTTP 503")

    abandoned = run(flow, work)

    assert (abandoned.outcome, abandoned.reason) == ("abandoned", "Quem executava parou.")
    assert flow.failures_in_a_row == 0


def test_how_far_a_run_is_can_be_seen_while_it_goes_on(flow: ActivationFlow) -> None:
    seen = []

    def work(attempt: Attempt, client: Any) -> None:
        takes({"sku": "A"}, {"sku": "B", "changed": False})(attempt, client)
        attempt.advance("page 1")
        seen.append(Run.objects.values_list("outcome", "seen", "changed").get())

    run(flow, work)

    assert seen == [("running", 2, 1)]


# -- A connector whose folder is gone --------------------------------------------------------------


def test_the_integrations_of_a_connector_that_is_gone_stand_still(
    activation: Activation, flow: ActivationFlow
) -> None:
    Connector.objects.filter(slug="rocky").update(slug="antigo")
    activation.refresh_from_db()

    before = run(flow, takes({"sku": "A"}))
    sync_connectors()

    assert before.outcome == Run.Outcome.FAILED
    activation = Activation.objects.get()
    assert activation.state == State.PAUSED
    assert activation.paused_reason == "O portal não tem mais este conector."
    assert (activation.spec.name, activation.spec.client) == ("antigo", None)


# -- One at a time ------------------------------------------------------------------------------


def test_a_flow_never_runs_twice_at_once(flow: ActivationFlow) -> None:
    inner = []

    def work(attempt: Attempt, client: Any) -> None:
        run_flow(flow.pk, StockSource, lambda attempt, client: inner.append(attempt))

    run(flow, work)

    assert inner == []
    assert Run.objects.count() == 1


def test_a_run_says_whether_its_flow_became_due_again_meanwhile(flow: ActivationFlow) -> None:
    def asked_again(attempt: Attempt, client: Any) -> None:
        run_flow(flow.pk, StockSource, takes())

    assert run_flow(flow.pk, StockSource, asked_again)
    assert not run_flow(flow.pk, StockSource, takes())


def test_a_run_that_failed_waits_for_its_turn_whatever_came_meanwhile(
    flow: ActivationFlow,
) -> None:
    def asked_again_and_down(attempt: Attempt, client: Any) -> None:
        run_flow(flow.pk, StockSource, takes())
        raise Unavailable("down")

    assert not run_flow(flow.pk, StockSource, asked_again_and_down)


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


def test_a_run_begins_where_another_ended_meanwhile(
    activation: Activation, flow: ActivationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = Run.objects.create(
        activation=activation, ability="StockSource", flow="stock", expires_at=timezone.now() + HOUR
    )

    def ends(flows: Any) -> None:
        ActivationFlow.objects.filter(pk=flow.pk).update(cursor="newer")
        release_run(going_on.pk, "ana")

    monkeypatch.setattr("connectors.runs.running.make_due", ends)
    since = []

    done = run(flow, lambda attempt, client: since.append(attempt.since))

    assert since == ["newer"]
    assert done.cursor_before == done.cursor_after == "newer"


def test_a_run_that_is_still_going_on_is_not_disturbed(
    activation: Activation, flow: ActivationFlow
) -> None:
    going_on = Run.objects.create(
        activation=activation, ability="StockSource", flow="stock", expires_at=timezone.now() + HOUR
    )

    run_flow(flow.pk, StockSource, fails_with(AssertionError()))

    going_on.refresh_from_db()
    flow.refresh_from_db()
    assert (going_on.outcome, Run.objects.count()) == (Run.Outcome.RUNNING, 1)
    assert flow.due_at <= timezone.now()  # it may have passed what this one was started for
