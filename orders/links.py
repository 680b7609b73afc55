"""An order at the activations: what each notes on it, and whom a change must be told."""

from django.core.exceptions import ValidationError

from catalog.announcing import Circle, circle_of
from connectors.bulk import insert_all
from connectors.contract import FulfilmentSink, OrderSink
from connectors.errors import Refused
from connectors.messages.hooks import has_listeners
from connectors.messages.notices import announce, hears
from connectors.models import Activation
from connectors.records import OrderStatus
from connectors.runs.dispatch import start_now
from connectors.spec import Mode
from connectors.trouble.failures import retry_parked
from orders import push
from orders.events import publish_order
from orders.history import By
from orders.models import Order, OrderLink
from orders.status import ENDED
from orders.wire import OrderDocument, Parts


def notes_that_change(order: Order, by: By, document: OrderDocument) -> set[str]:
    """Which of the writer's own notes on the order would change."""
    if not isinstance(by, Activation):
        return set()
    link = OrderLink.objects.filter(order=order, activation=by).first() or OrderLink()
    changed = set()
    external = number_there(document)
    if external is not None and external != link.external_id:
        changed.add("external")
    if document.acknowledged is not None and document.acknowledged != link.acknowledged:
        changed.add("ack")
    return changed


def note(order: Order, by: Activation, document: OrderDocument) -> None:
    notes = {"external_id": document.external, "acknowledged": document.acknowledged}
    OrderLink.objects.update_or_create(
        order=order,
        activation=by,
        defaults={name: value for name, value in notes.items() if value is not None},
    )


def number_there(document: OrderDocument) -> str | None:
    """The writer's own number for the order. Raises `Refused` for one that is too long."""
    if document.external is not None:
        try:
            OrderLink._meta.get_field("external_id").run_validators(document.external)
        except ValidationError as error:
            raise Refused(f"$.external: {' '.join(error.messages)}") from error
    return document.external


def tell(
    order: Order,
    by: By,
    action: str,
    previous: str,
    *,
    announcing: bool,
    deliveries_changed: bool = False,
    parts: Parts,
    circle: Circle | None = None,
    first: OrderLink | None = None,
) -> None:
    """Offer the order to whoever consumes its status now, mark whom it must be sent to, notify
    the partners that know it, and publish its step to the store's tools. All of it in the
    transaction of the change. `first` is the one link of an order that has just come in, not
    stored yet."""
    new = [first] if first else []
    links = {link.activation_id: link for link in new or order.links.all()}
    partners = []
    circle = circle or circle_of(order.store)
    for activation in circle.consuming:
        if not hears(activation, by):
            continue
        link = links.get(activation.pk)
        told = _is_told(order, activation, link)
        if link is None:
            if not told:
                continue
            link = OrderLink(order=order, activation=activation)
            new.append(link)
        if activation.mode == Mode.PARTNER:
            partners.append(activation)
        elif told:
            _want(order, link, deliveries_changed)
        elif order.status in ENDED and not link.sent_status:
            # It does not follow cancellations, and never got the order: it never will.
            link.wanted_status = ""
            link.save(update_fields=push.WANTED)
    insert_all(new)
    if announcing:
        announce(partners, "orders", action, order.public_id, "status")
        if previous != order.status and has_listeners(circle.consuming):
            publish_order(order, previous, parts, to_somebody=circle.has_subscribers)


def _is_told(order: Order, activation: Activation, link: OrderLink | None) -> bool:
    """Whether the order, as it stands now, is its to hear of."""
    status = OrderStatus(order.status)
    if activation.pk == order.source_id:
        return status in push.CHANNEL_HEARS
    return activation.spec.wants(status) if link is None else activation.spec.follows(status)


def _want(order: Order, link: OrderLink, deliveries_changed: bool) -> None:
    """Mark what its platform is to be told, and have it told."""
    # Back at what was sent: it may have heard, without an answer, what was in between.
    is_back = link.sent_status == order.status != link.wanted_status
    link.wanted_status = order.status
    link.wanted_version += deliveries_changed or is_back
    if link.pk:
        # No more: what is told may be noted by a push at this moment.
        link.save(update_fields=push.WANTED)
    # This may be taken where what was sent before was refused.
    retry_parked(link.activation_id, record_ids=[order.public_id])
    # Now, and not when its turn comes: a buyer is waiting.
    start_now(link.activation_id, push.push_orders, OrderSink, FulfilmentSink)
