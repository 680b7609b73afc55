"""A merchant's pages, of a store with 1,000,000 orders among 5,000,000, against the same pages of a
store with 1,000 among 5,000, in a database of its own.

Whatever is looked for is there as often in both, or at least fifty times: the pages are as long.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from connectors.records import OrderStatus
from orders.models import Order
from portal.pages.order_filter import SOLD_TAB
from tests.bench import large_store
from tests.bench.figures import Figure, in_turns
from tests.bench.plans import scanned_whole

MANY, FEW = 1_000_000, 1_000
ROUNDS = 5
AT_MOST = 2


def measure() -> list[Figure]:
    large = connections["default"]
    small = _another_database("few")
    for database, orders in ((small, FEW), (large, MANY)):
        at(database, partial(large_store.seed, large_store.Size(orders)))
    return compare(small, large)


def compare(small: Any, large: Any) -> list[Figure]:
    pages = (at(small, partial(pages_of, FEW)), at(large, partial(pages_of, MANY)))
    ratios, scans = {}, []
    for name in pages[0]:
        visits = [
            partial(at, database, those[name])
            for database, those in zip((small, large), pages, strict=True)
        ]
        scans += at(large, partial(scanned_whole, pages[1][name]))  # and its caches are filled
        visits[0]()
        few, many = in_turns(ROUNDS, *visits)
        ratios[f"{name}: {few * 1000:.0f} and {many * 1000:.0f} ms"] = many / few
    for line in sorted(scans):
        sys.stdout.write(f"    {line}\n")
    return [
        *(Figure(name, ratio, at_most=AT_MOST) for name, ratio in ratios.items()),
        Figure("large tables read from end to end", len(scans), at_most=0),
    ]


def at(database: Any, work: Callable[[], Any]) -> Any:
    """`work`, done in that database."""
    before = connections["default"]
    connections["default"] = database
    try:
        return work()
    finally:
        connections["default"] = before


def pages_of(orders: int) -> dict[str, Callable[[], None]]:
    """A visit to each, by its name."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="lojista"))
    newest = Order.objects.filter(store=1).order_by("-pk")[0]
    today = timezone.localdate()
    middle = today - timedelta(days=large_store.DAYS // 2)
    number = orders // 20 * 10
    questions: dict[str, dict[str, Any]] = {
        "all": {},
        "those sold": {"status": SOLD_TAB},
        **{f"status {each}": {"status": each} for each in OrderStatus.values},
        "by number": {"q": f"N-{number}"},
        "by one of the buyer's names": {"q": "Nome C"},
        "by a rare name": {"q": "Família 0x"},
        "by two names": {"q": "familia0x nomea"},
        "by how a name begins": {"q": "nome"},
        "by SKU": {"q": "SKU-C"},
        "by tracking code": {"q": f"BR{number}X"},
        "by NF-e key": {"q": f"35{number:042}"},
        "by what nobody has": {"q": "nada"},
        "of 90 days": {"from": today - timedelta(days=90), "to": today},
        "of 90 days long ago": {"from": middle, "to": middle + timedelta(days=90)},
        "of a channel": {"channel": "Feira 1"},
        "of a channel, by status": {"channel": "Feira 1", "status": "delivered"},
        "of an integration with all": {"integration": 1},
        "of one with some": {"integration": large_store.SOME},
        "of one with few": {"integration": large_store.RARE},
        "of 90 days, a channel, a status and an integration": {
            "from": middle, "to": middle + timedelta(days=90), "channel": "Feira 1",
            "status": SOLD_TAB, "integration": 1,
        },
        "by how a name begins, in a status": {"q": "nome", "status": "shipped"},
    }  # fmt: skip
    addresses = {"dashboard": "/", "an order": f"/orders/{newest.public_id}/"}
    for name, query in questions.items():
        addresses[f"orders, {name}"] = f"/orders/?{urlencode(query)}"
        last = urlencode({**query, "last": 1})
        addresses[f"orders, {name}, last page"] = f"/orders/?{last}"
    return {name: partial(_visit, client, address) for name, address in addresses.items()}


def _visit(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"


def _another_database(suffix: str) -> Any:
    """As empty as this one still is."""
    name = connection.settings_dict["NAME"]
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}_{suffix}" TEMPLATE "{name}"')
    another = connection.copy()
    another.settings_dict = {**connection.settings_dict, "NAME": f"{name}_{suffix}"}
    return another
