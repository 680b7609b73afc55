"""The envelope of the ERP's API v2 (platform-apis.md, sections 3.1 and 3.2): one script per
service, form fields in, everything under `retorno` out, and HTTP 200 also for errors."""

import json
from collections.abc import Mapping
from typing import Any

from connectors.errors import ConnectorError, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.http import call
from connectors.payload import Payload

DATE = "%d/%m/%Y"
DATE_TIME = "%d/%m/%Y %H:%M:%S"

TOKEN_REFUSED = {"1", "2"}
TOO_MANY_CALLS = "6"  # in this minute
TRY_AGAIN = {TOO_MANY_CALLS, "11", "35", "99"}
NOTHING_THERE = {"20", "23"}  # nothing was found; there is no such page
NEXT_MINUTE = 60  # seconds; the ERP sends no Retry-After


class Api:
    """One company's account. No error text holds the token, whatever the ERP echoes."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token

    def call(self, service: str, **params: str | Mapping[str, Any]) -> Payload:
        """The `retorno` of a successful call, without content where nothing was found. A
        structured parameter travels as JSON in its one form field."""
        try:
            return self._call(service, params)
        except ConnectorError as error:
            # Some quote the answer, in which the token may stand. So may their causes.
            error.args = (str(error).replace(self.token, "***"),)
            raise error from None

    def _call(self, service: str, params: Mapping[str, str | Mapping[str, Any]]) -> Payload:
        form = {name: _form_value(value) for name, value in params.items()}
        body = call(
            "POST",
            f"{self.base_url}/{service}",
            what=service,
            data={"token": self.token, "formato": "json", **form},
        )
        answer = Payload(body).one("retorno")
        status = answer.text("status")
        if status == "OK":
            return answer
        if status != "Erro":
            raise Unreadable(f"{answer.path}.status: {status!r} is new to us")
        return _refused(service, answer)

    def page(
        self, service: str, plural: str, singular: str, number: int, **params: str
    ) -> tuple[list[Payload], bool]:
        """A page of a search, and whether there are more."""
        answer = self.call(service, pagina=str(number), **params)
        more = not answer.is_blank("numero_paginas") and number < answer.whole("numero_paginas")
        return wrapped(answer, plural, singular), more


def _form_value(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refused(service: str, answer: Payload) -> Payload:
    """Raise what an answer with errors means; the code stands at its head or, for a write, in
    its record."""
    told = [answer, *wrapped(answer, "registros", "registro")]
    code = next(
        (part.text("codigo_erro") for part in told if not part.is_blank("codigo_erro")),
        "",
    )
    if code in NOTHING_THERE:
        return Payload({}, answer.path)
    texts = [entry.text("erro") for part in told for entry in listed(part, "erros")]
    message = f"{service}: {'; '.join(texts)} ({code})"
    if code in TOKEN_REFUSED:
        raise Unauthorized(message)
    if code in TRY_AGAIN:
        raise Unavailable(message, NEXT_MINUTE if code == TOO_MANY_CALLS else None)
    raise Rejected(message)


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
