"""Products, prices and stock: the ERP's words to ours (platform-apis.md, section 3.5).

A field that the ERP leaves empty is not spoken of: the hub keeps what the merchant entered.
"""

from decimal import Decimal
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from connectors.errors import Unreadable
from connectors.hub.wire import as_number, decimal_text
from connectors.olist.transport import listed, wrapped
from connectors.payload import Payload
from connectors.records import Document, PriceRecord, ProductRecord, StockRecord

TEXTS = {
    "name": "nome",
    "ean": "gtin",
    "ncm": "ncm",
    "cest": "cest",
    "origin": "origem",
    "description": "descricao_complementar",
    "brand": "marca",
    "warranty_message": "garantia",
}
SIZES = {
    "length": "comprimentoEmbalagem",
    "width": "larguraEmbalagem",
    "height": "alturaEmbalagem",
    "weight": "peso_bruto",
}
AVAILABLE = {"A": 1, "I": 0, "E": 0}  # ativo, inativo, excluído


def read_product(
    payload: Payload, *, preparation_days: bool = True, photos_of_new_only: bool = False
) -> ProductRecord:
    """From `produto.obter`, with its variations. The options are the activation's settings."""
    fields: Document = {
        ours: payload.text(theirs) for ours, theirs in TEXTS.items() if not payload.is_blank(theirs)
    }
    fields |= _own_fields(payload)
    fields["available"] = _available(payload)
    if cost := payload.optional_money("preco_custo"):
        fields["cost"] = decimal_text(cost)
    if preparation_days and (days := payload.optional_money("dias_preparacao")):
        fields["handling_time"] = int(days)
    if sizes := {
        ours: as_number(size)
        for ours, theirs in SIZES.items()
        if (size := payload.optional_money(theirs))
    }:
        fields["dimension"] = sizes
    if path := payload.optional_text("categoria"):
        fields["categories"] = [{"name": " > ".join(path.split(" >> "))}]
    if photos := _photos(payload):
        fields["photos"] = photos
    return ProductRecord(
        sku=read_sku(payload),
        fields=fields,
        variations=tuple(
            _read_variation(variation) for variation in wrapped(payload, "variacoes", "variacao")
        ),
        new_only=frozenset({"photos"}) if photos_of_new_only else frozenset(),
    )


def _read_variation(payload: Payload) -> ProductRecord:
    fields = _own_fields(payload)
    if ean := payload.optional_text("gtin"):  # only the API v3 says it here
        fields["ean"] = ean
    if attributes := _attributes(payload):
        fields["attributes"] = attributes
    return ProductRecord(sku=read_sku(payload), fields=fields)


def _own_fields(payload: Payload) -> Document:
    """What a product and a variation both have."""
    fields: Document = {
        "external": payload.text("id"),
        "price": decimal_text(payload.money("preco")),
    }
    if "preco_promocional" in payload.data:  # a variation read through its parent has none
        special = _special_price(payload)
        fields["special_price"] = None if special is None else decimal_text(special)
    return fields


def _available(payload: Payload) -> int:
    theirs = payload.text("situacao")
    if theirs not in AVAILABLE:
        raise Unreadable(f"{payload.path}.situacao: {theirs!r} is new to us")
    return AVAILABLE[theirs]


def _photos(payload: Payload) -> list[dict[str, Any]]:
    urls = [entry.text("anexo") for entry in listed(payload, "anexos")]
    urls += [image.text("url") for image in wrapped(payload, "imagens_externas", "imagem_externa")]
    return [{"url": url, "order": order} for order, url in enumerate(urls, start=1)]


def _attributes(payload: Payload) -> list[dict[str, Any]]:
    if not payload.data.get("grade"):  # PHP's empty array, or nothing
        return []
    grade = payload.one("grade")
    values = {label: grade.text(label) for label in grade.data}
    return [
        {
            "code": slugify(label),
            "label": label,
            "value": {"code": slugify(value), "label": value},
        }
        for label, value in values.items()
    ]


def read_price(payload: Payload) -> PriceRecord:
    """From a product, a variation, or a row of `produtos.pesquisa`."""
    return PriceRecord(
        sku=read_sku(payload),
        price=payload.money("preco"),
        special_price=_special_price(payload),
    )


def _special_price(payload: Payload) -> Decimal | None:
    """The ERP writes 0 for none."""
    return payload.optional_money("preco_promocional") or None


def read_stock(payload: Payload) -> StockRecord:
    """From `produto.obter.estoque` or a row of `lista.atualizacoes.estoque`: what can be sold."""
    deposits = wrapped(payload, "depositos", "deposito")
    if deposits:
        counted = [each for each in deposits if each.optional_text("desconsiderar") != "S"]
        held = sum((each.money("saldo") for each in counted), Decimal(0))
    else:
        held = payload.money("saldo")
    available = held - (payload.optional_money("saldoReservado") or 0)
    return StockRecord(sku=read_sku(payload), quantity=max(0, int(available)))


def read_sku(payload: Payload) -> str:
    sku = payload.optional_text("codigo")
    if not sku:
        raise Unreadable(_("O produto %s não tem código (SKU) no ERP.") % payload.text("id"))
    return sku
