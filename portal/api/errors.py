"""Every error of the hub API in the hub's shape (pluggto-api.md, section 3)."""

import logging
import sys
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from connectors.errors import (
    Duplicate,
    NotAllowed,
    NotFound,
    NothingChanged,
    Refused,
    Unreadable,
)
from connectors.hub.tokens import TokenRefused
from portal.tracing import request_id

PREFIX = "/api/"
NO_DATABASE = "the database does not answer: try again"
NO_TEXT = "the address or the query holds a character that is no text"
log = logging.getLogger(__name__)
MESSAGE = "An error occurred, see details for more information."


class NotServed(Refused):
    """The hub names such a resource, and the portal does not have it."""


# By what happened: the HTTP status and the hub's word for it. The first that fits.
SHAPES: tuple[tuple[type[Exception], int, str], ...] = (
    (NothingChanged, 400, "not_updated"),
    (NotServed, 404, "not_available"),
    (NotFound, 404, "not_found"),
    (NotAllowed, 403, "not_allowed"),
    (Duplicate, 400, "duplicate"),
    (Refused, 400, "invalid"),
    (Unreadable, 400, "invalid"),
    (Http404, 404, "not_found"),
    (PermissionDenied, 403, "not_allowed"),
    (exceptions.NotFound, 404, "not_found"),
    (exceptions.MethodNotAllowed, 405, "method_not_allowed"),
    (exceptions.UnsupportedMediaType, 415, "unsupported_media_type"),
    (exceptions.Throttled, 429, "too_many_requests"),
    (exceptions.APIException, 400, "invalid"),
)
# What fails before or behind the views.
TOO_LARGE = (413, "too_large")
BROKEN = (500, "internal_error")
# The database is away, full, or at odds with itself for a moment. It may even have taken the call,
# and only its yes was lost: said again, the same call does no harm.
AWAY = (OperationalError, InterfaceError)
READ_ONLY = "25006"  # PostgreSQL's code, while another server takes this one's place
UNAVAILABLE = (503, "unavailable")
RETRY_SOON = {"Retry-After": "5"}


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is not named here is a fault of ours, and stays one."""
    if isinstance(error, DataError):
        error = Refused(NO_TEXT)  # PostgreSQL cannot even look for it
    if _is_away(error):
        log.error("the database is away: %s", error)
        set_rollback()
        return Response(error_body(UNAVAILABLE[1], NO_DATABASE), status=503, headers=RETRY_SOON)
    if isinstance(error, TokenRefused):
        set_rollback()
        return token_error(error)
    for kind, code, word in SHAPES:
        if isinstance(error, kind):
            set_rollback()
            # A client that asks the database's error text tells duplicates by this object.
            details = {"errmsg": str(error)} if isinstance(error, Duplicate) else str(error)
            headers = {}
            if isinstance(error, exceptions.Throttled):
                headers["Retry-After"] = str(ceil(getattr(error, "wait", None) or 1))
            return Response(error_body(word, details), status=code, headers=headers)
    return None


class UnknownPath(APIView):
    """What is not in the API's table of addresses, whatever the method, and token or not."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound(request.path)


class NotAvailable(APIView):
    """What the hub's documentation names without a shape that anybody has seen: a clear no
    instead of an invention (sections 9 and 11)."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotServed(f"the portal does not serve {request.path}")


def error_body(word: str, details: Any) -> dict[str, Any]:
    return {"error": True, "type": word, "message": MESSAGE, "details": details}


def plain_error(code: int, word: str, details: str) -> HttpResponse:
    """For what fails outside of DRF's views."""
    return JsonResponse(error_body(word, details), status=code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of what it refuses by itself: a forged Host, too many fields."""
    if request.path.startswith(PREFIX):
        return plain_error(400, "invalid", type(exception).__name__)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of our own faults, and of the database's outside of the API's views. The
    log has the rest, under the same id."""
    if _is_away(sys.exc_info()[1]):
        return _no_database(request)
    if request.path.startswith(PREFIX):
        return plain_error(*BROKEN, f"request {request_id()}")
    return defaults.server_error(request)


def _is_away(error: BaseException | None) -> bool:
    cause = getattr(error, "__cause__", None)
    return isinstance(error, AWAY) or getattr(cause, "sqlstate", "") == READ_ONLY


def _no_database(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(PREFIX):
        response = plain_error(*UNAVAILABLE, NO_DATABASE)
    else:
        text = _("O portal está sem o banco de dados neste momento. Tente de novo daqui a pouco.")
        response = HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
    response.headers["Retry-After"] = RETRY_SOON["Retry-After"]
    return response


def token_error(error: TokenRefused) -> Response:
    """The token endpoint's own shape (section 2.5)."""
    body = {
        "code": error.status,
        "error": error.error,
        "error_description": error.description,
    }
    headers = {"WWW-Authenticate": "Bearer"} if error.status == status.HTTP_401_UNAUTHORIZED else {}
    return Response(body, status=error.status, headers=headers)
