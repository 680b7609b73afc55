"""Asking on a page of its own before something is done."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

SURE = "sure"  # of the POST: the page that asks was seen


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


def ask_of_many(
    admin: ModelAdmin, request: HttpRequest, action: Any, question: Any, form: Form | None = None
) -> HttpResponse:
    """The same for what was chosen in a list: the button chooses the action once more."""
    context = {
        **admin.admin_site.each_context(request),
        "title": action.short_description,
        "action": action.__name__,
        "question": question,
        "form": form,
        "opts": admin.opts,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "checkbox": ACTION_CHECKBOX_NAME,
        "sure": SURE,
        "page": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/connectors/ask_of_many.html", context)


def is_sure(request: HttpRequest) -> bool:
    return SURE in request.POST
