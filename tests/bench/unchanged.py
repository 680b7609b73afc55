"""A run over 100,000 SKUs of which nothing changed: their stock, from a shop at the sandbox, in a
process of its own, over HTTP; against reading the same pages with requests and doing nothing. What
a run holds in memory is measured in a new process for each number of SKUs."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from django.db import connection

from catalog.models import Price, Product, Stock
from catalog.tasks import pull_stock
from connectors.contract import StockSource
from connectors.models import Activation, ActivationFlow, Run
from connectors.storecontract.client import PAGE_SIZE
from tests.bench.big_shop import TOKEN
from tests.bench.figures import Figure, in_turns
from tests.conftest import flow_of, make_managed, make_store
from tests.postgres import free_port
from tests.products import make_products

MANY, FEW = 100_000, 10_000
ROUNDS = 9
PEAK = """
import sys, django; django.setup()
from catalog.tasks import pull_stock
from tests.bench.figures import peak_mb
pull_stock(int(sys.argv[1]))
print(peak_mb())
"""


def measure() -> list[Figure]:
    with shops(few=FEW, many=MANY) as url:
        few, many = seed(f"{url}/few", FEW), seed(f"{url}/many", MANY)
        written = last_writers()
        whole, read = in_turns(
            ROUNDS, lambda: run_from_the_beginning(many), lambda: read_pages(f"{url}/many")
        )
        grown = peak_of(many) - peak_of(few)
    return [
        Figure("SKUs per second", MANY / whole, "1/s"),
        Figure("against reading the pages alone", read / whole, at_least=0.6),
        Figure("product rows written", float(last_writers() != written), at_most=0),
        Figure(f"memory from {FEW} to {MANY} SKUs", grown, "MB", at_most=20),
    ]


@contextmanager
def shops(**many: int) -> Iterator[str]:
    port = free_port()
    command = ["-m", "tests.bench.big_shop", str(port), *(f"{n}={m}" for n, m in many.items())]
    process = subprocess.Popen([sys.executable, *command])  # noqa: S603  our own command
    try:
        url = f"http://127.0.0.1:{port}"
        for _attempt in range(600):
            with suppress(requests.ConnectionError):
                requests.get(f"{url}/control/platforms/many", timeout=60)
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def seed(url: str, many: int) -> Activation:
    """Products that have what the shop has, and an integration that took all of it."""
    store = make_store()
    for begin in range(0, many, 5_000):
        numbers = range(begin, min(begin + 5_000, many))
        make_products(store, (f"S-{n:06}" for n in numbers), price=100, on_hand=10)
    activation = make_managed(store, "webstore", url, {"token": TOKEN})
    run_from_the_beginning(activation)
    return activation


def run_from_the_beginning(activation: Activation) -> None:
    ActivationFlow.objects.filter(activation=activation).update(cursor="")
    pull_stock(flow_of(activation, StockSource))
    run = Run.objects.filter(activation=activation).latest("pk")
    assert run.outcome == Run.Outcome.DONE, run.reason
    assert run.seen == activation.store.products.count()


def read_pages(url: str) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        cursor, more = "", True
        while more:
            place = {"cursor": cursor, "limit": str(PAGE_SIZE)}
            answer = session.get(f"{url}/stock", params=place, timeout=60).json()
            cursor, more = answer["cursor"], answer["more"]


def peak_of(activation: Activation) -> float:
    ActivationFlow.objects.filter(activation=activation).update(cursor="")
    command = [sys.executable, "-c", PEAK, str(flow_of(activation, StockSource))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return float(done.stdout)


def last_writers() -> list[Any]:
    """Of the tables of products, the last transaction that wrote a row."""
    with connection.cursor() as cursor:
        tables = [model._meta.db_table for model in (Product, Price, Stock)]
        columns = ", ".join(
            f"(SELECT max(xmin::text::bigint) FROM {table})"  # noqa: S608
            for table in tables
        )
        cursor.execute(f"SELECT {columns}")
        return list(cursor.fetchone())
