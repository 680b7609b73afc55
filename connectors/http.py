"""The only place that speaks HTTP to others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import HTTPError

from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable

CONNECT_SECONDS, READ_SECONDS = 5, 30
# The largest page that a platform sends is a few megabytes; more is a fault, or an attack.
LARGEST_ANSWER = 32 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises `Unreadable`."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unreadable(f"not JSON: {self.body[:60]!r}") from error


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
    # All stores of a platform share this session: what one was given must not go with another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def send(method: str, url: str, *, read_seconds: float = READ_SECONDS, **request: Any) -> Answer:
    """The answer, whatever its status. Raises `Unavailable` where there is none.

    No message holds the URL, a header or a credential: some platforms put the token in the URL.
    """
    session = _session(settings.ALLOW_PRIVATE_ADDRESSES)
    try:
        with session.request(
            method,
            url,
            timeout=(CONNECT_SECONDS, read_seconds),
            allow_redirects=False,
            stream=True,
            **request,
        ) as response:
            body = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
    # urllib3's own errors come through where the body breaks off while it is read, and the name
    # resolver's where a host's name has an impossible length.
    except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
        raise Unavailable(f"{method}: {type(error).__name__}") from error
    if len(body) > LARGEST_ANSWER:
        raise Unreadable(f"{method}: the answer is longer than {LARGEST_ANSWER} bytes")
    return Answer(response.status_code, response.headers, body)


def call(method: str, url: str, *, what: str, **request: Any) -> Any:
    """The JSON of a successful answer. `what` names the call in errors ("GET products").

    Raises the four connector errors by what HTTP says: 401 and 403 `Unauthorized`; 429, 5xx and
    no answer `Unavailable`; any other refusal `Rejected`; what is not JSON `Unreadable`.
    """
    try:
        answer = send(method, url, **request)
    except Unavailable as error:
        raise Unavailable(f"{what}: {error}") from error
    if answer.status in (401, 403):
        raise Unauthorized(f"{what}: HTTP {answer.status}")
    if answer.status == 429 or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        raise Unavailable(f"{what}: HTTP {answer.status}", int(wait) if wait.isdigit() else None)
    if not 200 <= answer.status < 300:
        text = answer.body[:300].decode("utf-8", "replace")
        raise Rejected(f"{what}: HTTP {answer.status}: {text}")
    try:
        return answer.json()
    except Unreadable as error:
        raise Unreadable(f"{what}: {error}") from error
