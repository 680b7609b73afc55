"""The OpenAPI document: true to the routes, whole, and kept by the API whatever it is sent."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.test import Client
from django.urls import URLPattern
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connectors.hub import examples, wire
from connectors.models import Store
from orders.invoice_keys import faults_of
from portal.api import urls
from portal.api.document import _document
from portal.api.errors import SHAPES
from portal.wsgi import application
from tests.conftest import make_partner, make_store
from tests.orders.samples import full_order

METHODS = {"get", "post", "put", "delete", "patch"}
# Not the API itself: its document, and what is said about addresses that it does not have.
OUTSIDE = {"schema", "docs", None}
# Not ways to get a token, and the hub does not answer 405.
REFUSED = {("/oauth/token", method) for method in METHODS - {"post"}}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return Client().get("/api/schema").json()


def routes() -> Iterator[URLPattern]:
    return (pattern for pattern in urls.urlpatterns if pattern.name not in OUTSIDE)


def address_of(pattern: URLPattern) -> str:
    """`^[oO][rR]…/(?P<public_id>[^/]+)/?$` as people write it."""
    text = re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", str(pattern.pattern))
    return "/" + re.sub(r"\[(\w)\w\]", r"\1", text).strip("^$").removesuffix("/?")


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


# -- The document ----------------------------------------------------------------------------------
def test_the_document_is_true_to_the_routes(document):
    served = {
        (address_of(pattern), method)
        for pattern in routes()
        for method in METHODS
        if hasattr(pattern.callback.cls, method)
    }

    assert set(operations(document)) == served
    assert len(served) > 20


def test_every_operation_says_what_it_is_takes_and_answers(document):
    for (path, method), operation in operations(document).items():
        if (path, method) in REFUSED:
            assert set(operation["responses"]) == {"400", "500", "503"}
            continue
        answers = [code for code in operation["responses"] if code in ("200", "201")]
        schema = operation["responses"][answers[0]]["content"]["application/json"]["schema"]
        assert operation["summary"], path
        assert len(answers) == 1, path
        assert "$ref" in schema or schema.get("properties") or schema.get("items"), path
        assert ("requestBody" in operation) == (method in ("post", "put")), path
        assert {"500", "503"} <= set(operation["responses"]), path


def test_every_operation_has_an_id_of_its_own(document):
    ids = [operation["operationId"] for operation in operations(document).values()]

    assert len(set(ids)) == len(ids)
    assert "get_orders_public_id" in ids


def test_every_reference_leads_somewhere_and_every_schema_is_one(document):
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        place = document
        for part in reference.split("/"):
            place = place[part]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_errors_are_those_of_the_api(document):
    words = document["components"]["schemas"]["Error"]["properties"]["type"]["enum"]

    assert {word for _kind, _code, word in SHAPES} <= set(words)
    for (path, _method), operation in operations(document).items():
        if "security" in operation and {} not in operation["security"]:
            assert {"400", "401", "403", "404", "429"} <= set(operation["responses"]), path
        if "requestBody" in operation:
            assert "413" in operation["responses"], path


def test_the_products_and_orders_are_those_of_the_tables(document):
    schemas = document["components"]["schemas"]

    assert list(schemas["Product"]["properties"]) == list(wire.PRODUCT)
    assert set(schemas["Order"]["required"]) == set(wire.ORDER)
    assert list(schemas["Shipment"]["properties"]) == list(wire.SHIPMENT)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("ProductInput", examples.PRODUCT),
        ("OrderInput", examples.ORDER),
        ("OrderInput", examples.INVOICE),
        ("OrderInput", full_order()),
        ("Stock", examples.STOCK),
    ],
)
def test_the_examples_are_what_the_schema_says(document, name, example):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}

    Draft202012Validator(schema).validate(example)


def test_the_examples_work(store: Store):
    linx, pluga = make_partner(store, "linx"), make_partner(store, "pluga")

    product = linx.post("/products", examples.PRODUCT)
    stock = linx.put("/skus/CAM-AZ-P/stock", examples.STOCK)
    order = pluga.post("/orders", examples.ORDER)
    invoice = linx.put(f"/orders/{order.json()['Order']['id']}", examples.INVOICE)

    statuses = [answer.status_code for answer in (product, stock, order, invoice)]
    assert statuses == [201, 200, 201, 200], (product.content, order.content, invoice.content)
    assert faults_of(invoice.json()["Order"]["shipments"][0]["nfe_key"]) == []


def test_the_document_speaks_the_readers_language():
    client = Client()
    client.cookies["django_language"] = "en"

    portuguese = Client().get("/api/schema").json()["paths"]["/orders"]["get"]["summary"]
    english = client.get("/api/schema").json()["paths"]["/orders"]["get"]["summary"]

    assert (portuguese, english) == ("Procurar pedidos", "Find orders")


def test_the_document_is_drawn_once_for_each_language(monkeypatch):
    drawn: list[str] = []
    draw = SchemaGenerator.get_schema

    def note(self: Any, **options: Any) -> Any:
        drawn.append(get_language())
        return draw(self, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", note)
    _document.cache_clear()
    client = Client()

    answers = []
    for language in ("pt-br", "en", "pt-br", "en"):
        client.cookies["django_language"] = language
        answers.append(client.get("/api/schema"))

    assert drawn == ["pt-br", "en"]
    assert answers[0].content == answers[2].content != answers[1].content == answers[3].content
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}


def test_the_docs_load_nothing_from_elsewhere():
    html = Client().get("/api/docs").content.decode()

    assert "/api/schema" in Client().get("/api/docs?script=").content.decode()
    assert "swagger-ui-bundle.js" in html
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html) == []
    assert (
        b"SwaggerUI"
        in Client()
        .get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
        .getvalue()
    )


# -- Whatever it is sent ---------------------------------------------------------------------------
FEW = hypothesis.settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class World:
    """A store with one of each, and the partner who calls."""

    def __init__(self, slug: str) -> None:
        store = make_store()
        self.caller = make_partner(store, slug)
        self.linx, pluga = make_partner(store, "linx"), make_partner(store, "pluga")
        order = pluga.post("/orders", full_order(status="pending"))
        self.order_id = order.json()["Order"]["id"]

    def known(self, path: str) -> dict[str, str]:
        """What an address may name; the product is there again if it was deleted."""
        self.linx.put("/skus/CAM-AZ", examples.PRODUCT)
        product = self.linx.get("/skus/CAM-AZ").json()["Product"]
        return {
            "sku": "CAM-AZ",
            "public_id": self.order_id if "order" in path else product["id"],
            "variation_id": product["variations"][0]["id"],
        }


api = schemathesis.openapi.from_wsgi("/api/schema", application)
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.mark.long
@pytest.mark.django_db(transaction=True)  # Django closes its connection between two requests
@pytest.mark.parametrize(
    ("slug", "mode"), [("linx", RIGHT), ("pluga", RIGHT), ("rocky", RIGHT), ("linx", WRONG)]
)
def test_whatever_it_is_sent_the_api_answers_as_documented(slug, mode, settings):
    settings.API_RATE = 10**9
    world = World(slug)
    world.caller.get("/orders")
    headers = {"Authorization": f"Bearer {world.caller.token}"}

    for result in api.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @FEW
        def send(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)
            if case.path_parameters:
                case.path_parameters |= world.known(case.path)
                case.call_and_validate(headers=headers, checks=CHECKS)

        with suppress(Unsatisfiable):  # nothing can be wrong about what takes nothing
            send()
