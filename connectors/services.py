"""Switching integrations on, off, and on again: everything that writes an activation."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import Client, Flow
from connectors.errors import ConnectorError, NotAllowed, Refused, Unavailable
from connectors.hashing import digest, keyed
from connectors.messages.doorbells import install_doorbell
from connectors.messages.hooks import end_subscription
from connectors.messages.signing import new_webhook_secret
from connectors.models import (
    Activation,
    ActivationFlow,
    Connector,
    Credential,
    Delivery,
    Endpoint,
    Failure,
    Notice,
    State,
    Store,
    Subscription,
)
from connectors.models.activations import OVER
from connectors.queue import enqueue, enqueue_all
from connectors.receipts import write_receipt
from connectors.registry import SPECS
from connectors.runs.budget import meter_of
from connectors.sealing import seal
from connectors.shared_tokens import SharedTokens
from connectors.spec import Mode, Spec
from connectors.trouble.failures import retry_parked
from connectors.trouble.freshness import flows_of
from connectors.trouble.incidents import is_refused, open_refusal

# How long the old credentials work beside the new ones, unless somebody says otherwise.
OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class IssuedSecrets:
    """The four values, and the secret that signs the notices, in the only moment in which they
    are shown."""

    client_id: str
    client_secret: str
    api_user: str
    api_secret: str
    webhook_secret: str


def sync_connectors() -> None:
    """One row per specification, its name up to date. A row whose specification is gone is
    disabled, not deleted: its activations have a history, and stand still from here on."""
    for spec in SPECS.values():
        Connector.objects.update_or_create(slug=spec.slug, defaults={"name": spec.name})
    gone = Connector.objects.exclude(slug__in=SPECS)
    gone.update(enabled=False)
    Activation.objects.filter(connector__in=gone).going_on().update(
        state=State.PAUSED, paused_reason=_("O portal não tem mais este conector.")
    )


@transaction.atomic
def open_draft(
    *,
    store: Store,
    connector: Connector,
    mode: Mode,
    name: str,
    by: User,
    submission: UUID,
    plugin_url: str,
) -> tuple[Activation, bool]:
    """An activation that does nothing yet; whether this `submission` was not seen before. Raises
    `NotAllowed` where the connector is not available, or not in this mode."""
    # Whoever sends the same form at the same moment waits here, and then finds the activation.
    Store.objects.select_for_update().get(pk=store.pk)
    if earlier := Activation.objects.filter(submission=submission).first():
        return earlier, False
    spec = connector.spec
    if not connector.enabled:
        raise NotAllowed(_("%(name)s não aceita novas integrações.") % {"name": spec.name})
    if mode not in spec.modes:
        raise NotAllowed(_("%(name)s não funciona neste modo.") % {"name": spec.name})
    if store.activations.filter(connector=connector, name=name).exists():
        raise Refused(_("Esta loja já tem um pluggin com este nome neste conector."))
    activation = Activation.objects.create(
        store=store,
        connector=connector,
        mode=mode,
        name=name,
        plugin_url=plugin_url,
        state=State.DRAFT,
        submission=submission,
        created_by=by,
        # In the shapes that the hub's clients expect (pluggto-api.md, section 2.1).
        client_id=secrets.token_hex(16) if mode == Mode.PARTNER else None,
        api_user=str(10**12 + secrets.randbelow(9 * 10**12)) if mode == Mode.PARTNER else None,
    )
    return activation, True


@transaction.atomic
def switch_on(activation_id: int, by: User) -> IssuedSecrets | None:
    """From here on it takes part: the partner may call, or we call the platform. For one that is
    no draft any more nothing happens, and nothing is issued."""
    activation = Activation.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=activation_id
    )
    if activation.state != State.DRAFT:
        return None
    if not activation.connector.enabled:
        raise NotAllowed(
            _("%(name)s não aceita novas integrações.") % {"name": activation.connector}
        )
    activation.state = State.WAITING
    activation.save(update_fields=["state"])
    flows = flows_of(activation.pk, Mode(activation.mode), activation.spec)
    ActivationFlow.objects.bulk_create(flows)
    if activation.mode == Mode.PARTNER:
        Endpoint.objects.create(activation=activation)
        issued = issue_credential(activation, by)
        write_receipt(activation, by)
        return issued
    if not activation.credentials.received().exists():
        raise Refused(_("Faltam as credenciais do sistema."))
    install_doorbell(activation)
    write_receipt(activation, by)
    enqueue(check_activation, activation.pk)
    return None


@transaction.atomic
def issue_credential(activation: Activation, by: User) -> IssuedSecrets:
    """The activation's two names with two new secrets, of which only hashes are kept, and one
    that we must present ourselves, which is sealed."""
    issued = IssuedSecrets(
        client_id=activation.client_id or "",
        client_secret=secrets.token_hex(16),
        api_user=activation.api_user or "",
        api_secret=secrets.token_urlsafe(48),
        webhook_secret=new_webhook_secret(),
    )
    Credential.objects.create(
        activation=activation,
        kind=Credential.Kind.ISSUED,
        client_secret_hash=digest(issued.client_secret),
        api_secret_hash=digest(issued.api_secret),
        sealed=seal({"webhook_secret": issued.webhook_secret}),
        fingerprint=digest(issued.client_secret + issued.api_secret)[:16],
        created_by=by,
    )
    return issued


@transaction.atomic
def record_credential(
    activation: Activation,
    values: Mapping[str, str],
    by: User,
    ends_at: datetime | None = None,
) -> Credential:
    """Seal what the platform gave us, and take up again what failed without it. Raises `Refused`
    where a value is missing."""
    missing = [str(f.label) for f in activation.spec.credentials if not values.get(f.key)]
    if missing:
        raise Refused(_("Falta informar: %(fields)s.") % {"fields": ", ".join(missing)})
    credential = Credential.objects.create(
        activation=activation,
        kind=Credential.Kind.RECEIVED,
        sealed=seal(values),
        fingerprint=keyed(repr(sorted(values.items())))[:16],
        ends_at=ends_at,
        created_by=by,
    )
    if is_refused(activation.pk):
        resume(activation.pk)  # what it was paused for may be mended
    retry_parked(activation.pk)
    return credential


@transaction.atomic
def note_received_end(activation_id: int, ends_at: datetime) -> None:
    """Until when the platform takes what we present, where that is learnt afterwards."""
    received = Credential.objects.received().select_for_update()
    latest = received.filter(activation_id=activation_id).latest("pk")
    latest.ends_at = ends_at
    latest.save(update_fields=["ends_at"])


@transaction.atomic
def rotate_credential(activation_id: int, by: User, overlap: timedelta = OVERLAP) -> IssuedSecrets:
    """New values beside the old ones, which end by themselves after the overlap, or earlier where
    that was said before."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    check_issues(activation)
    end = timezone.now() + overlap
    older = activation.credentials.issued_in_use()
    older.filter(Q(ends_at=None) | Q(ends_at__gt=end)).update(ends_at=end)
    return issue_credential(activation, by)


