"""Telling somebody's tools what happens in a store.

Whatever happens is stored as an `Event`, in the transaction of its cause, where the store has an
integration whose specification names hooks. It goes two ways under one id: listed for who polls,
and sent to each subscription, in order, by delivery.py. An address that says 410 is unsubscribed.
One event that its address refuses again and again is given up after a day, so that those behind it
arrive; where nobody answers, or a server fails, all of them wait.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.bulk import among, insert_rows
from connectors.errors import NotAllowed, NotFound, Refused
from connectors.forgetting import forget_some
from connectors.hub.identifiers import new_public_id
from connectors.hub.wire import moment_text
from connectors.messages.delivery import KEPT, PRUNED_AT_ONCE, Courier, Letter, Outcome, is_over
from connectors.models import Activation, Delivery, Event, State, Store, Subscription
from connectors.models.hooks import LONGEST_URL, EventQuerySet
from connectors.queue import enqueue
from connectors.records import Document
from connectors.spec import IMAGES, PREPARATION_DAYS, Hook, Setting

REFUSED_FOR = timedelta(days=1)
NOT_THE_EVENTS_FAULT = {408, 429}
MOST_SUBSCRIPTIONS = 100
# A transaction that began before a poll may end after it: its events are older than they look.
OVERLAP = timedelta(minutes=5)


class HookCourier(Courier[Subscription, Delivery]):
    addresses, messages, to = Subscription, Delivery, "subscription"
    key = "subscription_id", "event_id"
    for_nobody = is_over("subscription__activation") | Q(subscription__ended_at__isnull=False)
    in_order = True

    @property
    def task(self) -> Callable[[int], None]:
        return deliver_events

    def letter(self, address: Subscription, message: Delivery) -> Letter:
        body = json.dumps(write_event(message.event, address.activation), ensure_ascii=False)
        return Letter(address.target_url, message.event.public_id, body.encode())

    def copy(self, message: Delivery) -> Delivery:
        return Delivery(subscription_id=message.subscription_id, event_id=message.event_id)

    def gives_up(self, message: Delivery, outcome: Outcome, failing_for: timedelta) -> bool:
        status = outcome.status or 0
        refused = 400 <= status < 500 and status not in NOT_THE_EVENTS_FAULT
        return refused and failing_for >= REFUSED_FOR

    def end(self, address: Subscription) -> bool:
        end_subscription(address.pk, _("O endereço respondeu que não existe mais (HTTP 410)."))
        return True


COURIER = HookCourier()


# -- What happens ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """`data` is flat: a tool's fields have no lists."""

    hook: Hook
    object_id: str
    data: Document


def has_listeners(activations: Iterable[Activation]) -> bool:
    return any(activation.spec.hooks for activation in activations)


def publish(store: Store, happenings: Iterable[Happening], *, to_somebody: bool = True) -> None:
    """Store these events, and for each subscription to them its delivery, in the caller's
    transaction. Who knows that there are none says that it is `to_somebody` no more than to the
    list."""
    events = [(new_public_id(), each.hook, each.object_id, each.data) for each in happenings]
    columns = ("public_id", "hook", "object_id", "data")
    insert_rows(Event, columns, events, store_id=store.pk, at=timezone.now())
    if not to_somebody:
        return
    subscribers: dict[str, list[Subscription]] = defaultdict(list)
    going_on = Subscription.objects.going_on().exclude(activation__state=State.REVOKED)
    hooks = {hook for _id, hook, *_what in events}
    for subscription in going_on.filter(activation__store=store, hook__in=hooks):
        subscribers[subscription.hook].append(subscription)
    told = [public_id for public_id, hook, *_what in events if hook in subscribers]
    if not told:
        return
    stored = Event.objects.filter(public_id__in=among(told)).order_by("pk")
    letters = (
        (subscription, (pk,))
        for pk, hook in stored.values_list("pk", "hook")
        for subscription in subscribers[hook]
    )
    COURIER.post(letters, ["event_id"])


def write_event(event: Event, activation: Activation) -> Document:
    """As one integration is told it: what its settings leave out is left out."""
    data: Document = dict(event.data)
    if not _chosen(PREPARATION_DAYS, activation):
        data.pop("preparation_days", None)
    if _chosen(IMAGES, activation) == "new" and event.hook != Hook.PRODUCT_CREATED:
        data.pop("image", None)
        data.pop("images_text", None)
    return {"id": event.public_id, "event": event.hook, "at": moment_text(event.at), **data}


def _chosen(setting: Setting, activation: Activation) -> Any:
    return activation.settings.get(setting.key, setting.default)


