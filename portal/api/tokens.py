from collections.abc import Mapping

from rest_framework.exceptions import APIException
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.tokens import TokenRefused, grant


class TokenView(APIView):
    """POST /oauth/token (pluggto-api.md, section 2.2)."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (FormParser,)

    def post(self, request: Request) -> Response:
        form = request.data if isinstance(request.data, Mapping) else {}
        granted = grant(form, request.META.get("REMOTE_ADDR"))
        return Response(
            {
                "token_type": "bearer",
                "access_token": granted.access_token,
                "expires_in": granted.expires_in,
                "refresh_token": granted.refresh_token,
            },
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, APIException):  # another method or content type (section 2.5)
            exc = TokenRefused(
                "invalid_request",
                "Method must be POST with application/x-www-form-urlencoded encoding",
            )
        return super().handle_exception(exc)
