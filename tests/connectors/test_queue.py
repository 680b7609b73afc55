"""Tasks as the queue really stores, fetches and runs them."""

import multiprocessing
import queue
from datetime import timedelta
from typing import Any

import pytest
from django import db
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Task
from django_q.monitor import monitor
from django_q.signing import SignedPackage
from django_q.worker import worker

from connectors.models import Connector
from connectors.queue import HEAD_START, enqueue, enqueue_all, enqueue_in_turn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker would begin with a connection of its own; here the test's transaction is in ours."""
    monkeypatch.setattr(db, "close_old_connections", lambda: None)


def note(slug: str, text: str) -> None:
    """A task that leaves a trace."""
    Connector.objects.filter(slug=slug).update(contacts=text)


def break_down(slug: str) -> None:
    note(slug, "half")
    raise RuntimeError("down")


def run_queue() -> list[dict[str, Any]]:
    """What one turn of the cluster does: fetch, run, acknowledge."""
    broker, tasks, results = get_broker(), queue.Queue(), queue.Queue()  # type: ignore[var-annotated]
    finished = []
    for key, package in broker.dequeue() or []:
        tasks.put({**SignedPackage.loads(package), "ack_id": key})
    tasks.put("STOP")
    worker(tasks, results, multiprocessing.Value("f", -1), timeout=30)
    finished = list(results.queue)
    results.put("STOP")
    monitor(results, broker)
    return finished


def test_a_task_exists_if_and_only_if_its_cause_does() -> None:
    @transaction.atomic
    def change_and_fail() -> None:
        enqueue(note, "rocky", "never")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert not OrmQ.objects.exists()


def test_a_task_is_queued_by_its_name_and_its_arguments() -> None:
    enqueue(note, "rocky", "Ana")

    [queued] = OrmQ.objects.all()
    assert queued.task["func"] == "tests.connectors.test_queue.note"
    assert queued.task["args"] == ("rocky", "Ana")


def test_many_tasks_are_stored_at_once() -> None:
    with CaptureQueriesContext(connection) as queries:
        enqueue_all(note, [("rocky", str(number)) for number in range(300)])

    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) <= 2
    assert OrmQ.objects.count() == 300


def test_no_tasks_are_no_statement_that_fails() -> None:
    enqueue_all(note, [])

    assert not OrmQ.objects.exists()


def test_a_queued_task_runs_and_leaves_the_queue() -> None:
    enqueue(note, "rocky", "Ana")

    [finished] = run_queue()

    assert finished["success"]
    assert Connector.objects.get(slug="rocky").contacts == "Ana"
    assert not OrmQ.objects.exists()
    assert not Task.objects.exists()  # what ran is in our own tables


def test_a_task_that_breaks_does_not_come_back_and_stops_no_other() -> None:
    enqueue(break_down, "rocky")
    enqueue(note, "olist", "Ana")

    finished = run_queue()

    assert [task["success"] for task in finished] == [False, True]
    assert Connector.objects.get(slug="olist").contacts == "Ana"
    assert not OrmQ.objects.exists()


def test_a_task_for_later_is_run_by_nobody_before() -> None:
    moment = timezone.now() + timedelta(hours=1)

    enqueue(note, "rocky", "later", at=moment)

    assert run_queue() == []
    assert OrmQ.objects.get().lock == moment
    OrmQ.objects.update(lock=timezone.now())
    assert len(run_queue()) == 1


def test_what_somebody_waits_for_overtakes_what_has_its_turn_but_not_for_ever() -> None:
    enqueue_in_turn(note, [("rocky", "its turn, long ago")])
    OrmQ.objects.update(lock=timezone.now() - 2 * HEAD_START)
    enqueue_in_turn(note, [("rocky", "its turn")])
    enqueue(note, "rocky", "somebody waits")

    finished = run_queue()

    texts = [task["args"][1] for task in finished]
    assert texts == ["its turn, long ago", "somebody waits", "its turn"]


def test_a_task_is_taken_once_until_it_comes_back() -> None:
    enqueue_all(note, [("rocky", "a"), ("rocky", "b")])

    first, second = get_broker().dequeue(), get_broker().dequeue()

    assert first is not None
    assert (len(first), second) == (2, None)
