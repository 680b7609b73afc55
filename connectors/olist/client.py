"""Olist ERP (formerly Tiny), API v2 (platform-apis.md, section 3)."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from connectors.contract import (
    Account,
    Client,
    FulfilmentSource,
    OrderSink,
    Page,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import Rejected, Unreadable
from connectors.olist.look import OVERLAP, Found, Look, Row, as_read, destructive, repeatable
from connectors.olist.mapping import catalogue, fulfilments, orders
from connectors.olist.transport import DATE_TIME, Api, wrapped
from connectors.payload import LOCAL, Payload
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    PriceRecord,
    ProductRecord,
    StockRecord,
)

# Orders that last changed before that are no news to a new integration.
ORDERS_BACK = timedelta(days=30)
HUB_ID = re.compile(r"[0-9a-f]{24}")
PARENT, CHILD = "P", "V"  # tipoVariacao


class Olist(Client, ProductSource, PriceSource, StockSource, OrderSink, FulfilmentSource):
    """How changes are found:

    Products and stock: from the ERP's lists of updates, a paid extension. They forget what they
    answered, so the rows go into the cursor, which the portal stores, before anything else is
    done with them, and leave it as they are read. Should an answer itself be lost, all active
    products are read once a day. Without the extension that is all that happens, and each run
    ends with the ERP's refusal. Only one flow reads each list: two would take each other's rows.

    Prices: from the rows of the product search, which needs no list of updates. Variations are
    not among them: their prices come with the products and, once a day, by themselves.

    Fulfilments: orders can be searched by when they changed.
    """

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.api = Api(account.base_url, account.credentials["token"])

    def check(self) -> None:
        self.api.call("info.php").one("conta")

    # -- Products, prices, stock ----------------------------------------------------------------
    def changed_products(self, cursor: str) -> Iterable[Page]:
        updates = self._updates("lista.atualizacoes.produtos")
        return destructive(cursor, self._list_products, updates, self._product)

    def read_product(self, payload: Payload) -> ProductRecord:
        return catalogue.read_product(as_read(payload))

    def changed_prices(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_prices, self._variation_prices)

    def read_price(self, payload: Payload) -> PriceRecord:
        return catalogue.read_price(as_read(payload))

    def changed_stock(self, cursor: str) -> Iterable[Page]:
        updates = self._updates("lista.atualizacoes.estoque")
        return destructive(cursor, self._list_products, updates, self._stock)

    def read_stock(self, payload: Payload) -> StockRecord:
        return catalogue.read_stock(as_read(payload))

    def _updates(self, service: str) -> Callable[[datetime], list[Payload]]:
        """Always the first page: what was answered is off the list."""

        def updates(after: datetime) -> list[Payload]:
            return self.api.page(service, "produtos", "produto", 1, dataAlteracao=_local(after))[0]

        return updates

    def _list_products(self, look: Look) -> tuple[Found, bool]:
        products, more = self._active_products(look.page)
        kind = "tipoVariacao"
        rows = [{"id": each.text("id"), kind: each.optional_text(kind)} for each in products]
        return Found([], rows), more

    def _list_prices(self, look: Look) -> tuple[Found, bool]:
        products, more = self._active_products(look.page)
        rows = []
        if look.since[:10] != look.began[:10]:  # the first look of the day
            parents = [each for each in products if each.optional_text("tipoVariacao") == PARENT]
            rows = [{"id": each.text("id")} for each in parents]
        return Found([Payload(each.data) for each in products], rows), more

    def _active_products(self, page: int) -> tuple[list[Payload], bool]:
        """Without variations: they are read through their parents."""
        products, more = self.api.page(
            "produtos.pesquisa.php", "produtos", "produto", page, pesquisa="", situacao="A"
        )
        return [each for each in products if each.optional_text("tipoVariacao") != CHILD], more

    def _product(self, row: Row) -> Found:
        product = self._open("produto.obter.php", row["id"], "produto")
        if product.optional_text("tipoVariacao") == CHILD:
            product = self._open("produto.obter.php", product.text("idProdutoPai"), "produto")
        return Found([product], [])

    def _variation_prices(self, row: Row) -> Found:
        return Found([Payload(each.data) for each in self._variations(row)], [])

    def _stock(self, row: Row) -> Found:
        """A product with variations has no stock of its own, but theirs."""
        if PARENT in (row.get("tipoVariacao"), row.get("tipo_variacao")):
            return Found([], [{"id": each.text("id")} for each in self._variations(row)])
        if "saldo" in row:  # the list of updates says it at once
            return Found([Payload(row)], [])
        return Found([self._open("produto.obter.estoque.php", row["id"], "produto")], [])

    def _variations(self, row: Row) -> list[Payload]:
        product = self._open("produto.obter.php", row["id"], "produto")
        return wrapped(product, "variacoes", "variacao")

    # -- Orders ---------------------------------------------------------------------------------
    def push_order(self, order: OrderRecord) -> str:
        held = self._held(order)
        if held is None:
            try:
                return self._create(order)
            except Rejected:
                # As a duplicate: it came from an attempt whose answer was lost.
                held = self._search(order.hub_id)
                if held is None:
                    raise
        wanted = orders.next_situation(order.status, fulfilments.read_status(held))
        if wanted:
            self.api.call("pedido.alterar.situacao", id=held.text("id"), situacao=wanted)
        return held.text("id")

    def _held(self, order: OrderRecord) -> Payload | None:
        """The ERP offers no idempotency: ask before creating."""
        if order.external_id:
            return self._open("pedido.obter.php", order.external_id, "pedido")
        return self._search(order.hub_id)

    def _search(self, hub_id: str) -> Payload | None:
        """Compares exactly; the ERP's own comparison is loose."""
        page, more = 0, True
        while more:
            page += 1
            found, more = self.api.page(
                "pedidos.pesquisa.php", "pedidos", "pedido", page, numeroEcommerce=hub_id
            )
            for each in found:
                if each.optional_text("numero_ecommerce") == hub_id:
                    return each
        return None

    def _create(self, order: OrderRecord) -> str:
        written = orders.write_order(order, self.account.credentials["integrator_id"])
        answer = self.api.call("pedido.incluir.php", pedido=written)
        created = wrapped(answer, "registros", "registro")
        if not created:
            raise Unreadable("pedido.incluir.php: $.retorno.registros: nothing")
        return created[0].text("id")

    # -- What became of them --------------------------------------------------------------------
    def changed_fulfilments(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_orders, self._fulfilment)

    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord:
        return fulfilments.read_fulfilment(as_read(payload))

    def _list_orders(self, look: Look) -> tuple[Found, bool]:
        """Only the hub's: the account has other orders, with other numbers."""
        if look.since:
            after = datetime.fromisoformat(look.since) - OVERLAP
        else:
            after = datetime.fromisoformat(look.began) - ORDERS_BACK
        found, more = self.api.page(
            "pedidos.pesquisa.php",
            "pedidos",
            "pedido",
            look.page,
            dataAtualizacao=_local(after),
            sort="ASC",
        )
        ours = [each for each in found if HUB_ID.fullmatch(each.optional_text("numero_ecommerce"))]
        return Found([], [{"id": each.text("id")} for each in ours]), more

    def _fulfilment(self, row: Row) -> Found:
        order = self._open("pedido.obter.php", row["id"], "pedido")
        invoice, link = None, ""
        invoice_id = order.optional_text("id_nota_fiscal")
        if invoice_id not in ("", "0"):
            note = self._open("nota.fiscal.obter.php", invoice_id, "nota_fiscal")
            if fulfilments.is_authorised(note):
                invoice = note.data
                link = self.api.call("nota.fiscal.obter.link.php", id=invoice_id).text("link_nfe")
        return Found([Payload({"pedido": order.data, "nota_fiscal": invoice, "link": link})], [])

    def _open(self, service: str, record_id: str, name: str) -> Payload:
        """One record, with places in errors counted from itself."""
        return Payload(self.api.call(service, id=record_id).one(name).data)


def _local(moment: datetime) -> str:
    """As the ERP writes it: São Paulo's time, without a zone."""
    return moment.astimezone(LOCAL).strftime(DATE_TIME)
