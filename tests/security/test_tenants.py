"""Every address of the portal, tried by whoever it does not belong to, with what is another store's
and with what does not exist: never a byte of the other's, and never a difference between the two.

The addresses are read from the table of them, and NAMED says what each names: a new one fails here
until it is tried too.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

from catalog.models import Product, Spreadsheet
from connectors.models import (
    Activation,
    Connector,
    Doorbell,
    Event,
    FailedAttempts,
    Handover,
    Store,
    Subscription,
)
from connectors.spec import Hook
from orders.buyers import SIGNER
from orders.models import Order
from tests.conftest import Partner, make_partner, make_store
from tests.everything import store_with_everything
from tests.urltable import Route, routes

SECRET = "SEGREDO"  # in all that the other store's people ever wrote
NUMBER, ID, WORD, DIGEST = "987654", "6b0000000000000000000000", "NADA", "0" * 64
# No record is named by these parts of an address: any of them is everybody's.
CHOICES = {"kind": ("xlsx", "csv", "products", "mappings"), "app_label": ("orders",)}
METHODS = ("GET", "POST", "PUT", "DELETE")
HOOKED = "api/tools/"  # only a connector with hooks has these
VOLATILE = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"request [0-9a-f]{32}"|nonce="[^"]+"'
    r'|"(?:date|created|modified|id|public_id)":\s*"[^"]+"|"timestamp":\s*[\d.]+'
)
# Of each answer its own: its moment, its number, its nonce.
OWN_HEADERS = {"Content-Length", "X-Request-Id", "Content-Security-Policy", "ETag", "Expires"}


def _named(pattern: str, part: str, store: Store) -> tuple[str, list[str]]:
    """By what an address names a row: of which there is none, and those of this store."""
    activations = Activation.objects.filter(store=store)
    orders = Order.objects.filter(store=store)
    products = Product.objects.filter(store=store)
    handover = Handover.objects.get(activation__store=store)
    doorbell = Doorbell.objects.get(activation__store=store)
    order = orders.get()
    hooks = Subscription.objects.filter(activation__store=store)
    of: dict[tuple[str, str], tuple[str, list[Any]]] = {
        ("orders/", "public_id"): (ID, list(orders.values_list("public_id", flat=True))),
        ("catalogue/", "public_id"): (ID, list(products.values_list("public_id", flat=True))),
        ("spreadsheets/", "public_id"): (ID, [Spreadsheet.objects.get(store=store).public_id]),
        ("integrations/", "pk"): (NUMBER, list(activations.values_list("pk", flat=True))),
        # What opens these is a secret that only its holder has: nothing else of the row does.
        ("status/", "token"): (ID, [order.public_id, _unsigned(order)]),
        ("handover/", "token"): (DIGEST, [handover.token_hash, handover.pk]),
        ("webhooks/", "secret"): (DIGEST, [doorbell.secret_hash, doorbell.pk]),
        ("api/orders", "public_id"): (ID, [order.public_id, order.original_id, order.pk]),
        ("api/order/", "public_id"): (ID, [order.public_id, order.original_id, order.pk]),
        ("api/products", "public_id"): (ID, list(products.values_list("public_id", flat=True))),
        ("api/products", "variation_id"): (ID, list(products.values_list("public_id", flat=True))),
        ("api/skus", "sku"): (WORD, list(products.values_list("sku", flat=True))),
        ("api/tools/hooks", "hook_id"): (ID, list(hooks.values_list("public_id", flat=True))),
        ("admin/connectors/activation/", "key"): ("record", ["record"]),
        ("admin/r/", "content_type_id"): ("7", ["7"]),
    }
    for (below, name), things in of.items():
        if pattern.startswith(below) and name == part:
            return things[0], [str(thing) for thing in things[1]]
    for model in admin.site._registry:
        if pattern.startswith(f"admin/{model._meta.label_lower.replace('.', '/')}/"):
            return NUMBER, [str(model._default_manager.order_by("-pk")[0].pk)]
    if pattern.startswith("admin/r/") or pattern == "admin/{url}":
        return NUMBER, [str(store.pk)]
    raise AssertionError(f"tell what {part} of {pattern} names")


def _unsigned(order: Order) -> str:
    token: str = SIGNER.sign(f"{order.public_id}.{order.buyer_links}")
    return token[:-1] + ("A" if token[-1] != "A" else "B")


@pytest.fixture
def theirs(db: None) -> Store:
    return store_with_everything(SECRET)


@pytest.fixture
def stranger() -> Store:
    """A store of its own, in which there is nothing."""
    return make_store(name="Loja vazia")


def text_of(answer: Any) -> str:
    """Also of what is packed."""
    body = b"".join(answer) if answer.streaming else answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            body = b"".join(packed.read(name) for name in packed.namelist())
    return body.decode("utf-8", "replace")


def seen(answer: Any, *words: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text, with what was asked for put out of sight."""
    assert answer.status_code not in (429, 500), answer
    hidden = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    headers = {
        name: hidden.sub("…", value)
        for name, value in answer.headers.items()
        if name not in OWN_HEADERS
    }
    return answer.status_code, headers, hidden.sub("…", VOLATILE.sub("…", text_of(answer)))


