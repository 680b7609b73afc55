"""What no-code tools need beside the hub's own resources, called as Pluga calls it."""

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.services import save_product
from connectors.messages.hooks import Happening, publish
from connectors.models import Event, Store, Subscription
from connectors.services import pause, revoke_older_credentials, rotate_credential
from connectors.spec import Hook
from orders.models import Order
from orders.services import create_order
from tests.conftest import Partner, make_operator, make_partner, make_store
from tests.orders.samples import document

TARGET = "http://127.0.0.1:9/hook"
SALE = {
    "original_id": "1001",
    "status": "approved",
    "items_sku": "CAN-07; CAM-AZ-P",
    "items_quantity": "2; 1",
    "items_price": "29,95; 59,90",
}


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


def basic(identifier: str, token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{identifier}:{token}".encode()).decode()}


def call(pluga: Partner, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """As Pluga does: the two values at each call."""
    return Client().generic(
        method,
        "/api" + path,
        json.dumps(body) if body is not None else "",
        content_type="application/json",
        headers=basic(pluga.issued.api_user, pluga.issued.api_secret),
        query_params=query or None,
    )


def happen(store: Store, hook: Hook = Hook.STOCK_CHANGED, **data: Any) -> Event:
    publish(store, [Happening(hook, "CAN-07", data)])
    return Event.objects.latest("pk")


# -- Identifier and token --------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["basic", "headers", "bearer"])
def test_the_pair_opens_the_api_as_a_token_does(way, pluga, store):
    user, secret = pluga.issued.api_user, pluga.issued.api_secret
    if way == "bearer":
        answer = pluga.get("/tools/ping")
    else:
        pair = {"X-Integrator-Id": user, "X-Integrator-Token": secret}
        headers = pair if way == "headers" else basic(user, secret)
        answer = Client().get("/api/tools/ping", headers=headers)

    assert answer.status_code == 200
    assert answer.json() == {
        "store": store.name,
        "integration": pluga.activation.name,
        "events": Hook.values,
    }
    pluga.activation.refresh_from_db()
    assert pluga.activation.state == "active"


def test_a_wrong_pair_is_401(pluga):
    user, secret = pluga.issued.api_user, pluga.issued.api_secret
    other = make_partner(make_store(), "pluga")
    wrong = [
        basic(user, secret + "x"),
        basic(user, other.issued.api_secret),
        basic("", ""),
        basic(pluga.issued.client_id, pluga.issued.client_secret),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Basic é"},
        {"X-Integrator-Id": user},
        {"X-Integrator-Token": secret},
        {},
    ]

    answers = [Client().get("/api/tools/ping", headers=headers) for headers in wrong]

    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json()["error"] == "invalid_client"
    assert answers[-1].json()["error"] == "invalid_request"


def test_a_token_in_the_query_goes_before_whatever_a_proxy_was_told(pluga):
    token = pluga.ask_token().json()["access_token"]

    answer = Client().get(
        "/api/tools/ping", {"access_token": token}, headers=basic("proxy", "segredo")
    )

    assert answer.status_code == 200


def test_the_pair_of_a_connector_that_asks_for_tokens_opens_nothing(store):
    rocky = make_partner(store, "rocky")

    assert call(rocky, "GET", "/tools/ping").status_code == 401
    assert rocky.get("/tools/ping").json()["events"] == []


def test_after_a_rotation_either_token_is_right_until_the_old_one_is_revoked(pluga):
    pk, operator = pluga.activation.pk, make_operator()
    new = Partner(pluga.activation, rotate_credential(pk, operator))
    before = [call(each, "GET", "/tools/ping").status_code for each in (pluga, new)]

    revoke_older_credentials(pk, operator)

    after = [call(each, "GET", "/tools/ping").status_code for each in (pluga, new)]
    assert (before, after) == ([200, 200], [401, 200])


def test_a_paused_integration_is_told_so(pluga):
    call(pluga, "GET", "/tools/ping")
    pause(pluga.activation.pk, "…")

    answer = call(pluga, "GET", "/tools/ping")

    assert (answer.status_code, answer.json()["details"]) == (403, "A integração está pausada.")


def test_too_many_calls_are_429_with_the_seconds_to_wait(pluga, settings):
    settings.API_RATE = 2

    answers = [call(pluga, "GET", "/tools/ping") for _number in range(5)]

    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_a_ping_costs_little(pluga):
    call(pluga, "GET", "/tools/ping")

    with CaptureQueriesContext(connection) as queries:
        call(pluga, "GET", "/tools/ping")

    assert len(queries) == 1


# -- Hooks -----------------------------------------------------------------------------------------


def test_a_subscription_has_an_id_that_ends_it(pluga):
    answer = call(pluga, "POST", "/tools/hooks", {"event": "order.shipped", "target_url": TARGET})
    hook = answer.json()
    listed = call(pluga, "GET", "/tools/hooks").json()
    ended = call(pluga, "DELETE", f"/tools/hooks/{hook['id']}")
    again = call(pluga, "DELETE", f"/tools/hooks/{hook['id']}")

    assert answer.status_code == 201
    assert (hook["event"], hook["target_url"], hook["state"]) == (
        "order.shipped", TARGET, "closed",
    )  # fmt: skip
    assert listed == {"hooks": [hook]}
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert again.json() == ended.json()
    assert call(pluga, "GET", "/tools/hooks").json() == {"hooks": []}


def test_the_same_subscription_twice_is_one(pluga):
    body = {"event": "order.shipped", "target_url": TARGET}

    ids = {call(pluga, "POST", "/tools/hooks", body).json()["id"] for _number in range(2)}

    assert len(ids) == Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"target_url": TARGET}, "$.event"),
        ({"event": "order.lost", "target_url": TARGET}, "$.event"),
        ({"event": "order.shipped"}, "$.target_url"),
        ({"event": "order.shipped", "target_url": "pluga"}, "$.target_url"),
        ({"event": "order.shipped", "target_url": "ftp://a.example/x"}, "$.target_url"),
        ({"event": "order.shipped", "target_url": "https://a.io/" + "x" * 500}, "$.target_url"),
        ({"event": "order.shipped", "target_url": "https://[::1"}, "$.target_url"),
    ],
)
def test_what_is_wrong_about_a_subscription_is_said_with_its_field(pluga, body, place):
    answer = call(pluga, "POST", "/tools/hooks", body)

    assert answer.status_code == 400
    assert place in answer.json()["details"]
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://pluga.example/x",
        "https://127.0.0.1/x",
        "https://10.0.0.7/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://localhost/x",
        "https://db.internal/x",
    ],
)
def test_outside_the_demo_only_public_https_addresses_are_taken(pluga, url, settings):
    settings.ALLOW_PRIVATE_ADDRESSES = False

    refused = call(pluga, "POST", "/tools/hooks", {"event": "order.shipped", "target_url": url})
    taken = call(
        pluga,
        "POST",
        "/tools/hooks",
        {"event": "order.shipped", "target_url": "https://hooks.pluga.co/v2/abc"},
    )

    assert (refused.status_code, taken.status_code) == (400, 201)


