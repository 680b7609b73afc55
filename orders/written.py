"""Orders as the API answers them, written down with each change, so that reading them is passing
texts on.

Whoever changes an order holds its row, and writes it down in his transaction: a text is never
older than its order. What is not the order's own (`NOT_SHARED`) is left out of the text and filled
in for whoever asks, and items are called as he calls them. Readers write nothing: where there is no
text of this version, they compose one, until `manage.py rebuild_orders` has written them all down.
"""

import json
from collections.abc import Collection
from itertools import chain
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import FilteredRelation, Q

from connectors.models import Activation
from orders.called import calls_otherwise, in_words_of
from orders.models import Order, OrderLink, OrderQuerySet, WrittenOrder
from orders.wire import (
    INTERMEDIARY,
    INTERMEDIARY_SETTING,
    NOT_SHARED,
    OrderDocument,
    Parts,
    write_shared,
)

# To be raised with whatever changes in how an order is written (a test keeps it).
VERSION = 1
# Where a value is filled in. JSON escapes control characters: it stands nowhere else in it.
GAP = "\x1d"
_GAP_TO_BE = uuid4().hex  # no value of anybody's
# By hand: to write it takes the ORM several times as long as to send it, at every change.
UPSERT = f"""
    INSERT INTO {WrittenOrder._meta.db_table} (order_id, version, body) VALUES %s
    ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, body = excluded.body
"""  # noqa: S608
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_down(order: Order, parts: Parts | None = None) -> None:
    """In the transaction of the change; it is the order's `written` then. Without `parts`, they are
    read anew."""
    _store([_written(order, parts or Parts.of(order))])


def write_down_all(order_ids: Collection[int]) -> None:
    """The same of several orders, in a constant number of queries. The caller holds their rows."""
    orders = Order.objects.filter(pk__in=order_ids).prefetch_related(
        "lines", "payments", "shipments", "status_changes"
    )
    _store([_written(order, Parts.of(order)) for order in orders])


@transaction.atomic
def write_down_again(order_ids: Collection[int]) -> None:
    """Those that are not written down as they are to be; nobody changes them meanwhile."""
    wanted = Order.objects.filter(pk__in=order_ids).exclude(written__version=VERSION)
    rows = wanted.select_for_update(of=("self",)).order_by("pk")
    write_down_all(list(rows.values_list("pk", flat=True)))


def read_written(
    orders: OrderQuerySet, caller: Activation, *, show_external: bool = False
) -> list[str]:
    """Each as `write_order` would write it for the caller, in JSON."""
    rows = list(
        orders.annotate(
            mine=FilteredRelation("links", condition=Q(links__activation=caller))
        ).values_list(
            "pk",
            "written__version",
            "written__body",
            "source__client_id",
            "modified_by__client_id",
            "mine__external_id",
            "mine__acknowledged",
        )
    )
    ids = [row[0] for row in rows]
    unwritten = _compose([pk for pk, version, *_rest in rows if version != VERSION])
    externals = _externals(ids) if show_external else None
    otherwise = calls_otherwise(ids, caller)
    texts = []
    for pk, _version, body, created_by, modified_by, external, acknowledged in rows:
        shown = external or None if externals is None else externals.get(pk, {})
        values = (shown, created_by, modified_by, bool(acknowledged))
        text = _filled(unwritten.get(pk, body), caller, *values)
        if pk in otherwise:
            text = to_json(in_words_of(json.loads(text), otherwise[pk]))
        texts.append(text)
    return texts


def read_new(order: Order, document: OrderDocument) -> str:
    """As whoever brought the order just now reads it: nothing has to be asked for that."""
    client_id = order.source.client_id
    acknowledged = bool(document.acknowledged)
    values = (document.external or None, client_id, client_id, acknowledged)
    return _filled(order.written.body, order.source, *values)


def _filled(text: str, caller: Activation, *values: Any) -> str:
    """With the values of `NOT_SHARED` in the gaps, of which the last one is the caller's."""
    own = (*values, caller.settings.get(INTERMEDIARY_SETTING) or None)
    first, *pieces = text.split(GAP)
    # An order with an intermediary of its own has no gap for it.
    return first + "".join(chain.from_iterable(zip(map(to_json, own), pieces, strict=False)))


def compose(order: Order, parts: Parts) -> str:
    shared = write_shared(order, parts)
    gaps = [name for name in NOT_SHARED if name != INTERMEDIARY or shared[name] is None]
    text = to_json(shared | dict.fromkeys(gaps, _GAP_TO_BE))
    return text.replace(f'"{_GAP_TO_BE}"', GAP)


def _written(order: Order, parts: Parts) -> WrittenOrder:
    return WrittenOrder(order=order, version=VERSION, body=compose(order, parts))


def _store(written: list[WrittenOrder]) -> None:
    if written:
        values = [(each.order_id, each.version, each.body) for each in written]
        with connection.cursor() as cursor:
            cursor.execute(
                UPSERT % ", ".join(["(%s, %s, %s)"] * len(values)),
                list(chain.from_iterable(values)),
            )


def _compose(order_ids: list[int]) -> dict[int, str]:
    if not order_ids:
        return {}
    orders = Order.objects.with_everything().filter(pk__in=order_ids)
    return {order.pk: compose(order, Parts.of(order)) for order in orders}


def _externals(order_ids: list[int]) -> dict[int, dict[str, Any]]:
    """Each client's own number, by the client. A platform that we call is none."""
    links = OrderLink.objects.filter(order__in=order_ids, activation__client_id__isnull=False)
    found: dict[int, dict[str, Any]] = {}
    for pk, client_id, external_id in links.exclude(external_id="").values_list(
        "order", "activation__client_id", "external_id"
    ):
        found.setdefault(pk, {})[str(client_id)] = external_id
    return found
