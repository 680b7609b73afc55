"""When an order's stock is kept, and when it is not any more (catalog/reservations.py says how).

Every order of a channel keeps its units from the moment it is stored, paid or not: what is sold
once is not offered again. Only a channel that says `auto_reserve: false` keeps none: it has told
us the stock without them already. An order that comes with its invoice was served elsewhere, and
takes nothing.

An order is never refused for want of stock: the buyer has bought, and the channel could only send
it again and again. What is missing is written into its log, which its channel and its platform
read, and shown to operator and merchant until there are units again.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import reservations
from catalog.announcing import Circle
from catalog.models import Product, SkuMapping
from connectors.contract import StockSource
from connectors.hub.wire import moment_text
from connectors.models import Activation
from connectors.records import OrderStatus
from orders.history import By
from orders.models import Line, Order
from orders.parts import find_products
from orders.status import ENDED, KEEPING, UNDECIDED
from orders.written import write_down

MOST_UNITS = 2**31 - 1
AT_ONCE = 500


def keep_stock(
    order: Order,
    by: By,
    lines: Iterable[Line],
    locked: Collection[int] | None = None,
    circle: Circle | None = None,
) -> None:
    """Bring what is kept for the order to what its status and these lines of it say. `locked`: what
    `find_products` of all these lines gave."""
    writer = by if isinstance(by, Activation) else None
    status = OrderStatus(order.status)
    if status in KEEPING or (status in UNDECIDED and reservations.knows(order.public_id)):
        wanted = {} if order.fields.get("auto_reserve") is False else _wanted(lines)
        missing = reservations.reserve(
            order.store, order.public_id, wanted, writer, locked=locked, circle=circle
        )
        _log_missing(order, missing)
    elif status in ENDED:
        reservations.release(order.store, order.public_id, writer)
    elif status not in UNDECIDED:
        reservations.consume(order.store, order.public_id, writer)


def _wanted(lines: Iterable[Line]) -> dict[int, int]:
    wanted: Counter[int] = Counter()
    for line in lines:
        if line.product_id is not None:
            wanted[line.product_id] += line.quantity
    return {product_id: min(quantity, MOST_UNITS) for product_id, quantity in wanted.items()}


def _log_missing(order: Order, missing: dict[int, int]) -> None:
    if not missing:
        return
    skus = Product.objects.filter(pk__in=missing).order_by("sku").values_list("sku", "pk")
    message = _("Sem estoque reservado: %(skus)s.") % {
        "skus": ", ".join(f"{sku} (−{missing[pk]})" for sku, pk in skus)
    }
    log = order.fields.get("log_history") or []
    order.fields["log_history"] = [*log, {"message": message, "date": moment_text(timezone.now())}]
    order.save(update_fields=["fields"])


def note_asked(order: Order, by: Activation) -> None:
    """`by` is to be sent the order now."""
    if StockSource in by.spec.flows:
        reservations.note_asked(by.store, order.public_id, by)


def note_taken(order: Order, by: Activation) -> None:
    """`by` has the order now: what it tells of stock from here on is without its units."""
    if StockSource in by.spec.flows:
        reservations.note_taken(by.store, order.public_id, by)


# -- Products that came after their orders -----------------------------------------------------
def late_orders() -> list[int]:
    """Orders that are to keep stock, with a line whose product the store did not have, and has."""
    sold = Coalesce(NullIf(KT("fields__variation__sku"), Value("")), F("sku"))
    there = Product.objects.filter(store=OuterRef("order__store"), sku=OuterRef("sold"))
    mapped = SkuMapping.objects.filter(
        activation=OuterRef("order__source"),
        code=OuterRef("sold"),
        product__store=F("activation__store"),
    )
    lines = Line.objects.filter(product=None, order__status__in=KEEPING).alias(sold=sold)
    late = lines.filter(Exists(there) | Exists(mapped))
    orders = late.order_by("order_id").values_list("order_id", flat=True)
    return list(orders.distinct()[:AT_ONCE])


@transaction.atomic
def link_late_lines(order_id: int) -> None:
    order = Order.objects.select_for_update(of=("self",)).select_related("store").get(pk=order_id)
    lines = list(order.lines.all())
    late = [line for line in lines if line.product_id is None]
    find_products(order, late)
    keep_stock(order, None, lines)
    Line.objects.bulk_update(late, ["product"])
    write_down(order)  # what is missing was noted in its log
