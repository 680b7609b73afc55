"""The document of the whole API, drawn: the views say what is theirs (connectors.hub.openapi), and
the frame adds what is true of every address: tokens, errors, request ids.

Nothing imports this before somebody asks for the document: drf-spectacular brings Django's and
DRF's tools for tests along, which no other request needs.
"""

import re
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language, override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from connectors.hub.openapi import COMPONENTS, Schema
from portal.api.integrator import IDENTIFIER, TOKEN
from portal.api.openapi import (
    ERROR,
    NOTICE,
    REQUEST_ID,
    RESPONSES,
    TOKEN_ERROR,
    WITH_BODY,
    WITH_TOKEN,
    WITHOUT_TOKEN,
)


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


class IntegratorScheme(OpenApiAuthenticationExtension):
    """By its presence here drf-spectacular learns of the pair."""

    target_class = "portal.api.integrator.IntegratorPair"
    name = ["integrator", "integratorId", "integratorToken"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{"integrator": []}, {"integratorId": [], "integratorToken": []}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "basic"},
            {"type": "apiKey", "in": "header", "name": IDENTIFIER},
            {"type": "apiKey", "in": "header", "name": TOKEN},
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
