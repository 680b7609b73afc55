"""Several threads that do the same at the same moment, as several processes would."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

AT_ONCE = 6


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
