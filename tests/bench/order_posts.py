"""A channel brings an order of 40 fields, 3 items, a payment and a shipment: POST /api/orders, with
its token, where the stock of the items is kept, and a partner, his hook and the store's tools are
told; against a bare view with the minimal INSERTs. Each is gunicorn with one worker on a core of
its own, called over eight connections; PostgreSQL runs where it likes, and waits for the disk at
each commit as in production."""

import json
from typing import Any

from catalog.models import Reservation
from connectors.models import Notice, Store
from orders.models import Line, Order
from tests.bench.bare_orders import BARE
from tests.bench.figures import Figure
from tests.bench.order_reads import token_of
from tests.bench.serving import calls_per_second, request, served
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import full_order
from tests.products import make_products

FIELDS, ITEMS, PRODUCTS = 40, 3, 300
ROUNDS, SECONDS = 5, 2.0


def measure() -> list[Figure]:
    channel = seed(make_store())
    path = f"/stores/{channel.activation.store_id}/callers/{channel.activation.pk}/orders"
    token = {"Authorization": f"Bearer {channel.token}"}
    with (
        served("portal.wsgi") as portal,
        served(BARE, DJANGO_SETTINGS_MODULE="tests.bench.bare_settings") as bare,
    ):
        ours, theirs = calls_per_second(
            ROUNDS,
            SECONDS,
            (portal, calls(4_000, "/api/orders", "ours", **token)),
            (bare, calls(12_000, path, "bare")),
        )
    check()
    return [
        Figure("orders per second", ours, "1/s"),
        Figure("of a bare view with the minimal INSERTs", theirs, "1/s"),
        Figure("the first against the second", ours / theirs, at_least=0.3),
    ]


def seed(store: Store) -> Partner:
    """Products with stock, a channel, and who is told of its orders."""
    for slug in ("linx", "rocky"):
        make_partner(store, slug, plugin_url=f"https://{slug}.example/notices")
    make_products(store, (f"S-{n}" for n in range(PRODUCTS)), price=10, on_hand=10**6)
    channel = make_partner(store, "pluga")
    channel.token = token_of(channel)
    return channel


def check() -> None:
    """Nothing was left out."""
    mine = Order.objects.filter(original_id__startswith="ours")
    assert Line.objects.filter(order__in=mine, product=None).count() == 0
    assert Reservation.objects.count() == Line.objects.filter(order__in=mine).count()
    assert Notice.objects.count() == 2 * mine.count()


def calls(most: int, path: str, whose: str, **headers: str) -> list[bytes]:
    """More than a server gets through: no order can be brought twice."""
    bodies = (json.dumps(order(f"{whose}-{number}", number)).encode() for number in range(most))
    return [
        request("POST", path, body, Content_Type="application/json", **headers) for body in bodies
    ]


def order(name: str, number: int) -> dict[str, Any]:
    full = full_order(original_id=name, status="approved", auto_reserve=True)
    lists = {each: full.pop(each) for each in ("items", "payments", "shipments")}
    head = {each: value for each, value in full.items() if not isinstance(value, list)}
    items = [
        {**lists["items"][n % 2], "sku": f"S-{(number + 100 * n) % PRODUCTS}", "variation": None}
        for n in range(ITEMS)
    ]
    return {**dict(list(head.items())[:FIELDS]), **lists, "items": items}
