"""Orders at Olist ERP, formerly Tiny: how they are held, and what its API refuses to take."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

LABELS = {
    "aberto": "Em aberto",
    "aprovado": "Aprovado",
    "preparando_envio": "Preparando envio",
    "faturado": "Faturado",
    "pronto_envio": "Pronto para envio",
    "enviado": "Enviado",
    "entregue": "Entregue",
    "cancelado": "Cancelado",
    "nao_entregue": "Não entregue",
}
STEPS = {"aprovado": "faturado", "faturado": "enviado", "enviado": "entregue"}
ADDRESS = {
    "endereco": 50, "numero": 10, "complemento": 50, "bairro": 30, "cep": 10, "cidade": 30,
    "fone": 40, "cpf_cnpj": 18, "ie": 18,
}  # fmt: skip
# The longest text that each part of an order takes.
SIZES = {
    "pedido": {"numero_pedido_ecommerce": 50, "meio_pagamento": 100, "obs": 100},
    "cliente": {**ADDRESS, "nome": 30, "rg": 10, "email": 50},
    "endereco_entrega": {**ADDRESS, "nome_destinatario": 60},
    "item": {"descricao": 120, "unidade": 3},
}


@dataclass
class Order:
    id: str
    document: Json  # as it was sent
    situations: list[str]  # slugs, oldest first
    changed_at: datetime
    invoice: Json | None = None
    shipping: Json = field(default_factory=dict)
    delivered_on: str = ""

    @property
    def situation(self) -> str:
        return self.situations[-1]

    @property
    def number(self) -> str:
        """At the e-commerce."""
        return str(self.document.get("numero_pedido_ecommerce", ""))


def goods_of(document: Json) -> Decimal:
    items = [entry["item"] for entry in document["itens"]]
    return sum(
        (Decimal(str(item["valor_unitario"])) * Decimal(str(item["quantidade"])) for item in items),
        Decimal(0),
    )


def total_of(document: Json) -> Decimal:
    freight, expenses, discount = (
        Decimal(str(document.get(name, 0)))
        for name in ("valor_frete", "outras_despesas", "valor_desconto")
    )
    return goods_of(document) + freight + expenses - discount


def what_is_wrong(document: Json) -> Iterable[str]:
    customer = document.get("cliente", {})
    items = [entry["item"] for entry in document.get("itens", [])]
    if not customer.get("nome"):
        yield "O nome do cliente é obrigatório"
    if not items:
        yield "O pedido deve ter ao menos um item"
    for item in items:
        for name in ("descricao", "unidade", "quantidade", "valor_unitario"):
            if not item.get(name):
                yield f"item.{name} é obrigatório"
    if document.get("situacao", "aberto") not in LABELS:
        yield "Situação inválida"
    parts = [
        ("pedido", document),
        ("cliente", customer),
        ("endereco_entrega", document.get("endereco_entrega", {})),
        *(("item", item) for item in items),
    ]
    for name, part in parts:
        for key, size in SIZES[name].items():
            if len(str(part.get(key, ""))) > size:
                yield f"{name}.{key} tem mais de {size} caracteres"
    instalments = [entry["parcela"] for entry in document.get("parcelas", [])]
    paid = sum((Decimal(str(each["valor"])) for each in instalments), Decimal(0))
    if items and instalments and paid != total_of(document):
        yield "A soma das parcelas difere do total do pedido"
