"""How long the admin's pages take a database that tests/bench/seeding.py has filled.

manage.py shell -c "from tests.bench.pages import main; main()"
"""

import sys
from collections.abc import Iterator
from time import perf_counter, process_time

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Max
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from connectors.models import Activation, Brake, Comparison, Failure
from orders.models import Order

LIMIT_MS = 200
TRIES = 5
LISTS = (
    "connectors/activation/",
    "connectors/activation/?q=Integra",
    "connectors/activation/?q=Loja 77",
    "connectors/activation/?state__exact=paused",
    "connectors/activationflow/",
    "connectors/activationflow/?freshness=late",
    "connectors/activationflow/?freshness=unchanged",
    "connectors/activationflow/?q=Loja 77",
    "connectors/act/",
    "connectors/brake/",
    "connectors/comparison/",
    "connectors/comparison/?situation=differing",
    "connectors/connector/apps/",
    "connectors/credential/",
    "connectors/credential/?situation=ending",
    "connectors/difference/",
    "connectors/failure/",
    "connectors/failure/?situation=all",
    "connectors/failure/?q=SKU-77",
    "connectors/failure/?cause=unknown_sku",
    "connectors/incident/",
    "connectors/incident/?situation=all",
    "connectors/notice/",
    "connectors/notice/?situation=waiting",
    "connectors/notice/?situation=given_up",
    "connectors/notice/?topic=skus",
    "connectors/ring/",
    "connectors/run/",
    "connectors/run/?worth=notable",
    "connectors/run/?outcome__exact=failed",
    "connectors/run/?outcome__exact=held",
    "connectors/run/?flow__exact=prices",
    "connectors/run/?activation__id__exact=77",
    "connectors/run/?q=Loja 77",
    "connectors/store/",
    "connectors/store/?q=Loja 77",
    "catalog/product/",
    "catalog/product/?q=SKU-77",
    "catalog/product/?q=Produto 77",
    "catalog/sent/",
    "catalog/sent/?situation=waiting",
    "catalog/skumapping/",
    "catalog/stock/",
    "orders/order/",
    "orders/order/?status__exact=canceled",
    "orders/order/?status__exact=approved",
    "orders/order/?stock=short",
    "orders/order/?q=N-77",
)
ROWS = (Activation, Brake, Comparison, Failure, Product, Order)


def addresses() -> Iterator[str]:
    yield "/admin/"
    yield from (f"/admin/{each}" for each in LISTS)
    for model in ROWS:
        last = model._base_manager.aggregate(last=Max("pk"))["last"]
        yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/{last}/change/"


def measure(client: Client, address: str) -> tuple[float, float, float, int]:
    """The best of some tries: how long, our own work and the database's in it, the queries."""
    best = (float("inf"), 0.0, 0.0, 0)
    for number in range(TRIES + 1):
        with CaptureQueriesContext(connection) as queries:
            began, worked = perf_counter(), process_time()
            answer = client.get(address)
            took = (perf_counter() - began) * 1000
            own = (process_time() - worked) * 1000
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        if number:  # the first one fills the caches
            asked = sum(float(each["time"]) for each in queries.captured_queries) * 1000
            best = min(best, (took, own, asked, len(queries)))
    return best


def main(*words: str) -> None:
    """Those whose address has one of the words; ends with an error where one takes too long."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="banco"))
    slow = 0
    say(f"{'ms':>6} {'own':>6} {'SQL':>6} {'queries':>7}")
    for address in addresses():
        if words and not any(word in address for word in words):
            continue
        took, own, asked, queries = measure(client, address)
        slow += took > LIMIT_MS
        over = "  over" if took > LIMIT_MS else ""
        say(f"{took:6.0f} {own:6.0f} {asked:6.0f} {queries:7}  {address}{over}")
    if slow:
        sys.exit(f"over {LIMIT_MS} ms: {slow}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
