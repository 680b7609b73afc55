"""Ótimo Gestor in managed mode: the platform serves the store contract at its plugin URL."""

from connectors.contract import (
    FulfilmentSource,
    OrderIndex,
    OrderSink,
    PriceSource,
    StockSource,
)
from connectors.storecontract.client import StoreContract


class Otimo(StoreContract, PriceSource, StockSource, OrderSink, OrderIndex, FulfilmentSource):
    """No products: the merchant registers those by spreadsheet."""
