"""Sending channels once more what they were told before, by the flow that it is of: what a person
asks for, and everything after a backup was put back."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.marks import mark, rewrite
from catalog.models import Product, Sent
from catalog.push import PUSHES
from connectors.contract import Flow
from connectors.models import Activation, ActivationFlow, Comparison, Difference, State
from connectors.models.activations import OVER
from connectors.runs.dispatch import start_soon

AT_ONCE = 1000
ROWS_AT_ONCE = 5000


@transaction.atomic
def send_again(rows: QuerySet[Sent]) -> int:
    """Tell their channels these once more, as if they had never been told; how many that are."""
    chosen = Sent.objects.filter(pk__in=rows.values("pk")).exclude(activation__state__in=OVER)
    flows = set(chosen.values_list("activation", "flow"))
    count = rewrite(chosen, digest="", refused="", changed_at=timezone.now())
    for activation_id, flow in flows:
        ability, task = PUSHES[Flow(flow)]
        mine = ActivationFlow.objects.filter(activation=activation_id, ability=ability.__name__)
        start_soon(task, mine)
    return count


def send_everything_again() -> int:
    """All that channels were ever sent; how many rows that are. Some at a time: there may be
    millions, and the portal may be at work."""
    count, last = 0, 0
    while ids := list(
        Sent.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]
    ):
        last = ids[-1]
        count += send_again(Sent.objects.filter(pk__in=ids))
    return count


def send_asked() -> None:
    """What a comparison found at a channel and a person asks for. What differs is sent as if it had
    never been; what is missing, with its price and stock."""
    asked = Difference.objects.to_do().filter(
        comparison__purpose=Comparison.Purpose.CHANNEL,
        comparison__activation__state=State.ACTIVE,
    )
    wanted = set(asked.values_list("comparison__activation", flat=True)[:AT_ONCE])
    activations = Activation.objects.select_related("connector", "store").in_bulk(wanted)
    for activation in activations.values():
        _send(activation, asked.filter(comparison__activation=activation))


@transaction.atomic
def _send(activation: Activation, asked: QuerySet[Difference]) -> None:
    differences = list(asked.order_by("pk")[:AT_ONCE])
    ids = product_ids(activation.store, {each.record_id for each in differences}, activation)
    heads = dict(
        Product.objects.filter(pk__in=ids.values()).values_list("pk", Coalesce("parent", "pk"))
    )
    wanted: dict[Flow, set[int]] = {flow: set() for flow in PUSHES}
    for each in differences:
        if (pk := ids.get(each.record_id)) is None:
            continue
        if each.kind == Difference.Kind.MISSING_THERE:
            wanted[Flow.PRODUCTS].add(heads[pk])
            wanted[Flow.PRICES].add(pk)
            wanted[Flow.STOCK].add(pk)
        else:
            wanted[Flow(each.flow)].add(pk)
    rows = Q(pk__in=[])
    for flow, pks in sorted(wanted.items()):  # as they are locked (marks)
        mark(activation.flows.filter(flow=flow, ability=PUSHES[flow][0].__name__), pks)
        rows |= Q(flow=flow, product__in=pks)
    send_again(Sent.objects.filter(rows, activation=activation))
    done = {True: _("Enviado outra vez."), False: _("A loja não tem mais este SKU.")}
    for known, result in done.items():
        pks_done = [each.pk for each in differences if (each.record_id in ids) == known]
        Difference.objects.filter(pk__in=pks_done).update(done_at=timezone.now(), result=result)
