"""Rocky's words for products (platform-apis: section 7.3) to ours."""

from decimal import Decimal

from connectors.errors import Unreadable
from connectors.payload import Payload
from connectors.records import Document, PriceRecord, ProductRecord, StockRecord

ACTIVE = 1


def join(products: list[Payload], variations: list[Payload]) -> list[Payload]:
    """Each product with its variations, which come in a list of their own."""
    by_product: dict[str, list[object]] = {}
    for variation in variations:
        by_product.setdefault(_product_of(variation), []).append(variation.data)
    return [
        Payload({**product.data, "variations": by_product.get(_id(product), [])}, product.path)
        for product in products
    ]


def sold(products: list[Payload], variations: list[Payload]) -> list[Payload]:
    parents = {_product_of(variation) for variation in variations}
    return [*(each for each in products if _id(each) not in parents), *variations]


def _id(product: Payload) -> str:
    return product.optional_text("id")


def _product_of(variation: Payload) -> str:
    return variation.optional_text("id_produto")


def read_sku(payload: Payload) -> str:
    """A variation has a `sku`, a product a `ref`: the code that its own people gave it."""
    sku = payload.optional_text("sku") or payload.optional_text("ref")
    if not sku:
        raise Unreadable(f"{payload.path}: neither sku nor ref")
    return sku


def read_product(payload: Payload) -> ProductRecord:
    fields: Document = {"name": payload.text("nome")}
    if brand := payload.optional_text("marca"):
        fields["brand"] = brand
    variations = [each for each in payload.each("variations") if is_active(each)]
    return ProductRecord(
        sku=read_sku(payload),
        fields=fields,
        variations=tuple(
            ProductRecord(read_sku(each), {"name": each.text("nome")}) for each in variations
        ),
    )


def read_price(payload: Payload) -> PriceRecord:
    """No promotion is written as nothing, or as zero."""
    special = payload.optional_money("preco_promocional")
    return PriceRecord(
        read_sku(payload),
        payload.money("preco"),
        special or None,
        if_known=not is_active(payload),
    )


def read_stock(payload: Payload) -> StockRecord:
    """A fraction of a unit cannot be sold; of what is not active nothing can."""
    active = is_active(payload)
    on_hand = payload.money("quantidade") if active else Decimal(0)
    return StockRecord(read_sku(payload), max(0, int(on_hand)), if_known=not active)


def is_active(payload: Payload) -> bool:
    """Only variations have a status, of which 1 alone is known."""
    return payload.is_blank("status") or payload.whole("status") == ACTIVE
