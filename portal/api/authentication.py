from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from connectors.errors import NotAllowed
from connectors.models import Activation, State
from connectors.tokens import TokenRefused, recognise


class Partner:
    """Whom DRF takes for the user: somebody's program, not a person."""

    is_authenticated = True


class BearerToken(BaseAuthentication):
    """`request.auth` is the activation whose credential the caller uses, with its store and
    connector. The token comes by header or as `?access_token=` (pluggto-api.md, section 2.4)."""

    def authenticate(self, request: Request) -> tuple[Any, Activation]:
        header = request.headers.get("Authorization", "")
        scheme, _space, token = header.partition(" ")
        if scheme.lower() != "bearer":
            token = request.query_params.get("access_token", "")
        if not token:
            raise TokenRefused("invalid_request", "The access token was not found", 401)
        credential = recognise(token.strip(), request.META.get("REMOTE_ADDR"))
        activation = credential.activation
        if activation.state != State.ACTIVE:
            raise NotAllowed(
                _("A integração está %(state)s.")
                % {"state": str(activation.get_state_display()).lower()}
            )
        return Partner(), activation

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
