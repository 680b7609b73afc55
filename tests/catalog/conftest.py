"""A shop at the sandbox, over real HTTP, and an integration that reads it."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.tasks import pull_prices, pull_products, pull_stock
from connectors.contract import Ability, PriceSource, ProductSource, StockSource
from connectors.models import Activation, ActivationFlow, Run
from connectors.models import Store as Merchant
from connectors.sandbox.store import Store as Shop
from tests.conftest import flow_of, make_managed

TOKEN = "token-of-the-shop"
TASKS: dict[type[Ability], Callable[[int], None]] = {
    ProductSource: pull_products,
    PriceSource: pull_prices,
    StockSource: pull_stock,
}


@pytest.fixture
def big_shop(sandbox: Any) -> Shop:
    """Twenty things at 100.00, ten units of each."""
    shop = sandbox.open("store", "big", {"token": TOKEN})
    for number in range(20):
        shop.control("put_product", thing(number))
    return shop


@pytest.fixture
def reader(store: Merchant, sandbox: Any, big_shop: Shop) -> Activation:
    return make_managed(store, "webstore", f"{sandbox.url}/{big_shop.name}", {"token": TOKEN})


def thing(number: int, **fields: Any) -> dict[str, Any]:
    name = f"Coisa {number}"
    return {"sku": f"C-{number:02}", "name": name, "price": 100, "quantity": 10, **fields}


def pull(activation: Activation, ability: type[Ability]) -> Run:
    TASKS[ability](flow_of(activation, ability))
    return Run.objects.filter(activation=activation, ability=ability.__name__).latest("pk")


def pull_all(activation: Activation) -> list[Run]:
    return [pull(activation, ability) for ability in TASKS]


def from_the_beginning(activation: Activation) -> None:
    ActivationFlow.objects.filter(activation=activation).update(cursor="")
