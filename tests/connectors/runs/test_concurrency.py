"""Several workers at the same moment, each with a connection of its own."""

import re
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ

from catalog.tasks import pull_stock
from connectors import second_factor, services
from connectors.activating import begin
from connectors.billing import set_billing
from connectors.comparisons import compare_now
from connectors.contract import CALLS, OrderSink, StockSource
from connectors.errors import OutOfBudget, Unreadable
from connectors.messages import delivery
from connectors.messages.hooks import subscribe
from connectors.messages.notices import announce, deliver_notices, replay
from connectors.models import (
    Activation,
    ActivationFlow,
    BillingTerm,
    Brake,
    Comparison,
    Connector,
    Credential,
    Endpoint,
    Failure,
    Incident,
    Notice,
    Run,
    State,
    Subscription,
    Trial,
)
from connectors.queue import enqueue_all
from connectors.runs import running
from connectors.runs.budget import AccountMeter
from connectors.runs.dispatch import read_everything_again, start_due
from connectors.runs.holding import answer_brake, ask_preview
from connectors.runs.running import run_flow
from connectors.services import (
    change_settings,
    end_credential,
    pause,
    resume,
    revoke,
    rotate_credential,
    switch_on,
)
from connectors.spec import Hook, Mode
from connectors.storecontract.client import StoreContract
from connectors.trial import ask_trial
from connectors.trouble import failures
from connectors.trouble.alerts import deliver_all_alerts, tell
from connectors.trouble.editing import edit
from connectors.trouble.originals import originals_of
from tests.conftest import (
    activate,
    flow_of,
    make_managed,
    make_operator,
    make_partner,
    make_store,
)
from tests.connectors.conftest import Receiver
from tests.portal.pages.test_login import code_of
from tests.threads import AT_ONCE, all_at_once, one_within_another

pytestmark = pytest.mark.django_db(transaction=True)


def task(flow_id: int) -> None:
    """What is queued in these tests."""


def test_the_same_form_sent_several_times_at_once_activates_once() -> None:
    store, submission, by = make_store(), uuid.uuid4(), make_operator()

    answers = all_at_once(
        lambda: activate(
            store=store,
            connector=Connector.objects.get(slug="rocky"),
            mode=Mode.PARTNER,
            name="Rocky",
            by=by,
            submission=submission,
        )
    )

    assert Activation.objects.count() == 1
    assert len(answers) == AT_ONCE
    assert sum(issued is not None for _activation, issued in answers) == 1


def test_a_flow_is_given_to_one_of_several_dispatchers() -> None:
    make_managed(make_store(), "rocky", "https://loja.example.com.br", {"token": "t"})
    OrmQ.objects.all().delete()

    started = all_at_once(lambda: start_due(OrderSink, task))

    assert sorted(started) == [0] * (AT_ONCE - 1) + [1]
    assert OrmQ.objects.count() == 1


def test_a_flow_runs_once_however_many_workers_took_it() -> None:
    managed = make_managed(make_store(), "rocky", "https://loja.example.com.br", {"token": "t"})
    flow_id, most = flow_of(managed, StockSource), []
    inside = threading.Lock()

    def work(attempt: Any, client: Any) -> None:
        assert inside.acquire(blocking=False)
        most.append(Run.objects.filter(ended_at=None).count())
        threading.Event().wait(0.2)
        inside.release()

    all_at_once(lambda: run_flow(flow_id, StockSource, work))

    assert set(most) == {1}
    assert set(Run.objects.values_list("outcome", flat=True)) == {Run.Outcome.DONE}
    assert ActivationFlow.objects.get(pk=flow_id).failures_in_a_row == 0


def test_a_notice_is_delivered_once_however_many_deliver(receiver: Receiver) -> None:
    activation = make_partner(make_store(), "rocky", plugin_url=receiver.url).activation
    for number in range(20):
        announce([activation], "orders", "updated", str(number), "status")

    all_at_once(lambda: deliver_notices(activation.pk))

    assert sorted(int(body["id"]) for body in receiver.bodies) == list(range(20))
    assert not Notice.objects.due(timezone.now()).exists()


