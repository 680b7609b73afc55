"""Calling Plugg.to: the token, and what its refusals mean (pluggto-api.md, sections 2 and 3)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from connectors.contract import Account
from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable
from connectors.http import Answer, send
from connectors.payload import Payload

TOKEN_PATH = "oauth/token"
REFUSED_CREDENTIALS = {
    "invalid_client": _("O Plugg.to recusou o Client ID ou o Client Secret."),
    "invalid_grant": _("O Plugg.to recusou o API User ou o API Secret."),
}


class NotUpdated(Rejected):
    """Everything that we sent was true there already."""


class Api:
    """One account. Keeps its token for its own life, which is one run."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._token = ""

    def call(self, method: str, path: str, **request: Any) -> Payload:
        """The reply to a successful call.

        Raises the four connector errors; `Rejected` holds Plugg.to's own words.
        """
        if not self._token:
            self._token = self._new_token()
        answer = self._send_with_token(method, path, **request)
        if answer.status == 401:
            self._token = self._new_token()
            answer = self._send_with_token(method, path, **request)
        return _read_reply(answer, f"{method} {path}")

    def _new_token(self) -> str:
        """By the password grant. No error shows the answer, which may hold the token."""
        credentials = self.account.credentials
        answer = self._send(
            "POST",
            TOKEN_PATH,
            data={
                "grant_type": "password",
                "client_id": credentials["client_id"],
                "client_secret": credentials["client_secret"],
                "username": credentials["api_user"],
                "password": credentials["api_secret"],
            },
        )
        what = f"POST {TOKEN_PATH}: HTTP {answer.status}"
        _check_status(answer, f"POST {TOKEN_PATH}")
        try:
            reply = Payload(answer.json())
            if answer.status == 200:
                return reply.text("access_token")
            error = reply.optional_text("error")
        except Unreadable:
            raise Unreadable(f"{what}: not the answer of a token request") from None
        if error in REFUSED_CREDENTIALS:
            raise Unauthorized(str(REFUSED_CREDENTIALS[error]))
        raise Rejected(what)

    def _send_with_token(self, method: str, path: str, **request: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._send(method, path, headers=headers, **request)

    def _send(self, method: str, path: str, **request: Any) -> Answer:
        try:
            return send(method, f"{self.account.base_url.rstrip('/')}/{path}", **request)
        except Unavailable as error:
            raise Unavailable(f"{method} {path}: {error}") from error


def _check_status(answer: Answer, what: str) -> None:
    if answer.status in (401, 403):
        raise Unauthorized(f"{what}: HTTP {answer.status}")
    if answer.status == 429 or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        raise Unavailable(f"{what}: HTTP {answer.status}", int(wait) if wait.isdigit() else None)


def _read_reply(answer: Answer, what: str) -> Payload:
    _check_status(answer, what)
    succeeded = 200 <= answer.status < 300
    try:
        reply = Payload(answer.json())
    except Unreadable as error:
        if succeeded:
            raise Unreadable(f"{what}: {error}") from error
        raise Rejected(f"{what}: HTTP {answer.status}") from error
    # Clients tell success by the absence of this key, whatever the status.
    if succeeded and not reply.data.get("error"):
        return reply
    refusal = NotUpdated if reply.data.get("type") == "not_updated" else Rejected
    raise refusal(f"{what}: HTTP {answer.status}: {_explanation(reply)}")


def _explanation(reply: Payload) -> str:
    """`details` is a text, or an object where the hub's database refused."""
    details = reply.data.get("details")
    if isinstance(details, dict):
        details = details.get("errmsg", details)
    return " ".join(str(part)[:300] for part in (reply.data.get("message"), details) if part)
