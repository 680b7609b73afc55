"""What was bought, what became of it, and who was told."""

from orders.models.history import StatusChange, author_of
from orders.models.links import OrderLink
from orders.models.orders import Order, OrderQuerySet
from orders.models.parts import Line, Payment, Shipment

__all__ = [
    "Line",
    "Order",
    "OrderLink",
    "OrderQuerySet",
    "Payment",
    "Shipment",
    "StatusChange",
    "author_of",
]
