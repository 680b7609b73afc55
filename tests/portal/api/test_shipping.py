"""GET /shipping: quotes of the store's freight sources (pluggto-api.md, section 10)."""

import json
from typing import Any

import pytest
import requests
import responses

from catalog.models import Product, SkuMapping
from connectors.models import Activation, Store
from connectors.services import pause, revoke
from tests.conftest import Partner, make_activation, make_operator, make_partner, make_store

ASKED = {
    "destination_postalcode": "80010-000",
    "products[0][sku]": "CAM-P",
    "products[0][quantity]": "2",
    "products[1][sku]": "LIVRE",
    "products[1][unit_price]": "10.50",
}
NEW = {
    "method": "SEDEX",
    "company": "Correios",
    "delivery_type": "express",
    "message": "Até sexta",
    "estimative": 2,
    "price": "32.90",
}
OLD = {"company": "Jadlog", "method": "Package", "estimate": "5", "price": 18.5}


@pytest.fixture
def asker(store: Store) -> Partner:
    """A tool of a store with a shirt in its catalogue."""
    variations = [{"sku": "CAM-P", "price": 79.9, "special_price": 59.9, "quantity": 1}]
    size = {"length": 32, "width": 11, "height": 3, "weight": 0.45}
    make_partner(store, "linx").post(
        "/products",
        {
            "sku": "CAM",
            "dimension": size,
            "categories": [{"id": "c1", "name": "Roupas"}],
            "variations": variations,
        },
    )
    return make_partner(store, "pluga")


def make_source(store: Store, slug: str = "linx", name: str = "frete") -> Activation:
    source = make_activation(store, slug, name=name)
    source.settings = {"freight_url": f"https://{name}.example/cotacao"}
    source.save()
    return source


