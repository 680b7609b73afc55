from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Rejected
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


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00.000Z", "0001-01-01T03:06:28.000Z", ""])
def test_what_dotnet_writes_for_no_date_is_left_out(date: str) -> None:
    assert "data_prevista" not in with_fields(expected_delivery_date=date)


def test_names_and_streets_are_cut_at_what_the_erp_takes() -> None:
    long = "x" * 200

    order = with_fields(
        payer_razao_social=long, payer_address=long, payer_neighborhood=long, receiver_name=long
    )

    customer = order["cliente"]
    sizes = {name: len(customer[name]) for name in ("nome", "endereco", "bairro")}
    assert sizes == {"nome": 30, "endereco": 50, "bairro": 30}
    assert len(order["endereco_entrega"]["nome_destinatario"]) == 60


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("payer_city", 30),
        ("receiver_city", 30),
        ("receiver_address_number", 10),
        ("receiver_zipcode", 10),
        ("payer_ie", 18),
        ("receiver_address_complement", 87),
    ],
)
def test_an_order_that_would_go_astray_when_cut_is_refused_and_says_why(
    name: str, size: int
) -> None:
    assert with_fields(**{name: "x" * size})

    with pytest.raises(Rejected, match=f"{name} do pedido tem mais do que os {size} caracteres"):
        with_fields(**{name: "x" * (size + 1)})


def test_a_long_complement_stands_in_full_in_the_internal_remarks() -> None:
    complement = "Referência: portão azul ao lado da padaria, bloco B, apto 302"

    order = with_fields(receiver_address_complement=complement)

    assert order["endereco_entrega"]["complemento"] == complement[:50].strip()
    assert order["obs_internas"] == f"Complemento: {complement}"


def test_the_buyers_long_complement_stands_there_where_the_goods_go_to_him() -> None:
    complement = "Referência: portão azul ao lado da padaria, bloco B, apto 302"

    order = with_fields(receiver_address=None, payer_address_complement=complement)

    assert order["obs_internas"] == f"Complemento: {complement}"


def test_without_an_integrator_the_order_names_none() -> None:
    order = write_order(make_order(), "0")["pedido"]

    assert "id_ecommerce" not in order
    assert order["numero_pedido_ecommerce"] == "692f10c4a9d1e3b7c5f20811"


def test_an_item_is_described_in_120_characters() -> None:
    line = LineRecord("CAN-07", 1, Decimal("110"), {"name": "y" * 200})

    assert written(lines=(line,))["itens"][0]["item"]["descricao"] == "y" * 120


def test_what_would_be_wrong_when_cut_and_is_not_needed_is_left_out() -> None:
    order = with_fields(payer_email="a" * 60 + "@example.com", payer_document="1" * 11)

    assert "email" not in order["cliente"]
    assert "rg" not in order["cliente"]


def test_a_person_is_a_customer_by_name_and_cpf() -> None:
    order = with_fields(payer_cnpj=None, payer_tax_id=None, payer_razao_social=None)

    assert order["cliente"]["nome"] == "Exemplo Comercial"
    assert order["cliente"]["tipo_pessoa"] == "F"
    assert order["cliente"]["cpf_cnpj"] == "52998224725"


def test_a_buyer_without_an_address_is_billed_where_the_goods_go() -> None:
    assert with_fields(payer_address=None)["cliente"]["endereco"] == "Rua das Laranjeiras"


def test_of_a_buyer_who_is_not_described_the_receiver_tells_document_and_email() -> None:
    unknown = dict.fromkeys(("payer_cnpj", "payer_cpf", "payer_tax_id", "payer_email"))

    order = with_fields(**unknown, receiver_cpf="529.982.247-25", receiver_email="ana@example.com")

    assert (order["cliente"]["tipo_pessoa"], order["cliente"]["cpf_cnpj"]) == ("F", "52998224725")
    assert order["cliente"]["email"] == "ana@example.com"


@pytest.mark.parametrize(
    ("state", "code"),
    [("SP", "SP"), ("São Paulo", "SP"), ("PARANA", "PR"), ("Mato Grosso do Sul", "MS"), ("X", "X")],
)
def test_a_state_is_told_by_its_code_however_it_is_written(state: str, code: str) -> None:
    assert with_fields(receiver_state=state)["endereco_entrega"]["uf"] == code


def test_instalments_that_do_not_add_up_are_left_to_the_erp() -> None:
    with_fees = {"payment_type": "credit", "payment_total": "251.3"}

    order = written(payments=(with_fees,))

    assert "parcelas" not in order
    assert order["forma_pagamento"] == "credito"


def test_without_a_date_there_are_no_instalments() -> None:
    assert "parcelas" not in with_fields(purchased=None, created=None)


def test_a_way_to_pay_is_known_however_it_is_written() -> None:
    paid = {"payment_type": "PIX", "payment_total": "239.85"}

    assert written(payments=(paid,))["forma_pagamento"] == "pix"


@pytest.mark.parametrize(
    ("total", "expenses", "discount"),
    [
        ("239.85", None, "15"),
        ("249.85", "10", "15"),
        ("232.85", None, "22"),
        ("242.85", "10", "22"),
        ("200", None, "15"),
    ],
)
def test_a_tax_and_the_items_discounts_count_where_the_total_counts_them(
    total: str, expenses: str | None, discount: str
) -> None:
    first, *others = make_order().lines
    lines = (replace(first, fields={**first.fields, "discount": "7"}), *others)
    paid = {"payment_type": "pix", "payment_total": total}

    order = written(
        fields={**sample("order_full.json"), "tax": "10"},
        total=Decimal(total),
        lines=lines,
        payments=(paid,),
    )

    assert (order.get("outras_despesas"), order["valor_desconto"]) == (expenses, discount)
    assert ("parcelas" in order) == (total != "200")


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
