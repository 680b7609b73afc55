"""The hub's bearer tokens (pluggto-api.md, section 2): granting, refreshing, recognising them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from connectors.attempts import Attempts, TooManyAttempts
from connectors.errors import NotAllowed
from connectors.hashing import digest, matches
from connectors.models import AccessToken, Activation, AuthorizationCode, Credential, State
from connectors.prepared import Prepared, Slot
from connectors.services import check_issues, note_first_call

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=14)
CODE_LIFE = timedelta(minutes=5)
# How exactly "last used" is known. Writing it at every call would make every read a write.
USE_NOTED_EVERY = timedelta(minutes=1)

TOKENS = Prepared(
    lambda: AccessToken.objects.filter(access_hash=Slot("digest")).select_related(
        "credential__activation__store",
        "credential__activation__connector",
        "credential__activation__moved_to__store",
        "credential__activation__moved_to__connector",
    )
)


def caller_of(request: Request) -> Activation:
    return cast(Activation, request.auth)  # no view that asks answers anybody else


class Refusal(Enum):
    """The hub's own words, to the letter (section 2.5): the HTTP status, the error, and what
    describes it."""

    NO_FORM = (
        400,
        "invalid_request",
        "Method must be POST with application/x-www-form-urlencoded encoding",
    )
    GRANT_TYPE = 400, "invalid_request", "Invalid or missing grant_type parameter"
    NO_CLIENT = 400, "invalid_client", "Invalid or missing client_id parameter"
    NO_SECRET = 400, "invalid_client", "Missing client_secret parameter"
    WRONG_CLIENT = 400, "invalid_client", "Client credentials are invalid"
    NO_USER = 400, "invalid_client", 'Missing parameters. "username" and "password" are required'
    WRONG_USER = 400, "invalid_grant", "User credentials are invalid"
    WRONG_CODE = 400, "invalid_grant", "Invalid code"
    OLD_CODE = 400, "invalid_grant", "Code has expired"
    WRONG_REFRESH = 400, "invalid_grant", "Invalid refresh token"
    OLD_REFRESH = 400, "invalid_grant", "Refresh token has expired"
    # 401 makes clients authenticate again; the hub's own 400 for a missing token would not.
    NO_TOKEN = 401, "invalid_request", "The access token was not found"
    WRONG_TOKEN = 401, "invalid_token", "The access token provided is invalid."
    OLD_TOKEN = 401, "invalid_token", "The access token provided has expired."
    # Ours: the hub knows no such pair.
    WRONG_INTEGRATOR = 401, "invalid_client", "The integrator's identifier or token is wrong."


class TokenRefused(Exception):
    def __init__(self, why: Refusal) -> None:
        self.why = why
        self.status, self.error, self.description = why.value
        super().__init__(self.description)


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
    if grant_type not in ("password", "authorization_code", "refresh_token"):
        raise TokenRefused(Refusal.GRANT_TYPE)
    credential = _client(form)
    if grant_type == "password":
        _check_user(credential, form)
        granted = _issue(credential)
    elif grant_type == "authorization_code":
        granted = _swap(credential, form.get("code", ""))
    else:
        granted = _refresh(credential, form.get("refresh_token", ""))
    note_use(credential, address)
    return granted


def _client(form: Mapping[str, str]) -> Credential:
    """The credential whose client secret this is: there are two while one is being replaced."""
    if not form.get("client_id"):
        raise TokenRefused(Refusal.NO_CLIENT)
    if not form.get("client_secret"):
        raise TokenRefused(Refusal.NO_SECRET)
    candidates = (
        Credential.objects.issued_in_use()
        .select_related("activation__moved_to")
        .filter(activation__client_id=form["client_id"])
    )
    right = [c for c in candidates if matches(form["client_secret"], c.client_secret_hash)]
    if not right:
        raise TokenRefused(Refusal.WRONG_CLIENT)
    return right[0]


def _check_user(credential: Credential, form: Mapping[str, str]) -> None:
    if not form.get("username") or not form.get("password"):
        raise TokenRefused(Refusal.NO_USER)
    right_user = form["username"] == credential.activation.api_user
    if not matches(form["password"], credential.api_secret_hash) or not right_user:
        raise TokenRefused(Refusal.WRONG_USER)


@transaction.atomic
def _swap(credential: Credential, code: str) -> Granted:
    row = (
        AuthorizationCode.objects.select_for_update()
        .filter(activation=credential.activation, code_hash=digest(code), used_at=None)
        .first()
    )
    if row is None:
        raise TokenRefused(Refusal.WRONG_CODE)
    if row.expires_at <= timezone.now():
        raise TokenRefused(Refusal.OLD_CODE)
    row.used_at = timezone.now()
    row.save(update_fields=["used_at"])
    return _issue(credential)


@transaction.atomic
def _refresh(credential: Credential, refresh_token: str) -> Granted:
    # Also one of before a rotation, as long as that counts: an App has no other way to the new one.
    in_use = Credential.objects.issued_in_use().filter(activation=credential.activation_id)
    token = (
        AccessToken.objects.select_for_update()
        .filter(credential__in=in_use, refresh_hash=digest(refresh_token), refreshed_at=None)
        .first()
    )
    if token is None:
        raise TokenRefused(Refusal.WRONG_REFRESH)
    if token.refresh_expires_at <= timezone.now():
        raise TokenRefused(Refusal.OLD_REFRESH)
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


def issue_code(activation: Activation, by: User) -> str:
    """A code that the partner's App swaps for tokens, once, within a few minutes.

    Raises `NotAllowed` where no partner could use it.
    """
    check_issues(activation)
    code = secrets.token_hex(20)
    AuthorizationCode.objects.create(
        activation=activation,
        code_hash=digest(code),
        issued_by=by,
        expires_at=timezone.now() + CODE_LIFE,
    )
    return code


def address_to_open(activation: Activation, by: User) -> str:
    """The App's own address with a new code, as the hub opens it: `{url}?pluggtocode={code}`
    (section 13). Raises `NotAllowed`."""
    if not activation.plugin_url:
        raise NotAllowed(_("Esta integração não tem URL do pluggin para abrir."))
    url = urlsplit(activation.plugin_url)
    code = urlencode({"pluggtocode": issue_code(activation, by)})
    return urlunsplit(url._replace(query=f"{url.query}&{code}" if url.query else code))


def recognise(access_token: str, address: str | None) -> Credential:
    """The credential behind an access token, its activation, store and connector loaded.

    Raises `TokenRefused`.
    """
    found = TOKENS(digest=digest(access_token))
    if not found or not found[0].credential.is_in_use:
        raise TokenRefused(Refusal.WRONG_TOKEN)
    token = found[0]
    if token.access_expires_at <= timezone.now():
        raise TokenRefused(Refusal.OLD_TOKEN)
    note_use(token.credential, address)
    return token.credential


def recognise_integrator(identifier: str, token: str, address: str | None) -> Credential:
    """The credential of which these are the API user and secret, loaded as by `recognise`, where
    its connector lets a partner in by them alone. Raises `TokenRefused` and `TooManyAttempts`."""
    attempts = Attempts("integrator", identifier, address or "")
    candidates = (
        Credential.objects.issued_in_use()
        .annotate(is_guessed=Exists(attempts.exceeded()))
        .select_related(
            "activation__store",
            "activation__connector",
            "activation__moved_to__store",
            "activation__moved_to__connector",
        )
        .filter(activation__api_user=identifier)
    )
    # Before it is compared: who may not know yet learns nothing from who has to wait.
    if any(c.is_guessed for c in candidates):
        raise TooManyAttempts
    right = [c for c in candidates if matches(token, c.api_secret_hash)]
    if not right or not right[0].activation.spec.activating.integrator:
        attempts.note()
        raise TokenRefused(Refusal.WRONG_INTEGRATOR)
    note_use(right[0], address)
    return right[0]


def note_use(credential: Credential, address: str | None) -> None:
    """Remember when and from where; the first use makes a waiting activation active."""
    now = timezone.now()
    if credential.last_used_at is None or credential.last_used_at < now - USE_NOTED_EVERY:
        Credential.objects.filter(pk=credential.pk).update(last_used_at=now, last_used_from=address)
    activation = credential.activation.current
    if activation.state == State.WAITING:
        note_first_call(activation.pk)
        activation.state = State.ACTIVE


def prune_tokens() -> None:
    """Forget tokens that can no longer be refreshed, and codes that can no longer be swapped."""
    AccessToken.objects.filter(refresh_expires_at__lt=timezone.now()).delete()
    AuthorizationCode.objects.filter(expires_at__lt=timezone.now()).delete()
