import io
import pydoc
from datetime import timedelta

import pytest
from django import db
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from portal.schedules import RECURRING, follow_clock_back, install
from tests.clock import Clock
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db


def test_the_table_in_code_becomes_the_queues_table() -> None:
    call_command("install_schedules", stdout=io.StringIO())

    rows = Schedule.objects.values_list("name", "schedule_type", "minutes", "repeats")
    assert sorted(rows) == sorted((r.name, Schedule.MINUTES, r.minutes, -1) for r in RECURRING)


def test_every_task_is_found_by_its_name() -> None:
    install()

    names = set(Schedule.objects.values_list("func", flat=True))
    assert len(names) == len(RECURRING)
    assert [name for name in names if not callable(pydoc.locate(name))] == []


def test_what_somebody_else_put_there_goes() -> None:
    Schedule.objects.create(name="by hand", func="os.getcwd", args="4,(")
    Schedule.objects.create(func="os.getcwd")

    install()

    assert Schedule.objects.count() == len(RECURRING)


def test_what_two_who_installed_at_once_wrote_twice_is_there_once_again() -> None:
    install()
    twin = Schedule.objects.get(name="pull_all_orders")
    Schedule.objects.create(name=twin.name, func=twin.func)

    install()

    assert Schedule.objects.get(name="pull_all_orders") == twin
    assert Schedule.objects.count() == len(RECURRING)


@pytest.mark.django_db(transaction=True)
def test_several_who_install_at_once_write_each_row_once() -> None:
    all_at_once(install)

    names = Schedule.objects.values_list("name", flat=True)
    assert sorted(names) == sorted(recurring.name for recurring in RECURRING)


def test_installing_again_mends_a_row_and_keeps_its_next_time() -> None:
    install()
    soon = timezone.now() + timedelta(seconds=5)
    Schedule.objects.filter(name="pull_all_orders").update(
        func="gone", args="4,(", kwargs="{", minutes=9, repeats=0, next_run=soon
    )

    install()

    row = Schedule.objects.get(name="pull_all_orders")
    assert (row.func, row.args, row.kwargs) == ("orders.tasks.pull_all_orders", None, None)
    assert (row.minutes, row.repeats, row.next_run) == (1, -1, soon)
    assert Schedule.objects.count() == len(RECURRING)


def test_every_recurring_task_is_queued_once_when_its_time_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        db, "close_old_connections", lambda: None
    )  # the test's transaction is in it
    install()

    scheduler()
    scheduler()

    assert sorted(row.task["func"] for row in OrmQ.objects.all()) == sorted(
        f"{recurring.task.__module__}.{recurring.name}" for recurring in RECURRING
    )


def test_every_recurring_task_runs_with_nothing_to_do() -> None:
    for recurring in RECURRING:
        recurring.task()

    assert not OrmQ.objects.exists()


def test_where_the_clock_is_put_back_the_recurring_tasks_do_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "close_old_connections", lambda: None)
    clock = Clock()
    clock.rule(monkeypatch)
    install()
    clock.go(timedelta(seconds=1))
    scheduler()
    OrmQ.objects.all().delete()

    clock.go(timedelta(hours=-1))
    follow_clock_back()
    clock.go(timedelta(seconds=1))
    scheduler()
    known = OrmQ.objects.count()
    follow_clock_back()
    scheduler()

    assert (known, OrmQ.objects.count()) == (len(RECURRING), len(RECURRING))
