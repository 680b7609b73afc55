"""Calling Plugg.to: the token, and what its refusals mean (pluggto-api.md, sections 2 and 3)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from connectors.contract import Account, Token
from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable
from connectors.http import Answer, send
from connectors.payload import Payload
from connectors.trouble.causes import DUPLICATE, INVALID_VALUE, NOT_THERE

TOKEN_PATH = "oauth/token"
TOKEN_SECONDS = 20  # others may be waiting for the token
USUAL_LIFE = 3600  # seconds, of a token that does not say how long it lives
LONGEST_LIFE = 366 * 24 * 3600
# Of its life, until we ask for the next one.
WORN_AFTER = 0.9
REFUSED_CREDENTIALS = {
    "invalid_client": _("O Plugg.to recusou o Client ID ou o Client Secret."),
    "invalid_grant": _("O Plugg.to recusou o API User ou o API Secret."),
}


CAUSES = {400: INVALID_VALUE, 409: DUPLICATE, 422: INVALID_VALUE}


class NotUpdated(Rejected):
    """Everything that we sent was true there already."""


class NotThere(Rejected):
    """It does not have what we asked for."""


class Api:
    """One account. Its token is the account's, shared with whoever else calls in its name."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def call(self, method: str, path: str, **request: Any) -> Payload:
        """The reply to a successful call.

        Raises the four connector errors; `Rejected` holds Plugg.to's own words.
        """
        tokens = self.account.tokens
        token = tokens.current(self._ask_token)
        answer = self._send_with(token, method, path, **request)
        if answer.status == 401:
            token = tokens.renew(token, self._ask_token)
            answer = self._send_with(token, method, path, **request)
        newer = tokens.get()
        if answer.status == 401 and newer and newer.access != token.access:
            # Somebody else renewed it, and ours ended by that: no reason to call a person.
            answer = self._send_with(newer, method, path, **request)
        return _read_reply(answer, f"{method} {path}")

    def _ask_token(self, kept: Token | None) -> Token:
        """By the refresh token, which is good for one use; else by the password grant."""
        if kept and kept.refresh:
            # Used up, too old, never given: the other grant says what is really wrong.
            with suppress(Unauthorized, Rejected, Unreadable):
                return self._grant("refresh_token", refresh_token=kept.refresh)
        credentials = self.account.credentials
        return self._grant(
            "password", username=credentials["api_user"], password=credentials["api_secret"]
        )

    def _grant(self, grant_type: str, **form: str) -> Token:
        """No error shows the answer, which may hold the token."""
        credentials = self.account.credentials
        asked_at = datetime.now(UTC)
        answer = self._send(
            "POST",
            TOKEN_PATH,
            seconds=TOKEN_SECONDS,
            data={
                "grant_type": grant_type,
                "client_id": credentials["client_id"],
                "client_secret": credentials["client_secret"],
                **form,
            },
        )
        what = f"POST {TOKEN_PATH}: HTTP {answer.status}"
        _check_status(answer, f"POST {TOKEN_PATH}")
        try:
            reply = Payload(answer.json())
            if answer.status == 200:
                return _read_token(reply, asked_at)
            error = reply.optional_text("error")
        except Unreadable:
            raise Unreadable(f"{what}: not the answer of a token request") from None
        if error in REFUSED_CREDENTIALS:
            raise Unauthorized(str(REFUSED_CREDENTIALS[error]))
        raise Rejected(what)

    def _send_with(self, token: Token, method: str, path: str, **request: Any) -> Answer:
        headers = {"Authorization": f"Bearer {token.access}"}
        return self._send(method, path, headers=headers, **request)

    def _send(self, method: str, path: str, **request: Any) -> Answer:
        try:
            return send(method, self.account.url_of(path), **request)
        except Unavailable as error:
            raise Unavailable(f"{method} {path}: {error}") from error


def _read_token(reply: Payload, asked_at: datetime) -> Token:
    life = USUAL_LIFE if reply.is_blank("expires_in") else reply.whole("expires_in")
    if not 0 < life < LONGEST_LIFE:
        raise Unreadable(f"{reply.path}.expires_in: {life} seconds")
    return Token(
        access=reply.text("access_token"),
        refresh=reply.optional_text("refresh_token"),
        renew_at=asked_at + timedelta(seconds=life * WORN_AFTER),
    )


def _check_status(answer: Answer, what: str) -> None:
    if answer.status in (401, 403):
        raise Unauthorized(f"{what}: HTTP {answer.status}")
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(f"{what}: HTTP {answer.status}", answer.retry_after)


def _read_reply(answer: Answer, what: str) -> Payload:
    succeeded = 200 <= answer.status < 300
    try:
        reply = Payload(answer.json())
    except Unreadable as error:
        _check_status(answer, what)
        if succeeded:
            raise Unreadable(f"{what}: {error}") from error
        raise Rejected(f"{what}: HTTP {answer.status}") from error
    # A hub that forbids something says so in its own shape. Without that it does not know us.
    if answer.status != 403 or reply.data.get("error") is not True:
        _check_status(answer, what)
    # Clients tell success by the absence of this key, whatever the status.
    if succeeded and not reply.data.get("error"):
        return reply
    raise _refusal(answer, reply, f"{what}: HTTP {answer.status}: {_explanation(reply)}")


def _refusal(answer: Answer, reply: Payload, told: str) -> Rejected:
    kind = reply.data.get("type")
    if kind == "not_updated":
        return NotUpdated(told)
    if kind == "not_found" or answer.status == 404:
        return NotThere(told, cause=NOT_THERE)
    return Rejected(told, cause=CAUSES.get(answer.status, ""))


def _explanation(reply: Payload) -> str:
    """`details` is a text, or an object where the hub's database refused."""
    details = reply.data.get("details")
    if isinstance(details, dict):
        details = details.get("errmsg", details)
    return " ".join(str(part)[:300] for part in (reply.data.get("message"), details) if part)
