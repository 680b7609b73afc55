"""Products with the rows that stand beside each of them."""

from collections.abc import Iterable
from decimal import Decimal

from catalog.models import Modification, Price, Product, Stock
from connectors.bulk import insert_all
from connectors.models import Store


def make_product(
    store: Store,
    sku: str,
    *,
    name: str = "",
    price: Decimal | int | None = None,
    on_hand: int = 0,
) -> Product:
    return make_products(store, [sku], name=name, price=price, on_hand=on_hand)[0]


def make_products(
    store: Store,
    skus: Iterable[str],
    *,
    name: str = "Coisa",
    price: Decimal | int | None = None,
    on_hand: int = 0,
) -> list[Product]:
    products = [Product(store=store, sku=sku, name=name) for sku in skus]
    insert_all(products)
    insert_all([Price(product=product, price=price) for product in products])
    insert_all([Stock(product=product, on_hand=on_hand) for product in products])
    insert_all([Modification(product=product, store=store) for product in products])
    return products
