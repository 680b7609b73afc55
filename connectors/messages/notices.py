"""Telling a partner's address what changed (pluggto-api.md, section 12).

A notice says which record to read again, never its content. How it gets there is delivery.py's:
here HTTP 200 alone is a delivery, and one that is refused delays only itself.
"""

import json
from collections.abc import Callable, Collection, Iterable

from django.db.models import F, Max, Q, QuerySet, Window, prefetch_related_objects
from django.utils import timezone

from connectors.forgetting import forget_some
from connectors.messages.delivery import PRUNED_AT_ONCE, Courier, Letter, is_over
from connectors.models import Activation, Endpoint, Notice, State
from connectors.queue import enqueue
from connectors.spec import NOTIFY_OWN_WRITES


class NoticeCourier(Courier[Endpoint, Notice]):
    addresses, messages, to = Endpoint, Notice, "activation"
    key = "activation_id", "message_id"
    for_nobody = is_over("activation")

    @property
    def task(self) -> Callable[[int], None]:
        return deliver_notices

    def accepts(self, status: int) -> bool:
        return status == 200

    def letter(self, address: Endpoint, message: Notice) -> Letter:
        body = {
            "type": message.topic,
            "id": message.object_id,
            "action": message.action,
            "user": address.activation.store_id,
            "changes": message.changes,
        }
        return Letter(address.activation.plugin_url, message.message_id, json.dumps(body).encode())

    def copy(self, message: Notice) -> Notice:
        return Notice(
            activation_id=message.activation_id,
            message_id=message.message_id,
            topic=message.topic,
            action=message.action,
            object_id=message.object_id,
            changes=message.changes,
        )


COURIER = NoticeCourier()


def hears(activation: Activation, by: object) -> bool:
    """Whether it is to be told what `by` did: of its own writes only if it asks to be."""
    return activation != by or bool(activation.settings.get(NOTIFY_OWN_WRITES.key))


def announce(
    activations: Iterable[Activation], topic: str, action: str, object_id: str, *changes: str
) -> None:
    """Store one notice for each partner that has somewhere to send it, in the caller's
    transaction. `changes` are among "status", "stock" and "price"."""
    announce_all(activations, topic, action, [object_id], *changes)


def announce_all(
    activations: Iterable[Activation],
    topic: str,
    action: str,
    object_ids: Collection[str],
    *changes: str,
) -> None:
    """The same of several objects, at the cost of one."""
    listeners = [activation for activation in activations if activation.plugin_url]
    if not listeners:
        return
    flags = {name: name in changes for name in ("status", "stock", "price")}
    prefetch_related_objects(listeners, "endpoint")  # who asked for them already asks no more
    addresses = [each.endpoint for each in listeners if hasattr(each, "endpoint")]
    letters = ((address, (object_id,)) for address in addresses for object_id in object_ids)
    COURIER.post(letters, ["object_id"], topic=topic, action=action, changes=flags)


def deliver_all_notices() -> None:
    COURIER.deliver_all()


def deliver_notices(activation_id: int) -> None:
    COURIER.deliver(activation_id)


def enable_notices(activation_id: int) -> bool:
    """Whether they were disabled."""
    return COURIER.enable(activation_id)


def replayable(notices: QuerySet[Notice]) -> QuerySet[Notice]:
    return COURIER.replayable(notices)


def replay(notices: QuerySet[Notice]) -> int:
    """How many are sent once more. Raises `Refused` where an address is disabled."""
    return COURIER.replay(notices)


def prune_notices() -> None:
    if COURIER.prune() | _forget_repetitions():
        enqueue(prune_notices)


def _forget_repetitions() -> bool:
    """What waits for a paused integration is told once of each record, by the last that says so:
    else it would grow for as long as the pause lasts. Whether there may be more."""
    # Whoever was at the address when it was paused writes down how it went.
    at = "activation__endpoint__busy_until"
    idle = Q(**{at: None}) | Q(**{f"{at}__lte": timezone.now()})  # or was killed at it
    waiting = Notice.objects.waiting().filter(idle, activation__state=State.PAUSED)
    # Sorted once: to ask of each whether there is a later one takes the square of their number.
    same = [F(name) for name in ("activation", "topic", "action", "object_id", "changes")]
    last = Window(Max("pk"), partition_by=same)
    repeated = waiting.annotate(last=last).filter(last__gt=F("pk"))
    return forget_some(PRUNED_AT_ONCE, repeated.order_by("pk"))
