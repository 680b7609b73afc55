"""Which orders need something of their merchant: those of which their page says so
(orders/outlook.py), found without opening each. A test keeps the two together. Only that a platform
does not cancel by itself is not asked for here: nobody hears when it is done."""

from collections.abc import Callable, Collection

from django.db.models import Exists, OuterRef, Q

from connectors.models import Activation, Failure
from connectors.records import OrderStatus as S
from connectors.registry import SPECS
from connectors.spec import Spec
from orders import invoicing, tracking
from orders.models import Line, Order, OrderLink, OrderQuerySet
from orders.models.orders import SHORT
from orders.status import INVOICED, OPEN, STAGE

REFUSED = (S.INVOICE_ERROR, S.SHIPPING_ERROR)
MOST_FAILURES = 1000  # what is more is no list of things to do


def needing(orders: OrderQuerySet, stores: Collection[int]) -> OrderQuerySet:
    failed = Failure.objects.open().filter(activation__store__in=stores).order_by("-pk")
    # As values: a database finds both halves by an index only where it sees them.
    ids = list(failed.values_list("record_id", flat=True)[:MOST_FAILURES])
    unknown = Line.objects.filter(order=OuterRef("pk"), product=None)
    of_status = (
        Q(status__in=REFUSED)
        | Q(Exists(unknown))
        | Q(SHORT)
        | _typed(invoicing.FIRST, INVOICED, lambda spec: spec.merchant_types_invoice)
        | _typed(tracking.FIRST, STAGE[S.SHIPPED], lambda spec: spec.merchant_types_tracking)
    )
    return orders.filter(Q(public_id__in=ids) | Q(status__in=OPEN) & of_status)


def _typed(first: int, end: int, types: Callable[[Spec], bool]) -> Q:
    """It is at this point, and whoever took it (`invoicing.takers`) leaves this to the merchant."""
    consuming = {slug for slug, spec in SPECS.items() if spec.consumes}
    reporting = {slug for slug in consuming if not types(SPECS[slug])}
    took = OrderLink.objects.filter(order=OuterRef("pk"))
    may_take = Activation.objects.consuming().filter(
        store=OuterRef("store"), connector__slug__in=reporting
    )
    return (
        Q(status__in=[status for status, stage in STAGE.items() if first <= stage < end])
        & ~Q(Exists(took.filter(activation__connector__slug__in=reporting)))
        & Q(Exists(took.filter(activation__connector__slug__in=consuming)) | ~Exists(may_take))
    )


def first_needing(stores: Collection[int], most: int) -> list[Order]:
    """The latest of them, and one more where there are more than so many."""
    orders = Order.objects.filter(store__in=stores).select_related("store")
    return list(needing(orders, stores).order_by("-created_at", "-pk")[: most + 1])
