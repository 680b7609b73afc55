"""Finding orders (pluggto-api.md, section 5.3), and their labels (section 8)."""

from collections.abc import Callable, Mapping

from django.db.models import Exists, OuterRef, Q

from connectors.errors import Refused
from connectors.hub.filters import (
    EVERYTHING,
    NOTHING,
    Query,
    in_second,
    ordering,
    search,
    within,
)
from connectors.models import Activation
from connectors.payload import Payload, read_value, to_flag, to_whole
from connectors.records import OrderStatus
from orders.models import Order, OrderLink, OrderQuerySet, Shipment
from orders.wire import read_status

SORTS = {
    "created": "created_at", "modified": "modified_at", "timestamp": "modified_at",
    "order_id": "pk", "original_id": "original_id", "channel": "channel", "status": "status",
    "total": "total",
}  # fmt: skip
ALSO_ASKED_AS = {"in_separation": "picking"}
# A client asks for it as for a status, though no order is in it (section 7).
NO_STATUS = {"buffered"}
# Who takes approved orders takes those that their channel calls by the old word, and the reverse.
SYNONYMS = {OrderStatus.APPROVED, OrderStatus.PAID}
MOST_LABELS = 50


def search_orders(query: Query, caller: Activation) -> OrderQuerySet:
    """Of the orders that the caller is shown, those that the query asks for, in its order.

    Raises `Unreadable` and `Refused`.
    """
    orders = Order.objects.listed_for(caller)
    return search(orders, Order, query, _own(caller)).order_by(*ordering(query, SORTS))


def _own(caller: Activation) -> Mapping[str, Callable[[str], Q]]:
    """The filters on what is not simply an order's own field."""
    links = OrderLink.objects.filter(order=OuterRef("pk"), activation=caller)
    acknowledged = Exists(links.filter(acknowledged=True))

    def flag(name: str, text: str) -> bool:
        return read_value(text, to_flag, f"?{name}")

    return {
        "id": lambda text: Q(public_id=text),
        "order_id": lambda text: Q(pk=read_value(text, to_whole, "?order_id")),
        "status": lambda text: Q(status__in=_statuses(text)),
        "external": lambda text: Q(Exists(links.filter(external_id=text))),
        "ack": lambda text: Q(acknowledged) if flag("ack", text) else ~Q(acknowledged),
        "deleted": lambda text: NOTHING if flag("deleted", text) else EVERYTHING,
        "user_id": lambda text: EVERYTHING if text == str(caller.store_id) else NOTHING,
        "created": lambda text: within("created_at", "created", text),
        "modified": lambda text: within("modified_at", "modified", text),
        "approved_date": lambda text: within("approved_at", "approved_date", text),
        "created_by": lambda text: Q(source__client_id=text),
        "modified_by": lambda text: Q(modified_by__client_id=text),
        "timestamp": lambda text: in_second("modified_at", text),
    }


def _statuses(text: str) -> list[str]:
    words = [word for each in text.split(",") if (word := each.strip()) and word not in NO_STATUS]
    asked = {read_status(Payload({"status": ALSO_ASKED_AS.get(word, word)})) for word in words}
    return [*asked, *(SYNONYMS if asked & SYNONYMS else ())]


def label_urls(public_ids: list[str], caller: Activation) -> list[str]:
    """The addresses of these orders' labels, in the orders' order, each once. An order that has
    none, or that is not the caller's to read, adds nothing. Raises `Refused` for too many."""
    if len(public_ids) > MOST_LABELS:
        raise Refused(f"?orders=: at most {MOST_LABELS} ids")
    orders = Order.objects.readable_by(caller).filter(public_id__in=public_ids)
    shipments = Shipment.objects.filter(order__in=orders).select_related("order").order_by("pk")
    found = [
        (public_ids.index(shipment.order.public_id), document["url"])
        for shipment in shipments
        for document in shipment.fields.get("documents") or []
        if document.get("type") == "label" and isinstance(document.get("url"), str)
    ]
    return list(dict.fromkeys(url for _position, url in sorted(found, key=lambda pair: pair[0])))
