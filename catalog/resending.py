"""What a comparison found at a channel and a person asks for: sent by the flow that it is of."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.marks import mark
from catalog.models import Product, Sent
from catalog.push import SINKS, send_again
from connectors.contract import Flow
from connectors.models import Activation, Comparison, Difference, State

AT_ONCE = 1000


def send_asked() -> None:
    """What differs is sent as if it had never been; what is missing, with its price and stock."""
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
    wanted: dict[Flow, set[int]] = {flow: set() for flow in SINKS}
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
        mark(activation.flows.filter(flow=flow, ability=SINKS[flow][0].__name__), pks)
        rows |= Q(flow=flow, product__in=pks)
    send_again(Sent.objects.filter(rows, activation=activation))
    done = {True: _("Enviado outra vez."), False: _("A loja não tem mais este SKU.")}
    for known, result in done.items():
        pks_done = [each.pk for each in differences if (each.record_id in ids) == known]
        Difference.objects.filter(pk__in=pks_done).update(done_at=timezone.now(), result=result)