def events_of(activation: Activation, hook: Hook, since: datetime | None) -> EventQuerySet:
    """Its store's events of this kind, the newest first. What is stored a little late is in the
    next list all the same: `since` is taken some minutes earlier."""
    check_hook(activation, hook)
    events: EventQuerySet = Event.objects.filter(store=activation.store_id, hook=hook)
    if since is not None:
        events = events.filter(at__gte=since - OVERLAP)
    return events.order_by("-at", "-pk")


def check_hook(activation: Activation, hook: Hook) -> None:
    """Raise `NotAllowed` where its specification does not let it hear of this."""
    if hook not in activation.spec.hooks:
        raise NotAllowed(
            _("%(connector)s não assina eventos %(hook)s.")
            % {"connector": activation.spec.name, "hook": hook.value}
        )


# -- Subscriptions ---------------------------------------------------------------------------------


@transaction.atomic
def subscribe(activation_id: int, hook: Hook, target_url: str) -> Subscription:
    """Tell this address of every such event from here on. Asked for once more, it is the same
    subscription, and on again if it had been disabled.

    Raises `NotAllowed`, and `Refused` for an address that we may not call.
    """
    # Whoever asks for the same at the same moment waits here, and then finds it.
    activations = Activation.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "connector"
    )
    activation = activations.get(pk=activation_id)
    check_hook(activation, hook)
    if activation.state == State.REVOKED:
        raise NotAllowed(_("A integração está revogada."))
    check_target(target_url)
    going_on = activation.subscriptions.going_on()
    known = going_on.filter(hook=hook, target_url=target_url).first()
    if known is not None:
        if COURIER.enable(known.pk):
            known.refresh_from_db()
        return known
    if going_on.count() >= MOST_SUBSCRIPTIONS:
        raise Refused(
            _("Esta integração já tem %(most)d assinaturas: encerre as que não usa mais.")
            % {"most": MOST_SUBSCRIPTIONS}
        )
    return Subscription.objects.create(activation=activation, hook=hook, target_url=target_url)


def check_target(url: str) -> None:
    """Raise `Refused` for what is no address, is not https, or is plainly in a private network.
    (Where a name leads is looked at whenever we call it.)"""
    schemes = ["https", "http"] if settings.ALLOW_PRIVATE_ADDRESSES else ["https"]
    try:
        URLValidator(schemes=schemes)(url)
        host = urlsplit(url).hostname or ""
    except (ValidationError, ValueError) as error:
        raise Refused(_("$.target_url: informe um endereço que comece com https://.")) from error
    if len(url) > LONGEST_URL:
        raise Refused(_("$.target_url: mais de %(longest)d caracteres.") % {"longest": LONGEST_URL})
    if not settings.ALLOW_PRIVATE_ADDRESSES and _is_private(host):
        raise Refused(_("$.target_url: este endereço não é público."))


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def unsubscribe(activation: Activation, public_id: str) -> Subscription:
    """Nothing more goes there. Safe to repeat. Raises `NotFound` for what is not its own."""
    subscription: Subscription | None = activation.subscriptions.filter(public_id=public_id).first()
    if subscription is None:
        raise NotFound(f"hook {public_id}")
    end_subscription(subscription.pk, _("Encerrada por quem a assinou."))
    subscription.refresh_from_db()
    return subscription


@transaction.atomic
def end_subscription(subscription_id: int, reason: str) -> bool:
    """For good; what waited is given up. Whether it was going on until now."""
    now = timezone.now()
    going_on = Subscription.objects.going_on().filter(pk=subscription_id)
    ended = going_on.update(ended_at=now, ended_reason=reason[:500], busy_until=None)
    Delivery.objects.waiting().filter(subscription=subscription_id).update(given_up_at=now)
    return bool(ended)


def enable_subscription(subscription_id: int) -> bool:
    """Whether it was disabled."""
    return COURIER.enable(subscription_id)


def replayable_events(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    return COURIER.replayable(deliveries)


def replay_events(deliveries: QuerySet[Delivery]) -> int:
    """How many are sent once more. Raises `Refused` where a subscription is disabled."""
    return COURIER.replay(deliveries)


# -- What the queue runs ---------------------------------------------------------------------------


def deliver_all_events() -> None:
    COURIER.deliver_all()


def deliver_events(subscription_id: int) -> None:
    COURIER.deliver(subscription_id)


def prune_events() -> None:
    """Forget deliveries that ended long ago, and events of which there are no others."""
    more = COURIER.prune()
    deliveries = Delivery.objects.filter(event=OuterRef("pk"))
    old = Event.objects.filter(~Exists(deliveries), at__lt=timezone.now() - KEPT)
    if forget_some(PRUNED_AT_ONCE, old.order_by("at")) or more:
        enqueue(prune_events)