Ask = Callable[[str, str], Any]


def differences(ask: Ask, store: Store, tried: list[Route]) -> Iterator[str]:
    for route in tried:
        named = {part: _named(route.pattern, part, store) for part in route.parts
                 if part not in CHOICES}  # fmt: skip
        if named:
            for method in METHODS:
                yield from _of_one(ask, route, method, named)
        else:
            yield from _of_everybodys(ask, route)


def _of_one(ask: Ask, route: Route, method: str, named: dict[str, Any]) -> Iterator[str]:
    # Who guesses often is stopped, which would hide every difference.
    FailedAttempts.objects.all().delete()
    missing = {part: nothing for part, (nothing, _things) in named.items()}
    none = ask(method, route.filled(missing))
    for number in range(max(len(things) for _nothing, things in named.values())):
        values = {part: things[number % len(things)] for part, (_n, things) in named.items()}
        answer = ask(method, route.filled(values))
        words = (*values.values(), *missing.values())
        told = seen(answer, *words)
        if told != seen(none, *words) or SECRET in told[2]:
            yield f"{method} {route.filled(values)}: {told} {seen(none, *words)}"


def _of_everybodys(ask: Ask, route: Route) -> Iterator[str]:
    """What names no row is about one's own."""
    for part, values in CHOICES.items() if route.parts else [("", ("",))]:
        for value in values:
            if part in ("", *route.parts):
                path = route.filled({part: value})
                if SECRET in text_of(ask("GET", path)):
                    yield path


def test_the_table_of_addresses_was_read() -> None:
    patterns = {route.pattern for route in routes()}

    assert len(patterns) > 200
    assert {"orders/{public_id}/", "api/orders/{public_id}"} <= patterns
    assert any(pattern.startswith("admin/connectors/activation/") for pattern in patterns)


@pytest.mark.parametrize("slug", ["linx", "pluga"])
def test_a_partner_of_another_store_learns_nothing(
    slug: str, theirs: Store, stranger: Store
) -> None:
    partner = make_partner(stranger, slug)

    def ask(method: str, path: str) -> Any:
        body = {} if method in ("POST", "PUT") else None
        return partner.call(method, path.removeprefix("/api"), body)

    assert list(differences(ask, theirs, routes(HOOKED if slug == "pluga" else "api/"))) == []


PEOPLE = ("member", "operator", "lead", "nobody")


def browser_of(who: str, stranger: Store) -> Client:
    client = Client()
    if who != "nobody":
        user = User.objects.create_user("estranha", is_staff=who != "member")
        stranger.members.add(user)
        if who != "member":
            name = "Suporte" if who == "operator" else "Liderança do suporte"
            user.groups.add(Group.objects.get(name=name))
        client.force_login(user)
    return client


@pytest.mark.parametrize("who", PEOPLE)
def test_who_is_no_member_of_a_store_learns_nothing_on_the_pages(
    who: str, theirs: Store, stranger: Store
) -> None:
    """Support, too, sees other stores in the admin alone."""
    client = browser_of(who, stranger)
    pages = [each for each in routes() if not each.pattern.startswith(("admin/", "api/", "log"))]

    assert list(differences(client.generic, theirs, pages)) == []


