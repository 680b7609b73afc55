"""What failed, as it came.

People read it without personal data. The next attempt, and who corrects it, need all of it: where
masking hides something, what came is sealed beside it, until the failure is over.
"""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from connectors.errors import Refused
from connectors.models import Failure
from connectors.redaction import people_in, without_people
from connectors.sealing import seal, unseal_known


def covered(payload: Any, edited: Any = None) -> dict[str, Any]:
    """A failure's columns for what arrived and its correction."""
    original = {"payload": payload, "edited": edited}
    shown = {name: masked(value) for name, value in original.items()}
    if shown == original:
        return {**shown, "sealed": ""}
    texts = {name: json.dumps(each, cls=DjangoJSONEncoder) for name, each in original.items()}
    return {**shown, "sealed": seal(texts)}


def originals_of(failure: Failure) -> tuple[Any, Any]:
    """What arrived, and its correction; nothing where the key that sealed them is gone."""
    return opened(failure.payload, failure.edited, failure.sealed)


def opened(payload: Any, edited: Any, sealed: str) -> tuple[Any, Any]:
    if not sealed:
        return payload, edited
    texts = unseal_known(sealed) or {"payload": "null", "edited": "null"}
    return json.loads(texts["payload"]), json.loads(texts["edited"])


def to_correct(failure: Failure) -> tuple[Any, Any]:
    """As `originals_of`. Raises `Refused` where the key is gone."""
    originals = originals_of(failure)
    if failure.sealed and originals == (None, None):
        raise Refused(
            _(
                "O conteúdo original foi selado com uma chave que saiu de CREDENTIAL_KEYS: use"
                " “Buscar outra vez”, ou ponha a chave de volta."
            )
        )
    return originals


def masked(value: Any) -> Any:
    return without_people(value, people_in(value))
