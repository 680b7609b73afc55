"""Which of the ERP's two APIs an integration calls: what was recorded for it says."""

from typing import Any

from connectors.contract import (
    Account,
    Client,
    FulfilmentSource,
    NoticeSource,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.olist.client import Olist
from connectors.olist.v3.client import OlistV3
from connectors.olist.v3.transport import speaks_v3


class EitherOlist(
    Client, ProductSource, PriceSource, StockSource, OrderSink, FulfilmentSource, NoticeSource
):
    """Never made itself: what comes of it is the client of the account's version."""

    def __new__(cls, account: Account) -> Any:
        return (OlistV3 if speaks_v3(account) else Olist)(account)
