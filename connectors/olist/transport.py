"""The envelope of the ERP's API v2 (platform-apis.md, sections 3.1 to 3.3): one script per
service, form fields in, everything under `retorno` out, and HTTP 200 also for errors."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from connectors.contract import BATCH_CALLS, CALLS, Account
from connectors.errors import (
    ConnectorError,
    OutOfBudget,
    Rejected,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.http import ask, read_json
from connectors.payload import Payload
from connectors.trouble.causes import (
    DUPLICATE,
    INVALID_VALUE,
    MISSING_DATA,
    NOT_THERE,
    OUR_BUG,
    PLAN,
)

DATE = "%d/%m/%Y"
DATE_TIME = "%d/%m/%Y %H:%M:%S"

# Always counted as batches, also with one record, against a limit of their own.
BATCH_SERVICES = frozenset(
    {
        "contato.incluir.php", "contato.alterar.php",
        "produto.incluir.php", "produto.alterar.php",
    }
)  # fmt: skip
# A paid extension of its own. Without it the rest of the API works.
EXTENSION = ("lista.atualizacoes.",)

TOKEN_REFUSED = {"1", "2"}
NO_ACCESS = "5"  # the plan has no API, or this service is not in it
COMPANY_BLOCKED = {"7", "8"}  # out of space, or blocked
TOO_MANY_CALLS, TOO_MANY_AT_ONCE = "6", "11"
TRY_AGAIN = {"35", "99"}
NOTHING_FOUND = frozenset({"20", "23"})  # by a search; there is no such page
NOT_AUTHORISED_YET = frozenset({"34"})  # an invoice
# What the other codes say of why a record was refused.
CAUSES = {
    **dict.fromkeys(("3", "4", "9", "21", "22"), OUR_BUG),
    "10": MISSING_DATA,
    "30": DUPLICATE,
    "31": INVALID_VALUE,
    "32": NOT_THERE,
    "33": DUPLICATE,
}
NEXT_MINUTE = 60  # seconds; the ERP sends no Retry-After


class Api:
    """One company's account. No error text holds the token, whatever the ERP echoes."""

    def __init__(self, account: Account) -> None:
        self.base_url = account.base_url.rstrip("/")
        self.token = account.credentials["token"]
        self.meter = account.meter

    def call(
        self,
        service: str,
        /,
        *,
        nothing: Collection[str] = (),
        **params: str | Mapping[str, Any],
    ) -> Payload:
        """The `retorno` of a successful call, without content where the ERP refuses with one of
        the codes `nothing`. A structured parameter travels as JSON in its one form field."""
        try:
            return self._call(service, nothing, params)
        except ConnectorError as error:
            # Some quote the answer, in which the token may stand. So may their causes.
            error.args = (str(error).replace(self.token, "***"),)
            raise error from None

    def _call(
        self,
        service: str,
        nothing: Collection[str],
        params: Mapping[str, str | Mapping[str, Any]],
    ) -> Payload:
        kind = BATCH_CALLS if service in BATCH_SERVICES else CALLS
        self.meter.spend(kind)
        form = {name: _form_value(value) for name, value in params.items()}
        answer = ask(
            "POST",
            f"{self.base_url}/{service}",
            what=service,
            data={"token": self.token, "formato": "json", **form},
        )
        limit = answer.headers.get("x-limit-api", "")
        if limit.isdigit() and int(limit):
            self.meter.learn(int(limit))  # the company's; that of batches is the same for all
        try:
            body = read_json(answer, service)
        except Unreadable as error:
            # A page about maintenance, or half an answer: nothing is wrong with the record.
            raise Unavailable(str(error)) from error
        told = Payload(body).one("retorno")
        refusal = _read_refusal(service, told)
        if refusal is None:
            return told
        code, message = refusal
        if code in nothing:
            return Payload({}, told.path)
        if code == TOO_MANY_CALLS:
            self.meter.exhaust(kind)
        raise _error(service, code, message)

    def page(
        self, service: str, plural: str, singular: str, number: int, **params: str
    ) -> tuple[list[Payload], bool]:
        """A page of a search, and whether there are more."""
        answer = self.call(service, nothing=NOTHING_FOUND, pagina=str(number), **params)
        more = not answer.is_blank("numero_paginas") and number < answer.whole("numero_paginas")
        return wrapped(answer, plural, singular), more


def _form_value(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_refusal(service: str, answer: Payload) -> tuple[str, str] | None:
    """The code and the text of a refusal. Both stand at the answer's head or, for a write, in the
    record that was refused; of a batch the others are written all the same."""
    status = answer.text("status")
    if status not in ("OK", "Erro", "Parcial"):
        raise Unreadable(f"{service}: {answer.path}.status: {status!r} is new to us")
    written = wrapped(answer, "registros", "registro")
    refused = [record for record in written if record.optional_text("status") == "Erro"]
    if status == "OK" and not refused:
        return None
    told = [answer, *refused]
    code = next((part.text("codigo_erro") for part in told if not part.is_blank("codigo_erro")), "")
    texts = [entry.text("erro") for part in told for entry in listed(part, "erros")]
    return code, f"{service}: {'; '.join(texts)} ({code})"


def _error(service: str, code: str, message: str) -> ConnectorError:
    """What a refusal's code means for what comes next."""
    if code in TOKEN_REFUSED:
        return Unauthorized(message)
    if code in COMPANY_BLOCKED or (code == NO_ACCESS and not service.startswith(EXTENSION)):
        return Unauthorized(message, cause=PLAN)  # a person must act at the ERP first
    if code == NO_ACCESS:
        return Rejected(message, cause=PLAN)
    if code in (TOO_MANY_CALLS, TOO_MANY_AT_ONCE):
        return OutOfBudget(message, NEXT_MINUTE)
    if code in TRY_AGAIN:
        return Unavailable(message)
    return Rejected(message, cause=CAUSES.get(code, ""))


def listed(payload: Payload, name: str) -> list[Payload]:
    """The objects of a list. The ERP writes "" for an empty one, and sometimes leaves the list
    away around a single object."""
    value = payload.data.get(name)
    if not value:
        return []
    return [payload.one(name)] if isinstance(value, dict) else payload.each(name)


def wrapped(payload: Payload, plural: str, singular: str) -> list[Payload]:
    """A list whose objects stand, mostly, each in an object of one key."""
    return [
        entry.one(singular) if singular in entry.data else entry
        for entry in listed(payload, plural)
    ]
