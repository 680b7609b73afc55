"""Every address of the portal, tried by whoever it does not belong to, with what is another store's
and with what does not exist: never a byte of the other's, and never a difference between the two.

The addresses are read from the table of them: a new one is tried from its first day.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog.models import Product
from connectors.models import (
    Activation,
    Credential,
    Endpoint,
    Failure,
    Notice,
    Store,
    Subscription,
)
from orders.models import Order
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import small_order

SECRET = "SEGREDO"  # in all that the other store's people ever wrote
NUMBER, ID, WORD = "987654", "6b0000000000000000000000", "NADA"
# No record is named by these parts of an address.
CHOICES = {"kind": ("xlsx", "products"), "app_label": ("orders",), "ability": ("orders",)}
# Who calls a SKU that his store does not have makes a product of his own.
MAKES_HIS_OWN = ("PUT", "api/skus/{sku}")
METHODS = ("GET", "POST", "PUT", "DELETE")
VOLATILE = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"request [0-9a-f]{32}"|nonce="[^"]+"|"date":\s*"[^"]+"'
)


@dataclass(frozen=True)
class Route:
    pattern: str
    names: tuple[str, ...]

    def filled(self, values: dict[str, str]) -> str:
        return "/" + self.pattern.format(**values)


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[Route]:
    """All addresses that name something."""
    for each in (resolver or get_resolver()).url_patterns:
        pattern = before + _readable(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from routes(each, pattern)
        elif isinstance(each, URLPattern) and (names := re.findall(r"{(\w+)}", pattern)):
            yield Route(pattern, tuple(names))


def _readable(pattern: str) -> str:
    """`orders/<str:public_id>/` and `^[oO]rders/(?P<public_id>[^/]+)/?$` alike: `orders/{…}/`."""
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", pattern)
    text = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"\[(\w)\w\]", r"\1", text))
    return re.sub(r"/\?\$$|[\^$]", "", text)


@pytest.fixture
def theirs(db: None) -> dict[str, list[str]]:
    """A store with one of everything, and how its things are called: numbers, ids and words."""
    store = make_store(name=f"Loja {SECRET}", domain="segredo.example.com.br")
    order = small_order(shipments=[{}], payer_name=SECRET)
    pluga = make_partner(store, "pluga", name=SECRET, plugin_url="https://a.example.com.br")
    pluga.post("/orders", order)
    linx = make_partner(store, "linx", name=SECRET, plugin_url="https://b.example.com.br")
    linx.post("/products", {"sku": SECRET, "name": SECRET, "price": 10, "quantity": 5})
    Failure.objects.create(activation=linx.activation, flow="orders", kind="rejected",
                           reason=SECRET, record_id=SECRET)  # fmt: skip
    numbered: tuple[Any, ...] = (Store, Activation, Credential, Endpoint, Failure, Notice, Order,
                                 Product, Subscription)  # fmt: skip
    numbers = {str(pk) for model in numbered for pk in model.objects.values_list("pk", flat=True)}
    named: tuple[Any, ...] = (Order, Product)
    ids = [each for model in named for each in model.objects.values_list("public_id", flat=True)]
    return {NUMBER: sorted(numbers), ID: ids, WORD: [SECRET]}


@pytest.fixture
def stranger() -> Store:
    """A store of its own, in which there is nothing."""
    return make_store(name="Loja vazia")


def seen(answer: Any, *words: str) -> tuple[int, str, str]:
    """Status, where it leads, and the text, with what was asked for put out of sight."""
    body = b"".join(answer) if answer.streaming else answer.content
    told = [VOLATILE.sub("…", body.decode("utf-8", "replace")), answer.headers.get("Location", "")]
    for word in words:
        told = [text.replace(word, "…") for text in told]
    return answer.status_code, told[1], told[0]


def differences(ask: Any, theirs: dict[str, list[str]], prefix: str) -> Iterator[str]:
    for route in routes():
        if not route.pattern.startswith(prefix) or not set(route.names) - CHOICES.keys():
            continue
        for nothing, things in theirs.items():
            for method in METHODS:
                if (method, route.pattern) == MAKES_HIS_OWN:
                    continue
                choices = {name: (CHOICES.get(name) or (nothing,))[0] for name in route.names}
                missing = ask(method, route.filled(choices))
                for thing in things:
                    values = {name: CHOICES.get(name, (thing,))[0] for name in route.names}
                    answer = ask(method, route.filled(values))
                    told = seen(answer, thing, nothing)
                    if told != seen(missing, thing, nothing) or SECRET in told[2]:
                        yield f"{method} {route.filled(values)}: {told[0]}, {missing.status_code}"


def test_the_table_of_addresses_was_read() -> None:
    patterns = {route.pattern for route in routes()}

    assert len(patterns) > 60
    assert {"orders/{public_id}/", "api/orders/{public_id}"} <= patterns
    assert any(pattern.startswith("admin/connectors/activation/") for pattern in patterns)


def test_a_partner_of_another_store_learns_nothing(
    theirs: dict[str, list[str]], stranger: Store
) -> None:
    partner = make_partner(stranger, "linx")

    def ask(method: str, path: str) -> Any:
        body = {} if method in ("POST", "PUT") else None
        return partner.call(method, path.removeprefix("/api"), body)

    assert list(differences(ask, theirs, "api/")) == []


@pytest.mark.parametrize("prefix", ["orders/", "catalogue/", "spreadsheets/", "integrations/",
                                    "status/", "handover/", "webhooks/", "admin/"])  # fmt: skip
@pytest.mark.parametrize("who", ["member", "nobody"])
def test_a_merchant_of_another_store_learns_nothing(
    who: str, prefix: str, theirs: dict[str, list[str]], stranger: Store
) -> None:
    client = Client()
    if who == "member":
        user = User.objects.create_user("estranha")
        stranger.members.add(user)
        client.force_login(user)

    def ask(method: str, path: str) -> Any:
        return client.generic(method, path)

    assert list(differences(ask, theirs, prefix)) == []


def test_what_was_tried_did_nothing(theirs: dict[str, list[str]], stranger: Store) -> None:
    partner: Partner = make_partner(stranger, "linx")
    before = list(Order.objects.values()), list(Product.objects.values())

    for id in theirs[ID]:
        for path in (f"/orders/{id}", f"/products/{id}", f"/skus/{SECRET}"):
            partner.put(path, {"status": "canceled", "name": "Roubado", "sku": SECRET})
            partner.call("DELETE", path)

    mine = Product.objects.exclude(store=stranger)
    assert (list(Order.objects.values()), list(mine.values())) == before
