"""Calls that take long are waited for elsewhere: a worker of the queue goes on with what others
wait for, and does not stand before an address that hangs."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Generic, TypeVar

from django.db import connections

PATIENCE = 0.2  # seconds
# So many at once in one process. Each takes a thread, and in its end a connection to the database.
MOST = 16

R = TypeVar("R")
_places = BoundedSemaphore(MOST)


def answer_of(call: Callable[[], R], late: Callable[[R], None]) -> R | None:
    """What it answers; nothing where that takes long: then `late` is told, in a thread of its own.
    A process that ends waits for those. Where too many are waited for, this one is waited for
    here."""
    if not _places.acquire(blocking=False):
        return call()
    waiting = _Waiting(call, late)
    waiting.start()
    return waiting.answer_in_time()


class _Waiting(Thread, Generic[R]):
    def __init__(self, call: Callable[[], R], late: Callable[[R], None]) -> None:
        super().__init__(name="patience")
        self.call, self.late = call, late
        self.context = copy_context()
        self.lock, self.over, self.is_left = Lock(), Event(), False
        self.answered: Future[R] | None = None

    def run(self) -> None:
        try:
            self.context.run(self._work)
        finally:
            _places.release()

    def _work(self) -> None:
        answered: Future[R] = Future()
        try:
            answered.set_result(self.call())
        except BaseException as error:
            answered.set_exception(error)
        with self.lock:
            self.answered = answered
            self.over.set()
        if self.is_left:
            try:
                self.late(answered.result())
            finally:
                connections.close_all()

    def answer_in_time(self) -> R | None:
        self.over.wait(PATIENCE)
        with self.lock:
            answered = self.answered
            self.is_left = answered is None
        return answered.result() if answered else None
