"""What the API's document says that is true of every address: the errors, and the notice that the
hub itself sends. What is true of one is with its view (connectors.hub.openapi)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from connectors.hub.openapi import Schema, ref
from connectors.hub.tokens import Refusal
from portal.api.errors import BROKEN, SHAPES, TOO_LARGE, UNAVAILABLE
from portal.tracing import HEADER

WORDS = sorted({word for _kind, _code, word in SHAPES} | {TOO_LARGE[1], BROKEN[1], UNAVAILABLE[1]})
ERROR: Schema = {
    "type": "object",
    "required": ["error", "type", "message", "details"],
    "properties": {
        "error": {"const": True},
        "type": {"enum": WORDS},
        "message": {"type": "string"},
        "details": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "required": ["errmsg"],
                    "properties": {"errmsg": {"type": "string"}},
                },
            ]
        },
    },
}
TOKEN_ERROR: Schema = {
    "type": "object",
    "required": ["code", "error", "error_description"],
    "properties": {
        "code": {"enum": sorted({why.value[0] for why in Refusal})},
        "error": {"enum": sorted({why.value[1] for why in Refusal})},
        "error_description": {"enum": [why.value[2] for why in Refusal]},
    },
}
REQUEST_ID = {HEADER: {"$ref": "#/components/headers/RequestId"}}


def _failure(description: Any, schema: str = "Error") -> Schema:
    content = {"application/json": {"schema": ref(schema)}}
    return {"description": description, "headers": REQUEST_ID, "content": content}


RETRY_AFTER: Schema = {
    "Retry-After": {"schema": {"type": "integer"}, "description": _("Segundos.")}
}
RESPONSES: dict[str, Schema] = {
    "400": _failure(_("Um valor não serve, ou nada mudaria: details diz o quê e onde.")),
    "401": _failure(_("O token falta, não vale ou expirou: peça outro."), "TokenError"),
    "403": _failure(_("A especificação do conector não permite, ou a integração está parada.")),
    "404": _failure(_("Não existe nesta loja, ou não é visível para esta integração.")),
    "405": _failure(_("O endereço não tem este método.")),
    "413": _failure(_("O corpo é grande demais.")),
    "415": _failure(_("O tipo do conteúdo não se lê.")),
    "429": _failure(_("Chamadas demais neste minuto.")) | {"headers": REQUEST_ID | RETRY_AFTER},
    "503": _failure(_("O banco de dados não responde: tente de novo."))
    | {"headers": REQUEST_ID | RETRY_AFTER},
    "500": _failure(_("Um erro nosso. O suporte o encontra pelo X-Request-Id.")),
    "TokenRefused": _failure(_("O formulário foi recusado."), "TokenError"),
}
NOTICE: Schema = {
    "summary": _("Avisar que algo mudou: o registro se lê de novo pela API"),
    "requestBody": {"content": {"application/json": {"schema": ref("Notice")}}},
    "responses": {"200": {"description": _("Recebida. Qualquer outra resposta faz repetir.")}},
}
WITHOUT_TOKEN = {"500", "503"}
WITH_TOKEN = {"400", "401", "403", "404", "429", "500", "503"}
WITH_BODY = {"400", "413", "415", "429"}
