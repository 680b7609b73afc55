"""What was bought, what became of it, and who was told."""

from orders.models.erasures import Erasure
from orders.models.history import StatusChange, author_of
from orders.models.links import OrderLink
from orders.models.mails import BuyerMail
from orders.models.orders import Order, OrderQuerySet, names_somebody
from orders.models.parts import Line, Payment, Shipment
from orders.models.tallies import Tally
from orders.models.words import OrderWord
from orders.models.written import WrittenOrder

__all__ = [
    "BuyerMail",
    "Erasure",
    "Line",
    "Order",
    "OrderLink",
    "OrderQuerySet",
    "OrderWord",
    "Payment",
    "Shipment",
    "StatusChange",
    "Tally",
    "WrittenOrder",
    "author_of",
    "names_somebody",
]
