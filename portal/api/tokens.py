from typing import Any, cast

from django.conf import settings
from django.db import DataError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, MethodNotAllowed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.attempts import Attempts
from connectors.errors import Unreadable
from connectors.hub.openapi import FORM, described, ref
from connectors.hub.tokens import Refusal, TokenRefused, grant
from portal.api.authentication import basic_pair
from portal.api.parsing import FormParser

_FIELDS = (
    "client_id", "client_secret", "username", "password", "refresh_token", "code"
)  # fmt: skip
# What somebody would be told who tries values one after the other. Nobody tries refresh tokens: a
# client's workers share one, and its use by the first makes it an old one for the others.
GUESSING = {Refusal.WRONG_CLIENT, Refusal.WRONG_USER, Refusal.WRONG_CODE}
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": ["password", "authorization_code", "refresh_token"]},
        **{name: {"type": "string"} for name in _FIELDS},
    },
}
_HEX = {"type": "string", "pattern": "^[0-9a-f]{40}$"}
TOKEN = {
    "type": "object",
    "required": ["token_type", "access_token", "expires_in", "refresh_token"],
    "properties": {
        "token_type": {"const": "bearer"},
        "access_token": _HEX,
        "expires_in": {"type": "integer"},
        "refresh_token": _HEX,
    },
}


class TokenView(APIView):
    """POST /oauth/token (pluggto-api.md, section 2.2)."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (FormParser,)

    @described(_("Pedir um token de acesso"), TOKEN, takes=TOKEN_FORM, media=(FORM,))
    def post(self, request: Request) -> Response:
        sent = cast(dict[str, Any], request.data)
        form = {name: value for name, value in sent.items() if isinstance(value, str)}
        form |= _basic(request)
        address = request.META.get("REMOTE_ADDR")
        attempts = Attempts("token", form.get("client_id", ""), address or "")
        if attempts.are_too_many():
            raise Throttled(wait=settings.ATTEMPTS_WINDOW)
        try:
            granted = grant(form, address)
        except TokenRefused as refused:
            if refused.why in GUESSING:
                attempts.note()
            raise
        return Response(
            {
                "token_type": "bearer",
                "access_token": granted.access_token,
                "expires_in": granted.expires_in,
                "refresh_token": granted.refresh_token,
            },
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    @described(_("Sempre recusado: um token se pede com POST"), ref("TokenError"), status=400)
    def refuse(self, request: Request) -> Response:
        """The hub does not say 405 here (section 2.5)."""
        raise TokenRefused(Refusal.NO_FORM)

    get = put = patch = delete = refuse

    def handle_exception(self, exc: Exception) -> Response:
        # Another content type (section 2.5), or what is no form after all.
        if isinstance(exc, APIException | Unreadable | DataError) and not isinstance(
            exc, MethodNotAllowed | Throttled
        ):
            exc = TokenRefused(Refusal.NO_FORM)
        return super().handle_exception(exc)


def _basic(request: Request) -> dict[str, str]:
    """The client's two values, where they come as HTTP Basic instead of in the body."""
    try:
        pair = basic_pair(request)
    except ValueError:
        return {}
    return {"client_id": pair[0], "client_secret": pair[1]} if pair else {}
