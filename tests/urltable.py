"""The table of the portal's addresses, read from it: a new one is tried from its first day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """`orders/{public_id}/`, and what the table calls it."""

    pattern: str
    name: str

    @property
    def parts(self) -> list[str]:
        """What of it is said by who calls."""
        return re.findall(r"{(\w+)}", self.pattern)

    def filled(self, values: dict[str, str]) -> str:
        return "/" + self.pattern.format(**values)


def routes(below: str = "") -> list[Route]:
    return [route for route in _routes(get_resolver(), "") if route.pattern.startswith(below)]


def _routes(resolver: URLResolver, before: str) -> Iterator[Route]:
    for each in resolver.url_patterns:
        pattern = before + _readable(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _routes(each, pattern)
        elif isinstance(each, URLPattern):
            yield Route(pattern, each.name or "")


def _readable(pattern: str) -> str:
    """`orders/<str:public_id>/` and `^[oO]rders/(?P<public_id>[^/]+)/?$` alike: `orders/{…}/`."""
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", pattern)
    text = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"\[(\w)\w\]", r"\1", text))
    return re.sub(r"/\?\$$|[\^$]", "", text)
