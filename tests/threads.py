"""Several threads that do the same at the same moment, as several processes would."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

AT_ONCE = 6
# Seconds after which who has not ended is waiting. In SQLite one writes at a time: the second one
# waits from its first statement on.
SOON = {"sqlite": 0.25, "postgresql": 1}


def all_at_once(work: Callable[[], Any], *expected: type[Exception]) -> list[Any]:
    """What each of them got: an answer, or an error of those that are expected."""
    barrier, answers = threading.Barrier(AT_ONCE), []

    def begin() -> None:
        barrier.wait()
        try:
            answers.append(work())
        except expected as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def one_within_another(
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    step: str,
    first: Callable[[], Any],
    second: Callable[[], Any],
) -> list[BaseException]:
    """What goes wrong where `second` begins when `first` has come to this step of this module or
    class, which then goes on as soon as `second` has ended, or waits."""
    do, at_the_step, faults = getattr(place, step), threading.Event(), []

    def late(*args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is threads[0] and not at_the_step.is_set():
            at_the_step.set()
            threads[1].join(SOON[connection.vendor])
        return do(*args, **kwargs)

    def run(work: Callable[[], Any], *, begins: bool) -> None:
        if not begins:
            at_the_step.wait(10)
        try:
            work()
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(place, step, late)
    threads = [
        threading.Thread(target=run, args=(work,), kwargs={"begins": work is first})
        for work in (first, second)
    ]
    for thread in reversed(threads):  # the first one waits for the second
        thread.start()
    for thread in threads:
        thread.join()
    assert at_the_step.is_set()
    return faults
