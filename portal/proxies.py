"""Who calls, where proxies stand in front: what is limited, and on record, by address needs the
caller's own."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

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


def guessing_from(request: HttpRequest) -> str:
    """Whom wrong passwords are counted for. An IPv6 host has a whole network of addresses to guess
    from."""
    text = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if not isinstance(address, IPv6Address) or address.ipv4_mapped:
        return text
    return str(ip_network((address, 64), strict=False).network_address)


def _appended(request: HttpRequest) -> str:
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    if len(hops) < settings.PROXIES:
        return ""
    try:
        return str(ip_address(hops[-settings.PROXIES].strip()))
    except ValueError:
        return ""
