"""Credentials in the admin: in a list without their values, and once with them."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.asking import page_of
from connectors.admin.columns import Labelled
from connectors.admin.readonly import ReadOnlyInline
from connectors.handover import labelled
from connectors.models import Activation, Credential, Handover
from connectors.moments import when
from connectors.services import IssuedSecrets

SITUATION_COLOURS = {"in_use": "success", "ending": "warning", "ended": "danger", "unknown": "info"}


class CredentialFacts:
    """What is shown of a credential, in a list and on its own page."""

    @display(description=_("situação"), label=SITUATION_COLOURS)
    def situation(self, credential: Credential) -> Labelled:
        if credential.revoked_at:
            return Labelled("ended", gettext("Revogada"))
        ends_at = credential.ends_at
        if ends_at is None and credential.kind == Credential.Kind.RECEIVED:
            return Labelled("unknown", gettext("Validade desconhecida"))
        if ends_at is None:
            return Labelled("in_use", gettext("Em uso, sem fim"))
        if ends_at <= timezone.now():
            return Labelled("ended", gettext("Venceu"))
        return Labelled("ending", gettext("Vale até %(date)s") % {"date": when(ends_at)})


class CredentialInline(CredentialFacts, ReadOnlyInline):
    model = Credential
    fields = (
        "kind", "fingerprint", "situation", "created_by", "created_at", "last_used_at",
        "last_used_from",
    )  # fmt: skip
    readonly_fields = fields
    show_change_link = True


def show_once(
    admin: ModelAdmin,
    request: HttpRequest,
    activation: Activation,
    issued: IssuedSecrets,
    *,
    next_page: str = "",
) -> HttpResponse:
    """The answer to the POST itself: no address leads to the values a second time. From here it
    goes on to `next_page`, or to the integration's own."""
    facts = {
        "title": _("Credenciais de %(activation)s") % {"activation": activation},
        "values": labelled(activation, issued),
    }
    return _answer(admin, request, activation, "credentials", facts, next_page)


def show_link(
    admin: ModelAdmin,
    request: HttpRequest,
    handover: Handover,
    token: str,
    *,
    next_page: str = "",
) -> HttpResponse:
    """The link by which the partner fetches the values, as `show_once` shows the values."""
    activation = handover.activation
    facts = {
        "title": _("Link de entrega para %(activation)s") % {"activation": activation},
        "handover": handover,
        "address": request.build_absolute_uri(reverse("handover", args=[token])),
    }
    return _answer(admin, request, activation, "handover", facts, next_page)


def _answer(
    admin: ModelAdmin,
    request: HttpRequest,
    activation: Activation,
    page: str,
    facts: dict[str, Any],
    next_page: str,
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "opts": activation._meta,
        "original": activation,
        "page": next_page or page_of(activation),
        "goes_on": bool(next_page),
        **facts,
    }
    return TemplateResponse(
        request,
        f"admin/connectors/activation/{page}.html",
        context,
        headers={"Cache-Control": "no-store"},
    )
