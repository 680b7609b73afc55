"""The roles of the support team: which permissions each has. Merchants have none: they come in as
members of their stores, and not into the admin."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction

SEEN = (
    "catalog.product", "catalog.sent", "catalog.skumapping", "catalog.stock",
    "connectors.activation", "connectors.activationflow", "connectors.act", "connectors.alert",
    "connectors.ask", "connectors.billingterm", "connectors.brake", "connectors.comparison",
    "connectors.connector", "connectors.credential", "connectors.delivery",
    "connectors.difference", "connectors.doorbell", "connectors.endpoint", "connectors.failure",
    "connectors.handover", "connectors.incident", "connectors.notice", "connectors.receipt",
    "connectors.repair", "connectors.ring", "connectors.run", "connectors.store",
    "connectors.subscription", "orders.erasure", "orders.order",
)  # fmt: skip
OPERATOR = frozenset(
    {
        *(name.replace(".", ".view_") for name in SEEN),
        "catalog.add_skumapping", "catalog.change_skumapping", "catalog.change_stock",
        "catalog.change_sent", "connectors.change_ask",
        "connectors.add_activation", "connectors.change_activation",
        "connectors.change_activationflow", "connectors.change_brake",
        "connectors.change_comparison", "connectors.change_difference",
        "connectors.change_failure", "connectors.change_incident", "connectors.change_notice",
        "connectors.change_delivery", "connectors.change_run", "connectors.change_subscription",
        "connectors.change_ring", "connectors.add_store", "connectors.change_store",
        "orders.change_order",
    }
)  # fmt: skip
LEAD = OPERATOR | {
    "catalog.delete_skumapping", "connectors.change_connector", "connectors.delete_store",
    "connectors.revoke_activation", "connectors.revoke_credential",
    "connectors.change_billingterm", "orders.hold_order",
}  # fmt: skip


@dataclass(frozen=True)
class Role:
    name: str
    permissions: frozenset[str]


ROLES = (Role("Suporte", OPERATOR), Role("Liderança do suporte", LEAD))


@transaction.atomic
def sync_roles() -> None:
    """The groups as this table says, whatever somebody made of them."""
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role in ROLES:
        group, _new = Group.objects.get_or_create(name=role.name)
        group.permissions.set([known[name] for name in sorted(role.permissions)])
