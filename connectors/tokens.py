"""The hub's bearer tokens (pluggto-api.md, section 2): granting, refreshing, recognising them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from connectors.hashing import digest, matches
from connectors.models import AccessToken, Credential, State
from connectors.services import note_first_call

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=14)
# How exactly "last used" is known. Writing it at every call would make every read a write.
USE_NOTED_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """`error` and `description` are the hub's own words, to the letter (section 2.5)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True)
class Granted:
    access_token: str
    refresh_token: str
    expires_in: int


def grant(form: Mapping[str, str], address: str | None) -> Granted:
    """Tokens for a token request's form. Fields that its grant does not need are ignored.

    Raises `TokenRefused`. `address` is the caller's, for the record.
    """
    grant_type = form.get("grant_type")
    if grant_type not in ("password", "refresh_token"):
        raise TokenRefused("invalid_request", "Invalid or missing grant_type parameter")
    credential = _client(form)
    if grant_type == "password":
        _check_user(credential, form)
        granted = _issue(credential)
    else:
        granted = _refresh(credential, form.get("refresh_token", ""))
    note_use(credential, address)
    return granted


def _client(form: Mapping[str, str]) -> Credential:
    """The credential whose client secret this is: there are two while one is being replaced."""
    if not form.get("client_id"):
        raise TokenRefused("invalid_client", "Invalid or missing client_id parameter")
    if not form.get("client_secret"):
        raise TokenRefused("invalid_client", "Missing client_secret parameter")
    candidates = Credential.objects.select_related("activation").filter(
        activation__client_id=form["client_id"], kind=Credential.Kind.ISSUED, revoked_at=None
    )
    right = [c for c in candidates if matches(form["client_secret"], c.client_secret_hash)]
    if not right:
        raise TokenRefused("invalid_client", "Client credentials are invalid")
    return right[0]


def _check_user(credential: Credential, form: Mapping[str, str]) -> None:
    if not form.get("username") or not form.get("password"):
        raise TokenRefused(
            "invalid_client", 'Missing parameters. "username" and "password" are required'
        )
    right_user = form["username"] == credential.activation.api_user
    if not matches(form["password"], credential.api_secret_hash) or not right_user:
        raise TokenRefused("invalid_grant", "User credentials are invalid")


@transaction.atomic
def _refresh(credential: Credential, refresh_token: str) -> Granted:
    token = (
        AccessToken.objects.select_for_update()
        .filter(credential=credential, refresh_hash=digest(refresh_token), refreshed_at=None)
        .first()
    )
    if token is None:
        raise TokenRefused("invalid_grant", "Invalid refresh token")
    if token.refresh_expires_at <= timezone.now():
        raise TokenRefused("invalid_grant", "Refresh token has expired")
    token.refreshed_at = timezone.now()
    token.save(update_fields=["refreshed_at"])
    return _issue(credential)


def _issue(credential: Credential) -> Granted:
    access, refresh = secrets.token_hex(20), secrets.token_hex(20)
    now = timezone.now()
    AccessToken.objects.create(
        credential=credential,
        access_hash=digest(access),
        access_expires_at=now + ACCESS_LIFE,
        refresh_hash=digest(refresh),
        refresh_expires_at=now + REFRESH_LIFE,
    )
    return Granted(access, refresh, int(ACCESS_LIFE.total_seconds()))


def recognise(access_token: str, address: str | None) -> Credential:
    """The credential behind an access token, its activation, store and connector loaded.

    Raises `TokenRefused`, with status 401, which makes clients authenticate again.
    """
    token = (
        AccessToken.objects.select_related(
            "credential__activation__store", "credential__activation__connector"
        )
        .filter(access_hash=digest(access_token))
        .first()
    )
    if token is None or token.credential.revoked_at is not None:
        raise TokenRefused("invalid_token", "The access token provided is invalid.", 401)
    if token.access_expires_at <= timezone.now():
        raise TokenRefused("invalid_token", "The access token provided has expired.", 401)
    note_use(token.credential, address)
    return token.credential


def note_use(credential: Credential, address: str | None) -> None:
    """Remember when and from where; the first use makes a waiting activation active."""
    now = timezone.now()
    if credential.last_used_at is None or credential.last_used_at < now - USE_NOTED_EVERY:
        Credential.objects.filter(pk=credential.pk).update(last_used_at=now, last_used_from=address)
    if credential.activation.state == State.WAITING:
        note_first_call(credential.activation_id)
        credential.activation.state = State.ACTIVE


def prune_tokens() -> None:
    """Forget tokens that can no longer be refreshed."""
    AccessToken.objects.filter(refresh_expires_at__lt=timezone.now()).delete()
