"""Credentials in the admin: in a list without their values, and once with them."""

from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from connectors.admin.asking import page_of
from connectors.admin.readonly import ReadOnlyInline
from connectors.models import Activation, Credential
from connectors.services import IssuedSecrets


def operator_of(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin lets nobody else in


class CredentialInline(ReadOnlyInline):
    model = Credential
    fields = (
        "kind", "fingerprint", "created_by", "created_at", "last_used_at", "last_used_from",
        "revoked_at",
    )  # fmt: skip
    readonly_fields = fields


def _values(activation: Activation, issued: IssuedSecrets) -> list[tuple[str, Any, str]]:
    """Each with its label. Where two of them are enough, these come first and say so."""
    client = [
        ("client_id", _("Client ID"), issued.client_id),
        ("client_secret", _("Client Secret"), issued.client_secret),
    ]
    integrator = activation.spec.activating.integrator
    user = [
        ("api_user", _("Identificador do integrador") if integrator else _("API User"),
         issued.api_user),
        ("api_secret", _("Token") if integrator else _("API Secret"), issued.api_secret),
    ]  # fmt: skip
    webhook = ("webhook_secret", _("Segredo das notificações"), issued.webhook_secret)
    return [*user, *client, webhook] if integrator else [*client, *user, webhook]


def show_once(
    admin: ModelAdmin, request: HttpRequest, activation: Activation, issued: IssuedSecrets
) -> HttpResponse:
    """The answer to the POST itself: no address leads to the values a second time."""
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Credenciais de %(activation)s") % {"activation": activation},
        "opts": activation._meta,
        "original": activation,
        "page": page_of(activation),
        "values": _values(activation, issued),
    }
    return TemplateResponse(
        request,
        "admin/connectors/activation/credentials.html",
        context,
        headers={"Cache-Control": "no-store"},
    )
