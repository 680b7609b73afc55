"""The document of the whole API: the views say what is theirs (connectors.hub.openapi), and the
frame adds what is true of every address: tokens, errors, request ids."""

import re
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from connectors.hub.openapi import COMPONENTS, Schema, ref
from connectors.hub.tokens import Why
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
        "code": {"enum": sorted({why.value[0] for why in Why})},
        "error": {"enum": sorted({why.value[1] for why in Why})},
        "error_description": {"enum": [why.value[2] for why in Why]},
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
    "429": _failure(_("Chamadas demais neste minuto."))
    | {
        "headers": REQUEST_ID
        | {"Retry-After": {"schema": {"type": "integer"}, "description": _("Segundos.")}}
    },
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


class BearerScheme(OpenApiAuthenticationExtension):
    """By its presence here drf-spectacular learns of our tokens."""

    target_class = "portal.api.authentication.BearerToken"
    name = ["bearer", "query"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{"bearer": []}, {"query": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[Schema]:
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "query", "name": "access_token"},
        ]


def canonical_paths(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[Any, ...]]:
    """Letters are matched in any case, `[oO]`, and a last slash is as good as none: the document
    shows one spelling."""
    return [
        (re.sub(r"\[(\w)\w\]", r"\1", path).removesuffix("/?").rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
    ]


def complete(result: Schema, **context: Any) -> Schema:
    """What the frame answers, in every operation."""
    components = result.setdefault("components", {})
    components["schemas"] = {**COMPONENTS, "Error": ERROR, "TokenError": TOKEN_ERROR}
    components["responses"] = RESPONSES
    components["headers"] = {"RequestId": {"schema": {"type": "string"}}}
    result["webhooks"] = {"notice": {"post": NOTICE}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = re.sub(r"\W+", "_", f"{method}{path}").strip("_")
            for response in operation["responses"].values():
                response["headers"] = response.get("headers", {}) | REQUEST_ID
            operation["responses"] |= _failures(operation)
    return result


def _failures(operation: Schema) -> Schema:
    has_token, has_body = {} not in operation.get("security", [{}]), "requestBody" in operation
    names = {code: code for code in sorted(WITH_TOKEN if has_token else WITHOUT_TOKEN)}
    if has_body:
        names |= {code: code for code in sorted(WITH_BODY)}
        names["400"] = "400" if has_token else "TokenRefused"
    return {code: {"$ref": f"#/components/responses/{name}"} for code, name in names.items()}


class Document(APIView):
    """drf-spectacular's own view also lets the query choose a language and a version."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(_document(get_language()), content_type="application/json")


@cache
def _document(language: str) -> bytes:
    """Drawn once: while the process lives, nothing of it changes."""
    with override(language):
        return JSONRenderer().render(SchemaGenerator().get_schema(public=True))


class Docs(SpectacularSwaggerSplitView):
    url_name = "schema"
