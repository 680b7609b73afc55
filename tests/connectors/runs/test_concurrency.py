"""Several workers at the same moment, each with a connection of its own."""

import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from catalog.tasks import pull_stock
from connectors.contract import OrderSink, StockSource
from connectors.messages import delivery
from connectors.messages.notices import announce, deliver_notices, replay
from connectors.models import Activation, ActivationFlow, Connector, Failure, Notice, Run
from connectors.runs import running
from connectors.runs.dispatch import start_due
from connectors.runs.running import run_flow
from connectors.services import change_settings
from connectors.spec import Mode
from connectors.storecontract.client import StoreContract
from tests.conftest import (
    activate,
    flow_of,
    make_managed,
    make_operator,
    make_partner,
    make_store,
)
from tests.connectors.conftest import Receiver
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
