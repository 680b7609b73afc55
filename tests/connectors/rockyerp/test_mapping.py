"""Rocky's words for products, by the fields that a third party's client was seen to read."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.payload import Payload
from connectors.records import PriceRecord, ProductRecord
from connectors.rockyerp import mapping

PRODUCT = {
    "id": 71,
    "ref": "CAMISA",
    "nome": "Camisa de linho",
    "preco_base": "70.00",
    "preco": "99.90",
    "preco_promocional": "0.00",
    "peso": "0.300",
    "largura": "20",
    "altura": "4",
    "comprimento": "30",
    "multiplos": 1,
    "marca": "Exemplo",
    "quantidade": 0,
}
VARIATION = {
    "id": 712,
    "id_produto": 71,
    "codigo": "712",
    "sku": "CAMISA-P",
    "status": 1,
    "nome": "Camisa de linho P",
    "preco": "99.90",
    "preco_promocional": "89.90",
    "quantidade": "12.000",
    "configurations": [{"id": 3, "item": "P", "sigla": "P", "variation": 2}],
    "product_ref": [{"ref": "CAMISA"}],
}


def a(base: dict[str, Any], **changes: Any) -> Payload:
    return Payload({**base, **changes})


def test_a_product_comes_with_the_variations_that_lie_in_a_list_of_their_own() -> None:
    other = a(PRODUCT, id=72, ref="CANECA", nome="Caneca", marca="")

    joined = mapping.join([a(PRODUCT), other], [a(VARIATION)])

    assert [mapping.read_product(each) for each in joined] == [
        ProductRecord(
            "CAMISA",
            {"name": "Camisa de linho", "brand": "Exemplo"},
            (ProductRecord("CAMISA-P", {"name": "Camisa de linho P"}),),
        ),
        ProductRecord("CANECA", {"name": "Caneca"}),
    ]


def test_what_is_sold_is_a_variation_or_a_product_without_any() -> None:
    other = a(PRODUCT, id=72, ref="CANECA")

    sold = mapping.sold([a(PRODUCT), other], [a(VARIATION)])

    assert [mapping.read_sku(each) for each in sold] == ["CANECA", "CAMISA-P"]


@pytest.mark.parametrize(
    ("special", "read"),
    [("89.90", Decimal("89.90")), ("0.00", None), (0, None), (None, None), ("", None)],
)
def test_a_promotion_of_nothing_is_none(special: Any, read: Any) -> None:
    record = mapping.read_price(a(VARIATION, preco_promocional=special))

    assert record == PriceRecord("CAMISA-P", Decimal("99.90"), read)


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [({}, 12), ({"quantidade": -3}, 0), ({"quantidade": 2.5}, 2), ({"status": 0}, 0)],
)
def test_only_whole_units_of_what_is_active_can_be_sold(
    changes: dict[str, Any], quantity: int
) -> None:
    assert mapping.read_stock(a(VARIATION, **changes)).quantity == quantity


@pytest.mark.parametrize(("status", "if_known"), [(1, False), ("", False), (2, True)])
def test_what_is_not_active_is_for_who_has_it(status: Any, if_known: bool) -> None:
    payload = a(VARIATION, status=status)

    assert mapping.read_stock(payload).if_known is if_known
    assert mapping.read_price(payload).if_known is if_known


def test_a_variation_that_is_not_active_is_not_put_on_sale() -> None:
    [joined] = mapping.join([a(PRODUCT)], [a(VARIATION, status="2")])

    assert mapping.read_product(joined).variations == ()


@pytest.mark.parametrize(
    ("read", "payload"),
    [
        (mapping.read_product, a(PRODUCT, ref="", sku=None)),
        (mapping.read_product, a(PRODUCT, nome=None)),
        (mapping.read_price, a(VARIATION, preco="caro")),
        (mapping.read_price, a(VARIATION, preco=None)),
        (mapping.read_stock, a(VARIATION, quantidade=None)),
        (mapping.read_stock, a(VARIATION, status="ativo")),
    ],
)
def test_what_it_cannot_read_it_does_not_guess(read: Any, payload: Payload) -> None:
    with pytest.raises(Unreadable):
        read(payload)