def check_issues(activation: Activation) -> None:
    """Raise `NotAllowed` where no partner could use what we issue."""
    if activation.mode != Mode.PARTNER or activation.state in OVER:
        raise NotAllowed(_("Esta integração não usa credenciais emitidas pelo portal."))


@transaction.atomic
def end_credential(credential_id: int, ends_at: datetime) -> None:
    """Bring its end forward. Raises `Refused` for what would let it live longer."""
    credential = Credential.objects.select_for_update().get(pk=credential_id)
    if credential.kind != Credential.Kind.ISSUED or not credential.is_in_use:
        raise Refused(_("Esta credencial não vale mais."))
    if credential.ends_at and ends_at > credential.ends_at:
        raise Refused(_("O fim só pode ser antecipado; para mais tempo, gere outra credencial."))
    credential.ends_at = ends_at
    credential.save(update_fields=["ends_at"])


@transaction.atomic
def revoke_credential(credential_id: int, by: User) -> bool:
    """At once: its tokens are good for nothing from here on. Whether it was not so already."""
    revoked = Credential.objects.filter(pk=credential_id, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_by=by
    )
    return bool(revoked)


@transaction.atomic
def revoke_older_credentials(activation_id: int, by: User) -> int:
    """End what was issued before the latest rotation; how many credentials that were."""
    issued = Credential.objects.issued_in_use().filter(activation_id=activation_id)
    older = list(issued.order_by("-pk").values_list("pk", flat=True)[1:])
    for credential_id in older:
        revoke_credential(credential_id, by)
    return len(older)