@pytest.mark.parametrize("who", ["member", "nobody"])
def test_who_is_not_of_the_support_learns_nothing_in_the_admin(
    who: str, theirs: Store, stranger: Store
) -> None:
    client = browser_of(who, stranger)

    assert list(differences(client.generic, theirs, routes("admin/"))) == []


def test_who_sends_a_sku_of_another_store_makes_his_own(theirs: Store, stranger: Store) -> None:
    partner = make_partner(stranger, "linx")
    before = list(Product.objects.filter(store=theirs).values())
    told = []

    for sku in (SECRET, WORD):
        answer = partner.put(f"/skus/{sku}", {"sku": sku, "name": "Meu", "price": 1})
        told.append(seen(answer, SECRET, WORD))

    assert told[0] == told[1]
    assert list(Product.objects.filter(store=theirs).values()) == before
    assert set(stranger.products.values_list("sku", flat=True)) == {SECRET, WORD}


# What names something in a query or in a form, and not in the address.
# Everything else that is sent would be taken.
def asked_beside(
    store: Store, stranger: Store
) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    activation = Activation.objects.filter(store=store).latest("pk").pk
    order = Order.objects.get(store=store)
    ask = {"connector": Connector.objects.get(slug="rocky").pk}
    find = {"say": "find", "who": order.original_id}
    products = {"kind": "products", "file": io.BytesIO(b"SKU\nA\n")}
    mappings = {**products, "kind": "mappings", "store": stranger.pk}
    return [
        ("GET", "/", {}, {"store": store.pk}),
        ("GET", "/orders/", {}, {"before": order.pk}),
        ("GET", "/orders/", {}, {"integration": activation}),
        ("GET", "/orders/", {}, {"store": store.pk}),
        ("GET", "/orders/export/csv/", {}, {"integration": activation}),
        ("GET", "/orders/export/csv/", {}, {"store": store.pk}),
        ("GET", "/catalogue/", {}, {"store": store.pk}),
        ("POST", "/integrations/", {}, {"activation": activation}),
        ("POST", "/integrations/ask/", ask, {"store": store.pk}),
        ("POST", "/spreadsheets/", products, {"store": store.pk}),
        ("POST", "/spreadsheets/", mappings, {"activation": activation}),
        ("POST", "/personal-data/", find, {"store": store.pk}),
    ]


def test_what_is_named_beside_the_address_is_no_other_way_in(
    theirs: Store, stranger: Store
) -> None:
    client = browser_of("member", stranger)

    for method, path, always, named in asked_beside(theirs, stranger):
        ask = client.get if method == "GET" else client.post
        answers = []
        for there in (dict.fromkeys(named, NUMBER), named):
            if "file" in always:
                always["file"].seek(0)
            answers.append(ask(path, always | there))
        words = (NUMBER, *map(str, named.values()))
        none, told = (seen(answer, *words) for answer in answers)
        if answers[1].status_code == 302:
            assert SECRET not in text_of(client.get(answers[1]["Location"]))
        assert told == none, (path, named)
        assert SECRET not in told[2]


def test_an_event_of_another_store_is_no_place_in_a_partners_list(
    theirs: Store, stranger: Store
) -> None:
    partner = make_partner(stranger, "pluga")
    hook = Hook.ORDER_CREATED
    theirs_id = Event.objects.filter(store=theirs).latest("pk").public_id

    answers = [partner.get("/tools/events", event=hook, next=id) for id in (ID, theirs_id)]

    assert seen(answers[0], ID, theirs_id) == seen(answers[1], ID, theirs_id)


def test_what_was_tried_did_nothing(theirs: Store, stranger: Store) -> None:
    partner: Partner = make_partner(stranger, "linx")
    before = list(Order.objects.values()), list(Product.objects.values())

    for named in (Order, Product):
        for id in named.objects.values_list("public_id", flat=True):
            for path in (f"/orders/{id}", f"/products/{id}", f"/skus/{SECRET}"):
                partner.put(path, {"status": "canceled", "name": "Roubado", "sku": SECRET})
                partner.call("DELETE", path)

    mine = Product.objects.exclude(store=stranger)
    assert (list(Order.objects.values()), list(mine.values())) == before
