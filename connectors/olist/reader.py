"""Opening the ERP's records: which calls it takes to have one whole."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import Unavailable
from connectors.olist import notices
from connectors.olist.look import VARIATIONS, Found, Row, at_one_go, of_variations
from connectors.olist.mapping import fulfilments
from connectors.olist.notices import HUB_ID
from connectors.olist.transport import NOT_AUTHORISED_YET, Api, wrapped
from connectors.payload import LOCAL, Payload

PARENT, CHILD = "P", "V"  # tipoVariacao
ACTIVE = "A"  # situacao
# No longer is an invoice expected to be authorised.
PATIENCE = timedelta(days=30)


class Reader:
    def __init__(self, api: Api) -> None:
        self.api = api

    # -- Products -------------------------------------------------------------------------------
    def product(self, row: Row) -> Found:
        product = self.open("produto.obter.php", row["id"], "produto")
        if product.optional_text("tipoVariacao") == CHILD:
            product = self.open("produto.obter.php", product.text("idProdutoPai"), "produto")
        return Found([product])

    def price(self, row: Row) -> Found:
        """Of a product's variations, that of each of them: it does not say their promotions."""
        if row["id"].endswith(VARIATIONS):
            return Found(todo=[{"id": each.text("id")} for each in self._variations(row)])
        return Found([self.open("produto.obter.php", row["id"], "produto")])

    def stock(self, row: Row) -> Found:
        """A product with variations has no stock of its own, but theirs."""
        if PARENT in (row.get("tipoVariacao"), row.get("tipo_variacao")):
            return Found(todo=[{"id": each.text("id")} for each in self._variations(row)])
        if "saldo" in row:  # the list of updates says it at once
            return Found([Payload(row)])
        return Found([self.open("produto.obter.estoque.php", row["id"], "produto")])

    def _variations(self, row: Row) -> list[Payload]:
        product = self.open("produto.obter.php", row["id"].removesuffix(VARIATIONS), "produto")
        return wrapped(product, "variacoes", "variacao")

    def prices_of(self, code: str) -> Found:
        product = self._product(code)
        if product is None:
            return Found()
        found = Found([Payload(product.data)])
        if product.optional_text("tipoVariacao") == PARENT:
            found.todo = self.price(of_variations({"id": product.text("id")})).todo
        return at_one_go(found, self.price)

    def product_of(self, record_id: str) -> Found:
        row = self._row_of(record_id)
        return self.product(row) if row else Found()

    def stock_of(self, record_id: str) -> Found:
        """Of a product with variations, that of each of them."""
        row = self._row_of(record_id)
        return at_one_go(self.stock(row) if row else Found(), self.stock)

    def _row_of(self, record_id: str) -> Row | None:
        """Of the product with this number, or with this SKU."""
        sku = notices.sku_in(record_id)
        if not sku:
            return {"id": record_id}
        product = self._product(sku)
        kind = "tipoVariacao"
        return {"id": product.text("id"), kind: product.optional_text(kind)} if product else None

    def _product(self, code: str) -> Payload | None:
        return still_sold(self._search("produto", "codigo", code, pesquisa=code))

    # -- Orders ---------------------------------------------------------------------------------
    def numbered(self, hub_id: str) -> Payload | None:
        found = self._search("pedido", "numero_ecommerce", hub_id, numeroEcommerce=hub_id)
        return next(found, None)

    def fulfilment(self, row: Row) -> Found:
        """An order with its invoice. One whose invoice is not authorised yet is worth another
        look: when that happens, the order itself may not change."""
        order = self.open("pedido.obter.php", row["id"], "pedido")
        if not is_ours(order):
            return Found()
        found: dict[str, Any] = {"pedido": order.data, "nota_fiscal": None, "link": ""}
        later: list[Row] = []
        invoice_id = order.optional_text("id_nota_fiscal")
        if invoice_id not in ("", "0"):
            note = self.open("nota.fiscal.obter.php", invoice_id, "nota_fiscal")
            link = self._link(invoice_id) if fulfilments.is_authorised(note) else ""
            if link:
                found |= {"nota_fiscal": note.data, "link": link}
            elif not fulfilments.is_dead(note):
                later = once_more(row)
        return Found([Payload(found)], later=later)

    def _link(self, invoice_id: str) -> str:
        """To the DANFE's page, where the XML can be had as well: the ERP's API has no address of
        the XML alone, only its text. Nothing where the invoice is not quite authorised."""
        service = "nota.fiscal.obter.link.php"
        answer = self.api.call(service, nothing=NOT_AUTHORISED_YET, id=invoice_id)
        return answer.optional_text("link_nfe")

    def fulfilment_of(self, record_id: str) -> Found:
        kind, _, order_id = record_id.rpartition(" ")
        if kind == notices.INVOICE:
            note = self.open("nota.fiscal.obter.php", order_id, "nota_fiscal")
            order_id = note.optional_text("id_venda")
        elif kind == notices.NUMBER:
            order = self.numbered(order_id)
            order_id = order.text("id") if order else ""
        return self.fulfilment({"id": order_id}) if order_id not in ("", "0") else Found()

    # -- Both -----------------------------------------------------------------------------------
    def _search(self, what: str, key: str, wanted: str, **params: str) -> Iterator[Payload]:
        """Compares exactly; the ERP's own comparison is loose."""
        page, more = 0, True
        while more:
            page += 1
            found, more = self.api.page(f"{what}s.pesquisa.php", f"{what}s", what, page, **params)
            yield from (each for each in found if each.optional_text(key) == wanted)

    def open(self, service: str, record_id: str, name: str) -> Payload:
        """One record, with places in errors counted from itself. All are answered at one address:
        what some cache on the way answered to somebody else is another record's old state."""
        record = Payload(self.api.call(service, id=record_id).one(name).data)
        if (answered := record.text("id")) != record_id:
            raise Unavailable(f"{service}: asked for {record_id}, answered {answered}")
        return record


def still_sold(products: Iterable[Payload]) -> Payload | None:
    """Of products with the same code: one that was deleted, and made anew, is found as well."""
    other = None
    for each in products:
        if each.optional_text("situacao") in ("", ACTIVE):
            return each
        other = other or each
    return other


def is_ours(order: Payload) -> bool:
    return bool(HUB_ID.fullmatch(order.optional_text("numero_ecommerce")))


def once_more(row: Row) -> list[Row]:
    """The row, for another look, unless it has had so many that there will be nothing to see."""
    now = datetime.now(LOCAL)
    until = row.get("until") or (now + PATIENCE).isoformat()
    return [{**row, "until": until}] if now < datetime.fromisoformat(until) else []
