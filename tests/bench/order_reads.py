"""A partner reads a page of 50 orders of 3 items, every field of the reference: GET /api/orders,
with its token, against two views without anything around them. Each is gunicorn with one worker on
a core of its own, called over eight connections; PostgreSQL runs where it likes."""

from typing import Any

import requests

from connectors.hub.tokens import grant
from connectors.models import Store
from connectors.payload import Payload
from orders.services import create_order
from orders.wire import read_order
from tests.bench.bare_orders import BARE, LIMIT
from tests.bench.figures import Figure
from tests.bench.serving import calls_per_second, request, served
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import full_order

ORDERS = 60
ROUNDS, SECONDS = 5, 1.5


def measure() -> list[Figure]:
    partner = seed(make_store())
    path = f"/stores/{partner.activation.store_id}/callers/{partner.activation.pk}"
    ours, token = f"/api/orders?limit={LIMIT}", {"Authorization": f"Bearer {partner.token}"}
    values, serializer = (request("GET", f"{path}/{name}") for name in ("values", "serializer"))
    with (
        served("portal.wsgi") as portal,
        served(BARE, DJANGO_SETTINGS_MODULE="tests.bench.bare_settings") as bare,
    ):
        assert read(portal, ours, **token) == read(bare, f"{path}/values")
        rate, by_values, by_serializer = calls_per_second(
            ROUNDS,
            SECONDS,
            (portal, [request("GET", ours, **token)]),
            (bare, [values]),
            (bare, [serializer]),
        )
    return [
        Figure(f"pages of {LIMIT} orders per second", rate, "1/s"),
        Figure("of DRF's ModelSerializer with prefetch", by_serializer, "1/s"),
        Figure("of .values() and orjson", by_values, "1/s"),
        Figure("the first against the second", rate / by_serializer, at_least=6),
        Figure(
            "the first against the third, which answers the same", rate / by_values, at_least=1.2
        ),
    ]


def seed(store: Store) -> Partner:
    """Orders of a channel as it tells them first, and an ERP that reads them."""
    channel, reader = make_partner(store, "pluga"), make_partner(store, "linx")
    for number in range(ORDERS):
        create_order(channel.activation, read_order(Payload(order(number)), channel.activation))
    reader.token = token_of(reader)
    return reader


def token_of(partner: Partner) -> str:
    issued = partner.issued
    form = {
        "grant_type": "password",
        "client_id": issued.client_id,
        "client_secret": issued.client_secret,
        "username": issued.api_user,
        "password": issued.api_secret,
    }
    return grant(form, None).access_token


def read(port: int, path: str, **headers: str) -> Any:
    response = requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def order(number: int) -> dict[str, Any]:
    full = full_order(original_id=f"N-{number:05}", status="approved")
    items = [{**full["items"][n % 2], "sku": f"S-{number}-{n}"} for n in range(3)]
    return {**full, "items": items}
