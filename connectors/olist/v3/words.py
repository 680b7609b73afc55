"""The API v3's records in the API v2's words (platform-apis.md, sections 5.4 to 5.6 and 11): one
mapping says what they mean to the hub."""

from typing import Any

from connectors.errors import Unreadable
from connectors.olist.transport import DATE_TIME
from connectors.payload import LOCAL, Payload

Words = dict[str, Any]

# An order's situation. They are not in the order of the process.
SITUATIONS = {
    0: "aberto",
    1: "faturado",
    2: "cancelado",
    3: "aprovado",
    4: "preparando_envio",
    5: "enviado",
    6: "entregue",
    7: "pronto_envio",
    8: "dados_incompletos",
    9: "nao_entregue",
}
NUMBERS = {slug: number for number, slug in SITUATIONS.items()}
PRODUCT = {
    "id": "id",
    "nome": "descricao",
    "codigo": "sku",
    "gtin": "gtin",
    "ncm": "ncm",
    "origem": "origem",
    "garantia": "garantia",
    "descricao_complementar": "descricaoComplementar",
    "situacao": "situacao",
}
SIZES = {
    "comprimentoEmbalagem": "comprimento",
    "larguraEmbalagem": "largura",
    "alturaEmbalagem": "altura",
    "peso_bruto": "pesoBruto",
}


def product(payload: Payload) -> Payload:
    """Of `GET /produtos/{id}`."""
    sizes, stock = _part(payload, "dimensoes"), _part(payload, "estoque")
    words = {
        **_some(payload, PRODUCT),
        **_prices(payload),
        **_some(sizes, SIZES),
        "marca": _part(payload, "marca").optional_text("nome"),
        "categoria": _category(_part(payload, "categoria")),
        "dias_preparacao": stock.data.get("diasPreparacao"),
        "anexos": [{"anexo": each.text("url")} for each in payload.each("anexos")],
        "variacoes": [_variation(each) for each in payload.each("variacoes")],
    }
    return Payload(words, payload.path)


def _variation(payload: Payload) -> Words:
    grade = {each.text("chave"): each.text("valor") for each in payload.each("grade")}
    return {**_some(payload, PRODUCT), **_prices(payload), "grade": grade}


def price(payload: Payload) -> Payload:
    """Of a row of `GET /produtos`, or a variation of a product."""
    return Payload({**_some(payload, PRODUCT), **_prices(payload)}, payload.path)


def _prices(payload: Payload) -> Words:
    prices = payload.one("precos")
    names = {"preco": "preco", "preco_promocional": "precoPromocional", "preco_custo": "precoCusto"}
    return _some(prices, names)


def _category(category: Payload) -> str:
    """The whole path, however its steps are parted, else the name."""
    path = category.optional_text("caminhoCompleto") or category.optional_text("nome")
    return path.replace(" > ", " >> ")


def stock(payload: Payload) -> Payload:
    """Of `GET /estoque/{id}`. What it calls available is no use: in an account without
    reservations it is always 0."""
    deposits = [
        {
            "saldo": each.data.get("saldo"),
            "desconsiderar": "S" if each.data.get("desconsiderar") in (True, "S", "1", 1) else "N",
        }
        for each in payload.each("depositos")
    ]
    names = {"id": "id", "codigo": "codigo", "saldo": "saldo", "saldoReservado": "reservado"}
    return Payload({**_some(payload, names), "depositos": deposits}, payload.path)


def order(payload: Payload) -> Payload:
    """Of `GET /pedidos/{id}`, or a row of `GET /pedidos`."""
    carrier = _part(payload, "transportador")
    words = {
        "id": payload.data.get("id"),
        "numero_ecommerce": number_of(payload),
        "situacao": situation(payload),
        "id_nota_fiscal": payload.data.get("idNotaFiscal"),
        "data_envio": _moment(payload, "dataEnvio"),
        "data_entrega": _moment(payload, "dataEntrega"),
        "nome_transportador": carrier.optional_text("nome"),
        "forma_frete": _part(carrier, "formaFrete").optional_text("nome"),
        "codigo_rastreamento": carrier.optional_text("codigoRastreamento"),
        "url_rastreamento": carrier.optional_text("urlRastreamento"),
    }
    return Payload(words, payload.path)


def number_of(payload: Payload) -> str:
    """An order's, or an invoice's, number at the e-commerce."""
    return _part(payload, "ecommerce").optional_text("numeroPedidoEcommerce")


def situation(payload: Payload) -> str:
    number = payload.whole("situacao")
    if number not in SITUATIONS:
        raise Unreadable(f"{payload.path}.situacao: {number} is new to us")
    return SITUATIONS[number]


def invoice(payload: Payload) -> Payload:
    """Of `GET /notas/{id}`. Its situations are the same numbers in both versions."""
    words = {
        "situacao": payload.text("situacao"),
        "numero": payload.optional_text("numero"),
        "serie": payload.optional_text("serie"),
        "chave_acesso": payload.optional_text("chaveAcesso"),
        "data_emissao": _moment(payload, "dataEmissao"),
    }
    return Payload(words, payload.path)


def _moment(payload: Payload, key: str) -> str:
    moment = payload.optional_moment(key)
    return f"{moment.astimezone(LOCAL):{DATE_TIME}}" if moment else ""


def _some(payload: Payload, names: dict[str, str]) -> Words:
    """What is there, by the other version's names."""
    return {v2: payload.data[v3] for v2, v3 in names.items() if v3 in payload.data}


def _part(payload: Payload, key: str) -> Payload:
    """An object that may be missing."""
    return payload.one(key) if payload.data.get(key) else Payload({}, f"{payload.path}.{key}")
