"""Which orders need something of their merchant: those of which their page says so
(orders/outlook.py), found without opening each. A test keeps the two together. Only that a platform
does not cancel by itself is not asked for here: nobody hears when it is done."""

from collections.abc import Callable, Collection
from functools import reduce
from operator import or_

from django.db.models import Case, Exists, OuterRef, Q, When
from django.utils.translation import gettext as _

from connectors.contract import Flow
from connectors.models import Activation, Failure
from connectors.records import OrderStatus as S
from connectors.registry import SPECS
from connectors.spec import Spec
from orders import invoicing, tracking
from orders.models import Line, Order, OrderLink, OrderQuerySet
from orders.models.orders import SHORT
from orders.status import INVOICED, OPEN, STAGE

# In no flow: what a platform cannot be told of an order that it has (untold.py).
OF_ORDERS = (Flow.ORDERS, Flow.FULFILMENT, "")
MOST_FAILURES = 1000  # what is more is no list of things to do


def needing(orders: OrderQuerySet, stores: Collection[int]) -> OrderQuerySet:
    return _needing(orders, _failed(stores), _wants())


def first_needing(stores: Collection[int], most: int) -> list[tuple[Order, list[str]]]:
    """The latest of them, each with what it needs in a few words; and one more where there are
    more than so many."""
    failed, wants = _failed(stores), _wants()
    reasons = {
        name: (Q(status__in=OPEN) & wanted, words) for name, (wanted, words) in wants.items()
    }
    reasons["failed"] = (Q(public_id__in=failed), _("uma integração não conseguiu levar o pedido"))
    flags = {
        name: Case(When(so, then=True), default=False) for name, (so, _words) in reasons.items()
    }
    orders = _needing(Order.objects.filter(store__in=stores), failed, wants).annotate(**flags)
    found = orders.select_related("store").order_by("-created_at", "-pk")[: most + 1]
    return [
        (order, [words for name, (_so, words) in reasons.items() if getattr(order, name)])
        for order in found
    ]


def _needing(
    orders: OrderQuerySet, failed: Collection[str], wants: dict[str, tuple[Q, str]]
) -> OrderQuerySet:
    wanted = reduce(or_, [wanted for wanted, _words in wants.values()])
    return orders.filter(Q(public_id__in=failed) | Q(status__in=OPEN) & wanted)


def _failed(stores: Collection[int]) -> list[str]:
    """As values: only where a database sees them does it find both halves by an index."""
    failed = Failure.objects.open().filter(activation__store__in=stores, flow__in=OF_ORDERS)
    return list(failed.order_by("-pk").values_list("record_id", flat=True)[:MOST_FAILURES])


def _wants() -> dict[str, tuple[Q, str]]:
    """What an order that is not over may want of its merchant, and how that reads in a list."""
    unknown = Line.objects.filter(order=OuterRef("pk"), product=None)
    invoice = _typed(invoicing.FIRST, INVOICED, lambda spec: spec.merchant_types_invoice)
    tracked = _typed(tracking.FIRST, STAGE[S.SHIPPED], lambda spec: spec.merchant_types_tracking)
    return {
        "wants_products": (Q(Exists(unknown)), _("há itens não cadastrados")),
        "wants_stock": (Q(SHORT), _("falta estoque")),
        "wants_other_invoice": (Q(status=S.INVOICE_ERROR), _("o canal recusou a nota fiscal")),
        "wants_other_delivery": (
            Q(status=S.SHIPPING_ERROR),
            _("o canal recusou os dados da entrega"),
        ),
        "wants_invoice": (invoice, _("falta informar a nota fiscal")),
        "wants_tracking": (tracked, _("falta informar o rastreio")),
    }


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