def test_a_connector_without_hooks_subscribes_to_nothing(store):
    rocky = make_partner(store, "rocky")

    answers = [
        rocky.post("/tools/hooks", {"event": "order.shipped", "target_url": TARGET}),
        rocky.get("/tools/events", event="order.shipped"),
        rocky.get("/tools/sample", event="order.shipped"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_nobody_sees_or_ends_anothers_subscription(pluga, store):
    hook = call(pluga, "POST", "/tools/hooks", {"event": "order.shipped", "target_url": TARGET})
    others = [make_partner(store, "pluga"), make_partner(make_store(), "pluga")]

    for other in others:
        assert call(other, "GET", "/tools/hooks").json() == {"hooks": []}
        assert call(other, "DELETE", f"/tools/hooks/{hook.json()['id']}").status_code == 404
    assert call(pluga, "DELETE", "/tools/hooks/nonsense").status_code == 404
    assert Subscription.objects.get().ended_at is None


# -- Samples ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", list(Hook))
def test_a_sample_looks_like_the_event_whatever_the_store_has(hook, pluga, store):
    made_up = call(pluga, "GET", "/tools/sample", event=hook).json()
    product = {"name": "Caneca", "price": 29.95, "quantity": 3, "handling_time": 2}
    save_product(store, "CAN-07", product, None)
    create_order(pluga.activation, document(status=made_up.get("status") or "approved"))
    Event.objects.all().delete()
    from_the_store = call(pluga, "GET", "/tools/sample", event=hook).json()

    assert made_up["event"] == from_the_store["event"] == hook
    assert made_up.keys() == from_the_store.keys()
    assert made_up["id"] == from_the_store["id"] == "sample"
    assert not [name for name, value in made_up.items() if isinstance(value, list | dict)]
    assert from_the_store.get("sku", "CAN-07") == "CAN-07"
    assert from_the_store.get("items_sku", "CAN-07") == "CAN-07"


def test_the_latest_event_is_the_best_sample(pluga, store):
    happen(store, quantity=1)
    latest = happen(store, quantity=2)

    sample = call(pluga, "GET", "/tools/sample", event="stock.changed").json()

    assert (sample["id"], sample["quantity"]) == (latest.public_id, 2)


# -- Lists to poll ---------------------------------------------------------------------------------


def ids(answer: Any) -> list[str]:
    return [event["id"] for event in answer.json()["events"]]


def test_events_are_listed_newest_first_each_with_an_id_of_its_own(pluga, store):
    order = create_order(pluga.activation, document())
    for status in ("invoiced", "shipped"):
        pluga.put(f"/orders/{order.public_id}", {"status": status})

    created = call(pluga, "GET", "/tools/events", event="order.created")
    steps = call(pluga, "GET", "/tools/events", event="order.status_changed")

    assert [event["order_id"] for event in created.json()["events"]] == [order.public_id]
    assert [(e["previous_status"], e["status"]) for e in steps.json()["events"]] == [
        ("invoiced", "shipped"),
        ("approved", "invoiced"),
    ]
    assert len({*ids(created), *ids(steps)}) == 3
    assert ids(steps) == ids(call(pluga, "GET", "/tools/events", event="order.status_changed"))


def test_a_list_is_bounded_and_goes_on_behind_its_last_event(pluga, store):
    events = [happen(store).public_id for _number in range(7)]
    Event.objects.update(at=timezone.now())

    def page(**query: Any) -> list[str]:
        return ids(call(pluga, "GET", "/tools/events", event="stock.changed", **query))

    first = page(limit=3)
    second = page(limit=3, next=first[-1])
    third = page(limit=3, next=second[-1])

    assert first + second + third == events[::-1]
    assert page(limit=3, next="unknown") == []
    assert page(limit=10**6) == events[::-1]


def test_since_leaves_out_what_was_long_before(pluga, store):
    old, late, new = (happen(store).public_id for _number in range(3))
    now = timezone.now().replace(microsecond=0)
    for public_id, minutes in ((old, 60), (late, 4), (new, 0)):
        Event.objects.filter(public_id=public_id).update(at=now - timedelta(minutes=minutes))
    forms = [now.isoformat(), int(now.timestamp()), int(now.timestamp() * 1000)]

    found = [
        ids(call(pluga, "GET", "/tools/events", event="stock.changed", since=str(since)))
        for since in forms
    ]

    # What may have been stored a little late is in the list again.
    assert found == [[new, late]] * 3


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({}, "?event"),
        ({"event": "order"}, "?event"),
        ({"event": "order.created", "since": "ontem"}, "?since"),
        ({"event": "order.created", "since": "99999999999999"}, "?since"),
        ({"event": "order.created", "limit": "0"}, "?limit"),
        ({"event": "order.created", "limit": "x"}, "?limit"),
    ],
)
def test_a_question_that_makes_no_sense_is_400_with_its_parameter(pluga, query, place):
    answer = call(pluga, "GET", "/tools/events", **query)

    assert answer.status_code == 400
    assert place in answer.json()["details"]


