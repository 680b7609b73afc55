from decimal import Decimal
from typing import Any

import pytest

from connectors.olist.mapping.orders import next_situation, situation, write_order
from connectors.records import LineRecord, OrderStatus
from tests.connectors.olist.conftest import INTEGRATOR, make_order, sample


def written(**changes: Any) -> Any:
    return write_order(make_order(**changes), INTEGRATOR)["pedido"]


def with_fields(**changes: Any) -> Any:
    return written(fields={**sample("order_full.json"), **changes})


def test_an_order_with_everything_is_written_in_the_erps_words() -> None:
    assert write_order(make_order(), INTEGRATOR) == sample("order_written.json")


def test_an_order_with_next_to_nothing_has_no_empty_fields() -> None:
    line = LineRecord("CAN-07", 1, Decimal("110"))

    order = written(fields={"receiver_name": "Ana"}, lines=(line,), payments=())

    item = {"codigo": "CAN-07", "descricao": "CAN-07", "unidade": "UN"}
    assert order == {
        "cliente": {"nome": "Ana"},
        "itens": [{"item": {**item, "quantidade": 1, "valor_unitario": "110"}}],
        "numero_pedido_ecommerce": "692f10c4a9d1e3b7c5f20811",
        "id_ecommerce": "10482",
        "situacao": "aprovado",
        "obs": "Pedido 2000009876543210 (MercadoLivre)",
    }


def test_names_and_streets_are_cut_at_what_the_erp_takes() -> None:
    long = "x" * 200

    order = with_fields(
        payer_razao_social=long,
        payer_address=long,
        payer_address_number=long,
        payer_address_complement=long,
        payer_neighborhood=long,
        payer_city=long,
        receiver_name=long,
    )

    customer = order["cliente"]
    sizes = {
        name: len(customer[name])
        for name in ("nome", "endereco", "numero", "complemento", "bairro", "cidade")
    }
    assert sizes == {
        "nome": 30,
        "endereco": 50,
        "numero": 10,
        "complemento": 50,
        "bairro": 30,
        "cidade": 30,
    }
    assert len(order["endereco_entrega"]["nome_destinatario"]) == 60


def test_an_item_is_described_in_120_characters() -> None:
    line = LineRecord("CAN-07", 1, Decimal("110"), {"name": "y" * 200})

    assert written(lines=(line,))["itens"][0]["item"]["descricao"] == "y" * 120


def test_what_would_be_wrong_when_cut_is_left_out() -> None:
    order = with_fields(payer_email="a" * 60 + "@example.com", payer_ie="1" * 19)

    assert "email" not in order["cliente"]
    assert "ie" not in order["cliente"]


def test_a_person_is_a_customer_by_name_and_cpf() -> None:
    order = with_fields(payer_cnpj=None, payer_tax_id=None, payer_razao_social=None)

    assert order["cliente"]["nome"] == "Exemplo Comercial"
    assert order["cliente"]["tipo_pessoa"] == "F"
    assert order["cliente"]["cpf_cnpj"] == "52998224725"


def test_a_buyer_without_an_address_is_billed_where_the_goods_go() -> None:
    assert with_fields(payer_address=None)["cliente"]["endereco"] == "Rua das Laranjeiras"


def test_instalments_that_do_not_add_up_are_left_to_the_erp() -> None:
    with_fees = {"payment_type": "credit", "payment_total": "251.3"}

    order = written(payments=(with_fees,))

    assert "parcelas" not in order
    assert order["forma_pagamento"] == "credito"


@pytest.mark.parametrize(
    ("status", "slug"),
    [
        (OrderStatus.PENDING, "aberto"),
        (OrderStatus.UNDER_REVIEW, "aberto"),
        (OrderStatus.APPROVED, "aprovado"),
        (OrderStatus.PAID, "aprovado"),
        (OrderStatus.SHIPPED, "aprovado"),
        (OrderStatus.CANCELED, "cancelado"),
        (OrderStatus.REFUNDED, "cancelado"),
    ],
)
def test_a_status_has_a_slug(status: OrderStatus, slug: str) -> None:
    assert situation(status) == slug


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (OrderStatus.APPROVED, OrderStatus.PENDING, "aprovado"),
        (OrderStatus.APPROVED, OrderStatus.APPROVED, ""),
        (OrderStatus.APPROVED, OrderStatus.SHIPPED, ""),
        (OrderStatus.APPROVED, OrderStatus.CANCELED, ""),
        (OrderStatus.PENDING, OrderStatus.APPROVED, ""),
        (OrderStatus.CANCELED, OrderStatus.PENDING, "cancelado"),
        (OrderStatus.CANCELED, OrderStatus.INVOICED, "cancelado"),
        (OrderStatus.CANCELED, OrderStatus.CANCELED, ""),
    ],
)
def test_the_erp_is_told_only_what_it_does_not_know(
    ours: OrderStatus, theirs: OrderStatus, told: str
) -> None:
    assert next_situation(ours, theirs) == told
