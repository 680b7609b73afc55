"""Orders, on their way out: our words to the ERP's (platform-apis.md, sections 3.6 and 11.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.text import slugify

from connectors.fiscal import compact
from connectors.hub.wire import decimal_text
from connectors.olist.mapping.sizes import cut, optional, whole
from connectors.olist.transport import DATE
from connectors.payload import LOCAL, to_moment
from connectors.records import (
    Document,
    LineRecord,
    OrderRecord,
    OrderStatus,
)

NO_INTEGRATOR = "0"  # what is typed where the ERP's "Token API" is used, which has none
COMPLEMENT, REMARKS = 50, 100  # characters
OPEN, APPROVED, CANCELED = "aberto", "aprovado", "cancelado"
SITUATIONS = {
    OrderStatus.PENDING: OPEN,
    OrderStatus.PARTIAL_PAYMENT: OPEN,
    OrderStatus.UNDER_REVIEW: OPEN,
    OrderStatus.CANCELED: CANCELED,
    OrderStatus.REFUNDED: CANCELED,
}
PAYMENT_FORMS = {
    "credit": "credito",
    "credit_card": "credito",
    "debit": "debito",
    "debit_card": "debito",
    "ticket": "boleto",
    "boleto": "boleto",
    "transfer": "deposito",
    "pix": "pix",
}
STATES = {
    "acre": "AC", "alagoas": "AL", "amapá": "AP", "amazonas": "AM", "bahia": "BA", "ceará": "CE",
    "distrito federal": "DF", "espírito santo": "ES", "goiás": "GO", "maranhão": "MA",
    "mato grosso": "MT", "mato grosso do sul": "MS", "minas gerais": "MG", "pará": "PA",
    "paraíba": "PB", "paraná": "PR", "pernambuco": "PE", "piauí": "PI", "rio de janeiro": "RJ",
    "rio grande do norte": "RN", "rio grande do sul": "RS", "rondônia": "RO", "roraima": "RR",
    "santa catarina": "SC", "são paulo": "SP", "sergipe": "SE", "tocantins": "TO",
}  # fmt: skip
STATE_CODES = {slugify(name): code for name, code in STATES.items()}  # also without its accents


def write_order(order: OrderRecord, integrator_id: str) -> dict[str, Any]:
    """The value of `pedido.incluir`'s one parameter. The hub's id is the order's number there:
    unique across channels, so that what became of the order finds its way back. The channel's
    own number stands in the remarks."""
    fields = order.fields
    placed = _date(fields, "purchased") or _date(fields, "created")
    sums = _sums(order)
    head = {
        "data_pedido": placed,
        "data_prevista": _date(fields, "expected_delivery_date"),
        "cliente": _customer(fields),
        "endereco_entrega": _delivery(fields),
        "itens": [_item(line) for line in order.lines],
        "forma_pagamento": _payment_form(order),
        "parcelas": _instalments(order, placed, sums),
        "valor_frete": _amount(sums.shipping),
        "valor_desconto": _amount(sums.discount),
        "outras_despesas": _amount(sums.tax),
        "numero_pedido_ecommerce": order.hub_id,
        "id_ecommerce": "" if integrator_id == NO_INTEGRATOR else integrator_id,
        "intermediador": _intermediary(order),
        "situacao": situation(order.status),
        "obs": cut(f"Pedido {order.original_id} ({order.channel})", REMARKS),
        "obs_internas": _complement_in_full(fields),
    }
    return {"pedido": _filled(head)}


def situation(status: OrderStatus) -> str:
    """Whatever came after the payment is the ERP's own news, not an order to it."""
    return SITUATIONS.get(status, APPROVED)


def next_situation(status: OrderStatus, theirs: OrderStatus) -> str:
    """What the ERP is to be told; nothing where it knows, or is further than we are."""
    wanted = situation(status)
    if wanted == APPROVED and theirs is OrderStatus.PENDING:
        return APPROVED
    if wanted == CANCELED and theirs is not OrderStatus.CANCELED:
        return CANCELED
    return ""


def _customer(fields: Document) -> dict[str, str]:
    who = "payer" if _said(fields, "payer_address") else "receiver"
    document = _document(fields, "payer_cnpj", "payer_cpf", "payer_tax_id", "receiver_cpf")
    company = _said(fields, "payer_razao_social") or _said(fields, "payer_company_name")
    name = company if document.get("tipo_pessoa") == "J" and company else _name(fields, "payer")
    return {
        "nome": cut(name or _name(fields, "receiver"), 30),
        **document,
        **_filled(
            {
                "ie": whole("payer_ie", compact(_said(fields, "payer_ie")), 18),
                "rg": optional(compact(_said(fields, "payer_document")), 10),
                "email": optional(
                    _said(fields, "payer_email") or _said(fields, "receiver_email"), 50
                ),
            }
        ),
        **_address(fields, who),
    }


def _delivery(fields: Document) -> dict[str, str]:
    if not _said(fields, "receiver_address"):
        return {}
    return {
        "nome_destinatario": cut(_name(fields, "receiver"), 60),
        **_document(fields, "receiver_cpf"),
        **_address(fields, "receiver"),
    }


