"""What it costs to send something: the store's freight sources are asked (pluggto-api.md,
section 10). A source is an activation with a freight address in its settings."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from catalog.codes import product_ids
from catalog.models import Product
from connectors.bulk import among
from connectors.errors import Unavailable, Unreadable
from connectors.http import send
from connectors.hub.wire import as_number
from connectors.models import Activation
from connectors.payload import Payload
from connectors.records import Document
from connectors.spec import FREIGHT_URL

log = logging.getLogger(__name__)

# The hub gives its sources 0.2 seconds. Ours may be slower: nobody is waiting at a checkout.
ANSWER_SECONDS = 2
ENDS = (
    "destination_postalcode", "destination_state", "destination_country", "origin_postalcode",
    "origin_state", "origin_city", "origin_country",
)  # fmt: skip
SIZES = ("weight", "height", "length", "width")
Meant = Mapping[str, Product]  # the store's products, by what the caller calls them


def quotes(caller: Activation, asked: Payload) -> list[Document]:
    """Every source's quotes; one that is down, or answers what nobody can read, adds none.

    `asked` has the fields of a source's request. Where it says nothing of a product but its SKU,
    the catalogue does. Both sides call products by their own De/Para. Raises `Unreadable`.
    """
    request, meant = _request(caller, asked)
    sources = caller.store.activations.going_on().exclude(pk=caller.pk).order_by("pk")
    found = []
    for source in sources:
        if url := source.settings.get(FREIGHT_URL.key):
            try:
                found += _ask(url, request | {"products": _in_words_of(source, request, meant)})
            except (Unavailable, Unreadable) as error:
                log.warning("freight source %s: %s", source.pk, error)
    return found


def _meant(caller: Activation, asked: Payload) -> Meant:
    skus = {line.text("sku") for line in asked.each("products")}
    ids = product_ids(caller.store, skus, caller)
    products = caller.store.products.with_levels().select_related("parent")
    known = products.in_bulk(set(ids.values()))
    return {sku: known[pk] for sku, pk in ids.items() if pk in known}


def _in_words_of(source: Activation, request: Document, meant: Meant) -> list[Document]:
    """The request's products as the source calls them."""
    ids = [product.pk for product in meant.values()]
    codes = dict(source.sku_mappings.filter(product__in=among(ids)).values_list("product", "code"))
    words = {sku: codes.get(product.pk, product.sku) for sku, product in meant.items()}
    return [
        {**line, **{name: words.get(line[name], line[name]) for name in ("sku", "original_sku")}}
        for line in request["products"]
    ]


def _request(caller: Activation, asked: Payload) -> tuple[Document, Meant]:
    if asked.is_blank("destination_postalcode"):
        raise Unreadable(f"{asked.path}.destination_postalcode: missing")
    meant = _meant(caller, asked)
    products = [_product(line, meant.get(line.text("sku"))) for line in asked.each("products")]
    amount = asked.optional_money("amount")
    request = {
        **{name: asked.optional_text(name) for name in ENDS},
        "user_id": caller.store_id,
        "amount": as_number(amount) if amount is not None else _amount(products),
        "products": products,
    }
    return request, meant


def _product(line: Payload, product: Product | None) -> Document:
    """A line of the request, completed from the catalogue."""
    sku = line.text("sku")
    known = _known(product) if product else {}
    numbers = {
        name: as_number(line.optional_money(name)) or known.get(name)
        for name in ("unit_price", *SIZES)
    }
    return {
        "sku": sku,
        "original_sku": line.optional_text("original_sku") or sku,
        "id": line.optional_text("id") or known.get("id"),
        "quantity": str(line.whole("quantity") if not line.is_blank("quantity") else 1),
        **numbers,
        "department": line.optional_text("department") or known.get("department"),
        "crossdocking": line.optional_text("crossdocking") or known.get("crossdocking"),
        "category": known.get("category", []),
        "marketplace": line.optional_text("marketplace"),
    }


def _known(product: Product) -> Document:
    """A variation says of itself only what its parent does not."""
    fields = {**(product.parent.fields if product.parent else {}), **product.fields}
    price = product.price_row.special_price or product.price_row.price
    size = fields.get("dimension") or {}
    return {
        "id": product.public_id,
        "unit_price": as_number(price),
        **{name: size.get(name) for name in SIZES},
        "department": fields.get("department"),
        "crossdocking": fields.get("crossdocking"),
        "category": [
            {"name": each.get("name"), "id": each.get("id")}
            for each in fields.get("categories") or []
        ],
    }


def _amount(products: list[Document]) -> int | float | None:
    prices = ((str(each["unit_price"] or 0), int(each["quantity"])) for each in products)
    return as_number(sum((Decimal(price) * count for price, count in prices), Decimal(0)))


def _ask(url: str, request: Document) -> list[Document]:
    """One source's quotes. Raises `Unavailable`, `Unreadable`."""
    answer = send("POST", url, json=request, seconds=ANSWER_SECONDS)
    if answer.status != 200:
        raise Unavailable(f"HTTP {answer.status}")
    data: Any = answer.json()
    found = [Payload(each) for each in (data if isinstance(data, list) else [data])]
    # The older shape says in "mensage" why there is no quote.
    return [_quote(each) for each in found if not ("mensage" in each.data and len(each.data) == 1)]


def _quote(quote: Payload) -> Document:
    """In the newer shape, whichever it came in."""
    days = "estimate" if quote.is_blank("estimative") else "estimative"
    return {
        "method": quote.text("method"),
        "company": quote.text("company"),
        "delivery_type": quote.optional_text("delivery_type"),
        "message": quote.optional_text("message"),
        "estimative": quote.whole(days),
        "price": f"{quote.money('price'):.2f}",
    }
