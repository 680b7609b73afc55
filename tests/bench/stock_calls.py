"""A partner tells the stock of one SKU: PUT /api/skus/{sku}/stock, with its token, where another
partner hears of it, against a bare view with one UPDATE. Each is gunicorn with one worker on a core
of its own, called over eight connections; PostgreSQL runs where it likes, and waits for the disk at
each commit as in production."""

import json

from connectors.hub.tokens import grant
from connectors.models import Event, Notice, Store
from tests.bench.figures import Figure
from tests.bench.serving import calls_per_second, request, served
from tests.conftest import Partner, make_partner, make_store
from tests.products import make_products

SKUS = 2_000
BARE = "django.core.wsgi:get_wsgi_application()"
ROUNDS, SECONDS = 5, 1.5


def measure() -> list[Figure]:
    store = make_store()
    partner = seed(store)
    with (
        served("portal.wsgi") as ours,
        served(BARE, DJANGO_SETTINGS_MODULE="tests.bench.bare_stock") as bare,
    ):
        calls, bare_calls = calls_per_second(
            ROUNDS,
            SECONDS,
            (ours, [our_call(partner, number) for number in range(SKUS * 3)]),
            (bare, [bare_call(store, number) for number in range(SKUS * 3)]),
        )
    assert Notice.objects.exists()
    assert Event.objects.exists()
    return [
        Figure("calls per second", calls, "1/s"),
        Figure("of a bare view with one UPDATE", bare_calls, "1/s"),
        Figure("the first against the second", calls / bare_calls, at_least=0.4),
    ]


def seed(store: Store) -> Partner:
    """Products, somebody who tells their stock, and somebody who hears of it."""
    make_partner(store, "pluga", plugin_url="https://tools.example/notices")
    make_products(store, (f"S-{number:05}" for number in range(SKUS)), price=10)
    partner = make_partner(store, "linx")
    issued = partner.issued
    form = {
        "grant_type": "password",
        "client_id": issued.client_id,
        "client_secret": issued.client_secret,
        "username": issued.api_user,
        "password": issued.api_secret,
    }
    partner.token = grant(form, None).access_token
    return partner


def our_call(partner: Partner, number: int) -> bytes:
    return request(
        "PUT",
        f"/api/skus/S-{number % SKUS:05}/stock",
        body(2 * number + 1),
        Authorization=f"Bearer {partner.token}",
        Content_Type="application/json",
    )


def bare_call(store: Store, number: int) -> bytes:
    return request("PUT", f"/stores/{store.pk}/skus/S-{number % SKUS:05}/stock", body(2 * number))


def body(quantity: int) -> bytes:
    """Odd ones are ours, so that each call changes what there is."""
    return json.dumps({"action": "update", "quantity": quantity}).encode()
