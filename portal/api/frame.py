"""What every request of the API meets before its view, and every answer behind it."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.api.addresses import decoded, path_to_match
from portal.api.calls import note_partners_call
from portal.api.errors import PREFIX, TOO_LARGE, plain_error


class ApiFrame:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        # Whatever charset the content type claims, addresses are UTF-8; some names of charsets
        # would make Django fail to read even the query.
        request.encoding = "utf-8"
        request.path_info = path_to_match(request)
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length_of(request) > limit:
            return plain_error(*TOO_LARGE, f"$: longer than {limit} bytes")
        response = self.get_response(request)
        note_partners_call(request, response)
        if request.method == "HEAD":
            # The server would send it all the same, and the next answer would begin in it.
            response.headers["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[str, ...], kwargs: dict[str, str]
    ) -> None:
        """What names a record, as its own text."""
        if request.path.startswith(PREFIX):
            kwargs.update({name: decoded(segment) for name, segment in kwargs.items()})


def length_of(request: HttpRequest) -> int:
    text = request.headers.get("Content-Length") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
