"""What an integration calls the items of the orders that it takes: by its De/Para, else by the
store's own SKU. An order keeps the words of the channel that brought it, which say nothing to
others; here they are changed on the way out, and back on the way in."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.fields.json import KT

from catalog.models import SkuMapping
from connectors.models import Activation
from connectors.prepared import Prepared, Slot, many, slot_of_many
from connectors.records import Document
from orders.models import Line
from orders.wire import OrderDocument

Words = Mapping[str, str]  # of one order's items


def _called() -> Any:
    mapped = SkuMapping.objects.filter(activation=Slot("by"), product=OuterRef("product"))
    return (
        Line.objects.filter(order__in=slot_of_many("orders", "bigint"), product__isnull=False)
        .exclude(order__source=Slot("by"))
        .annotate(code=Subquery(mapped.values("code")), variation=KT("fields__variation__sku"))
        .order_by()
        .values_list("order", "variation", "sku", "code", "product__sku")
    )


CALLED = Prepared(_called)


def calls_otherwise(order_ids: Collection[int], by: Activation) -> dict[int, dict[str, str]]:
    """By order: what `by` calls items otherwise than the order does, by what that calls them."""
    words: dict[int, dict[str, str]] = {}
    for order_id, variation, sku, code, own_sku in CALLED(orders=many(order_ids), by=by.pk):
        sold, called = variation or sku, code or own_sku
        if sold != called:
            words.setdefault(order_id, {})[sold] = called
    return words


def in_words_of(order: Document, words: Words) -> Document:
    """The order as the API answers it, with these words for its items."""
    for item in order["items"]:
        _say(item, words)
    for shipment in order["shipments"]:
        for item in shipment.get("shipping_items") or []:
            _say(item, words)
    return order


def in_own_words(document: OrderDocument, order_id: int, by: Activation) -> OrderDocument:
    """What `by` says of an order, with the order's own words for its items."""
    words = calls_otherwise([order_id], by).get(order_id, {})
    back = {called: sold for sold, called in words.items()}
    lines = Line.objects.filter(order=order_id).exclude(order__source=by) if document.items else ()
    known = {line.public_id: line for line in lines}
    for item in document.items or []:
        if line := known.get(str(item.get("id"))):
            # Two may be called alike, and its De/Para may have changed since it read them.
            _name(item, line)
        else:
            _say(item, back)
    for shipment in document.shipments or []:
        for item in shipment.get("shipping_items") or []:
            _say(item, back)
    return document


def _say(item: Any, words: Words) -> None:
    if not isinstance(item, dict):
        return
    place = _place(item)
    if (word := words.get(str(place.get("sku")))) is not None:
        place["sku"] = word


def _name(item: Any, line: Line) -> None:
    place, sold = _place(item), line.sold_sku
    if place.get("sku") and (place is not item or line.sku == sold):
        place["sku"] = sold


def _place(item: Any) -> Any:
    """Of a variation it is another one (pluggto-api.md, section 6.6)."""
    variation = item.get("variation")
    return variation if isinstance(variation, dict) and variation.get("sku") else item
