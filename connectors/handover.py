"""Handing credentials over to a partner by a link that opens once and expires.

The link carries nothing but a random token. The values are issued in the moment in which somebody
opens it: until then there is no secret anywhere, and afterwards it is on record who saw them.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.errors import NotAllowed, Refused
from connectors.hashing import digest
from connectors.models import Activation, Handover
from connectors.services import IssuedSecrets, check_issues, revoke_credential, rotate_credential

LIFE = timedelta(hours=72)


@transaction.atomic
def offer_handover(activation_id: int, by: User, life: timedelta = LIFE) -> tuple[Handover, str]:
    """A new link, and its token, which is answered only here. The links that still waited are
    withdrawn: two would be two chances to be opened by the wrong person. Raises `NotAllowed`."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    check_issues(activation)
    activation.handovers.waiting().update(withdrawn_at=timezone.now(), withdrawn_by=by)
    token = secrets.token_urlsafe(32)
    handover = Handover.objects.create(
        activation=activation,
        token_hash=digest(token),
        created_by=by,
        expires_at=timezone.now() + life,
    )
    return handover, token


def find_handover(token: str) -> Handover | None:
    """Whether or not it can still be opened."""
    return (
        Handover.objects.select_related("activation__connector", "activation__store")
        .filter(token_hash=digest(token))
        .first()
    )


@transaction.atomic
def open_handover(
    token: str, address: str | None, browser: str
) -> tuple[Activation, IssuedSecrets]:
    """Issue the credentials, for the only time. Raises `Refused` where the link is not good any
    more.

    Credentials that nobody has used yet end here: they are what the operator saw, and the partner
    has others now. Those in use end after the overlap, as at every rotation.
    """
    # The integration first, as whoever makes another link does.
    theirs = Activation.objects.select_for_update(no_key=True, of=("self",))
    theirs.filter(handovers__token_hash=digest(token)).first()
    handover = Handover.objects.select_for_update().filter(token_hash=digest(token)).first()
    if handover is None or handover.situation != "waiting":
        raise Refused(_("Este link não vale mais."))
    activation, by = handover.activation, handover.created_by
    try:
        issued = rotate_credential(activation.pk, by)
    except NotAllowed as error:
        raise Refused(_("Este link não vale mais.")) from error
    newest, *older = activation.credentials.issued_in_use()
    for credential in older:
        if credential.last_used_at is None:
            revoke_credential(credential.pk, by)
    handover.opened_at = timezone.now()
    handover.opened_from = address
    handover.opened_with = browser[:200]
    handover.credential = newest
    handover.save(update_fields=["opened_at", "opened_from", "opened_with", "credential"])
    return activation, issued


@transaction.atomic
def withdraw_handovers(activation_id: int, by: User) -> int:
    """The links that nobody opened yet are good for nothing; how many that were."""
    waiting = Handover.objects.waiting().filter(activation_id=activation_id)
    return waiting.update(withdrawn_at=timezone.now(), withdrawn_by=by)


def labelled(
    activation: Activation, issued: IssuedSecrets
) -> Sequence[tuple[str, str | Promise, str]]:
    """Each value with its name. Where two of them are enough, these come first and say so."""
    client = [
        ("client_id", _("Client ID"), issued.client_id),
        ("client_secret", _("Client Secret"), issued.client_secret),
    ]
    integrator = activation.spec.activating.integrator
    user = [
        ("api_user", _("Identificador do integrador") if integrator else _("API User"),
         issued.api_user),
        ("api_secret", _("Token") if integrator else _("API Secret"), issued.api_secret),
    ]  # fmt: skip
    webhook = ("webhook_secret", _("Segredo das notificações"), issued.webhook_secret)
    return [*user, *client, webhook] if integrator else [*client, *user, webhook]
