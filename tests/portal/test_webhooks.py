"""The doorbell as platforms find it, over HTTP."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors.messages.doorbells import doorbell_secret
from connectors.models import Activation, Failure, Ring
from tests.conftest import make_managed, make_store

pytestmark = pytest.mark.django_db
CNPJ = "12ABC34501DE35"


@pytest.fixture
def activation() -> Activation:
    received = {"integrator_id": "10482", "token": "t"}
    return make_managed(make_store(), "olist", "https://api.tiny.com.br/api2/", received)


def address(activation: Activation) -> str:
    return f"/webhooks/{doorbell_secret(activation)}"


def post(path: str, body: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json")


def notice(kind: str = "estoque", **changes: Any) -> str:
    usual = {"versao": "1.0", "cnpj": CNPJ, "tipo": kind, "dados": {"idProduto": 71}}
    return json.dumps({**usual, **changes})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("which", ["ours", "nobody"])
def test_a_panel_that_asks_whether_somebody_is_there_hears_json(
    activation: Activation, method: str, which: str
) -> None:
    path = address(activation) if which == "ours" else "/webhooks/nobody"

    answer = Client().generic(method, path)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert not Ring.objects.exists()


def test_a_notice_is_stored_before_it_is_answered(activation: Activation) -> None:
    answer = post(address(activation), notice())

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert Ring.objects.get().record_id == "71"


def test_where_the_key_is_gone_the_platform_is_told_to_come_again(
    activation: Activation, settings: LazySettings
) -> None:
    path = address(activation)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    assert post(path, notice()).status_code == 503


def test_a_product_is_answered_with_its_link(activation: Activation) -> None:
    product = {"id": 71, "idMapeamento": 5501, "skuMapeamento": "", "codigo": "CAN-07"}

    answer = post(address(activation), notice("produto", idEcommerce="10482", dados=product))

    assert answer.json() == [{"idMapeamento": 5501, "skuMapeamento": "CAN-07"}]
    assert sorted(Ring.objects.values_list("ability", flat=True)) == [
        "ProductSource",
        "StockSource",
    ]


def test_an_address_that_is_nobodys_is_404(activation: Activation) -> None:
    answer = post("/webhooks/guessed", notice())

    assert answer.status_code == 404
    assert not Failure.objects.exists()


def test_a_notice_of_somebody_else_is_403(activation: Activation) -> None:
    answer = post(address(activation), notice(idEcommerce="999"))

    assert answer.status_code == 403
    assert Failure.objects.get().activation == activation


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"[1]", b'{"a": ', b"\xff", b'{"cnpj": 1}'])
def test_garbage_is_400(activation: Activation, body: bytes) -> None:
    answer = post(address(activation), body)

    assert answer.status_code in (400, 403)
    assert "error" in answer.json()
    assert Failure.objects.count() == 1


def test_what_is_too_large_is_413(activation: Activation, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = post(address(activation), notice(dados={"idProduto": "7" * 2000}))

    assert answer.status_code == 413
    assert not Ring.objects.exists()


def test_an_unknown_kind_is_200_so_that_it_does_not_come_for_ever(activation: Activation) -> None:
    answer = post(address(activation), notice("cotacao_frete"))

    assert answer.status_code == 200
    assert Failure.objects.get().kind == "rejected"


def test_a_notice_costs_few_queries(activation: Activation) -> None:
    path = address(activation)
    post(path, notice())

    with CaptureQueriesContext(
        connection,
    ) as queries:
        post(path, notice())

    assert len(queries) <= 12


def test_the_secret_is_not_in_the_answer_nor_in_a_failure(activation: Activation) -> None:
    secret = doorbell_secret(activation)

    answers = [post(f"/webhooks/{secret}", body) for body in (b"garbage", notice("x"))]

    shown = "".join(answer.content.decode() for answer in answers)
    shown += "".join(f"{f.reason}{f.payload}{f.record_id}" for f in Failure.objects.all())
    assert secret not in shown
