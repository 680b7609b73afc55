"""Whatever JSON somebody sends, what reads it answers a record or says what is wrong with it."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.wire import read_product as read_hub_product
from connectors.contract import Account
from connectors.errors import ConnectorError, Refused
from connectors.linxlayer import mapping as layer
from connectors.olist.client import Olist
from connectors.olist.mapping import catalogue, fulfilments
from connectors.olist.v3 import words
from connectors.payload import Payload
from connectors.pluggto import catalogue as hub_catalogue
from connectors.pluggto import mapping as hub
from connectors.pluggto.client import Pluggto
from connectors.rockyerp import mapping as rocky
from connectors.sandbox.kinds import PLAYED_BY
from connectors.storecontract import mapping as contract
from orders.wire import read_order as read_hub_order
from tests.connectors.linxlayer.test_mapping import PRODUCT as LAYER_PRODUCT
from tests.connectors.linxlayer.test_mapping import SMALL as LAYER_SKU
from tests.connectors.olist.v3 import test_words as v3
from tests.connectors.rockyerp.test_mapping import PRODUCT as ROCKY_PRODUCT
from tests.connectors.rockyerp.test_mapping import VARIATION as ROCKY_VARIATION
from tests.orders.samples import FULL
from tests.stateful import how_many

HERE = Path(__file__).parent
ACCOUNT = Account("https://x.example", {"integrator_id": "1", "token": "t"}, cnpj="12ABC34501DE35")
Reader = Callable[[Payload], Any]


def sample(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


PRODUCT = sample("storecontract/product_full.json")
FULFILMENT = sample("storecontract/fulfilment_shipped.json")
OLIST_PRODUCT = sample("olist/product_with_variations.json")
LEVELS = {"sku": "A", "price": "59.90", "special_price": 49.9, "quantity": "12"}
STATE = {"id": 1, "external_id": "9", "hub_id": "692f", "order_id": "692f", "status": "approved"}
NOTICE = {"cnpj": "12.ABC.345/01DE-35", "idEcommerce": "1", "tipo": "estoque", "versao": "1.0",
          "dados": {"idProduto": 7, "sku": "A", "saldo": 5}}  # fmt: skip
HUB_NOTICE = {"user": 1, "type": "orders", "id": "680e1e2fa7b4c10012d3f0a1", "action": "updated",
              "changes": {"status": True, "stock": False, "price": False}}  # fmt: skip


def _bytes(read: Callable[[bytes], Any]) -> Reader:
    return lambda payload: read(json.dumps(payload.data).encode())


def _layer(payload: Payload) -> Any:
    layer.read_sku_ids(payload.one("product"))
    return layer.read_product(payload.one("product"), payload.each("skus"))


def _v3(payload: Payload) -> Any:
    note = words.invoice(payload.one("nota")).data
    order = words.order(payload.one("pedido")).data
    return fulfilments.read_fulfilment(
        Payload({"pedido": order, "nota_fiscal": note, "link": payload.data.get("link")})
    )


def _variations(payload: Payload) -> Any:
    return rocky.read_product(rocky.join([payload], payload.each("variations"))[0])


# Of a connector with words of its own: its slug, and what is read.
READERS: dict[str, tuple[Reader, Any]] = {
    "the hub's products": (lambda payload: read_hub_product(payload, None), PRODUCT),
    "the hub's orders": (read_hub_order, FULL),
    "store contract, products": (contract.read_product, PRODUCT),
    "store contract, prices": (contract.read_price, LEVELS),
    "store contract, stock": (contract.read_stock, LEVELS),
    "store contract, fulfilments": (contract.read_fulfilment, FULFILMENT),
    "store contract, states": (contract.read_order_state, STATE),
    "olist, products": (catalogue.read_product, OLIST_PRODUCT),
    "olist, prices": (catalogue.read_price, OLIST_PRODUCT),
    "olist, stock": (catalogue.read_stock, sample("olist/stock_in_three_deposits.json")),
    "olist, fulfilments": (fulfilments.read_fulfilment, sample("olist/fulfilment_sent.json")),
    "olist, notices": (_bytes(Olist(ACCOUNT).read_notice), NOTICE),
    "olist, answers": (_bytes(Olist(ACCOUNT).answer_notice), NOTICE),
    "olist v3, products": (lambda it: catalogue.read_product(words.product(it)), v3.PRODUCT),
    "olist v3, prices": (lambda it: catalogue.read_price(words.price(it)), v3.PRODUCT),
    "olist v3, stock": (
        lambda it: catalogue.read_stock(words.stock(it)),
        {"id": 1, "codigo": "X", "reservado": 3, "depositos": [
            {"id": 1, "desconsiderar": False, "saldo": 10}]},
    ),
    "olist v3, fulfilments": (_v3, {"pedido": v3.ORDER, "nota": v3.NOTE, "link": ""}),
    "pluggto, orders": (hub.read_order, sample("pluggto/order_full.json")),
    "pluggto, products": (lambda it: hub_catalogue.read_held(hub_catalogue.unwrapped(it)),
                          {"Product": PRODUCT}),
    "pluggto, notices": (_bytes(Pluggto(ACCOUNT).read_notice), HUB_NOTICE),
    "linxlayer, products": (_layer, {"product": LAYER_PRODUCT, "skus": [LAYER_SKU, LAYER_SKU]}),
    "rockyerp, products": (_variations, {**ROCKY_PRODUCT, "variations": [ROCKY_VARIATION]}),
    "rockyerp, prices": (rocky.read_price, ROCKY_VARIATION),
    "rockyerp, stock": (rocky.read_stock, ROCKY_VARIATION),
}  # fmt: skip

NASTY = st.sampled_from(
    ["", " ", "0", "-1", "NaN", "-Infinity", "1e999999", "1e-999999", "9" * 400, "\x00", "\ud800",
     "٣", "½", "true", "2026-02-30", "0001-01-01", "9999-12-31", "31/12/9999", "00/00/0000",
     "/Date(99999999999999999)/", "2026-11-22T10:00:00+99:99", 10**400, -(2**63), 1e308]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | NASTY
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in it: what holds it, and under which key."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, each in inside:
        found.append((value, key))
        if isinstance(each, dict | list):
            found += places(each)
    return found


@st.composite
def spoiled(draw: st.DrawFn, whole: Any) -> Any:
    """The sample with a few things in it that nobody expects there; or something else."""
    if not draw(st.integers(0, 9)):
        return draw(JSON)
    changed = copy.deepcopy(whole)
    for _time in range(draw(st.integers(1, 3))):
        if there := places(changed):
            holder, key = draw(st.sampled_from(there))
            if isinstance(holder, dict) and draw(st.integers(0, 4)) == 0:
                del holder[key]
            else:
                holder[key] = draw(JSON)
    return changed


@pytest.mark.properties
@pytest.mark.parametrize("name", READERS)
def test_any_json_is_a_record_or_a_clear_error(name: str) -> None:
    read, whole = READERS[name]

    @how_many(60)
    @given(data=spoiled(whole))
    def try_it(data: Any) -> None:
        with suppress(ConnectorError, Refused):
            read(Payload(data))

    try_it()


def test_every_connector_with_words_of_its_own_is_fed_here() -> None:
    fed = {name.partition(",")[0] for name in READERS}

    assert set(PLAYED_BY) - fed == set(), "add its readers to READERS"


@pytest.mark.parametrize("name", sorted(set(READERS) - {"store contract, states"}))
def test_the_samples_themselves_are_read(name: str) -> None:
    read, whole = READERS[name]

    read(Payload(whole))
