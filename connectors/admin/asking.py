"""Asking on a page of its own before something is done."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse


def page_of(row: Model) -> str:
    """Its page in the admin."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def why_url(store_id: int, record: str) -> str:
    """The page that says why a SKU or an order has not synchronised."""
    return reverse("admin:why") + "?" + urlencode({"store": store_id, "q": record})


def ask(
    admin: ModelAdmin,
    request: HttpRequest,
    row: Model,
    title: Any,
    question: Any,
    form: Form | None = None,
    facts: Sequence[tuple[Any, Any]] = (),
) -> HttpResponse:
    """A page with the question and what to know before, whose only button posts to the same
    address."""
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "question": question,
        "form": form,
        "facts": facts,
        "opts": row._meta,
        "original": row,
        "page": page_of(row),
    }
    return TemplateResponse(request, "admin/connectors/activation/ask.html", context)
