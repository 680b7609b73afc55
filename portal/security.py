"""What we tell browsers that our pages may do.

Merchants' pages: scripts and styles from our own files only; nothing inline, nothing evaluated, and
nobody frames them. The admin is django-unfold's: its menus are Alpine, which evaluates the text of
attributes, and it writes styles and small scripts into its pages; so there `unsafe-inline` and
`unsafe-eval` are allowed, and whatever is not ours still is not. The API's document page is
Swagger's, which writes a style into its page.
"""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from catalog.spreadsheets.files import MOST_BYTES
from portal.api.frame import length_of

Policy = Mapping[str, str]

STRICT: Policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# The buttons that conclude an activation, the merchant's and the operator's, lead to the partner's
# own site: without TLS only where that is the sandbox on this machine.
AWAY = "'self' https: http:" if settings.ALLOW_PRIVATE_ADDRESSES else "'self' https:"
# A product's photos lie where its platform has them. The page asks for none before somebody wants
# to see them, and never says where from.
WITH_PHOTOS: Policy = {**STRICT, "img-src": "'self' data: https:"}
LEADING_AWAY: Policy = {**STRICT, "form-action": AWAY}
ADMIN: Policy = {
    **STRICT,
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}
DOCS: Policy = {**STRICT, "style-src": "'self' 'unsafe-inline'"}
# By how the path begins; the first that fits.
POLICIES: tuple[tuple[str, Policy], ...] = (
    ("/admin/connectors/activation/", {**ADMIN, "form-action": AWAY}),
    ("/admin/", ADMIN),
    ("/api/docs", DOCS),
    ("/catalogue/", WITH_PHOTOS),
    ("/integrations/", LEADING_AWAY),
    ("/", STRICT),
)
HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The rest (nosniff, referrers, frames, HSTS, the opener) are Django's, by the settings.


# The page for spreadsheets says itself what is wrong with one that is a little too large.
LARGEST_BODY = 2 * MOST_BYTES


class LargestBody:
    """Nobody fills our disk. A form's files are written there, whatever their size, before anybody
    has looked at who sends them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if length_of(request) <= LARGEST_BODY:
            return self.get_response(request)
        text = _("O arquivo tem mais de %d MB.") % (MOST_BYTES // 2**20)
        return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")


class BrowserRules:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = next(policy for start, policy in POLICIES if request.path.startswith(start))
        response.headers["Content-Security-Policy"] = written(policy)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def written(policy: Policy) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