def _address(fields: Document, who: str) -> dict[str, str]:
    def said(name: str) -> str:
        return _said(fields, f"{who}_{name}")

    area, phone = said("phone_area"), said("phone")
    return _filled(
        {
            "endereco": cut(said("address"), 50),
            "numero": whole(f"{who}_address_number", said("address_number"), 10),
            "complemento": cut(said("address_complement"), COMPLEMENT),
            "bairro": cut(said("neighborhood"), 30),
            "cep": whole(f"{who}_zipcode", said("zipcode"), 10),
            "cidade": whole(f"{who}_city", said("city"), 30),
            "uf": STATE_CODES.get(slugify(said("state")), said("state")),
            "fone": optional(f"({area}) {phone}" if area else phone, 40),
        }
    )


def _name(fields: Document, who: str) -> str:
    full = " ".join(
        _filled({n: _said(fields, f"{who}_{n}") for n in ("name", "lastname")}).values()
    )
    return _said(fields, f"{who}_fullname") or full


def _document(fields: Document, *names: str) -> dict[str, str]:
    """CNPJ or CPF, the first that there is; its length says which."""
    number = next((compact(text) for name in names if (text := _said(fields, name))), "")
    kinds = {11: "F", 14: "J"}
    return {"tipo_pessoa": kinds[len(number)], "cpf_cnpj": number} if len(number) in kinds else {}


def _item(line: LineRecord) -> dict[str, Any]:
    return {
        "item": {
            "codigo": line.sku,
            "descricao": cut(_said(line.fields, "name") or line.sku, 120),
            "unidade": "UN",
            "quantidade": line.quantity,
            "valor_unitario": decimal_text(line.unit_price),
        }
    }


def _payment_form(order: OrderRecord) -> str:
    forms = {_form(payment) for payment in order.payments}
    return "multiplas" if len(forms) > 1 else "".join(forms)


def _form(payment: Document) -> str:
    """The hub's payment types are open text; the ERP's codes are not."""
    return PAYMENT_FORMS.get(_said(payment, "payment_type").lower(), "outros")


@dataclass(frozen=True)
class _Sums:
    """What the ERP makes an order's total of."""

    goods: Decimal
    shipping: Decimal
    discount: Decimal
    tax: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.goods + self.shipping + self.tax - self.discount


def _sums(order: OrderRecord) -> _Sums:
    """A tax, and the discounts of the items, are counted where the total says so: with many
    channels the one is in the prices, and the others are the order's discount over again."""
    fields = order.fields
    goods = sum((line.quantity * line.unit_price for line in order.lines), Decimal(0))
    discount, tax = _money(fields, "discount"), _money(fields, "tax")
    of_items = sum((_money(line.fields, "discount") for line in order.lines), Decimal(0))
    plain, *others = (
        _Sums(goods, _money(fields, "shipping"), discount + more, added)
        for more in (Decimal(0), of_items)
        for added in (Decimal(0), tax)
    )
    return next((each for each in (plain, *others) if each.total == order.total), plain)


def _instalments(order: OrderRecord, placed: str, sums: _Sums) -> list[dict[str, Any]]:
    """One per payment; none where they do not add up to the total as the ERP counts it, which
    would refuse the order (code 10). It then makes its own."""
    paid = [_money(payment, "payment_total") for payment in order.payments]
    if not placed or not paid or sum(paid) != sums.total:
        return []
    return [
        {
            "parcela": _filled(
                {
                    "dias": "0",
                    "data": placed,
                    "valor": decimal_text(amount),
                    "forma_pagamento": _form(payment),
                    "meio_pagamento": cut(_said(payment, "payment_method"), 100),
                }
            )
        }
        for payment, amount in zip(order.payments, paid, strict=True)
    ]


def _intermediary(order: OrderRecord) -> dict[str, str]:
    """The marketplace's company, which the invoice must name."""
    sale = compact(_said(order.fields, "sale_intermediary"))
    if not sale:
        return {}
    payment = compact(_said(order.fields, "payment_intermediary"))
    return _filled({"nome": order.channel, "cnpj": sale, "cnpjPagamento": payment})


def _amount(amount: Decimal) -> str:
    return decimal_text(amount) if amount else ""


def _money(fields: Document, name: str) -> Decimal:
    return Decimal(fields.get(name) or 0)


def _date(fields: Document, name: str) -> str:
    """Nothing for what nobody means: .NET writes a date that it does not have as year 1."""
    try:
        moment = to_moment(_said(fields, name)).astimezone(LOCAL)
    except (ValueError, OverflowError):
        return ""
    return moment.strftime(DATE) if moment.year >= 1000 else ""  # a shorter year has no zeros


def _said(fields: Document, name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value).strip()


def _complement_in_full(fields: Document) -> str:
    """A complement is long where it leads to the door, which must not be lost: what its own field
    cuts stands in the internal remarks. Raises `Rejected` where it does not fit there either."""
    who = "receiver" if _said(fields, "receiver_address") else "payer"
    name, label = f"{who}_address_complement", "Complemento: "
    text = _said(fields, name)
    if len(text) <= COMPLEMENT:
        return ""
    return label + whole(name, text, REMARKS - len(label))


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", [], {})}
