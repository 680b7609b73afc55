from typing import Any

import pytest

from connectors.contract import Account
from connectors.olist.v3.client import OlistV3
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny_v3 import TinyV3

APP = {"client_id": "tiny-api-51", "client_secret": "s3cr3t", "refresh_token": "first-refresh"}
CREDENTIALS = {"integrator_id": "10482", "token": " ".join(APP.values())}
SHIRT = {
    "sku": "CAM-01",
    "descricao": "Camiseta",
    "preco": 59.9,
    "variacoes": [
        {
            "sku": "CAM-01-P",
            "descricao": "Camiseta P",
            "preco": 59.9,
            "grade": [{"chave": "Tamanho", "valor": "P"}],
            "saldo": 4,
        },
        {
            "sku": "CAM-01-G",
            "descricao": "Camiseta G",
            "preco": 64.9,
            "grade": [{"chave": "Tamanho", "valor": "G"}],
            "saldo": 7,
        },
    ],
}
MUG = {"sku": "CAN-07", "descricao": "Caneca", "preco": 110, "saldo": 3, "reservado": 1}


@pytest.fixture
def erp(sandbox: Sandbox) -> TinyV3:
    erp = sandbox.open("tiny_v3", "empresa", APP)
    assert isinstance(erp, TinyV3)
    return erp


@pytest.fixture
def account(sandbox: Sandbox, erp: TinyV3) -> Account:
    url = f"{sandbox.url}/empresa"
    return Account(url, CREDENTIALS, {"v3_token_url": f"{url}/token"})


@pytest.fixture
def olist(account: Account) -> OlistV3:
    return OlistV3(account)


@pytest.fixture
def full_shelf(erp: TinyV3) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", MUG)


def calls_of(erp: TinyV3) -> list[tuple[str, str]]:
    """Since it was last asked."""
    calls, erp.calls = erp.calls, []
    return calls


def held(erp: TinyV3, number: str) -> Any:
    return erp.report()["orders"][number]
