from base64 import b64decode
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from connectors.errors import NotAllowed
from connectors.hub.tokens import Refusal, TokenRefused, recognise
from connectors.models import Activation, Credential, State
from connectors.payload import Payload
from portal.api.calls import CALLER_KEY
from portal.tracing import note_caller


class Partner:
    """Whom DRF takes for the user: somebody's program, not a person."""

    is_authenticated = True

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint  # of its credential


def admit(request: Request, credential: Credential) -> tuple[Partner, Activation]:
    """Whoever holds this credential, for DRF. Raises `NotAllowed` where its integration is not
    going on."""
    activation = credential.activation.current
    note_caller(activation.store_id, activation.pk)
    request.META[CALLER_KEY] = activation
    if activation.state != State.ACTIVE:
        raise NotAllowed(
            _("A integração está %(state)s.")
            % {"state": str(activation.get_state_display()).lower()}
        )
    return Partner(credential.fingerprint), activation


class BearerToken(BaseAuthentication):
    """`request.auth` is the activation whose credential the caller uses, with its store and
    connector (pluggto-api.md, section 2.4)."""

    def authenticate(self, request: Request) -> tuple[Any, Activation]:
        token = _token(request)
        if not token:
            raise TokenRefused(Refusal.NO_TOKEN)
        return admit(request, recognise(token, request.META.get("REMOTE_ADDR")))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _token(request: Request) -> str:
    """By header, else as `?access_token=`, else, in a DELETE, in the body: an old client of the
    hub sends it in the last two at once. The first one counts."""
    token = _presented(request, "bearer") or ""
    token = token.strip() or request.query_params.get("access_token", "").strip()
    if not token and request.method == "DELETE":
        token = Payload(request.data).optional_text("access_token")
    return token


def basic_pair(request: Request) -> tuple[str, str] | None:
    """The two values of HTTP Basic; None where the call does not use it. Raises `ValueError` where
    they cannot be read."""
    encoded = _presented(request, "basic")
    if encoded is None:
        return None
    name, _colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    return name, secret


def _presented(request: Request, wanted: str) -> str | None:
    """What the header holds, where it is of this scheme."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme.lower() == wanted else None
