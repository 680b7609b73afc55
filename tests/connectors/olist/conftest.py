import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.contract import Account, Page
from connectors.olist.client import Olist
from connectors.payload import Payload
from connectors.records import LineRecord, OrderRecord, OrderStatus
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny import Tiny

HERE = Path(__file__).parent
TOKEN = "5f3c1d9a7e2b48c6a0d4e8f1b7c3a9d2e6f0b4c8"
INTEGRATOR = "10482"
CREDENTIALS = {"integrator_id": INTEGRATOR, "token": TOKEN}
HUB_ID = "692f10c4a9d1e3b7c5f20811"


def sample(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


def make_order(**changes: Any) -> OrderRecord:
    """With every field of a buyer that the hub knows."""
    order = OrderRecord(
        status=OrderStatus.APPROVED,
        original_id="2000009876543210",
        channel="MercadoLivre",
        channel_account="lojaexemplo",
        total=Decimal("239.85"),
        lines=(
            LineRecord("CAM-01-P", 2, Decimal("59.9000"), {"name": "Camiseta azul P"}),
            LineRecord("CAN-07", 1, Decimal("110"), {"name": None}),
        ),
        fields=sample("order_full.json"),
        payments=(
            {"payment_type": "credit", "payment_method": "visa", "payment_total": "139.85"},
            {"payment_type": "voucher", "payment_method": None, "payment_total": "100"},
        ),
        hub_id=HUB_ID,
    )
    return replace(order, **changes)


def records(pages: Iterable[Page], read: Callable[[Payload], Any]) -> list[Any]:
    return [read(payload) for page in pages for payload in page.items]


def last_cursor(pages: Iterable[Page]) -> str:
    return list(pages)[-1].cursor


@pytest.fixture
def erp(sandbox: Sandbox) -> Tiny:
    erp = sandbox.open("tiny", "empresa", CREDENTIALS)
    assert isinstance(erp, Tiny)
    return erp


@pytest.fixture
def olist(sandbox: Sandbox, erp: Tiny) -> Olist:
    return Olist(Account(f"{sandbox.url}/empresa/", CREDENTIALS))


@pytest.fixture
def ask(sandbox: Sandbox, erp: Tiny) -> Callable[..., Any]:
    """Speak to the ERP without our client: the `retorno` of its answer."""

    def call(service: str, **form: str) -> Any:
        data = {"token": TOKEN, "formato": "json", **form}
        answer = requests.post(f"{sandbox.url}/empresa/{service}", data=data, timeout=5)
        assert answer.status_code == 200
        return answer.json()["retorno"]

    return call
