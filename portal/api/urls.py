"""The hub API's addresses. Clients disagree about letter case and about a last slash; both are
ignored, except in what names a record (pluggto-api.md, section 1)."""

import re
from typing import Any

from django.urls import URLPattern, re_path

from catalog.api import ProductDetail, ProductList, SkuDetail, Stock
from orders.api import OrderDetail, OrderList
from portal.api.errors import UnknownPath
from portal.api.tokens import TokenView


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


urlpatterns = [
    route("oauth/token", TokenView, "token"),
    route("products", ProductList, "product-list"),
    route("products/{public_id}", ProductDetail, "product-detail"),
    route("products/{public_id}/stock", Stock, "product-stock"),
    route("skus/{sku}", SkuDetail, "sku-detail"),
    route("skus/{sku}/stock", Stock, "sku-stock"),
    route("orders", OrderList, "order-list"),
    route("orders/{public_id}", OrderDetail, "order-detail"),
    re_path("", UnknownPath.as_view()),
]
