"""How many notices reach the partners that live while one address in a hundred is dead, against the
same with none. Of the dead, every second one refuses the connection; the others take it and never
answer, so that each attempt lasts until its time-out of ten seconds.

One cluster delivers, with the default settings. The turns with all alive and those with some dead,
newly dead ones each time, follow each other: whatever else the machine does slows both.
"""

import tempfile
import time
import uuid
from pathlib import Path
from statistics import median

from django.db import transaction

from connectors.messages.notices import announce_all
from connectors.models import Activation, Credential, Endpoint, Notice, State
from tests.bench.figures import Figure
from tests.conftest import make_partner, make_store
from tests.postgres import free_port
from tests.soak.processes import Processes

ADDRESSES, NOTICES, DEAD_IN = 200, 4, 100
ROUNDS = 9
PATIENCE = 60  # seconds
RECEIVERS = """
import socket, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
never = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=128)  # it never accepts
Server(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""


def measure() -> list[Figure]:
    answers, hangs, refuses = free_port(), free_port(), free_port()
    alive = _partners(answers)
    some_dead = [_partners(answers, hangs, refuses) for _round in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as name:
        processes = Processes(Path(name), 1, 0, 0)
        processes.commands["receivers"] = ["-c", RECEIVERS, str(answers), str(hangs)]
        processes.open("receivers", "cluster-0")
        try:
            _rate(alive, answers)  # until everybody is awake
            turns = [(_rate(alive, answers), _rate(dead, answers)) for dead in some_dead]
        finally:
            processes.close()
    with_none, with_some = (median(rates) for rates in zip(*turns, strict=True))
    return [
        Figure("notices to the living, all alive", with_none, "1/s"),
        Figure("notices to the living, 1 % dead", with_some, "1/s"),
        # Of each turn with the one before it: the machine may be slower by the last ones.
        Figure("throughput for the living", median(b / a for a, b in turns), at_least=0.9),
    ]


def _partners(answers: int, *dead: int) -> list[Activation]:
    store = make_store()
    first = make_partner(store, "rocky").activation
    sealed = first.credentials.get().sealed
    partners = []
    for number in range(ADDRESSES):
        port = answers
        if dead and number % DEAD_IN == 0:
            port = dead[number // DEAD_IN % len(dead)]
        partners.append(
            Activation(
                store=store, connector=first.connector, mode=first.mode, state=State.ACTIVE,
                name=f"{first.name} {number}", plugin_url=f"http://127.0.0.1:{port}/{number}",
                created_by=first.created_by, submission=uuid.uuid4(),
                client_id=uuid.uuid4().hex, api_user=uuid.uuid4().hex[:13],
            )
        )  # fmt: skip
    Activation.objects.bulk_create(partners)
    Endpoint.objects.bulk_create(Endpoint(activation=partner) for partner in partners)
    Credential.objects.bulk_create(
        Credential(
            activation=partner, kind=Credential.Kind.ISSUED, sealed=sealed, fingerprint="copy",
            client_secret_hash=uuid.uuid4().hex, api_secret_hash=uuid.uuid4().hex,
            created_by=partner.created_by,
        )
        for partner in partners
    )  # fmt: skip
    return partners


def _rate(partners: list[Activation], answers: int) -> float:
    """Delivered to the living in a second."""
    living = [partner.pk for partner in partners if f":{answers}/" in partner.plugin_url]
    with transaction.atomic():
        announce_all(partners, "orders", "updated", [f"{n:024}" for n in range(NOTICES)], "status")
    began = time.monotonic()
    waiting = Notice.objects.waiting().filter(activation__in=living)
    while waiting.exists():
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.05)
    return len(living) * NOTICES / (time.monotonic() - began)
