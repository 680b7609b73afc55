"""What is sold, what it costs, how much of it there is, and the platforms' codes for it."""

from catalog.models.levels import Price, Stock
from catalog.models.mappings import SkuMapping
from catalog.models.modifications import Modification, touch
from catalog.models.products import Product, ProductQuerySet, external_key, is_called
from catalog.models.reservations import Reservation, ReservationQuerySet
from catalog.models.sent import Sent, SentQuerySet, Situation
from catalog.models.spreadsheets import Spreadsheet, SpreadsheetRow
from catalog.models.taken import Taken, TakenPage

__all__ = [
    "Modification",
    "Price",
    "Product",
    "ProductQuerySet",
    "Reservation",
    "ReservationQuerySet",
    "Sent",
    "SentQuerySet",
    "Situation",
    "SkuMapping",
    "Spreadsheet",
    "SpreadsheetRow",
    "Stock",
    "Taken",
    "TakenPage",
    "external_key",
    "is_called",
    "touch",
]
