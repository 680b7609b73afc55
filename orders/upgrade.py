"""Bringing an integration to its platform's new version (`Spec.upgrade`), as support does it.

Where the store has one account, it stays the same one: its credentials, De/Para, orders and notices
are where they were, and only its version, and perhaps its address, are others. Where an account of
the new version was added already, that one takes over from the old one, in one transaction: whoever
writes an order waits for it or is waited for, so that no order is offered to the old one only, or
stays with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from catalog.succession import mappings_to_move, move_codes
from connectors.errors import NotAllowed, NothingChanged
from connectors.models import Activation, Store
from connectors.models.activations import IN_USE
from connectors.services import change_settings
from connectors.succession import (
    check_may_succeed,
    hold_integrations_alone,
    notices_to_move,
    succeed,
)
from orders.models import OrderLink
from orders.status import OPEN

AT_ONCE = 500


@dataclass(frozen=True)
class Plan:
    """What an upgrade finds. Without a target the account stays the same one, and nothing moves."""

    source: Activation
    target: Activation | None
    credentials: int
    mappings: int
    mappings_left: int  # the target has its own for the same code or product
    orders: int
    open_orders: int
    orders_on_both: int
    notices: int


def is_to_upgrade(activation: Activation) -> bool:
    """It is on the old version of a platform that has a new one."""
    return activation.state in IN_USE and _version(activation) == "old"


def plans(source: Activation) -> Iterator[Plan]:
    """One for each account that may take over, the first for the account itself."""
    if not is_to_upgrade(source):
        return
    yield plan(source, None)
    others = source.store.activations.filter(
        connector=source.connector, mode=source.mode, state__in=IN_USE
    ).exclude(pk=source.pk)
    for other in others.select_related("connector", "store").order_by("pk"):
        if _version(other) == "new":
            yield plan(source, other)


def plan(source: Activation, target: Activation | None) -> Plan:
    mappings = source.sku_mappings.count()
    links = source.order_links.all()
    moving = mappings_to_move(source, target).count()
    return Plan(
        source=source,
        target=target,
        credentials=source.credentials.issued_in_use().count(),
        mappings=moving,
        mappings_left=mappings - moving,
        orders=links.count(),
        open_orders=links.filter(order__status__in=OPEN).count(),
        orders_on_both=_on_both(source, target).count() if target else 0,
        notices=notices_to_move(source, target).count(),
    )


@transaction.atomic
def upgrade(source_id: int, target_id: int | None, plugin_url: str) -> Plan:
    """Do it; what was found. A blank `plugin_url` leaves the account's address as it is.

    Raises `NothingChanged` where it was done before, `NotAllowed` where the connector has no
    versions, and `Refused` for a target that cannot take over.
    """
    store_id = Activation.objects.values_list("store_id", flat=True).get(pk=source_id)
    hold_integrations_alone(store_id)
    # Their keys stay: a change of stock, which holds a product, refers to them and goes on.
    Store.objects.select_for_update(no_key=True).get(pk=store_id)
    rows = Activation.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("connector", "store")
    locked = rows.order_by("pk").in_bulk([pk for pk in (source_id, target_id) if pk is not None])
    source = locked[source_id]
    if source.spec.upgrade is None:
        raise NotAllowed(_("%(name)s não tem versões.") % {"name": source.spec.name})
    if source.moved_to_id is not None or _version(source) == "new":
        raise NothingChanged(_("Esta integração já está na nova versão: nada mudou."))
    if target_id is None:
        return _stay(source, plugin_url)
    target = locked.get(target_id)
    if target is None or _version(target) != "new":
        raise NotAllowed(_("A integração escolhida não está na nova versão."))
    check_may_succeed(source, target)
    found = plan(source, target)
    _move_links(source, target)
    move_codes(source, target)
    succeed(source, target, plugin_url)
    return found


def _version(activation: Activation) -> str:
    """ "old", "new", or nothing where the connector has no versions."""
    versions = activation.spec.upgrade
    if versions is None:
        return ""
    return "old" if activation.settings.get(versions.setting) == versions.old else "new"


def _stay(source: Activation, plugin_url: str) -> Plan:
    found, version = plan(source, None), source.spec.upgrade
    if version is not None:
        change_settings(
            source.pk,
            source.custom_name,
            plugin_url or source.plugin_url,
            {version.setting: version.new},
        )
    return found


def _on_both(source: Activation, target: Activation) -> QuerySet[OrderLink]:
    """The source's links to orders that were offered to the target as well."""
    its_own = OrderLink.objects.filter(activation=target, order=OuterRef("order"))
    return OrderLink.objects.filter(Exists(its_own), activation=source)


def _move_links(source: Activation, target: Activation) -> None:
    """Every order, also those that ended: they may be asked for. One that both have becomes one,
    with what each knows of it."""
    theirs = {link.order_id: link for link in _on_both(source, target)}
    shared = list(OrderLink.objects.filter(activation=target, order__in=theirs))
    for link in shared:
        other = theirs[link.order_id]
        link.external_id = link.external_id or other.external_id
        link.acknowledged = link.acknowledged or other.acknowledged
        link.wanted_status = link.wanted_status or other.wanted_status
        link.sent_status = link.sent_status or other.sent_status
    OrderLink.objects.bulk_update(
        shared,
        ["external_id", "acknowledged", "wanted_status", "sent_status"],
        batch_size=AT_ONCE,
    )
    OrderLink.objects.filter(pk__in=[link.pk for link in theirs.values()]).delete()
    OrderLink.objects.filter(activation=source).update(activation=target)
