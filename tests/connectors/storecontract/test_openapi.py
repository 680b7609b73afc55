"""openapi.yaml, the sandbox and the client say the same."""

from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator, ValidationError

from connectors.hub import wire
from connectors.records import OrderStatus
from tests.connectors.storecontract.conftest import (
    OPENAPI,
    TOKEN,
    assert_valid,
    make_order,
    sample,
)

SCHEMAS = OPENAPI["components"]["schemas"]


def ask(sandbox, path: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return requests.get(f"{sandbox.url}/loja/{path}", headers=headers, timeout=5)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_valid_and_its_examples_too(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    for example in SCHEMAS[name].get("examples", []):
        assert_valid(example, name)


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("Item", wire.PRODUCT),
        ("Product", wire.PRODUCT),
        ("Order", wire.ORDER),
        ("OrderItem", wire.ITEM),
        ("Payment", wire.PAYMENT),
        ("Shipment", wire.SHIPMENT),
    ],
)
def test_the_contract_names_no_field_that_the_hub_does_not(schema, table):
    assert set(SCHEMAS[schema]["properties"]) <= set(table)


def test_the_contract_knows_every_status_of_the_hub():
    assert SCHEMAS["Status"]["enum"] == OrderStatus.values


def test_the_sandbox_answers_as_the_contract_says(sandbox, shop, contract):
    product = sample("product_full.json") | {"external": "4410", "handling_time": 2}
    shop.control("put_product", {**product, "price": 59.9, "quantity": 3})
    contract.push_order(make_order())
    for _ in range(4):
        shop.work()

    answers = {
        "Check": ask(sandbox, "check"),
        "ProductPage": ask(sandbox, "products?limit=500"),
        "PricePage": ask(sandbox, "prices"),
        "StockPage": ask(sandbox, "stock?cursor="),
        "FulfilmentPage": ask(sandbox, "fulfilments?cursor=0"),
        "OrderPage": ask(sandbox, "orders?since=2026-01-01T00:00:00Z"),
    }

    for schema, answer in answers.items():
        assert answer.status_code == 200
        assert_valid(answer.json(), schema)
    assert [len(answers[name].json()["items"]) for name in answers if name != "Check"] == [1] * 5


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing", 404), ("stock?cursor=x", 422), ("stock?limit=x", 422), ("orders", 422)],
)
def test_the_sandbox_refuses_as_the_contract_says(sandbox, shop, path, status):
    answer = ask(sandbox, path)

    assert answer.status_code == status
    assert_valid(answer.json(), "Error")


def test_an_order_is_created_with_201_and_taken_again_with_200(sandbox, shop):
    url = f"{sandbox.url}/loja/orders/{sample('order_full.json')['id']}"
    headers = {"Authorization": f"Bearer {TOKEN}"}

    answers = [
        requests.put(url, json=sample("order_full.json"), headers=headers, timeout=5)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 200]
    for answer in answers:
        assert_valid(answer.json(), "TakenOrder")
        assert answer.json() == {"id": "1001"}


@pytest.mark.parametrize(
    "body",
    [
        b"<order/>",
        b"[]",
        b'{"id": "2"}',
        b'{"id": "1", "status": "approved", "items": []}',
    ],
)
def test_the_sandbox_refuses_what_is_not_an_order(sandbox, shop, body):
    url = f"{sandbox.url}/loja/orders/1"
    headers = {"Authorization": f"Bearer {TOKEN}"}

    answer = requests.put(url, data=body, headers=headers, timeout=5)

    assert answer.status_code == 422
    assert_valid(answer.json(), "Error")
    assert shop.orders == {}


@pytest.mark.parametrize("status", ["pending", "approved", "canceled"])
def test_the_body_that_we_put_is_the_contracts_order(shop, contract, status):
    contract.push_order(make_order(status=status, external=None))

    (order,) = shop.orders.values()
    assert_valid(order.document, "Order")


def test_the_contracts_order_is_strict_where_it_matters():
    with pytest.raises(ValidationError):
        assert_valid({**sample("order_full.json"), "status": "despachado"}, "Order")
    with pytest.raises(ValidationError):
        assert_valid({**sample("order_full.json"), "total": "239.85"}, "Order")
    with pytest.raises(ValidationError):
        assert_valid({**sample("order_full.json"), "receiver_name": 7}, "Order")