def quotes_of(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    return response.json()


@responses.activate
def test_a_source_is_asked_as_the_hub_asks_and_answers_in_the_hubs_shape(store, asker):
    make_source(store)
    call = responses.post("https://frete.example/cotacao", json=[NEW])
    product = asker.get("/skus/CAM-P").json()["Product"]

    quotes = quotes_of(asker.get("/shipping/", **ASKED))

    assert quotes == [NEW]
    assert json.loads(call.calls[0].request.body) == {
        "destination_postalcode": "80010-000",
        "destination_state": "",
        "destination_country": "",
        "origin_postalcode": "",
        "origin_state": "",
        "origin_city": "",
        "origin_country": "",
        "user_id": store.pk,
        "amount": 130.3,
        "products": [
            {
                "sku": "CAM-P",
                "original_sku": "CAM-P",
                "id": product["variations"][0]["id"],
                "quantity": "2",
                "unit_price": 59.9,
                "weight": 0.45,
                "height": 3,
                "length": 32,
                "width": 11,
                "department": None,
                "crossdocking": None,
                "category": [{"name": "Roupas", "id": "c1"}],
                "marketplace": "",
            },
            {
                "sku": "LIVRE",
                "original_sku": "LIVRE",
                "id": None,
                "quantity": "1",
                "unit_price": 10.5,
                "weight": None,
                "height": None,
                "length": None,
                "width": None,
                "department": None,
                "crossdocking": None,
                "category": [],
                "marketplace": "",
            },
        ],
    }


@responses.activate
def test_each_side_calls_products_by_its_own_de_para(store, asker):
    source = make_source(store)
    call = responses.post("https://frete.example/cotacao", json=[])
    shirt = Product.objects.get(sku="CAM-P")
    for activation, code in ((asker.activation, "TOOL-1"), (source, "ERP-1")):
        SkuMapping.objects.create(activation=activation, code=code, product=shirt)

    asker.get("/shipping", **{**ASKED, "products[0][sku]": "TOOL-1"})

    mapped, free = json.loads(call.calls[0].request.body)["products"]
    assert (mapped["sku"], mapped["original_sku"], free["sku"]) == ("ERP-1", "ERP-1", "LIVRE")
    assert (mapped["unit_price"], mapped["weight"]) == (59.9, 0.45)


@responses.activate
def test_amounts_are_added_to_the_cent(store, asker):
    make_source(store)
    call = responses.post("https://frete.example/cotacao", json=[])

    dimes = {"products[1][unit_price]": "0.10", "products[1][quantity]": "3"}
    asker.get("/shipping", **{**ASKED, "products[0][quantity]": "0", **dimes})

    assert json.loads(call.calls[0].request.body)["amount"] == 0.3


@responses.activate
def test_what_the_caller_says_of_a_product_goes_before_the_catalogue(store, asker):
    make_source(store)
    call = responses.post("https://frete.example/cotacao", json=[])

    asker.get("/shipping", **ASKED, **{"products[0][weight]": "2", "amount": "99.90"})

    body = json.loads(call.calls[0].request.body)
    assert (body["amount"], body["products"][0]["weight"]) == (99.9, 2)


@responses.activate
@pytest.mark.parametrize("answer", [OLD, [OLD]])
def test_the_older_shape_is_read_as_well(store, asker, answer):
    make_source(store)
    responses.post("https://frete.example/cotacao", json=answer)

    assert quotes_of(asker.get("/shipping", **ASKED)) == [
        {
            "method": "Package",
            "company": "Jadlog",
            "delivery_type": "",
            "message": "",
            "estimative": 5,
            "price": "18.50",
        }
    ]


@responses.activate
@pytest.mark.parametrize(
    "fault",
    [
        {"body": requests.ConnectionError()},
        {"body": requests.Timeout()},
        {"status": 500, "json": [NEW]},
        {"status": 301, "headers": {"Location": "https://outra.example"}},
        {"body": "<html>"},
        {"body": ""},
        {"json": None},
        {"json": "SEDEX"},
        {"json": [1]},
        {"json": [{**NEW, "price": "grátis"}]},
        {"json": [NEW, {"method": "PAC"}]},
        {"json": {"mensage": "CEP não atendido"}},
        {"json": [{"mensage": "CEP não atendido"}]},
        {"json": []},
    ],
)
def test_a_source_that_is_down_or_answers_rubbish_is_left_out(store, asker, fault):
    make_source(store)
    make_source(store, "rocky", "outra")
    responses.post("https://frete.example/cotacao", **fault)
    responses.post("https://outra.example/cotacao", json=[OLD])

    assert [quote["company"] for quote in quotes_of(asker.get("/shipping", **ASKED))] == ["Jadlog"]


@responses.activate
def test_nobody_else_is_asked(store, asker):
    make_activation(store, "linx", name="sem endereço")
    make_source(make_store(), name="de outra loja")
    pause(make_source(store, name="pausada").pk, "férias")
    revoke(make_source(store, name="revogada").pk, make_operator())
    asker.activation.settings = {"freight_url": "https://quem-pergunta.example"}
    asker.activation.save()

    assert quotes_of(asker.get("/shipping", **ASKED)) == []
    assert len(responses.calls) == 0


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({}, "?.destination_postalcode: missing"),
        ({"destination_postalcode": ""}, "?.destination_postalcode: missing"),
        (
            {"destination_postalcode": "80010000", "amount": "muito"},
            "?.amount: cannot read 'muito'",
        ),
        (
            {"destination_postalcode": "80010000", "products[3][quantity]": "1"},
            "?.products[0].sku: got NoneType",
        ),
        (
            {
                "destination_postalcode": "80010000",
                "products[0][sku]": "A",
                "products[0][quantity]": "1.5",
            },
            "?.products[0].quantity: cannot read '1.5'",
        ),
        ({"destination_postalcode": "\x00"}, "?destination_postalcode: cannot read '\\x00'"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(asker, query, details):
    response = asker.get("/shipping", **query)

    assert (response.status_code, response.json()["type"]) == (400, "invalid")
    assert response.json()["details"] == details
