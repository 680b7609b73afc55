"""The hub API's addresses. Clients disagree about letter case and about a last slash; both are
ignored, except in what names a record (pluggto-api.md, section 1)."""

import re
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path

from catalog.api import ProductDetail, ProductList, ProductTable, Shipping, SkuDetail, Stock
from orders.api import Labels, OrderDetail, OrderList
from portal.api.about import CurrentUser, Time
from portal.api.errors import NotAvailable, UnknownPath
from portal.api.tokens import TokenView
from portal.api.tools import Events, FlatOrders, HookDetail, Hooks, Ping, Sample


def route(pattern: str, view: Any, name: str) -> URLPattern:
    """`{public_id}` and `{sku}` stand for a segment; the rest is matched without case."""
    expression = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else _any_case(part)
        for part in re.split(r"({\w+})", pattern)
    )
    return re_path(f"^{expression}/?$", view.as_view(), name=name)


def _any_case(text: str) -> str:
    """`[oO][rR]…`: Django cannot reverse a pattern with a flag in it."""
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in text)


def document(request: HttpRequest) -> HttpResponseBase:
    from portal.api.document import Document  # only here: it says why

    return Document.as_view()(request)


def docs(request: HttpRequest) -> HttpResponseBase:
    from portal.api.document import Docs

    return Docs.as_view()(request)


# Named by the hub's documentation, or by an old client, without a shape that anybody has seen.
NOT_AVAILABLE = ("messages", "places", "clientinfo")

urlpatterns = [
    route("oauth/token", TokenView, "token"),
    route("products", ProductList, "product-list"),
    route("products/tabledata", ProductTable, "product-table"),
    route("tabledata", ProductTable, "old-product-table"),
    route("products/{public_id}", ProductDetail, "product-detail"),
    route("products/{public_id}/stock", Stock, "product-stock"),
    route("products/{public_id}/variation/{variation_id}/stock", Stock, "variation-stock"),
    route("skus/{sku}", SkuDetail, "sku-detail"),
    route("skus/{sku}/stock", Stock, "sku-stock"),
    route("orders", OrderList, "order-list"),
    route("orders/{public_id}", OrderDetail, "order-detail"),
    route("order", OrderList, "old-order-list"),
    route("order/{public_id}", OrderDetail, "old-order-detail"),
    route("labels", Labels, "labels"),
    route("shipping", Shipping, "shipping"),
    route("tools/ping", Ping, "tools-ping"),
    route("tools/hooks", Hooks, "hook-list"),
    route("tools/hooks/{hook_id}", HookDetail, "hook-detail"),
    route("tools/sample", Sample, "event-sample"),
    route("tools/events", Events, "event-list"),
    route("tools/orders", FlatOrders, "flat-order-list"),
    route("users", CurrentUser, "current-user"),
    route("time", Time, "time"),
    path("schema", document, name="schema"),
    path("docs", docs, name="docs"),
    re_path(f"^({'|'.join(map(_any_case, NOT_AVAILABLE))})(/.*)?$", NotAvailable.as_view()),
    re_path("", UnknownPath.as_view()),
]
