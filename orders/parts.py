"""An order's lists: what a document says of its items, payments, shipments and logs, and what of
that is new."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.models import Product, Reservation
from connectors.errors import NotFound, Refused
from connectors.hub.hubobject import HubObject
from connectors.hub.wire import TRACKING_FIELDS
from connectors.payload import is_no
from connectors.prepared import Prepared, Slot, many, slot_of_many
from connectors.records import Document
from connectors.trouble.causes import MISSING_DATA
from orders.models import Line, Order, Payment, Shipment
from orders.policy import BOOKKEEPING
from orders.wire import OrderDocument

NAMES = {Line: "items", Payment: "payments", Shipment: "shipments"}
PARCEL = {"shipping_company", "shipping_method", "track_url"}
FILE = ("id", "url")  # what a delivery's document is known by


def rows_of(
    model: type[Any], order: Order, ours: Sequence[Any], documents: Iterable[Document]
) -> list[Any]:
    """The rows of a list as the documents say it, to be stored anew: those of ours that an id
    names, or that are so already, keep their ids."""
    known = {row.public_id: row for row in ours}
    alike: dict[Any, list[Any]] = {}
    for row in ours:
        alike.setdefault(getattr(row, model.COLUMNS[0]), []).append(row)
    rows = []
    for position, document in enumerate(documents):
        place = f"$.{NAMES[model]}[{position}]"
        row = known.pop(document.get("id"), None)
        if row is None:
            # Where several are so, the one in this place.
            said = document.get(model.COLUMNS[0])
            for each in [*ours[position : position + 1], *alike.get(said, ())]:
                if each.public_id in known and not each.news(_without_id(document), place):
                    row = known.pop(each.public_id)
                    break
        row = row or model(order=order)
        row.take(_without_id(document), place)
        row.pk = None
        rows.append(row)
    return rows


def added_there(order: Order, documents: list[Document]) -> list[Document]:
    """What a channel has come to know of the deliveries that it brought, such as the label and the
    tracking of a marketplace that sends by itself. What we told it comes back from it, perhaps an
    older one: what any of the order's deliveries says, it does not say anew, nor what goes with a
    tracking code, where one is said: the link may be that of the parcel before."""
    ours = list(order.shipments.all())
    known = [each.document() for each in ours]
    said = {name for each in known for name in TRACKING_FIELDS if each[name]}
    if "track_code" in said:
        said |= PARCEL
    files = [file for each in known for file in each.get("documents") or []]
    seen = [file[key] for file in files for key in FILE if file.get(key)]
    # An order may come before its first delivery.
    places = [{"id": each.public_id} for each in ours] or [{} for _each in documents]
    added = []
    for place, theirs in zip(places, documents, strict=False):
        news = {name: theirs[name] for name in TRACKING_FIELDS if theirs.get(name)}
        news = {name: value for name, value in news.items() if name not in said}
        if new := [
            file
            for file in theirs.get("documents") or []
            if isinstance(file, dict) and not any(file.get(key) in seen for key in FILE)
        ]:
            news["documents"] = new
        if news:
            added.append({**place, **news})
    return added


def _without_id(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "id"}


# With those of which the order keeps units already: locks are taken all at once, in one order.
LOCKED = Prepared(
    lambda: (
        Product.objects.filter(
            Q(pk__in=slot_of_many("products", "bigint"))
            | Q(pk__in=Reservation.objects.filter(sale=Slot("sale")).values("product")),
            store=Slot("store"),
        )
        .select_for_update(no_key=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
)


def find_products(order: Order, lines: list[Line]) -> set[int]:
    """Give each of the lines the store's product, where there is one that the channel calls so.
    Saves nothing. These products, and those of which the order keeps units, are locked then: until
    the transaction's end nobody deletes them."""
    products = product_ids(order.store, {line.sold_sku for line in lines}, order.source)
    there = set(
        LOCKED(products=many(set(products.values())), sale=order.public_id, store=order.store_id)
    )
    for position, line in enumerate(lines):
        if not line.quantity:
            text = _("$.items[%d].quantity: falta a quantidade.") % position
            raise Refused(text, cause=MISSING_DATA)
        product_id = products.get(line.sold_sku)
        line.product_id = product_id if product_id in there else None
    return there


def changed_lists(
    order: Order, document: OrderDocument, *, by_partner: bool = False
) -> dict[str, list[Any]]:
    """Lists of which the document says something else than ours. In which order does not matter: a
    channel may answer in another one each time."""
    changed = {}
    for model, documents, manager in (
        (Line, document.items, order.lines),
        (Payment, document.payments, order.payments),
    ):
        if documents is None:
            continue
        ours = list(manager.all())
        before = {row.public_id: row.document() for row in ours}
        if by_partner:
            known = {row.public_id: row for row in ours}
            documents = [
                without_defaults(known[each["id"]], each) if each.get("id") in known else each
                for each in documents
            ]
        rows = rows_of(model, order, ours, documents)
        if before != {row.public_id: row.document() for row in rows}:
            changed[NAMES[model]] = rows
    return changed


def with_logs(order: Order, head: Document) -> Document:
    """A log is only ever added to: what it says already is not said twice (section 5.4)."""
    logs = {}
    for name in BOOKKEEPING & head.keys():
        ours = order.fields.get(name, [])
        logs[name] = ours + [entry for entry in head[name] if entry not in ours]
    return {**head, **logs}


def merge_shipments(
    order: Order, documents: list[Document], *, by_partner: bool
) -> list[tuple[Shipment, set[str]]]:
    """An element with an id updates that shipment; one without is a new one (section 5.4), except
    where it says nothing that one of ours does not say: then the same call came again."""
    known = {shipment.public_id: shipment for shipment in order.shipments.all()}
    named = {document.get("id") for document in documents}
    unnamed = [shipment for shipment in known.values() if shipment.public_id not in named]
    merged = {}
    # Who says more goes first: what says less could be any of them.
    for position, document in sorted(enumerate(documents), key=lambda each: -_length(each[1])):
        place, said = f"$.shipments[{position}]", _without_id(document)
        if document.get("id") and document["id"] not in known:
            raise NotFound(
                _("$.shipments[%(position)d].id: o pedido não tem a entrega %(id)s.")
                % {"position": position, "id": document["id"]}
            )
        shipment = known.get(document.get("id") or "") or Shipment(order=order)
        if by_partner:
            said = without_defaults(shipment, said)
        if not document.get("id"):
            told = next((each for each in unnamed if not each.news(said, place)), None)
            if told:
                unnamed.remove(told)
                shipment = told
        merged[position] = (shipment, shipment.take(said, place))
    return [merged[position] for position in range(len(documents))]


def _length(document: Document) -> int:
    return sum(not _is_blank(value) for value in document.values())


def without_defaults(row: HubObject, document: Document) -> Document:
    """Typed clients send every field: of what is null, or an empty list, they do not speak, and
    another blank is no news of what has no value yet."""
    return {
        name: value
        for name, value in document.items()
        if value not in (None, [])
        and (name in row.COLUMNS or row.fields.get(name) or not _is_blank(value))
    }


def _is_blank(value: Any) -> bool:
    return all(map(_is_blank, value.values())) if isinstance(value, dict) else is_no(value)
