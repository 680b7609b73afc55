"""What the ERP's webhooks are about (platform-apis.md, section 4): which record to read again.
Nothing that they say of the record itself is believed."""

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from connectors.contract import (
    Ability,
    Account,
    Changed,
    FulfilmentSource,
    PriceSource,
    ProductSource,
    SkuSearch,
    StockSource,
)
from connectors.errors import Rejected, Unauthorized, Unreadable
from connectors.fiscal import compact
from connectors.olist.transport import wrapped
from connectors.payload import Payload, parse

HUB_ID = re.compile(r"[0-9a-f]{24}")
# An order is named by the ERP's id for it; where a notice does not say that, by one of these:
# "nota 5501", "numero 692f10c4a9d1e3b7c5f20811".
INVOICE, NUMBER = "nota", "numero"
# And a product, where a person asks for it, by its code: "sku CAM-01".
SKU = "sku "
ROOT = 8  # characters of a CNPJ that all branches of a company have in common


class Notices(SkuSearch):
    """The ERP's notices are the same whichever of its APIs is called."""

    account: Account
    sku_key: str  # in a record of prices

    def read_notice(self, body: bytes) -> list[Changed]:
        notice = Payload(parse(body))
        check_sender(notice, self.account)
        return changed(notice)

    def answer_notice(self, body: bytes) -> Any:
        return answer(Payload(parse(body)))

    def number_of(self, ability: type[Ability], payload: Payload) -> str:
        if ability is PriceSource:  # those are fetched by code
            return payload.optional_text(self.sku_key)
        return super().number_of(ability, payload)

    def number_of_sku(self, ability: type[Ability], sku: str) -> str:
        return sku if ability is PriceSource else by_sku(sku)


def check_sender(notice: Payload, account: Account) -> None:
    """Nobody signs: what a notice says of whose it is must be what we know. Only the family of
    the integration names the integrator. Raises `Unauthorized`."""
    integrator = notice.optional_text("idEcommerce")
    if integrator and integrator != account.credentials["integrator_id"]:
        raise Unauthorized(
            _("O aviso é do integrador %(theirs)s, e esta integração é a %(ours)s.")
            % {"theirs": integrator, "ours": account.credentials["integrator_id"]}
        )
    company = compact(notice.text("cnpj"))
    if account.cnpj and company[:ROOT] != account.cnpj[:ROOT]:
        raise Unauthorized(
            _("O aviso é da empresa de CNPJ %(theirs)s, e a loja é da de CNPJ %(ours)s.")
            % {"theirs": company, "ours": account.cnpj}
        )


def changed(notice: Payload) -> list[Changed]:
    """What to read again. Raises `Rejected` for a kind that we do not know: to send it again would
    not help."""
    kind = notice.text("tipo")
    if kind not in KINDS:
        raise Rejected(_("O ERP enviou um aviso do tipo %s, que o portal não conhece.") % kind)
    return KINDS[kind](notice.one("dados"))


def by_sku(sku: str) -> str:
    return f"{SKU}{sku}"


def sku_in(record_id: str) -> str:
    """Nothing where it is the ERP's id."""
    return record_id.removeprefix(SKU) if record_id.startswith(SKU) else ""


def answer(notice: Payload) -> Any:
    """What the ERP keeps as the product's link: it wants to hear our code for the product and for
    each of its variations. Everything else is only taken note of."""
    if notice.text("tipo") != "produto":
        return {"ok": True}
    product = notice.one("dados")
    return [_link(each) for each in (product, *wrapped(product, "variacoes", "variacao"))]


def _link(product: Payload) -> dict[str, Any]:
    link: dict[str, Any] = {"idMapeamento": product.data.get("idMapeamento")}
    if sku := product.optional_text("codigo"):
        return {**link, "skuMapeamento": sku}
    return {**link, "error": _("O produto não tem código (SKU) no ERP.")}


def _product(data: Payload) -> list[Changed]:
    product_id = data.text("id")
    told = [Changed(ProductSource, product_id)]
    if data.is_blank("skuMapeamento"):  # new to us: its stock is, too
        sold = wrapped(data, "variacoes", "variacao") or [data]
        told += [Changed(StockSource, each.text("id")) for each in sold]
    return told


def _price(data: Payload) -> list[Changed]:
    """The one notice that does not say the product's id: read by code, with the variations of a
    parent."""
    code = data.optional_text("skuMapeamentoPai") or data.optional_text("codigo")
    return [Changed(PriceSource, code)] if code else []


def _stock(data: Payload) -> list[Changed]:
    return [Changed(StockSource, data.text("idProduto"))]


def _order(data: Payload) -> list[Changed]:
    """An order's creation or change, told by the account. The number at the e-commerce is left
    out of orders that came by API: those are looked at."""
    return _fulfilment(data, data.text("id"))


def _situation(data: Payload) -> list[Changed]:
    return _fulfilment(data, data.optional_text("idVendaTiny"))


def _invoice_or_tracking(data: Payload) -> list[Changed]:
    invoice = data.optional_text("idNotaFiscalTiny")
    named = data.optional_text("idVendaTiny") or (invoice and f"{INVOICE} {invoice}")
    return _fulfilment(data, named)


def _fulfilment(data: Payload, named: str) -> list[Changed]:
    number = data.optional_text("idPedidoEcommerce")
    if number and not HUB_ID.fullmatch(number):
        return []  # somebody else's order in the same account
    named = named or (number and f"{NUMBER} {number}")
    if not named:
        raise Unreadable(f"{data.path}: names no order")
    return [Changed(FulfilmentSource, named)]


KINDS: dict[str, Callable[[Payload], list[Changed]]] = {
    # The integration's.
    "produto": _product,
    "precos": _price,
    "preco": _price,
    "situacao_pedido": _situation,
    "rastreio": _invoice_or_tracking,
    "nota_fiscal": _invoice_or_tracking,
    # The account's.
    "inclusao_pedido": _order,
    "atualizacao_pedido": _order,
    # Both families'.
    "estoque": _stock,
}
