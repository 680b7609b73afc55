from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.olist.mapping.catalogue import read_price, read_product, read_stock
from connectors.payload import Payload
from connectors.records import PriceRecord, ProductRecord, StockRecord
from tests.connectors.olist.conftest import sample


def product(**changes: Any) -> Payload:
    return Payload({**sample("product_with_variations.json"), **changes})


def stock(**changes: Any) -> Payload:
    return Payload({**sample("stock_in_three_deposits.json"), **changes})


def test_a_product_is_read_with_its_variations() -> None:
    record = read_product(product())

    assert record == ProductRecord(
        sku="CAM-01",
        fields={
            "name": "Camiseta básica",
            "ean": "7890000000017",
            "ncm": "6109.10.00",
            "cest": "28.038.00",
            "origin": "0",
            "description": "<p>Algodão penteado</p>",
            "brand": "Exemplo",
            "warranty_message": "3 meses",
            "external": "714002318",
            "price": "59.9",
            "special_price": "49.9",
            "available": 1,
            "cost": "21.5",
            "handling_time": 2,
            "dimension": {"length": 32.5, "width": 25, "height": 3, "weight": 0.25},
            "categories": [{"name": "Moda > Camisetas"}],
            "photos": [
                {"url": "https://s3.example.com/cam-01.jpg", "order": 1},
                {"url": "https://loja.example.com/cam-01-b.png", "order": 2},
            ],
        },
        variations=(
            ProductRecord(
                sku="CAM-01-P",
                fields={
                    "external": "714002319",
                    "price": "59.9",
                    "attributes": [
                        {
                            "code": "tamanho",
                            "label": "Tamanho",
                            "value": {"code": "p", "label": "P"},
                        },
                        {
                            "code": "cor",
                            "label": "Cor",
                            "value": {"code": "azul-marinho", "label": "Azul-marinho"},
                        },
                    ],
                },
            ),
            ProductRecord(
                sku="CAM-01-GG",
                fields={
                    "external": "714002320",
                    "price": "64.9",
                    "attributes": [
                        {
                            "code": "tamanho",
                            "label": "Tamanho",
                            "value": {"code": "gg", "label": "GG"},
                        },
                        {
                            "code": "cor",
                            "label": "Cor",
                            "value": {"code": "azul-marinho", "label": "Azul-marinho"},
                        },
                    ],
                },
            ),
        ),
    )


def test_what_the_erp_leaves_empty_is_not_spoken_of() -> None:
    record = read_product(Payload(sample("product_bare.json")))

    assert record == ProductRecord(
        sku="1007",
        fields={
            "name": "Caneca",
            "origin": "0",
            "external": "714002400",
            "price": "35",
            "special_price": None,
            "available": 0,
        },
    )


@pytest.mark.parametrize("nothing", ["", [], None])
def test_a_product_without_variations_says_so_in_three_ways(nothing: Any) -> None:
    assert read_product(product(variacoes=nothing)).variations == ()


def test_variations_are_read_also_without_their_wrapping() -> None:
    bare = [entry["variacao"] for entry in sample("product_with_variations.json")["variacoes"]]

    assert read_product(product(variacoes=bare)) == read_product(product())


def test_a_new_word_for_a_products_situation_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.situacao: 'Z' is new to us$"):
        read_product(product(situacao="Z"))


def test_a_product_without_a_code_is_named_by_its_id() -> None:
    with pytest.raises(Unreadable, match="O produto 714002318 não tem código"):
        read_product(product(codigo=""))


def test_a_price_is_read_from_a_product_and_from_its_variation() -> None:
    whole = product()
    variation = Payload(whole.data["variacoes"][1]["variacao"])

    assert read_price(whole) == PriceRecord("CAM-01", Decimal("59.9"), Decimal("49.9"))
    assert read_price(variation) == PriceRecord("CAM-01-GG", Decimal("64.9"), None)


def test_a_promotional_price_of_zero_is_none() -> None:
    assert read_price(product(preco_promocional="0.00")).special_price is None


def test_stock_is_what_counts_less_what_is_reserved() -> None:
    assert read_stock(stock()) == StockRecord("1007", 6)  # 7.5 + 2 - 3, whole units


def test_stock_without_deposits_is_the_balance() -> None:
    assert read_stock(stock(depositos=[])) == StockRecord("1007", 14)


def test_of_one_deposit_that_does_not_count_nothing_can_be_sold() -> None:
    away = {"deposito": {"nome": "Avarias", "desconsiderar": "S", "saldo": 14}}

    assert read_stock(stock(depositos=[away])) == StockRecord("1007", 0)


def test_stock_never_falls_below_zero() -> None:
    assert read_stock(stock(saldoReservado=40)) == StockRecord("1007", 0)
