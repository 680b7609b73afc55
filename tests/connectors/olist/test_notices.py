"""What the ERP's webhooks are about, and what it hears."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import (
    Account,
    Changed,
    FulfilmentSource,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unreadable
from connectors.olist.client import Olist
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny import Tiny
from tests.connectors.olist.conftest import CREDENTIALS, HUB_ID, make_order

CNPJ = "12ABC34501DE35"
BRANCH = "12.ABC.345/0002-16"


@pytest.fixture
def olist(sandbox: Sandbox, erp: Tiny) -> Olist:
    return Olist(Account(f"{sandbox.url}/empresa/", CREDENTIALS, cnpj=CNPJ))


def of_integration(kind: str, data: Any, **envelope: Any) -> bytes:
    usual = {"cnpj": CNPJ, "idEcommerce": 10482, "tipo": kind, "versao": "1.0.1", "dados": data}
    return json.dumps({**usual, **envelope}).encode()


def of_account(kind: str, data: Any, **envelope: Any) -> bytes:
    usual = {"versao": "1.0.1", "cnpj": CNPJ, "tipo": kind, "dados": data}
    return json.dumps({**usual, **envelope}).encode()


PRODUCT = {
    "id": 714002318,
    "idMapeamento": 5501,
    "skuMapeamento": "",
    "codigo": "CAM-01",
    "variacoes": [
        {"variacao": {"id": 714002319, "idMapeamento": 5502, "codigo": "CAM-01-P"}},
        {"id": 714002320, "idMapeamento": 5503, "codigo": ""},
    ],
}


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (
            of_integration("produto", {**PRODUCT, "skuMapeamento": "CAM-01"}),
            [Changed(ProductSource, "714002318")],
        ),
        (
            of_integration("precos", {"codigo": "CAN-07", "preco": "10"}),
            [Changed(PriceSource, "CAN-07")],
        ),
        (
            of_integration("precos", {"codigo": "CAM-01-P", "skuMapeamentoPai": "CAM-01"}),
            [Changed(PriceSource, "CAM-01")],
        ),
        (
            of_integration("estoque", {"tipoEstoque": "F", "saldo": 3, "idProduto": 714002319}),
            [Changed(StockSource, "714002319")],
        ),
        (
            of_integration(
                "situacao_pedido",
                {"idPedidoEcommerce": HUB_ID, "idVendaTiny": 808, "situacao": "faturado"},
            ),
            [Changed(FulfilmentSource, "808")],
        ),
        (
            of_integration("situacao_pedido", {"idPedidoEcommerce": HUB_ID, "idVendaTiny": ""}),
            [Changed(FulfilmentSource, f"numero {HUB_ID}")],
        ),
        (
            of_integration("nota_fiscal", {"idNotaFiscalTiny": "5501", "idPedidoEcommerce": ""}),
            [Changed(FulfilmentSource, "nota 5501")],
        ),
        (
            of_integration("rastreio", {"idVendaTiny": "808", "idNotaFiscalTiny": "5501"}),
            [Changed(FulfilmentSource, "808")],
        ),
        (
            of_integration("rastreio", {"idVendaTiny": "808", "idPedidoEcommerce": "#1043"}),
            [],
        ),
        (
            of_account("inclusao_pedido", {"id": 808, "idPedidoEcommerce": ""}),
            [Changed(FulfilmentSource, "808")],
        ),
        (
            of_account("atualizacao_pedido", {"id": 808, "idPedidoEcommerce": HUB_ID}),
            [Changed(FulfilmentSource, "808")],
        ),
        (
            of_account("atualizacao_pedido", {"id": 808, "idPedidoEcommerce": "2000009876"}),
            [],
        ),
        (
            of_account("estoque", {"idProduto": 714002319, "sku": "CAM-01-P", "saldo": 3}),
            [Changed(StockSource, "714002319")],
        ),
    ],
)
def test_a_notice_says_what_to_read_again(
    olist: Olist, body: bytes, changed: list[Changed]
) -> None:
    assert olist.read_notice(body) == changed


def test_a_product_that_is_not_linked_yet_is_read_with_its_stock(olist: Olist) -> None:
    assert olist.read_notice(of_integration("produto", PRODUCT)) == [
        Changed(ProductSource, "714002318"),
        Changed(StockSource, "714002319"),
        Changed(StockSource, "714002320"),
    ]


def test_the_erp_hears_our_code_for_a_product_and_each_variation(olist: Olist) -> None:
    answer = olist.answer_notice(of_integration("produto", PRODUCT))

    assert answer == [
        {"idMapeamento": 5501, "skuMapeamento": "CAM-01"},
        {"idMapeamento": 5502, "skuMapeamento": "CAM-01-P"},
        {"idMapeamento": 5503, "error": "O produto não tem código (SKU) no ERP."},
    ]


def test_of_everything_else_the_erp_hears_that_it_was_noted(olist: Olist) -> None:
    assert olist.answer_notice(of_account("estoque", {"idProduto": 1})) == {"ok": True}


@pytest.mark.parametrize("cnpj", [CNPJ, BRANCH, "12abc34501de35"])
def test_a_branch_of_the_stores_company_may_speak(olist: Olist, cnpj: str) -> None:
    assert olist.read_notice(of_account("estoque", {"idProduto": 1}, cnpj=cnpj))


def test_where_the_stores_company_is_not_known_any_may_speak(sandbox: Sandbox) -> None:
    stranger = Olist(Account(f"{sandbox.url}/empresa/", CREDENTIALS))

    assert stranger.read_notice(of_account("estoque", {"idProduto": 1}, cnpj="33000167000101"))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (of_integration("estoque", {"idProduto": 1}, idEcommerce=999), "integrador 999"),
        (of_integration("estoque", {"idProduto": 1}, cnpj="33000167000101"), "33000167000101"),
        (of_account("estoque", {"idProduto": 1}, cnpj=""), "CNPJ"),
    ],
)
def test_a_notice_of_somebody_else_is_refused(olist: Olist, body: bytes, text: str) -> None:
    with pytest.raises(Unauthorized, match=text):
        olist.read_notice(body)


@pytest.mark.parametrize("kind", ["cotacao_frete", "pedidos_enviados"])
def test_a_kind_that_nobody_has_documented_is_said_to_be_unknown(olist: Olist, kind: str) -> None:
    with pytest.raises(Rejected, match=f"aviso do tipo {kind}, que o portal não conhece"):
        olist.read_notice(of_integration(kind, {"cep": "01001000"}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml/>",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b"{}",
        of_account("estoque", None),
        of_account("estoque", {"sku": "CAN-07"}),
        of_account("atualizacao_pedido", {"id": {}}),
        of_integration("nota_fiscal", {"numero": "1"}),
        of_integration("produto", {"id": 1, "variacoes": [3]}),
    ],
)
def test_what_is_not_a_notice_is_unreadable(olist: Olist, body: bytes) -> None:
    with pytest.raises(Unreadable):
        olist.read_notice(body)


# -- Reading again what they are about -------------------------------------------------------------
SHIRT = {
    "codigo": "CAM-01",
    "nome": "Camiseta",
    "preco": 59.9,
    "preco_promocional": 49.9,
    "variacoes": [
        {"codigo": "CAM-01-P", "preco": 59.9, "grade": {"Tamanho": "P"}, "saldo": 4},
        {
            "codigo": "CAM-01-G",
            "preco": 64.9,
            "preco_promocional": 54.9,
            "grade": {"Tamanho": "G"},
            "saldo": 7,
        },
    ],
}


def id_of(erp: Tiny, code: str) -> str:
    return next(id for id, each in erp.products.items() if each["codigo"] == code)


def test_a_product_is_read_again_also_through_its_variation(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)

    for code in ("CAM-01", "CAM-01-G"):
        (payload,) = olist.fetch(ProductSource, id_of(erp, code))
        assert olist.read_product(payload).sku == "CAM-01"


def test_the_price_of_a_parent_is_read_again_with_its_variations(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", {"codigo": "CAM-01-X", "nome": "outra", "preco": 1})

    found = [olist.read_price(payload) for payload in olist.fetch(PriceSource, "CAM-01")]

    assert [(each.sku, each.price, each.special_price) for each in found] == [
        ("CAM-01", Decimal("59.9"), Decimal("49.9")),
        ("CAM-01-P", Decimal("59.9"), None),
        ("CAM-01-G", Decimal("64.9"), Decimal("54.9")),
    ]


def test_what_is_asked_for_by_its_sku_is_fetched_alone(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 1, "saldo": 3})
    erp.control("put_product", {"codigo": "CAN-07-B", "nome": "outra", "preco": 1, "saldo": 9})

    def by_sku(ability: Any, sku: str) -> list[Any]:
        return list(olist.fetch(ability, olist.number_of_sku(ability, sku)))

    (shirt,), (mug,) = by_sku(ProductSource, "CAM-01"), by_sku(ProductSource, "CAN-07")
    (stock,), both = by_sku(StockSource, "CAN-07"), by_sku(StockSource, "CAM-01")
    (price,) = by_sku(PriceSource, "CAN-07")
    gone = [*by_sku(ProductSource, "NADA"), *by_sku(StockSource, "NADA")]

    assert [olist.read_product(each).sku for each in (shirt, mug)] == ["CAM-01", "CAN-07"]
    assert olist.read_stock(stock).quantity == 3
    assert [olist.read_stock(each).sku for each in both] == ["CAM-01-P", "CAM-01-G"]
    assert olist.read_price(price).sku == "CAN-07"
    assert gone == []


def test_of_two_products_with_one_sku_the_one_that_was_deleted_is_not_meant(
    erp: Tiny, olist: Olist
) -> None:
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 2, "saldo": 3})
    sold = erp.products[id_of(erp, "CAN-07")]
    erp.products = {"1": {**sold, "id": "1", "preco": 1, "situacao": "E"}, **erp.products}

    (price,) = olist.fetch(PriceSource, "CAN-07")
    (product,) = olist.fetch(ProductSource, "sku CAN-07")
    (stock,) = olist.fetch(StockSource, "sku CAN-07")

    assert olist.read_price(price).price == 2
    assert olist.read_product(product).fields["available"] == 1
    assert olist.read_stock(stock).quantity == 3


def test_a_price_of_a_code_that_nobody_has_is_nothing(olist: Olist) -> None:
    assert list(olist.fetch(PriceSource, "CAM-01")) == []


def test_stock_is_read_again_and_not_believed(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 1, "saldo": 3})

    (payload,) = olist.fetch(StockSource, id_of(erp, "CAN-07"))

    assert olist.read_stock(payload).quantity == 3


@pytest.mark.parametrize(
    "named",
    [
        lambda erp, id: id,
        lambda erp, id: f"numero {HUB_ID}",
        lambda erp, id: f"nota {erp.orders[id].invoice['id']}",
    ],
)
def test_an_order_is_read_again_by_whatever_it_was_named(
    erp: Tiny, olist: Olist, named: Callable[[Tiny, str], str]
) -> None:
    order_id = olist.push_order(make_order())
    erp.work()

    (payload,) = olist.fetch(FulfilmentSource, named(erp, order_id))

    record = olist.read_fulfilment(payload)
    assert (record.hub_id, record.external_id, record.status) == (HUB_ID, order_id, "invoiced")


def test_an_order_that_is_not_the_hubs_is_nothing(erp: Tiny, olist: Olist) -> None:
    order_id = olist.push_order(make_order(hub_id="#1043"))

    assert list(olist.fetch(FulfilmentSource, order_id)) == []
    assert list(olist.fetch(FulfilmentSource, f"numero {HUB_ID}")) == []


def test_an_order_that_is_gone_is_a_refusal_of_the_erps(olist: Olist) -> None:
    with pytest.raises(ConnectorError, match="Registro não localizado"):
        list(olist.fetch(FulfilmentSource, "1"))
