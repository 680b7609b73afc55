"""Where a partner fetches its credentials: a link that opens once."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from connectors.attempts import Attempts
from connectors.errors import Refused
from connectors.handover import find_handover, labelled, open_handover

# The address itself is the secret: nobody keeps it, follows it or tells it to the next site.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
}


# What is asked for is authorised by the link alone: there is no session to be abused, and a
# refusal would write the address into the log.
@method_decorator(csrf_exempt, name="dispatch")
class HandoverPage(View):
    """Looking at it opens nothing, so that the scanners of mails do not: a person clicks."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        attempts = Attempts("handover", request.META.get("REMOTE_ADDR", ""))
        handover = None if attempts.are_too_many() else find_handover(token)
        if handover is None:
            attempts.note()
        return self._page(request, handover=handover)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        address = request.META.get("REMOTE_ADDR")
        attempts = Attempts("handover", address or "")
        if attempts.are_too_many():
            return self._page(request, handover=None)
        try:
            browser = request.headers.get("User-Agent", "")
            activation, issued = open_handover(token, address, browser)
        except Refused:
            attempts.note()
            return self._page(request, handover=find_handover(token))
        values = labelled(activation, issued)
        return self._page(request, activation=activation, values=values)

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """200 whatever it says: what is refused is logged with its address."""
        return TemplateResponse(request, "pages/handover.html", context, headers=HEADERS)
