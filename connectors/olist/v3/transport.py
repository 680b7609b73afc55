"""Calling the ERP's API v3 (platform-apis.md, sections 5.1 to 5.3): JSON, errors by HTTP status,
and a token that changes each time it is renewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.contract import BATCH_CALLS, CALLS, Account, Token
from connectors.errors import OutOfBudget, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.http import Answer, send
from connectors.payload import Payload
from connectors.spec import Field, Scope, Setting
from connectors.trouble.causes import DUPLICATE, INVALID_VALUE, NOT_THERE

TOKEN_URL = Setting(
    "v3_token_url",
    gettext_lazy("API v3: endereço do token"),
    Field.URL,
    Scope.INTERNAL,
    default="https://accounts.tiny.com.br/realms/tiny/protocol/openid-connect/token",
    help=gettext_lazy("Só muda em testes."),
)
TOKEN_SECONDS = 20  # others may be waiting for the token
# Of its life, until we ask for the next one. The refresh token lives 20 hours longer than the
# access token: an integration that stood still for most of a day still finds its way back.
WORN_AFTER = 0.5
USUAL_LIFE, LONGEST_LIFE = 4 * 3600, 24 * 3600  # seconds
RECONNECT = {"invalid_grant", "invalid_client", "unauthorized_client"}
PAGE = 100
NEXT_MINUTE = 60  # seconds


class NotThere(Rejected):
    """It does not have what we asked for."""


class Duplicate(Rejected):
    """It has an equal record already."""


KINDS: dict[int, tuple[type[Rejected], str]] = {
    400: (Rejected, INVALID_VALUE),  # its body names the fields
    404: (NotThere, NOT_THERE),
    409: (Duplicate, DUPLICATE),
}


def credentials_of(account: Account) -> list[str]:
    """Client ID, Client Secret and the first refresh token, where the three stand in the place of
    the API v2's one token."""
    return account.credentials["token"].split()


def speaks_v3(account: Account) -> bool:
    return len(credentials_of(account)) == 3


class Api:
    """One company's account. Reads and writes are counted apart, as the ERP counts them."""

    def __init__(self, account: Account) -> None:
        # The form fills in the address of the API v2, beside which this one lies.
        base = account.base_url.rstrip("/")
        self.base_url = base.removesuffix("/api2") + "/public-api/v3" * base.endswith("/api2")
        self.account = account
        self.client_id, self.client_secret, self.first_refresh = credentials_of(account)

    def get(self, path: str, **params: str | int) -> Payload:
        return self._call("GET", path, params=params)

    def open(self, folder: str, record_id: str) -> Payload:
        """One record. An answer without it, or with another, says nothing of this one."""
        record = self.get(f"{folder}/{record_id}")
        if (answered := record.optional_text("id")) != record_id:
            raise Unavailable(f"GET {folder}: asked for {record_id}, answered {answered}")
        return record

    def page(self, path: str, number: int, **params: str) -> tuple[list[Payload], bool]:
        """A page of a list, the first is 1, and whether there are more."""
        offset = (number - 1) * PAGE
        answer = self.get(path, limit=PAGE, offset=offset, **params)
        found = answer.each("itens")
        total = answer.one("paginacao").whole("total")
        if offset < total and answer.data.get("itens") is None:
            raise Unavailable(f"GET {path}: $.itens: missing")
        return found, bool(found) and offset + len(found) < total

    def post(self, path: str, body: dict[str, Any]) -> Payload:
        return self._call("POST", path, json=body)

    def put(self, path: str, body: dict[str, Any]) -> None:
        self._call("PUT", path, json=body)

    def _call(self, method: str, path: str, **request: Any) -> Payload:
        tokens = self.account.tokens
        token = tokens.current(self._ask_token)
        answer = self._send_with(token, method, path, **request)
        if answer.status == 401:
            token = tokens.renew(token, self._ask_token)
            answer = self._send_with(token, method, path, **request)
        _check(answer, f"{method} {path}")
        if answer.status == 204 or not answer.body:
            return Payload({})
        try:
            return Payload(answer.json())
        except Unreadable as error:
            # A page about maintenance, or half an answer: nothing is wrong with the record.
            raise Unavailable(f"{method} {path}: {error}") from error

    def _send_with(self, token: Token, method: str, path: str, **request: Any) -> Answer:
        meter, kind = self.account.meter, CALLS if method == "GET" else BATCH_CALLS
        meter.spend(kind)
        url = f"{self.base_url}/{path}"
        answer = send(method, url, headers={"Authorization": f"Bearer {token.access}"}, **request)
        limit, left = (_number(answer, f"X-RateLimit-{name}") for name in ("Limit", "Remaining"))
        if limit:
            meter.learn(limit, kind)
        if answer.status == 429 and not left:  # else it was only too fast
            meter.exhaust(kind)
        return answer

    def _ask_token(self, kept: Token | None) -> Token:
        """By the refresh token, which is good for one use: the kept one is newer than what was
        recorded. No error shows the answer, which may hold a token."""
        asked_at = datetime.now(UTC)
        answer = send(
            "POST",
            self.account.settings.get(TOKEN_URL.key) or str(TOKEN_URL.default),
            seconds=TOKEN_SECONDS,
            data={
                "grant_type": "refresh_token",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "refresh_token": kept.refresh if kept else self.first_refresh,
            },
        )
        what = f"POST token: HTTP {answer.status}"
        if answer.status == 429 or answer.status >= 500:
            raise Unavailable(what, answer.retry_after)
        try:
            reply = Payload(answer.json())
            if answer.status == 200:
                return _read_token(reply, asked_at)
            error = reply.optional_text("error")
        except Unreadable:
            raise Unavailable(f"{what}: not the answer of a token request") from None
        if error in RECONNECT:
            raise Unauthorized(
                _(
                    "O Olist ERP não aceita mais a autorização do aplicativo (%s): é preciso"
                    " autorizá-lo outra vez e registrar, juntos no campo do token, Client ID,"
                    " Client Secret e o refresh token novo."
                )
                % error
            )
        raise Rejected(what)


def _read_token(reply: Payload, asked_at: datetime) -> Token:
    life = USUAL_LIFE if reply.is_blank("expires_in") else reply.whole("expires_in")
    life = min(max(life, 1), LONGEST_LIFE)
    return Token(
        access=reply.text("access_token"),
        refresh=reply.text("refresh_token"),
        renew_at=asked_at + timedelta(seconds=life * WORN_AFTER),
    )


def _check(answer: Answer, what: str) -> None:
    """Raises what the status means. Only 400 and 409 are known to have a body."""
    status = answer.status
    if 200 <= status < 300:
        return
    told = f"{what}: HTTP {status}{_explanation(answer)}"
    if status in (401, 403):  # 403: the app was not given this module
        raise Unauthorized(told)
    if status == 429:
        raise OutOfBudget(told, _number(answer, "X-RateLimit-Reset") or NEXT_MINUTE)
    if status >= 500:
        raise Unavailable(told, answer.retry_after)
    kind, cause = KINDS.get(status, (Rejected, ""))
    raise kind(told, cause=cause)


def _explanation(answer: Answer) -> str:
    try:
        body = Payload(answer.json())
        told = [body.optional_text("mensagem")]
        for detail in body.each("detalhes"):
            told.append(f"{detail.optional_text('campo')}: {detail.optional_text('mensagem')}")
    except Unreadable:
        return ""
    return f": {'; '.join(text for text in told if text)}"[:500]


def _number(answer: Answer, header: str) -> int:
    text = answer.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