def test_what_is_announced_while_others_deliver_is_delivered_too(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation = make_partner(make_store(), "rocky", plugin_url=receiver.url).activation
    # The turn that a change queues is the one that each thread takes itself.
    monkeypatch.setattr(delivery, "enqueue_all", lambda task, calls: None)

    def change_and_deliver() -> None:
        for _number in range(5):
            announce([activation], "orders", "updated", uuid.uuid4().hex, "status")
            deliver_notices(activation.pk)

    all_at_once(change_and_deliver)
    while row := OrmQ.objects.first():
        row.delete()
        deliver_notices(*row.task["args"])

    told = [body["id"] for body in receiver.bodies]
    assert len(told) == len(set(told)) == 5 * AT_ONCE
    assert not Notice.objects.waiting().exists()


def test_a_replay_that_several_ask_for_at_once_is_one(receiver: Receiver) -> None:
    activation = make_partner(make_store(), "rocky", plugin_url=receiver.url).activation
    announce([activation], "orders", "updated", "1", "status")
    deliver_notices(activation.pk)

    counts = all_at_once(lambda: replay(Notice.objects.filter(activation=activation)))

    assert sorted(counts) == [0] * (AT_ONCE - 1) + [1]
    assert Notice.objects.waiting().count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_a_run_begins_while_its_settings_are_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    managed = make_managed(make_store(), "rocky", "https://loja.example.com.br", {"token": "t"})
    Failure.objects.create(
        activation=managed, flow="stock", ability="StockSource", record_id="X", kind="rejected"
    )
    monkeypatch.setattr(StoreContract, "changed_stock", lambda self, cursor: iter(()))

    faults = one_within_another(
        monkeypatch,
        running,
        "_read_cursor",
        lambda: pull_stock(flow_of(managed, StockSource)),
        lambda: change_settings(managed.pk, "Outro nome", managed.plugin_url, {}),
    )

    assert faults == []
    assert Run.objects.get().outcome == Run.Outcome.DONE
    assert Activation.objects.get().custom_name == "Outro nome"


def rocky() -> Activation:
    return make_managed(make_store(), "rocky", "https://loja.example.com.br", {"token": "t"})


def test_of_an_accounts_calls_no_more_are_let_through_than_there_are() -> None:
    def spend() -> int:
        meter, calls = AccountMeter("a", {CALLS: 20}, 100), 0
        with suppress(OutOfBudget):
            while True:
                meter.spend()
                calls += 1
        return calls

    assert sum(all_at_once(spend)) == 20


def test_what_two_people_save_at_once_is_both_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    managed = rocky()

    faults = one_within_another(
        monkeypatch,
        Activation,
        "save",
        lambda: change_settings(managed.pk, None, None, {"one": 1}),
        lambda: change_settings(managed.pk, None, None, {"two": 2}),
    )

    assert faults == []
    assert {"one": 1, "two": 2}.items() <= Activation.objects.get().settings.items()


def test_what_is_revoked_while_it_is_resumed_stays_revoked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    managed, by = rocky(), make_operator()
    pause(managed.pk, "férias")

    faults = one_within_another(
        monkeypatch,
        Activation,
        "save",
        lambda: resume(managed.pk),
        lambda: revoke(managed.pk, by),
    )

    assert faults == []
    assert Activation.objects.get().state == State.REVOKED


def test_credentials_are_issued_once_however_often_it_is_switched_on_at_once() -> None:
    activation, by = make_partner(make_store(), "rocky").activation, make_operator()
    activation.credentials.all().delete()
    Endpoint.objects.all().delete()
    activation.flows.all().delete()
    Activation.objects.update(state=State.DRAFT)

    issued = all_at_once(lambda: switch_on(activation.pk, by))

    assert (len(issued), issued.count(None)) == (AT_ONCE, AT_ONCE - 1)
    assert activation.credentials.count() == 1


def test_an_end_that_two_bring_forward_is_the_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = make_partner(make_store(), "rocky").activation.credentials.get()
    soon, later = (timezone.now() + timedelta(days=days) for days in (1, 2))

    faults = one_within_another(
        monkeypatch,
        Credential,
        "save",
        lambda: end_credential(credential.pk, later),
        lambda: end_credential(credential.pk, soon),
    )

    assert faults == []
    assert Credential.objects.get().ends_at == soon


@pytest.mark.parametrize("ask", [compare_now, ask_preview])
def test_what_several_ask_for_at_once_is_done_once(ask: Callable[..., Comparison]) -> None:
    managed, by = rocky(), make_operator()

    asked = all_at_once(lambda: ask(managed, by))

    assert asked == [Comparison.objects.get()] * AT_ONCE


def test_a_connection_that_several_test_at_once_is_tested_once() -> None:
    managed, by = rocky(), make_operator()

    asked = all_at_once(lambda: ask_trial(managed.pk, by))

    assert asked == [Trial.objects.get()] * AT_ONCE


def test_of_two_answers_to_a_brake_at_once_the_first_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    managed, by, answers = rocky(), make_operator(), []
    brake = Brake.objects.create(
        activation=managed, ability="StockSource", flow="stock", danger="empty",
        count=9, base=10, limit=50,
    )  # fmt: skip

    def answer(with_: Brake.Answer) -> Callable[[], None]:
        return lambda: answers.append((with_, answer_brake(brake.pk, with_, by)))

    faults = one_within_another(
        monkeypatch, Brake, "save", answer(Brake.Answer.REREAD), answer(Brake.Answer.APPLY)
    )

    assert faults == []
    assert dict(answers) == {Brake.Answer.REREAD: True, Brake.Answer.APPLY: False}
    assert Brake.objects.get().answer == Brake.Answer.REREAD


@pytest.mark.skipif(connection.vendor == "sqlite", reason="it has one writer at a time")
def test_who_reads_everything_again_locks_the_flows_in_one_order() -> None:
    """Two who did it in the order in which an UPDATE comes by them waited for each other, though
    not each time."""
    rocky()

    with CaptureQueriesContext(connection) as queries:
        assert read_everything_again() > 0

    said = [each["sql"] for each in queries]
    written = next(number for number, sql in enumerate(said) if 'SET "cursor"' in sql)
    assert any(
        re.search(r'"connectors_activationflow".* ORDER BY 1 ASC FOR UPDATE', sql)
        for sql in said[:written]
    )


def test_an_alert_is_sent_once_however_many_send(settings: Any) -> None:
    settings.ALERT_EMAILS = ["suporte@example.com"]
    incident = Incident.objects.create(activation=rocky(), kind="refused", reason="HTTP 401")
    for _number in range(5):
        tell([incident], healed=False)

    all_at_once(deliver_all_alerts)

    assert len(mail.outbox) == 5


def test_what_a_person_corrects_while_it_fails_once_more_stays_corrected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    managed, by, now = rocky(), make_operator(), timezone.now()
    run = Run.objects.create(
        activation=managed, ability="StockSource", flow="stock", expires_at=now, ended_at=now,
        outcome="partial",
    )  # fmt: skip
    failures.record_failure(run, "A", Unreadable("no"), {"sku": "A"})
    failure = Failure.objects.get()

    faults = one_within_another(
        monkeypatch,
        failures,
        "originals_of",
        lambda: failures.record_failure(run, "A", Unreadable("no"), {"sku": "A"}),
        lambda: edit(failure.pk, {"sku": "A", "quantity": 3}, by),
    )

    assert faults == []
    assert originals_of(Failure.objects.get())[1] == {"sku": "A", "quantity": 3}


def test_a_code_of_the_second_factor_is_good_for_one_of_several_at_once() -> None:
    user = make_operator()
    second_factor.offered(user)
    code = code_of(user)

    verdicts = all_at_once(lambda: second_factor.check(user, code))

    assert verdicts.count(second_factor.Verdict.RIGHT) == 1


def test_of_two_rotations_at_once_the_later_ones_credentials_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    activation, by = make_partner(make_store(), "rocky").activation, make_operator()

    def rotate() -> None:
        rotate_credential(activation.pk, by)

    faults = one_within_another(monkeypatch, services, "issue_credential", rotate, lambda: rotate())

    assert faults == []
    assert activation.credentials.filter(ends_at=None).count() == 1


def test_two_clusters_take_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    OrmQ.objects.all().delete()
    enqueue_all(task, [(number,) for number in range(3 * Conf.BULK)])
    taken: list[int] = []

    def take() -> None:
        taken.extend(pk for pk, _payload in get_broker().dequeue() or [])

    faults = one_within_another(monkeypatch, QuerySet, "update", take, lambda: take())

    assert faults == []
    assert len(taken) == len(set(taken)) == 2 * Conf.BULK


def test_drafts_begun_at_once_have_names_of_their_own() -> None:
    store, by = make_store(), make_operator()
    connector = Connector.objects.get(slug="rocky")

    all_at_once(lambda: begin(store, connector, Mode.PARTNER, by, uuid.uuid4()))

    assert Activation.objects.count() == AT_ONCE


def test_terms_that_several_set_at_once_are_there_once() -> None:
    managed, terms = rocky(), [(12, Decimal(99)), (12, Decimal(149))]

    answers = all_at_once(lambda: set_billing(managed.pk, date(2026, 1, 1), terms))

    assert answers == [None] * AT_ONCE
    assert BillingTerm.objects.count() == 2


def test_a_subscription_that_several_ask_for_at_once_is_one() -> None:
    pluga = make_partner(make_store(), "pluga").activation
    url = "https://tools.example.com/stock"

    subscribed = all_at_once(lambda: subscribe(pluga.pk, Hook.STOCK_CHANGED, url))

    assert subscribed == [Subscription.objects.get()] * AT_ONCE
