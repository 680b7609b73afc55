"""What most tests need: stores, activations, and a partner's program that calls the API."""

import gc
import itertools
import json
import uuid
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from connectors.contract import Ability
from connectors.messages import patience
from connectors.models import Activation, ActivationFlow, Connector, State, Store
from connectors.sandbox.kinds import KINDS
from connectors.sandbox.server import Sandbox
from connectors.services import (
    IssuedSecrets,
    change_settings,
    open_draft,
    record_credential,
    switch_on,
)
from connectors.spec import Mode
from tests import planted, written
from tests.emptying import empty_in_our_way

numbers = itertools.count(1)
empty_in_our_way()


def pytest_configure() -> None:
    planted.watch()
    # A turn that goes on in another thread is outside its test's transaction. On a machine that
    # stalls, everybody would take long; where lateness is the subject, a test says how long.
    patience.PATIENCE = 60
    # Every 700 new objects is too often where thousands of tests lie in memory.
    gc.set_threshold(20_000)


@pytest.fixture(autouse=True)
def no_secret_is_written_down() -> Iterator[None]:
    yield from planted.looked_through()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    written.check(item)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operadora", password="segredo-da-operadora")


@pytest.fixture
def store(db: None) -> Store:
    return make_store()


def make_store(**fields: Any) -> Store:
    number = next(numbers)
    defaults = {
        "name": f"Loja {number}",
        "cnpj": "12ABC34501DE35",
        "domain": f"loja{number}.example.com.br",
    }
    return Store.objects.create(**{**defaults, **fields})


def make_operator() -> User:
    return User.objects.get_or_create(username="ativadora")[0]


def make_activation(store: Store, slug: str, **fields: Any) -> Activation:
    return make_partner(store, slug, **fields).activation


@transaction.atomic
def activate(
    *,
    store: Store,
    connector: Connector,
    mode: Mode,
    name: str,
    by: User,
    submission: uuid.UUID,
    custom_name: str = "",
    plugin_url: str = "",
    values: dict[str, Any] | None = None,
    received: dict[str, str] | None = None,
) -> tuple[Activation, IssuedSecrets | None]:
    """What an operator does step by step, at one go. For a `submission` that was seen before
    nothing is issued."""
    activation, new = open_draft(
        store=store,
        connector=connector,
        mode=mode,
        name=name,
        by=by,
        submission=submission,
        plugin_url=plugin_url,
    )
    if not new:
        return activation, None
    change_settings(activation.pk, custom_name, None, values or {})
    if mode == Mode.MANAGED:
        record_credential(activation, received or {}, by)
    issued = switch_on(activation.pk, by)
    activation.refresh_from_db(fields=["state", "custom_name", "settings"])
    return activation, issued


def make_managed(
    store: Store, slug: str, plugin_url: str, received: dict[str, str], **fields: Any
) -> Activation:
    """An active managed activation; its flows are due."""
    activation, _none = activate(
        store=store,
        connector=Connector.objects.get(slug=slug),
        mode=Mode.MANAGED,
        name=fields.pop("name", f"{slug} {next(numbers)}"),
        plugin_url=plugin_url,
        received=received,
        by=make_operator(),
        submission=uuid.uuid4(),
        **fields,
    )
    activation.state = State.ACTIVE
    activation.save()
    return activation


def flow_of(activation: Activation, ability: type[Ability]) -> int:
    return ActivationFlow.objects.get(activation=activation, ability=ability.__name__).pk


class Partner:
    """A partner's program: it holds the four values and speaks HTTP."""

    def __init__(self, activation: Activation, issued: IssuedSecrets) -> None:
        self.activation = activation
        self.issued = issued
        self.client = Client()
        self.token = ""

    def ask_token(self, **fields: str) -> Any:
        form = {
            "grant_type": "password",
            "client_id": self.issued.client_id,
            "client_secret": self.issued.client_secret,
            "username": self.issued.api_user,
            "password": self.issued.api_secret,
        }
        return self.client.post(
            "/api/oauth/token",
            "&".join(f"{name}={value}" for name, value in {**form, **fields}.items()),
            content_type="application/x-www-form-urlencoded",
        )

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        if not self.token:
            self.token = self.ask_token().json()["access_token"]
        return self.client.generic(
            method,
            "/api" + path,
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
            query_params=query or None,
        )

    def get(self, path: str, **query: str) -> Any:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.call("PUT", path, body)


def make_partner(store: Store, slug: str, **fields: Any) -> Partner:
    activation, issued = activate(
        store=store,
        connector=Connector.objects.get(slug=slug),
        mode=Mode.PARTNER,
        name=fields.pop("name", f"{slug} {next(numbers)}"),
        plugin_url=fields.pop("plugin_url", ""),
        by=make_operator(),
        submission=fields.pop("submission", uuid.uuid4()),
        **fields,
    )
    assert issued is not None
    return Partner(activation, issued)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox, for real over HTTP. Each test opens platforms of its own in it."""
    sandbox = Sandbox(KINDS).start()
    yield sandbox
    sandbox.close()
