"""How soon an order that a partner posts is where it must be, while a thousand other integrations
run at their cadences.

Web server, cluster and sandbox are started as a server starts them, with the default settings. The
others are of the managed connectors in turn, each with a platform of its own, and it is the busiest
moment: the clock has just said whose turn it was during a whole minute, and all of these wait. An
order has arrived when the other partner has read it by the API and the platform has it.
"""

import os
import secrets
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import requests
from django.utils import timezone

from connectors.models import Activation, ActivationFlow, Connector, Credential, Run, Store
from connectors.queue import enqueue_in_turn
from connectors.registry import SPECS
from connectors.runs.dispatch import next_slot
from connectors.sandbox.hub_orders import make_order
from connectors.sandbox.kinds import PLAYED_BY
from connectors.spec import Mode
from connectors.trouble.freshness import flows_of
from orders.models import Order
from portal.demo.scene import Sandbox
from portal.schedules import RECURRING, install
from tests.bench.figures import Figure
from tests.conftest import Partner, make_managed, make_partner, make_store
from tests.postgres import free_port
from tests.soak.processes import Processes

OTHERS = 1_000
SLUGS = ("rocky", "webstore", "linx", "otimo", "olist", "pluggto")
ORDERS, EVERY = 40, 0.4  # seconds from one to the next
PATIENCE = 15  # seconds, after which an order counts as this late
LOOK_EVERY = 0.03
SHOP = "shop"


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, _portal(Path(name)) as processes:
        sandbox = Sandbox(processes.sandbox_url)
        store = make_store()
        token = {"token": secrets.token_hex(16)}
        make_managed(store, "linx", sandbox.open("store", SHOP, token), token)
        seller, buyer = make_partner(store, "pluga"), make_partner(store, "rocky")
        _add_others(sandbox)
        for recurring in RECURRING:
            enqueue_in_turn(recurring.task, [()])
        before, began = Run.objects.count(), time.monotonic()
        waits = sorted(_sell(processes, seller, buyer))
        runs = (Run.objects.count() - before) / (time.monotonic() - began)
    p95 = waits[len(waits) * 95 // 100]
    return [
        Figure("order in, until it is everywhere: p50", median(waits), "s", at_most=1),
        Figure("order in, until it is everywhere: p95", p95, "s", at_most=3),
        Figure("runs of the others meanwhile", runs, "1/s"),
    ]


@contextmanager
def _portal(folder: Path) -> Iterator[Processes]:
    os.environ["METRICS_DIR"] = str(folder)
    processes = Processes(folder, 1, free_port(), free_port())
    bind = processes.web_url.removeprefix("http://")
    processes.commands["web"] = [
        "-m", "gunicorn", "--config", "python:portal.webserver", "--bind", bind, "portal.wsgi",
    ]  # fmt: skip
    install()
    processes.open("sandbox", "web", "cluster-0")
    try:
        for url in (processes.sandbox_url, processes.web_url):
            _wait_for(url)
        yield processes
    finally:
        processes.close()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=PATIENCE)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError(url)


def _add_others(sandbox: Sandbox) -> None:
    """As if each had been activated by hand, but in a few statements."""
    store, now = make_store(), timezone.now()
    models = {slug: _first_of(store, slug, sandbox) for slug in SLUGS}
    others = []
    for number in range(OTHERS - len(SLUGS)):
        first, _sealed, received = models[SLUGS[number % len(SLUGS)]]
        url = _open(sandbox, first.spec.slug, f"other-{number}", received)
        others.append(
            Activation(
                store=store, connector=first.connector, mode=first.mode, state=first.state,
                name=f"{first.name} {number}", plugin_url=url, settings=first.settings,
                created_by=first.created_by, submission=uuid.uuid4(),
            )
        )  # fmt: skip
    Activation.objects.bulk_create(others)
    Credential.objects.bulk_create(
        Credential(
            activation=other, kind=Credential.Kind.RECEIVED,
            sealed=models[other.spec.slug][1], fingerprint="other", created_by=other.created_by,
        )
        for other in others
    )  # fmt: skip
    flows = [flow for each in others for flow in flows_of(each.pk, Mode.MANAGED, each.spec)]
    ActivationFlow.objects.bulk_create(flows)
    # In the middle of their lives: each has its own slot, and those of a whole minute have passed.
    mine = ActivationFlow.objects.filter(activation__store=store)
    mine.update(due_at=next_slot(now - timedelta(minutes=1)), last_success_at=now, last_run_at=now)


def _first_of(store: Store, slug: str, sandbox: Sandbox) -> tuple[Activation, Any, dict[str, str]]:
    received = {field.key: secrets.token_hex(16) for field in SPECS[slug].credentials}
    url = _open(sandbox, slug, f"first-{slug}", received)
    activation = make_managed(store, slug, url, received)
    activation.connector = Connector.objects.get(slug=slug)
    return activation, activation.credentials.get().sealed, received


def _open(sandbox: Sandbox, slug: str, name: str, received: dict[str, str]) -> str:
    url = sandbox.open(PLAYED_BY.get(slug, "store"), name, received)
    return url + "/" if slug == "olist" else url


def _sell(processes: Processes, seller: Partner, buyer: Partner) -> list[float]:
    """How long each order took, in seconds."""
    waits: list[float] = []
    random, threads = Random(1), []
    hub = processes.web_url + "/api"
    sells, buys = _headers(hub, seller), _headers(hub, buyer)
    platform = f"{processes.sandbox_url}/control/platforms/{SHOP}"

    def follow(order: dict[str, Any]) -> None:
        began = time.monotonic()
        answer = requests.post(hub + "/orders", json=order, headers=sells, timeout=PATIENCE)
        answer.raise_for_status()
        number = answer.json()["Order"]["id"]
        url = f"{hub}/orders/{number}"
        while time.monotonic() < began + PATIENCE:
            if requests.get(url, headers=buys, timeout=PATIENCE).status_code == 200:
                break
            time.sleep(LOOK_EVERY)
        while time.monotonic() < began + PATIENCE:
            if number in requests.get(platform, timeout=PATIENCE).json()["orders"]:
                break
            time.sleep(LOOK_EVERY)
        waits.append(time.monotonic() - began)

    for _number in range(ORDERS):
        order = make_order(random, [{"sku": "A", "quantity": 1, "price": 10}], "approved", _now())
        thread = threading.Thread(target=follow, args=[order | {"shipments": []}])
        thread.start()
        threads.append(thread)
        time.sleep(EVERY)
    for thread in threads:
        thread.join()
    assert len(waits) == ORDERS == Order.objects.count()
    return waits


def _now() -> datetime:
    return datetime.now(UTC)


def _headers(hub: str, partner: Partner) -> dict[str, str]:
    grant = {
        "grant_type": "password",
        "client_id": partner.issued.client_id,
        "client_secret": partner.issued.client_secret,
        "username": partner.issued.api_user,
        "password": partner.issued.api_secret,
    }
    answer = requests.post(hub + "/oauth/token", data=grant, timeout=PATIENCE)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
