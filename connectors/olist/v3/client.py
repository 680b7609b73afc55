"""Olist ERP (formerly Tiny), API v3 (platform-apis.md, section 5)."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

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
from connectors.hashing import digest
from connectors.olist import notices
from connectors.olist.client import ORDERS_BACK
from connectors.olist.look import (
    OVERLAP,
    VARIATIONS,
    Found,
    Look,
    Row,
    as_read,
    at_one_go,
    everything,
    of_variations,
    repeatable,
)
from connectors.olist.mapping import catalogue, fulfilments
from connectors.olist.mapping.orders import CANCELED, next_situation, situation
from connectors.olist.reader import CHILD, PARENT, once_more
from connectors.olist.v3 import orders, words
from connectors.olist.v3.transport import Api, Duplicate
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

ACTIVE = {"situacao": "A"}


class OlistV3(
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

    Products and prices: the search by when they changed; prices once a day all of them.

    Stock: product by product, always all that are active, for nothing says whose stock changed;
    beside the notices, which do.

    Fulfilments: orders by the day on which they changed. A row that looks as it did before, this
    same day, is not opened again.
    """

    sku_key = "sku"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.api = Api(account)

    def check(self) -> None:
        self.api.get("produtos", limit=1)

    # -- Products, prices, stock ----------------------------------------------------------------
    def changed_products(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_changed, self._product)

    def all_products(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_active, self._product)

    def read_product(self, payload: Payload) -> ProductRecord:
        settings = self.account.settings
        return catalogue.read_product(
            words.product(as_read(payload, self._product)),
            preparation_days=settings.get(PREPARATION_DAYS.key, PREPARATION_DAYS.default),
            photos_of_new_only=settings.get(IMAGES.key, IMAGES.default) == "new",
        )

    def changed_prices(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_prices, self._variations)

    def all_prices(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_prices, self._variations)

    def read_price(self, payload: Payload) -> PriceRecord:
        return catalogue.read_price(words.price(as_read(payload, self._variations)))

    def changed_stock(self, cursor: str) -> Iterable[Page]:
        return repeatable(cursor, self._list_active, self._stock)

    def all_stock(self, cursor: str) -> Iterable[Page]:
        return everything(cursor, self._list_active, self._stock)

    def read_stock(self, payload: Payload) -> StockRecord:
        return catalogue.read_stock(words.stock(as_read(payload, self._stock)))

    def _list_changed(self, look: Look) -> tuple[Found, bool]:
        """Also those that are active no longer. At first only those that are."""
        if not look.since:
            return self._list_active(look)
        products, more = self._changed_since(look)
        return Found(todo=[_row(each) for each in products]), more

    def _list_active(self, look: Look) -> tuple[Found, bool]:
        """Without variations: they are read through their parents."""
        products, more = self.api.page("produtos", look.page, **ACTIVE)
        rows = [_row(each) for each in products]
        return Found(todo=[row for row in rows if row["tipo"] != CHILD]), more

    def _list_prices(self, look: Look) -> tuple[Found, bool]:
        if look.since[:10] != look.began[:10]:  # the first look of the day
            products, more = self.api.page("produtos", look.page, **ACTIVE)
        else:
            products, more = self._changed_since(look)
        rows = [of_variations(row) for row in map(_row, products) if row["tipo"] == PARENT]
        return Found([Payload(each.data) for each in products], rows), more

    def _changed_since(self, look: Look) -> tuple[list[Payload], bool]:
        after = (datetime.fromisoformat(look.since) - OVERLAP).astimezone(LOCAL)
        return self.api.page("produtos", look.page, dataAlteracao=f"{after:%Y-%m-%d %H:%M:%S}")

    def _product(self, row: Row) -> Found:
        product = self.api.open("produtos", row["id"])
        if product.optional_text("tipoVariacao") == CHILD:
            product = self.api.open("produtos", product.one("produtoPai").text("id"))
        return Found([product])

    def _variations(self, row: Row) -> Found:
        product = self.api.open("produtos", row["id"].removesuffix(VARIATIONS))
        return Found([Payload(each.data) for each in product.each("variacoes")])

    def _stock(self, row: Row) -> Found:
        """A product with variations has no stock of its own, but theirs."""
        if row.get("tipo") == PARENT:
            found = self._variations(row).items
            return Found(todo=[{"id": each.text("id")} for each in found])
        return Found([self.api.get(f"estoque/{row['id']}")])

    def _prices_of(self, code: str) -> Found:
        product = orders.find_product(code, self.api)
        if product is None:
            return Found()
        row = _row(product)
        variations = self._variations(row).items if row["tipo"] == PARENT else []
        return Found([Payload(product.data), *variations])

    # -- Orders ---------------------------------------------------------------------------------
    def push_order(self, order: OrderRecord) -> str:
        held = self._held(order)
        if held is None and situation(order.status) == CANCELED:
            return ""  # it ended before the ERP had it
        if held is None:
            integrator_id = self.account.credentials["integrator_id"]
            body = orders.write(order, integrator_id, self.api)
            try:
                return self.api.post("pedidos", body).text("id")
            except Duplicate:  # it came from an attempt whose answer was lost
                held = self._numbered(order.hub_id)
                if held is None:
                    raise
        wanted = next_situation(order.status, fulfilments.read_status(words.order(held)))
        if wanted:
            self.api.put(f"pedidos/{held.text('id')}/situacao", {"situacao": words.NUMBERS[wanted]})
        return held.text("id")

    def _held(self, order: OrderRecord) -> Payload | None:
        """The ERP offers no idempotency: ask before creating."""
        if order.external_id:
            return self.api.open("pedidos", order.external_id)
        return self._numbered(order.hub_id)

    def _numbered(self, hub_id: str) -> Payload | None:
        found, _more = self.api.page("pedidos", 1, numeroPedidoEcommerce=hub_id)
        return next((each for each in found if words.number_of(each) == hub_id), None)

    def order_states(self, since: datetime) -> Iterator[OrderState]:
        """By the day on which they changed: what it took since then changed since then."""
        day, page, more = f"{since.astimezone(LOCAL):%Y-%m-%d}", 0, True
        while more:
            page += 1
            found, more = self.api.page("pedidos", page, dataAtualizacao=day)
            for each in filter(_is_ours, found):
                status = fulfilments.read_status(words.order(each))
                yield OrderState(
                    external_id=each.text("id"),
                    hub_id=words.number_of(each),
                    # That it is being packed is the ERP's own affair: to the hub it is approved.
                    status=OrderStatus.APPROVED if status == OrderStatus.PICKING else status,
                )

    # -- What became of them --------------------------------------------------------------------
    def changed_fulfilments(self, cursor: str) -> Iterator[Page]:
        state: dict[str, Any] = {"look": "", "day": "", "seen": {}}
        state |= json.loads(cursor) if cursor else {}
        list_page = partial(self._list_orders, state)
        for page in repeatable(state["look"], list_page, self._fulfilment):
            yield Page(page.items, json.dumps(state | {"look": page.cursor}))

    def read_fulfilment(self, payload: Payload) -> FulfilmentRecord:
        found = as_read(payload, self._fulfilment)
        note = words.invoice(found.one("nota")).data if found.data.get("nota") else None
        return fulfilments.read_fulfilment(
            Payload(
                {
                    "pedido": words.order(found.one("pedido")).data,
                    "nota_fiscal": note,
                    "link": found.data.get("link"),
                }
            )
        )

    def _list_orders(self, state: dict[str, Any], look: Look) -> tuple[Found, bool]:
        """Only the hub's: the account has other orders, with other numbers. The list is filtered by
        the day alone, so `state` keeps what each row looked like when it was last opened."""
        if look.since:
            after = datetime.fromisoformat(look.since) - OVERLAP
        else:
            after = datetime.fromisoformat(look.began) - ORDERS_BACK
        day, today = f"{after.astimezone(LOCAL):%Y-%m-%d}", look.began[:10]
        if state["day"] != today:  # its first look lists the day before once more
            state |= {"day": today, "seen": {}}
        found, more = self.api.page("pedidos", look.page, dataAtualizacao=day, orderBy="asc")
        rows = []
        for each in filter(_is_ours, found):
            order_id, looks = each.text("id"), digest(json.dumps(each.data, sort_keys=True))[:12]
            if order_id in look.seen:
                continue  # what changed since its page was listed is for the next look
            if state["seen"].get(order_id) != looks:
                state["seen"][order_id] = looks
                rows.append({"id": order_id})
        return Found(todo=rows), more

    def _fulfilment(self, row: Row) -> Found:
        """An order with its invoice. One whose invoice is not authorised yet is worth another
        look: when that happens, the order itself may not change."""
        order = self.api.open("pedidos", row["id"])
        if not _is_ours(order):
            return Found()
        note, link, later = None, "", []
        note_id = order.optional_text("idNotaFiscal")
        if note_id not in ("", "0"):
            note = self.api.get(f"notas/{note_id}")
            if fulfilments.is_authorised(note):
                link = self.api.get(f"notas/{note_id}/link").optional_text("link")
            if not link and not fulfilments.is_dead(note):
                later = once_more(row)
        known = {"pedido": order.data, "nota": note.data if note and link else None, "link": link}
        return Found([Payload(known)], later=later)

    def _fulfilment_of(self, record_id: str) -> Found:
        kind, _, number = record_id.rpartition(" ")
        if kind == notices.INVOICE:
            number = words.number_of(self.api.get(f"notas/{number}"))
        if kind:
            order = self._numbered(number) if number else None
            number = order.text("id") if order else ""
        return self._fulfilment({"id": number}) if number not in ("", "0") else Found()

    # -- Notices --------------------------------------------------------------------------------
    def fetch(self, ability: type[Ability], record_id: str) -> Iterable[Payload]:
        read: dict[type[Ability], Callable[[str], Found]] = {
            ProductSource: lambda number: self._found(number, self._product),
            PriceSource: self._prices_of,
            StockSource: lambda number: self._found(number, self._stock),
            FulfilmentSource: self._fulfilment_of,
        }
        return read[ability](record_id).items

    def _found(self, record_id: str, read: Callable[[Row], Found]) -> Found:
        """The product with this number, or with this SKU."""
        row: Row | None = {"id": record_id}
        if sku := notices.sku_in(record_id):
            product = orders.find_product(sku, self.api)
            row = _row(product) if product else None
        return at_one_go(read(row) if row else Found(), read)


def _row(product: Payload) -> Row:
    return {"id": product.text("id"), "tipo": product.optional_text("tipoVariacao")}


def _is_ours(order: Payload) -> bool:
    return bool(notices.HUB_ID.fullmatch(words.number_of(order)))
