"""What PostgreSQL cannot even look for, in an address: a NUL becomes another unknown sign, so that
every page answers what it answers to whatever is not there. The API says what it cannot read."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.api.errors import PREFIX

UNKNOWN = "\ufffd"


class AddressesAreText:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            request.path_info = request.path_info.replace("\x00", UNKNOWN)
            query = request.META.get("QUERY_STRING", "")
            request.META["QUERY_STRING"] = query.replace("%00", "%EF%BF%BD")
        return self.get_response(request)
