"""Olist ERP (formerly Tiny), API v2 (platform-apis.md, section 3)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from connectors.contract import (
    Ability,
    Account,
    Client,
    FulfilmentSource,
    OrderIndex,
    OrderSink,
    OrderState,
    Page,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import Rejected, Unreadable
from connectors.olist import notices
from connectors.olist.look import (
    OVERLAP,
    UPDATES,
    Found,
    Look,
    Row,
    as_read,
    destructive,
    everything,
    of_variations,
    repeatable,
)
from connectors.olist.mapping import catalogue, fulfilments, orders
from connectors.olist.reader import CHILD, PARENT, Reader, is_ours
from connectors.olist.transport import DATE_TIME, Api, wrapped
from connectors.payload import LOCAL, Payload
from connectors.records import (
    FulfilmentRecord,
    OrderRecord,
    OrderStatus,
    PriceRecord,
    ProductRecord,
    StockRecord,
)
from connectors.spec import IMAGES, PREPARATION_DAYS

# Orders that last changed before that are no news to a new integration.
ORDERS_BACK = timedelta(days=30)
# Of a row of a list of updates: what is needed once the ERP has forgotten it.
KEPT = ("codigo", "tipo_variacao", "saldo", "saldoReservado", "depositos")


class Olist(
    Client,
    ProductSource,
    PriceSource,
    StockSource,
    OrderSink,
    OrderIndex,
    FulfilmentSource,
    notices.Notices,
):
    """How changes are found:

    Products and stock: from the ERP's lists of updates, a paid extension. They forget what they
    answered, so the rows go into the cursor, which the portal stores, before anything else is
    done with them, and leave it as they are read. Should an answer itself be lost, which the
    cursor tells, all active products are read again, as they are once a day. Without the
    extension that is all that happens, beside the notices, and each run shows the ERP's refusal.
    Only one flow reads each list: two would take each other's rows.

    Prices: from the rows of the product search, which needs no list of updates. Variations are
    not among them: their prices come with the products and, once a day, by themselves, each with
    its promotion.

    Fulfilments: orders can be searched by when they changed.

    Each flow makes one call at a time, and there are five: a quarter of the smallest limit.
    """

    sku_key = "codigo"
    forgets = frozenset({ProductSource, StockSource})

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.api = Api(account)
        self.reader = Reader(self.api)

    def check(self) -> None:
        self.api.call("info.php").one("conta")

    # -- Products, prices, stock ----------------------------------------------------------------
    def changed_products(self, cursor: str) -> Iterable[Page]:
        return destructive(
            cursor, self._list_products, self._updates("produtos"), self.reader.product
        )

    def all_products(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_products, self.reader.product)

    def read_product(self, payload: Payload) -> ProductRecord:
        settings = self.account.settings
        return catalogue.read_product(
            as_read(payload, self.reader.product),
            preparation_days=settings.get(PREPARATION_DAYS.key, PREPARATION_DAYS.default),
            photos_of_new_only=settings.get(IMAGES.key, IMAGES.default) == "new",
        )

    def changed_prices(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_prices, self.reader.price)

    def all_prices(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_prices, self.reader.price)

    def read_price(self, payload: Payload) -> PriceRecord:
        return catalogue.read_price(as_read(payload, self.reader.price))

    def changed_stock(self, cursor: str) -> Iterable[Page]:
        return destructive(cursor, self._list_products, self._updates("estoque"), self.reader.stock)

    def all_stock(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_products, self.reader.stock)

    def read_stock(self, payload: Payload) -> StockRecord:
        return catalogue.read_stock(as_read(payload, self.reader.stock))

    def _updates(self, which: str) -> Callable[[datetime], list[Row]]:
        """Always the first page: what was answered is off the list."""

        def updates(after: datetime) -> list[Row]:
            service = f"{UPDATES}.{which}"
            found, _more = self.api.page(
                service, "produtos", "produto", 1, dataAlteracao=_local(after)
            )
            return [
                {"id": each.text("id"), **{n: each.data[n] for n in KEPT if n in each.data}}
                for each in found
            ]

        return updates

    def _list_products(self, look: Look) -> tuple[Found, bool]:
        products, more = self._active_products(look.page)
        kind = "tipoVariacao"
        rows = [{"id": each.text("id"), kind: each.optional_text(kind)} for each in products]
        return Found(todo=rows), more

    def _list_prices(self, look: Look) -> tuple[Found, bool]:
        products, more = self._active_products(look.page)
        rows = []
        if look.since[:10] != look.began[:10]:  # the first look of the day
            parents = [each for each in products if each.optional_text("tipoVariacao") == PARENT]
            rows = [of_variations({"id": each.text("id")}) for each in parents]
        return Found([Payload(each.data) for each in products], rows), more

    def _active_products(self, page: int) -> tuple[list[Payload], bool]:
        """Without variations: they are read through their parents."""
        products, more = self.api.page(
            "produtos.pesquisa.php", "produtos", "produto", page, pesquisa="", situacao="A"
        )
        return [each for each in products if each.optional_text("tipoVariacao") != CHILD], more

    # -- Orders ---------------------------------------------------------------------------------
    def push_order(self, order: OrderRecord) -> str:
        held = self._held(order)
        if held is None and orders.situation(order.status) == orders.CANCELED:
            return ""  # it ended before the ERP had it
        if held is None:
            try:
                return self._create(order)
            except Rejected:
                # As a duplicate: it came from an attempt whose answer was lost.
                held = self.reader.numbered(order.hub_id)
                if held is None:
                    raise
        wanted = orders.next_situation(order.status, fulfilments.read_status(held))
        if wanted:
            self.api.call("pedido.alterar.situacao", id=held.text("id"), situacao=wanted)
        return held.text("id")

    def _held(self, order: OrderRecord) -> Payload | None:
        """The ERP offers no idempotency: ask before creating."""
        if order.external_id:
            return self.reader.open("pedido.obter.php", order.external_id, "pedido")
        return self.reader.numbered(order.hub_id)

    def _create(self, order: OrderRecord) -> str:
        written = orders.write_order(order, self.account.credentials["integrator_id"])
        answer = self.api.call("pedido.incluir.php", pedido=written)
        created = wrapped(answer, "registros", "registro")
        if not created:
            raise Unreadable("pedido.incluir.php: $.retorno.registros: nothing")
        return created[0].text("id")

    def order_states(self, since: datetime) -> Iterator[OrderState]:
        """By when they changed: what it took since then changed since then."""
        page, more = 0, True
        while more:
            page += 1
            found, more = self.api.page(
                "pedidos.pesquisa.php", "pedidos", "pedido", page, dataAtualizacao=_local(since)
            )
            for each in filter(is_ours, found):
                status = fulfilments.read_status(each)
                yield OrderState(
                    external_id=each.text("id"),
                    hub_id=each.text("numero_ecommerce"),
                    # That it is being packed is the ERP's own affair: to the hub it is approved.
                    status=OrderStatus.APPROVED if status == OrderStatus.PICKING else status,
                )

    # -- What became of them --------------------------------------------------------------------
    def changed_fulfilments(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_orders, self.reader.fulfilment)

    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord:
        return fulfilments.read_fulfilment(as_read(payload, self.reader.fulfilment))

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
        return Found(todo=[{"id": each.text("id")} for each in found if is_ours(each)]), more

    # -- Notices --------------------------------------------------------------------------------
    def fetch(self, ability: type[Ability], record_id: str) -> Iterable[Payload]:
        read: dict[type[Ability], Callable[[str], Found]] = {
            ProductSource: self.reader.product_of,
            PriceSource: self.reader.prices_of,
            StockSource: self.reader.stock_of,
            FulfilmentSource: self.reader.fulfilment_of,
        }
        return read[ability](record_id).items


def _local(moment: datetime) -> str:
    """As the ERP writes it: São Paulo's time, without a zone."""
    return moment.astimezone(LOCAL).strftime(DATE_TIME)
