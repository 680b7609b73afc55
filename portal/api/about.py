"""What the hub says of itself and of the caller's account."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.hub.openapi import described
from connectors.hub.tokens import caller_of
from connectors.hub.wire import moment_text

TIME = {
    "type": "object",
    "required": ["time"],
    "properties": {"time": {"type": "string", "format": "date-time"}},
}
USER = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "required": ["id", "name", "email", "status"],
            "properties": {
                "id": {"type": "integer"},
                "name": {"type": "string"},
                "email": {"type": ["string", "null"]},
                "status": {"type": "string"},
            },
        }
    },
}


class Time(APIView):
    """GET /time, without a token. Its shape was never seen (pluggto-api.md, section 1); the field
    and its form are ours, as the hub writes every other time."""

    authentication_classes = ()
    permission_classes = ()

    @described(_("A hora do hub"), TIME)
    def get(self, request: Request) -> Response:
        return Response({"time": moment_text(timezone.now())})


class CurrentUser(APIView):
    """GET /users: the account that the token is good for, which here is the store (section 11).
    A store has no address of its own: the e-mail is that of its first member who has one."""

    @described(_("A conta a que o token dá acesso"), USER)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        store = caller.store
        members = store.members.filter(is_active=True).exclude(email="").order_by("pk")
        return Response(
            {
                "data": {
                    "id": store.pk,
                    "name": store.name,
                    "email": members.values_list("email", flat=True).first(),
                    "status": caller.state,
                }
            }
        )
