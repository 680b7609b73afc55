"""The queue's cluster, whose processes live and die together.

django-q2 replaces a worker that died, and goes on. But whoever is killed while he holds a lock of
the queues between them (an idle worker always does) leaves it locked: the others wait for it for
ever, and the cluster lives on and does nothing. So where one was killed, all end, and whatever
keeps the cluster (systemd, a container's runtime) starts it anew. Its tasks come back by
themselves.
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing import Process, active_children
from multiprocessing.sharedctypes import RawValue
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django_q import cluster
from django_q.brokers import Broker
from django_q.scheduler import scheduler
from django_q.signals import post_execute_in_worker

# Of all tasks: what they need is there before the processes part.
from portal.schedules import follow_clock_back

log = logging.getLogger(__name__)
# The sentinel looks around twice a second; for its schedule it may have to wait for the database.
SILENCE_SECONDS = 120
SECONDS_BETWEEN_TRIES = 5
SET_SIGNAL_OF_PARENTS_DEATH = 1  # Linux: PR_SET_PDEATHSIG
NO_DATABASE = ("OperationalError", "InterfaceError", "ReadOnlySqlTransaction")

last_look = RawValue(ctypes.c_double, 0)  # in memory that the processes share


class Sentinel(cluster.Sentinel):
    def start(self) -> None:
        """systemd tells every process to stop. Only the cluster's own listens: it has the others
        end what they have begun."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            super().start()
        finally:
            _kill_children()  # Python would ask whoever is left to end, and wait for it for ever

    def status(self) -> str:
        """Asked for each time that it looks around."""
        last_look.value = time.monotonic()
        return str(super().status())

    def reincarnate(self, process: Process) -> None:
        """Who ended by himself left no lock behind; who is still alive is late with his task."""
        if process.exitcode is None or process.exitcode >= 0:
            super().reincarnate(process)
            if process.exitcode is None:
                process.kill()  # it was only asked to end, and does not listen
            return
        log.critical("a process of the cluster died by signal %s: all end", -process.exitcode)
        _kill_children()
        os._exit(1)


def run() -> int:
    """Until it is told to stop; the exit code."""
    # A container's first process is sent only what it has a handler for.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))
    wait_for_database()
    cluster.Sentinel = Sentinel
    cluster.scheduler = start_what_is_due
    post_execute_in_worker.connect(keep_what_was_not_done)
    os.register_at_fork(after_in_child=_follow_parent)
    last_look.value = time.monotonic()
    gc.freeze()  # what is there by now stays shared: collecting would write into every page of it
    running = cluster.Cluster()
    running.start()
    while running.sentinel.is_alive():
        running.sentinel.join(1)
        if time.monotonic() - last_look.value > SILENCE_SECONDS:
            log.critical("the cluster's sentinel is stuck: all end")
            running.sentinel.kill()
    return 1 if running.sentinel.exitcode else 0


def wait_for_database() -> None:
    """Nothing can begin without it. Who ended instead, time and again, would soon be started no
    more: systemd gives up at the fifth time within ten seconds."""
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            log.error("the database is away: %s", error)
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            connection.close()  # each process makes its own
            return


def start_what_is_due(broker: Broker) -> None:
    scheduler(broker=broker)
    with suppress(DatabaseError, InterfaceError):  # it is away: the next look is in half a minute
        follow_clock_back()


def keep_what_was_not_done(task: dict[str, Any], **kwargs: Any) -> None:
    """A failed task is over: what went wrong is on record, and what is due is asked again. But one
    that found no database could not even put that on record, so its row stays, and comes back."""
    if not task["success"] and any(name in task["result"] for name in NO_DATABASE):
        task["ack_failure"] = False


def _kill_children() -> None:
    for child in active_children():
        child.kill()


def _follow_parent() -> None:
    """In every child: it ends when its parent does, even if that was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL)
