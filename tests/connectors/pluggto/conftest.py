from collections.abc import Callable, Iterator

import pytest

from connectors.contract import Account
from connectors.pluggto.client import Pluggto
from connectors.sandbox.hub import Hub
from connectors.sandbox.server import Sandbox

CREDENTIALS = {
    "client_id": "a" * 32,
    "client_secret": "client-secret-of-the-plugin",
    "api_user": "1461957000",
    "api_secret": "api-secret-of-the-account",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox({"hub": Hub}).start()
    yield sandbox
    sandbox.close()


@pytest.fixture
def hub(sandbox: Sandbox) -> Hub:
    """A new one for each test; the server stays."""
    hub = sandbox.open("hub", "upstream", CREDENTIALS)
    assert isinstance(hub, Hub)
    return hub


@pytest.fixture
def make_client(sandbox: Sandbox, hub: Hub) -> Callable[..., Pluggto]:
    def make(**credentials: str) -> Pluggto:
        return Pluggto(Account(f"{sandbox.url}/{hub.name}", {**CREDENTIALS, **credentials}))

    return make


@pytest.fixture
def client(make_client: Callable[..., Pluggto]) -> Pluggto:
    return make_client()


@pytest.fixture
def place_order(hub: Hub) -> Callable[..., str]:
    def place(**different: object) -> str:
        items = [{"sku": "CAMISETA-P", "quantity": 2, "price": 59.9}]
        return str(hub.control("place_order", {"items": items, **different})["id"])

    return place