def test_another_stores_events_are_not_listed(pluga):
    other = make_store()
    make_partner(other, "pluga")
    happen(other)

    assert ids(call(pluga, "GET", "/tools/events", event="stock.changed")) == []


def test_a_list_costs_the_same_however_much_there_is_and_reads_an_index(pluga, store):
    call(pluga, "GET", "/tools/ping")
    costs = []
    for _count in (1, 60):
        for _number in range(_count):
            happen(store)
        with CaptureQueriesContext(connection) as queries:
            call(pluga, "GET", "/tools/events", event="stock.changed", since="2001-01-01")
        costs.append(len(queries))

    assert costs == [2, 2]
    if connection.vendor == "sqlite":
        events = Event.objects.filter(store=store, hook="stock.changed", at__gte=timezone.now())
        plan = events.order_by("-at", "-pk")[:100].explain()
        assert "event_list (store_id=? AND hook=? AND at>?)" in plan
        assert "TEMP B-TREE" not in plan


# -- Orders with flat fields -----------------------------------------------------------------------


def test_an_order_comes_in_as_flat_fields(pluga, store):
    answer = call(pluga, "POST", "/tools/orders", SALE | {"shipping": "R$ 14,90"})

    order = Order.objects.get()
    shown = answer.json()
    assert answer.status_code == 201
    assert [(line.sku, line.quantity, str(line.price)) for line in order.lines.all()] == [
        ("CAN-07", 2, "29.9500"),
        ("CAM-AZ-P", 1, "59.9000"),
    ]
    assert (shown["order_id"], shown["total"], shown["channel"]) == (
        order.public_id, 134.7, "Pluga",
    )  # fmt: skip
    assert shown["items_text"] == "2 × CAN-07 (R$ 29,95); 1 × CAM-AZ-P (R$ 59,90)"
    assert (order.store, order.source) == (store, pluga.activation)


