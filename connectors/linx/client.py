"""Linx Commerce V2 in managed mode: the platform serves the store contract at its plugin URL."""

from connectors.contract import (
    FulfilmentSource,
    OrderIndex,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.storecontract.client import StoreContract


class Linx(
    StoreContract,
    ProductSource,
    PriceSource,
    StockSource,
    OrderSink,
    OrderIndex,
    FulfilmentSource,
):
    """Catalogue, prices and stock in; orders out; invoices and tracking in."""
