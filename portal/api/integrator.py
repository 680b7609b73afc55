"""Two values that go with every call, for tools that cannot ask for tokens: the integrator's
identifier (the API user) and token (the API secret), as HTTP Basic or in two headers."""

from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from connectors.attempts import TooManyAttempts
from connectors.hub.tokens import Refusal, TokenRefused, recognise_integrator
from connectors.models import Activation
from portal.api.authentication import admit, basic_pair

IDENTIFIER, TOKEN = "X-Integrator-Id", "X-Integrator-Token"


class IntegratorPair(BaseAuthentication):
    """`request.auth` is the activation, as with a bearer token. Who brings no pair is asked for
    a token."""

    def authenticate(self, request: Request) -> tuple[Any, Activation] | None:
        pair = _pair(request)
        if pair is None:
            return None
        try:
            credential = recognise_integrator(*pair, request.META.get("REMOTE_ADDR"))
        except TooManyAttempts as error:
            raise Throttled(wait=settings.ATTEMPTS_WINDOW) from error
        return admit(request, credential)

    def authenticate_header(self, request: Request) -> str:
        return "Basic"


def _pair(request: Request) -> tuple[str, str] | None:
    if IDENTIFIER in request.headers or TOKEN in request.headers:
        return request.headers.get(IDENTIFIER, "").strip(), request.headers.get(TOKEN, "").strip()
    if request.query_params.get("access_token"):
        return None
    try:
        return basic_pair(request)
    except ValueError as error:
        raise TokenRefused(Refusal.WRONG_INTEGRATOR) from error
