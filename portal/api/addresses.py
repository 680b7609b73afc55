"""Which slashes of an address separate: those that the caller wrote as slashes. A SKU may hold one,
written `%2F`, and may even end in `/stock`; servers decode the path before anybody sees it."""

import re
from urllib.parse import unquote, unquote_to_bytes

from django.http import HttpRequest
from django.utils.encoding import repercent_broken_unicode

SERVER_AND_PATH = re.compile(r"(?:https?://[^/?]*)?([^?]*)", re.IGNORECASE)
# What stays encoded: the slash inside a segment, and so that this can be told, the percent sign.
KEPT = re.compile("%(25|2F)", re.IGNORECASE)
SKU_PATH = re.compile(r"(/api/skus/)(.+?)((?:/stock)?/?)", re.IGNORECASE | re.DOTALL)


def path_to_match(request: HttpRequest) -> str:
    """The decoded path, in which every slash separates and `decoded` gives a segment's own text.

    gunicorn and most servers say how the path was written. Django's own do not: there, a SKU is
    what stands between `skus/` and a last `/stock`.
    """
    written = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    match = SERVER_AND_PATH.match(written)
    if match and _decode(match[1]) == request.path_info:
        return _decode(KEPT.sub(r"%25\1", match[1]))
    path = request.path_info.replace("%", "%25")
    if match := SKU_PATH.fullmatch(path):
        path = match[1] + match[2].replace("/", "%2F") + match[3]
    return path


def decoded(segment: str) -> str:
    return KEPT.sub(lambda kept: unquote(kept[0]), segment)


def _decode(path: str) -> str:
    """As Django does it."""
    return repercent_broken_unicode(unquote_to_bytes(path)).decode()
