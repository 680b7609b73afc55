"""Asking on a page of its own before something is done."""

from typing import Any

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


def ask(
    admin: ModelAdmin,
    request: HttpRequest,
    row: Model,
    title: Any,
    question: Any,
    form: Form | None = None,
) -> HttpResponse:
    """A page with the question, whose only button posts to the same address."""
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "question": question,
        "form": form,
        "opts": row._meta,
        "original": row,
        "page": page_of(row),
    }
    return TemplateResponse(request, "admin/connectors/activation/ask.html", context)