@transaction.atomic
def change_settings(
    activation_id: int,
    custom_name: str | None,
    plugin_url: str | None,
    values: Mapping[str, Any],
) -> None:
    """Only what was named changes: not what is None, nor a setting that the form did not show. What
    failed is tried again."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    custom_name = activation.custom_name if custom_name is None else custom_name
    plugin_url = activation.plugin_url if plugin_url is None else plugin_url
    if plugin_url != activation.plugin_url:
        # They were another address's.
        Endpoint.objects.filter(pk=activation_id).forget_failures()
        Notice.objects.filter(activation=activation_id).begin_anew()
    activation.custom_name = custom_name
    activation.plugin_url = plugin_url
    activation.settings = {**activation.settings, **values}
    activation.save(update_fields=["custom_name", "plugin_url", "settings"])
    retry_parked(activation_id)


@transaction.atomic
def note_first_call(activation_id: int) -> None:
    """The partner called us, or the platform answered us: the integration is active."""
    Activation.objects.filter(pk=activation_id, state=State.WAITING).update(
        state=State.ACTIVE, first_called_at=timezone.now()
    )


@transaction.atomic
def pause(activation_id: int, reason: str) -> bool:
    """Whether it was going on until now."""
    going_on = Activation.objects.filter(pk=activation_id).going_on()
    return bool(going_on.update(state=State.PAUSED, paused_reason=reason[:500]))


@transaction.atomic
def pause_refused(activation_id: int, reason: str) -> None:
    """The platform refused our credentials, or what we call there: pause, and tell a person. A new
    credential takes it up again."""
    if pause(activation_id, reason):
        open_refusal(activation_id, reason)


@transaction.atomic
def resume(activation_id: int) -> bool:
    """Back to where it was: active if it ever was, else waiting. Whether it was paused."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    if activation.state != State.PAUSED:
        return False
    activation.state = State.ACTIVE if activation.first_called_at else State.WAITING
    activation.paused_reason = ""
    activation.save(update_fields=["state", "paused_reason"])
    now = timezone.now()
    activation.flows.update(due_at=now, slot_at=None, failures_in_a_row=0)
    # It was not expected to do anything meanwhile.
    activation.flows.exclude(watched_since=None).update(watched_since=now)
    Endpoint.objects.filter(pk=activation_id).forget_failures()
    Subscription.objects.filter(activation=activation_id).forget_failures()
    # Nobody tried these meanwhile: their three days begin anew.
    Notice.objects.filter(activation=activation_id).begin_anew()
    Delivery.objects.filter(subscription__activation=activation_id).begin_anew()
    return True


@transaction.atomic
def revoke(activation_id: int, by: User) -> bool:
    """For good: the integration and all its credentials. Whether it was not so already."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    if activation.state == State.REVOKED:
        return False
    activation.state = State.REVOKED
    activation.save(update_fields=["state"])
    activation.runs.abandon(_("A integração está revogada."))
    # Nothing tries them again, and what arrived is not kept for nobody.
    Failure.objects.filter(activation=activation).resolve(_("A integração está revogada."))
    for subscription in activation.subscriptions.going_on():
        end_subscription(subscription.pk, _("A integração está revogada."))
    whoever_acts_as_it = Q(activation=activation) | Q(activation__moved_to=activation)
    Credential.objects.filter(whoever_acts_as_it, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_by=by
    )
    return True


def client_of(activation: Activation, flow: Flow | None = None) -> Client:
    """For a flow's run with no more than this flow's part of the account's calls. Raises
    `NotAllowed` where the connector has no managed mode."""
    spec: Spec = activation.spec
    if spec.client is None:
        raise NotAllowed(_("%(name)s não tem modo gerenciado.") % {"name": spec.name})
    account = replace(activation.account(), tokens=SharedTokens(activation))
    return spec.client(replace(account, meter=meter_of(account, spec, flow)))


def check_activation(activation_id: int) -> None:
    """Call the platform once: active if it answers, paused with the reason if it refuses us; if
    it does not answer, check_all_waiting asks again. The queue runs it: it takes its time."""
    activation = Activation.objects.select_related("connector").get(pk=activation_id)
    if activation.state != State.WAITING:
        return
    began = timezone.now()
    try:
        client_of(activation).check()
    except Unavailable:
        return
    except (ConnectorError, Refused) as error:
        # A credential that came since is to be tried first.
        if not activation.credentials.received().filter(created_at__gt=began).exists():
            pause_refused(activation_id, str(error))
    else:
        note_first_call(activation_id)


def check_all_waiting() -> None:
    waiting = Activation.objects.filter(state=State.WAITING, mode=Mode.MANAGED)
    enqueue_all(check_activation, waiting.values_list("pk")[:1000])
