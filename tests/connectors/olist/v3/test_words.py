"""The documented shapes, through the words of the API v2, to the hub's records."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.olist.mapping import catalogue, fulfilments
from connectors.olist.v3 import words
from connectors.payload import Payload
from connectors.records import OrderStatus, PriceRecord, StockRecord
from connectors.sandbox.invoices import make_key

PRODUCT: dict[str, Any] = {
    "id": 8801,
    "sku": "CAM-01",
    "descricao": "Camiseta",
    "descricaoComplementar": "<p>Algodão</p>",
    "tipo": "V",
    "situacao": "A",
    "produtoPai": None,
    "unidade": "UN",
    "unidadePorCaixa": "1",
    "ncm": "6109.10.00",
    "gtin": "7891234567895",
    "origem": "0",
    "garantia": "90 dias",
    "categoria": {"id": 3, "nome": "Camisetas", "caminhoCompleto": "Roupas > Camisetas"},
    "marca": {"id": 9, "nome": "Exemplo"},
    "dimensoes": {
        "embalagem": {"id": 0, "tipo": 2, "descricao": ""},
        "largura": 20,
        "altura": 5,
        "comprimento": 30,
        "diametro": 0,
        "pesoLiquido": 0.2,
        "pesoBruto": 0.25,
        "quantidadeVolumes": 1,
    },
    "precos": {"preco": 59.9, "precoPromocional": 0, "precoCusto": 21.5, "precoCustoMedio": 22},
    "estoque": {"controlar": True, "diasPreparacao": 2, "localizacao": "A1", "quantidade": 0},
    "anexos": [{"url": "https://s3.example.com/c.jpg", "externo": False}],
    "variacoes": [
        {
            "id": 8802,
            "descricao": "Camiseta P",
            "sku": "CAM-01-P",
            "gtin": "7891234567901",
            "precos": {"preco": 59.9, "precoPromocional": 49.9},
            "estoque": {"quantidade": 4},
            "grade": [{"chave": "Tamanho", "valor": "P"}],
        }
    ],
}
ORDER: dict[str, Any] = {
    "id": 5501,
    "situacao": 5,
    "numeroPedido": 112,
    "ecommerce": {"id": 10482, "numeroPedidoEcommerce": "692f10c4a9d1e3b7c5f20811"},
    "idNotaFiscal": 901,
    "dataEnvio": "2026-03-02 14:30:00",
    "dataEntrega": "",
    "transportador": {
        "id": 7,
        "nome": "Transportadora Exemplo",
        "fretePorConta": "R",
        "formaFrete": {"id": 4, "nome": "Expressa"},
        "codigoRastreamento": "TN123456789BR",
        "urlRastreamento": "https://rastreio.example.com/TN123456789BR",
    },
}
KEY = make_key("empresa", 12, datetime(2026, 3, 1))
NOTE: dict[str, Any] = {
    "id": 901,
    "situacao": "6",
    "numero": "000012",
    "serie": "1",
    "chaveAcesso": KEY,
    "dataEmissao": "2026-03-01",
}


def test_a_product_with_variations() -> None:
    record = catalogue.read_product(words.product(Payload(PRODUCT)))

    assert record.sku == "CAM-01"
    assert record.fields == {
        "external": "8801",
        "name": "Camiseta",
        "description": "<p>Algodão</p>",
        "ean": "7891234567895",
        "ncm": "6109.10.00",
        "origin": "0",
        "brand": "Exemplo",
        "warranty_message": "90 dias",
        "available": 1,
        "price": "59.9",
        "special_price": None,
        "cost": "21.5",
        "handling_time": 2,
        "dimension": {"length": 30, "width": 20, "height": 5, "weight": 0.25},
        "categories": [{"name": "Roupas > Camisetas"}],
        "photos": [{"url": "https://s3.example.com/c.jpg", "order": 1}],
    }
    [variation] = record.variations
    assert variation.sku == "CAM-01-P"
    assert variation.fields["ean"] == "7891234567901"
    assert variation.fields["special_price"] == "49.9"
    assert variation.fields["attributes"][0]["value"]["label"] == "P"


def test_a_bare_product_says_nothing_of_what_it_leaves_empty() -> None:
    bare = {"id": 1, "sku": "X", "descricao": "Nada", "situacao": "I", "precos": {"preco": 1}}

    record = catalogue.read_product(words.product(Payload(bare)))

    assert record.fields == {"external": "1", "name": "Nada", "price": "1", "available": 0}


def test_a_row_of_the_list_has_its_price() -> None:
    row = {"id": 1, "sku": "X", "precos": {"preco": "12.5", "precoPromocional": 10}}

    record = catalogue.read_price(words.price(Payload(row)))

    assert record == PriceRecord("X", Decimal("12.5"), Decimal(10))


def test_stock_is_what_counted_deposits_hold_less_what_is_reserved() -> None:
    shape = {
        "id": 1,
        "codigo": "X",
        "saldo": 30,
        "reservado": 3,
        "disponivel": 0,
        "depositos": [
            {"id": 1, "desconsiderar": False, "saldo": 10},
            {"id": 2, "desconsiderar": True, "saldo": 20},
        ],
    }

    assert catalogue.read_stock(words.stock(Payload(shape))) == StockRecord("X", 7)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (8, OrderStatus.PENDING),
        (0, OrderStatus.PENDING),
        ("3", OrderStatus.APPROVED),
        (4, OrderStatus.PICKING),
        (1, OrderStatus.INVOICED),
        (7, OrderStatus.SHIPPING_INFORMED),
        (5, OrderStatus.SHIPPED),
        (6, OrderStatus.DELIVERED),
        (2, OrderStatus.CANCELED),
    ],
)
def test_situations_are_numbers_out_of_order(number: Any, status: OrderStatus) -> None:
    order = words.order(Payload({**ORDER, "situacao": number}))

    assert fulfilments.read_status(order) == status


def test_a_situation_that_is_new_to_us_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"situacao: 12 is new"):
        words.order(Payload({**ORDER, "situacao": 12}))


def test_an_order_that_was_sent_with_its_invoice() -> None:
    record = fulfilments.read_fulfilment(
        Payload(
            {
                "pedido": words.order(Payload(ORDER)).data,
                "nota_fiscal": words.invoice(Payload(NOTE)).data,
                "link": "https://danfe.example.com/901",
            }
        )
    )

    assert record.status == OrderStatus.SHIPPED
    assert (record.hub_id, record.external_id) == ("692f10c4a9d1e3b7c5f20811", "5501")
    assert record.invoice
    assert (record.invoice.key, record.invoice.link) == (KEY, "https://danfe.example.com/901")
    assert record.tracking
    assert record.tracking.code == "TN123456789BR"
    assert record.tracking.shipped_at == datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
    assert record.tracking.delivered_at is None


@pytest.mark.parametrize("part", ["marca", "categoria", "dimensoes", "precos"])
def test_rubbish_names_its_place(part: str) -> None:
    with pytest.raises(Unreadable, match=part):
        words.product(Payload({**PRODUCT, part: ["?"]}))
