import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from connectors.contract import Account
from connectors.hub import wire
from connectors.payload import Payload
from connectors.records import LineRecord, OrderRecord, OrderStatus
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.storecontract import client
from connectors.storecontract.client import StoreContract

HERE = Path(__file__).parent
OPENAPI = yaml.safe_load((Path(client.__file__).parent / "openapi.yaml").read_text("utf-8"))
TOKEN = "token-of-the-shop"


def sample(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


def assert_valid(data: Any, schema: str) -> None:
    """`data` has the shape that openapi.yaml promises under this name."""
    root = {
        "$ref": f"#/components/schemas/{schema}",
        "components": OPENAPI["components"],
    }
    Draft202012Validator(root).validate(data)


def make_order(**changes: Any) -> OrderRecord:
    """order_full.json as a record, with some of its JSON changed."""
    head = Payload({**sample("order_full.json"), **changes})
    fields = wire.read(head, wire.ORDER)
    own = {
        "id", "status", "original_id", "external", "channel", "channel_account", "total", "items",
        "payments", "shipments",
    }  # fmt: skip
    return OrderRecord(
        status=OrderStatus(head.text("status")),
        original_id=head.text("original_id"),
        channel=head.text("channel"),
        total=head.money("total"),
        lines=tuple(make_line(item) for item in head.each("items")),
        fields={name: value for name, value in fields.items() if name not in own},
        payments=tuple(wire.read(payment, wire.PAYMENT) for payment in head.each("payments")),
        shipments=tuple(wire.read(shipment, wire.SHIPMENT) for shipment in head.each("shipments")),
        hub_id=head.text("id"),
        external_id=head.optional_text("external"),
        channel_account=head.optional_text("channel_account"),
    )


def make_line(item: Payload) -> LineRecord:
    fields = wire.read(item, wire.ITEM)
    return LineRecord(
        sku=item.text("sku"),
        quantity=item.whole("quantity"),
        unit_price=item.money("price"),
        fields={k: v for k, v in fields.items() if k not in ("sku", "quantity", "price")},
    )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox({"store": Store}).start()
    yield sandbox
    sandbox.close()


@pytest.fixture
def open_shop(sandbox: Sandbox) -> Callable[..., Store]:
    def open_one(**credentials: str) -> Store:
        shop = sandbox.open("store", "loja", {"token": TOKEN, **credentials})
        assert isinstance(shop, Store)
        return shop

    return open_one


@pytest.fixture
def shop(open_shop: Callable[..., Store]) -> Store:
    return open_shop()


@pytest.fixture
def contract(sandbox: Sandbox) -> StoreContract:
    """Speaks to whichever shop the sandbox has opened under the name "loja"."""
    return StoreContract(Account(f"{sandbox.url}/loja", {"token": TOKEN}))
