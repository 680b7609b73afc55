"""The only place that speaks HTTP to others."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_network
from math import ceil
from time import monotonic
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from requests_hardened import Config, HTTPSession, ip_filter
from urllib3.exceptions import HTTPError

from connectors.deadline import end_call_in, keep_deadlines
from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable
from connectors.exchanges import Exchange, note
from connectors.payload import parse
from connectors.trouble.causes import DUPLICATE, INVALID_VALUE, NOT_THERE

CONNECT_SECONDS, READ_SECONDS = 5, 30  # for each wait
CALL_SECONDS = 60  # for the whole answer, however it comes
MOST_NOTED = 200_000  # bytes of an answer, for whoever asks what was answered last
# What a refusal's status says of its cause, to whoever reads no more of the answer.
CAUSES = {404: NOT_THERE, 409: DUPLICATE, 410: NOT_THERE, 422: INVALID_VALUE}
# The largest page that a platform sends is a few megabytes; more is a fault, or an attack.
LARGEST_ANSWER = 32 * 1024 * 1024

# Left out by the filter that keeps typed addresses from leading to us: IPv4 written as IPv6 in the
# old way, and what "fc00::" was called before.
ip_filter.EXTRA_BLOCKED_NET_RANGES += (ip_network("::/96"), ip_network("fec0::/10"))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> int | None:
        """When the other side wishes to be asked again, in seconds; it may say a date."""
        text = self.headers.get("Retry-After", "").strip()
        if re.fullmatch("[0-9]{1,9}", text):
            return int(text)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # "-0000", which is UTC too
        return max(0, ceil((moment - timezone.now()).total_seconds()))

    def json(self) -> Any:
        """Raises `Unreadable`."""
        return parse(self.body)


@cache
def _session(allow_private: bool) -> requests.Session:
    """One for the process: connections stay open. Never follows a redirect, which could lead a
    typed address into our own network."""
    session = requests.Session()
    if not allow_private:
        session = HTTPSession(
            Config(
                ip_filter_enable=True,
                ip_filter_allow_loopback_ips=False,
                never_redirect=True,
                default_timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        )
    # Nothing of the machine's surroundings: a .netrc would replace a store's credential, and a
    # proxy resolve names where private addresses are not looked for.
    session.trust_env = False
    # All stores of a platform share this session: what one was given must not go with another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    keep_deadlines(session)
    return session


def send(method: str, url: str, *, seconds: float = CALL_SECONDS, **request: Any) -> Answer:
    """The answer, whatever its status. Raises `Unavailable` where there is none, or not all of it
    in these seconds.

    No message holds the URL, a header or a credential: some platforms put the token in the URL.
    """
    session = _session(settings.ALLOW_PRIVATE_ADDRESSES)
    end_call_in(seconds)
    asked_at, began = timezone.now(), monotonic()

    def noted(status: int | None = None, answer: bytes = b"", error: str = "") -> None:
        took = monotonic() - began
        note(Exchange(method, url, request, asked_at, took, status, answer[:MOST_NOTED], error))

    try:
        with session.request(
            method,
            url,
            timeout=(min(CONNECT_SECONDS, seconds), min(READ_SECONDS, seconds)),
            allow_redirects=False,
            stream=True,
            **request,
        ) as response:
            body = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
    # urllib3's own errors come through where the body breaks off while it is read, and the name
    # resolver's where a host's name has an impossible length.
    except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
        noted(error=type(error).__name__)
        raise Unavailable(f"{method}: {type(error).__name__}") from error
    noted(response.status_code, body)
    if len(body) > LARGEST_ANSWER:
        raise Unreadable(f"{method}: the answer is longer than {LARGEST_ANSWER} bytes")
    return Answer(response.status_code, response.headers, body)


def call(method: str, url: str, *, what: str, **request: Any) -> Any:
    """The JSON of a successful answer, else the errors of `ask` and `Unreadable`."""
    return read_json(ask(method, url, what=what, **request), what)


def ask(method: str, url: str, *, what: str, **request: Any) -> Answer:
    """A successful answer. `what` names the call in errors ("GET products").

    Raises the connector errors by what HTTP says: 401 and 403 `Unauthorized`; 429, 5xx and no
    answer `Unavailable`; any other refusal `Rejected`.
    """
    try:
        answer = send(method, url, **request)
    except Unavailable as error:
        raise Unavailable(f"{what}: {error}") from error
    if answer.status in (401, 403):
        raise Unauthorized(f"{what}: HTTP {answer.status}")
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(f"{what}: HTTP {answer.status}", answer.retry_after)
    if not 200 <= answer.status < 300:
        text = _readable(answer.body)[:300]
        cause = CAUSES.get(answer.status, "")
        raise Rejected(f"{what}: HTTP {answer.status}: {text}", cause=cause)
    return answer


def _readable(body: bytes) -> str:
    """JSON with its letters written out, where half of the world's servers escape them."""
    text = body[:MOST_NOTED].decode("utf-8", "replace")
    if "\\u" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def read_json(answer: Answer, what: str) -> Any:
    """Raises `Unreadable`."""
    try:
        return answer.json()
    except Unreadable as error:
        raise Unreadable(f"{what}: {error}") from error
