"""Who calls, where proxies stand in front: what is limited, and on record, by address needs the
caller's own."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class CallersAddress:
    """Each proxy of ours appends whom it was called by; what stands further left anybody may have
    written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PROXIES and (address := _appended(request)):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def _appended(request: HttpRequest) -> str:
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    if len(hops) < settings.PROXIES:
        return ""
    try:
        return str(ip_address(hops[-settings.PROXIES].strip()))
    except ValueError:
        return ""
