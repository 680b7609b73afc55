"""What must be compared with what a channel was sent: marked in the transaction of the change, and
cleared once it was compared after that.

Locks: rows by flow, activation and product. Who clears waits for nobody.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import Product, Sent
from connectors.bulk import among, upsert_rows
from connectors.contract import Flow
from connectors.hub.wire import moment_text
from connectors.models import ActivationFlow
from connectors.payload import to_moment
from connectors.runs.running import Attempt

AT_ONCE = 1000
FULL_PASS_EVERY = timedelta(days=1)


def mark(flows: Iterable[ActivationFlow], product_ids: Collection[int]) -> None:
    """These products, in these flows. For the flow of products, by their heads."""
    keys = sorted((flow.flow, flow.activation_id, pk) for flow in flows for pk in product_ids)
    upsert_rows(
        Sent,
        ("flow", "activation_id", "product_id"),
        keys,
        ("activation_id", "flow", "product_id"),
        changed_at=timezone.now(),
    )


@transaction.atomic
def rewrite(rows: QuerySet[Sent], **columns: Any) -> int:
    """Set these columns of many; how many those are."""
    locked = rows.select_for_update(of=("self",)).order_by("flow", "activation_id", "product_id")
    ids = list(locked.values_list("pk", flat=True))
    return Sent.objects.filter(pk__in=among(ids)).update(**columns)


def clear(compared: Sequence[Sent]) -> None:
    """What they say is true. One that was marked again meanwhile stays marked, and so does one
    that somebody is marking now."""
    seen = {row.pk: row.changed_at for row in compared}
    with transaction.atomic():
        free = Sent.objects.select_for_update(skip_locked=True).filter(pk__in=seen)
        same = [pk for pk, at in free.values_list("pk", "changed_at") if at == seen[pk]]
        Sent.objects.filter(pk__in=same).update(changed_at=None)


def mark_all_daily(attempt: Attempt) -> None:
    """At first, and then once a day, everything is compared.

    The flow's cursor is when that began last and, until it has ended, how far it has come.
    """
    begun, _space, position = attempt.since.partition(" ")
    if not position:
        # One that began later than now did so before the clock was put back.
        if begun and timedelta() <= timezone.now() - to_moment(begun) < FULL_PASS_EVERY:
            return
        begun, position = moment_text(timezone.now()) or "", "0"
    flow = attempt.flow
    gone = Sent.objects.filter(activation=flow.activation_id, flow=flow.flow, product=None)
    gone.update(changed_at=timezone.now())
    while last := _mark_some(flow, int(position)):
        position = str(last)
        attempt.advance(f"{begun} {position}")
    attempt.advance(begun)


@transaction.atomic
def _mark_some(flow: ActivationFlow, after: int) -> int:
    """The last of them; 0 where there are no more."""
    products = Product.objects.filter(store=flow.activation.store_id, pk__gt=after)
    if flow.flow == Flow.PRODUCTS:
        products = products.filter(parent=None)
    # Locked, because nobody may delete them in between.
    locked = products.select_for_update(no_key=True).order_by("pk")
    ids = list(locked.values_list("pk", flat=True)[:AT_ONCE])
    mark([flow], ids)
    return ids[-1] if ids else 0
