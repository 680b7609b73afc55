"""One integration takes over from another of its store, while both are at work.

The other one stays, as history, and leads here: its credentials and tokens go on working, and who
calls with them acts as the one that took over, until support revokes it.
"""

from typing import TypeVar

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.errors import Refused
from connectors.messages.notices import deliver_notices
from connectors.models import (
    Activation,
    ActivationFlow,
    Endpoint,
    Failure,
    Notice,
    State,
)
from connectors.models.activations import IN_USE
from connectors.queue import enqueue

B = TypeVar("B")
LAST_TIMES = ("last_call_at", "last_run_at", "last_success_at", "last_change_at")


def hold_integrations(store_id: int) -> None:
    """Until the caller's transaction ends no integration of the store moves to another: who moves
    one holds them for himself alone. Any number of callers hold them at once.

    Not the store's row: whoever refers to it needs that as well, and may have locked products that
    the move is to write. (SQLite has one writer at a time anyway.)"""
    _lock("pg_advisory_xact_lock_shared", store_id)


def hold_integrations_alone(store_id: int) -> None:
    """For who moves one; before every other lock."""
    _lock("pg_advisory_xact_lock", store_id)


def _lock(function: str, store_id: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [store_id])


def acting(by: B) -> B | Activation:
    """Whom `by` writes as: it may have moved since it was authenticated. Only of some connectors
    does one take over from another. The caller holds the store's integrations."""
    if not isinstance(by, Activation) or by.spec.upgrade is None:
        return by
    successors = Activation.objects.filter(moved_here=by.pk).select_related("connector", "store")
    return successors.first() or by


def check_may_succeed(source: Activation, target: Activation) -> None:
    """Raise `Refused` where the target cannot take over from the source."""
    if source.state not in IN_USE or target.state not in IN_USE:
        raise Refused(_("Só se migra entre integrações que estão em uso."))
    whose = ("pk", "store_id", "connector_id", "mode")
    same = [getattr(source, name) == getattr(target, name) for name in whose]
    if same != [False, True, True, True]:
        raise Refused(_("Só se migra para outra integração da mesma loja, conector e modo."))


def notices_to_move(source: Activation, target: Activation | None) -> QuerySet[Notice]:
    """Those on their way that the target is not to be told anyway."""
    waiting = Notice.objects.waiting()
    same = waiting.filter(
        activation=target,
        topic=OuterRef("topic"),
        action=OuterRef("action"),
        object_id=OuterRef("object_id"),
    )
    return waiting.filter(~Exists(same), activation=source)


def succeed(source: Activation, target: Activation, plugin_url: str) -> None:
    """What this app knows of the source becomes the target's. Both rows are locked by the caller,
    and the store's."""
    version = source.spec.upgrade
    kept = {name: value for name, value in target.settings.items() if value not in ("", None)}
    target.settings = {**source.settings, **kept}
    if version:
        target.settings[version.setting] = version.new
    target.plugin_url = plugin_url or target.plugin_url or source.plugin_url
    target.save(update_fields=["settings", "plugin_url"])
    source.state, source.moved_to = State.MOVED, target
    source.paused_reason = ""
    source.save(update_fields=["state", "moved_to", "paused_reason"])
    source.runs.abandon(_("A integração migrou."))
    _move_notices(source, target)
    _move_flows(source, target)
    Failure.objects.filter(activation=source).resolve(_("A integração migrou."))


def _move_flows(source: Activation, target: Activation) -> None:
    """What the target passed over while it was the other's is read again; what is known changes
    nothing. How long a flow has been silent counts over both."""
    theirs = {flow.ability: flow for flow in source.flows.all()}
    flows = list(target.flows.all())
    for flow in flows:
        flow.cursor, flow.due_at = "", timezone.now()
        other = theirs.get(flow.ability)
        for name in LAST_TIMES:
            moments = [getattr(each, name) for each in (flow, other) if each]
            setattr(flow, name, max(filter(None, moments), default=None))
    ActivationFlow.objects.bulk_update(flows, ["cursor", "due_at", *LAST_TIMES])


def _move_notices(source: Activation, target: Activation) -> None:
    now = timezone.now()
    endpoint = Endpoint.objects.filter(pk=target.pk).first()
    given_up_at = now if endpoint and endpoint.disabled_at else None
    notices_to_move(source, target).update(activation=target, due_at=now, given_up_at=given_up_at)
    Notice.objects.waiting().filter(activation=source).update(
        given_up_at=now, last_error=_("A integração que assumiu já será avisada.")
    )
    if endpoint:
        enqueue(deliver_notices, target.pk)