def test_a_repeated_order_is_answered_with_the_one_that_there_is(pluga):
    first = call(pluga, "POST", "/tools/orders", SALE)
    events = Event.objects.count()
    pluga.put(f"/orders/{first.json()['order_id']}", {"status": "picking"})

    again = call(pluga, "POST", "/tools/orders", SALE)

    assert again.status_code == 201
    assert again.json()["order_id"] == first.json()["order_id"]
    assert again.json()["status"] == "picking"
    assert (Order.objects.count(), events) == (1, 1)


def test_another_order_of_the_same_number_is_refused(pluga):
    call(pluga, "POST", "/tools/orders", SALE)

    answers = [
        call(pluga, "POST", "/tools/orders", SALE | change)
        for change in ({"items_quantity": "2; 2"}, {"payer_name": "Ana"}, {"total": "1"})
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert answers[0].json()["type"] == "duplicate"
    assert "1001" in answers[0].json()["details"]["errmsg"]
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"original_id": ""}, "$.original_id"),
        ({"status": ""}, "$.status"),
        ({"status": "novo"}, "$.status"),
        ({"items_sku": ""}, "$.items_sku"),
        ({"items_quantity": None}, "$.items_quantity"),
        ({"items_quantity": "2"}, "$.items_quantity"),
        ({"items_quantity": "2; dois"}, "$.items_quantity[1]"),
        ({"items_quantity": "2; 1,5"}, "$.items_quantity[1]"),
        ({"items_price": "10; 10; 10"}, "$.items_price"),
        ({"items_price": "10; caro"}, "$.items_price[1]"),
        ({"total": "muito"}, "$.total"),
        ({"expected_delivery_date": "amanhã"}, "$.expected_delivery_date"),
        ({"items_sku": {"a": 1}}, "$.items_sku"),
        ({"items_sku": "A;" * 501}, "$.items_sku"),
    ],
)
def test_what_is_wrong_about_an_order_is_said_with_its_field(pluga, change, place):
    answer = call(pluga, "POST", "/tools/orders", SALE | change)

    assert answer.status_code == 400
    assert place in str(answer.json()["details"])
    assert not Order.objects.exists()


def test_who_does_not_bring_orders_creates_none(store):
    rocky = make_partner(store, "rocky")

    assert rocky.post("/tools/orders", SALE).status_code == 403
