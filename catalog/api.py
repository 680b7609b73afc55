"""Products and SKUs of the hub's API (pluggto-api.md, section 4). The frame around it (tokens,
errors, paging) is the portal's, and comes by REST_FRAMEWORK's settings."""

from typing import cast

from django.db.models import Q
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Product
from catalog.services import (
    change_stock,
    create_product,
    delete_product,
    save_product,
    update_product,
)
from catalog.wire import read_product, write_product
from connectors.errors import NotFound
from connectors.models import Activation
from connectors.payload import Payload


def _caller(request: Request) -> Activation:
    return cast(Activation, request.auth)


def _answer(product: Product, request: Request, status: int = 200) -> Response:
    """The product; for a variation, its parent."""
    caller = _caller(request)
    family = Product.objects.with_family().get(pk=product.parent_id or product.pk)
    return Response({"Product": write_product(family, caller)}, status=status)


def _by_id(request: Request, public_id: str) -> Product:
    product = _caller(request).store.products.filter(public_id=public_id).first()
    if product is None:
        raise NotFound(f"product {public_id}")
    return product


def _by_sku(request: Request, sku: str) -> Product:
    caller = _caller(request)
    product = caller.store.products.called(sku, caller)
    if product is None:
        raise NotFound(f"sku {sku}")
    return product


class ProductList(GenericAPIView):
    def get(self, request: Request) -> Response:
        """`?sku=`, `?ean=`: equality; `?bysku=` finds a variation's parent as well."""
        caller = _caller(request)
        products = caller.store.products.filter(parent=None)
        for name in ("sku", "ean"):
            if value := request.query_params.get(name):
                products = products.filter(**{name: value})
        if value := request.query_params.get("id"):
            products = products.filter(public_id=value)
        if value := request.query_params.get("bysku"):
            named = caller.store.products.filter(sku=value)
            products = products.filter(
                Q(pk__in=named.values("pk")) | Q(pk__in=named.values("parent_id"))
            )
        page = self.paginate_queryset(products.with_family()) or []
        return self.get_paginated_response(
            [{"Product": write_product(product, caller)} for product in page]
        )

    def post(self, request: Request) -> Response:
        caller = _caller(request)
        document = read_product(Payload(request.data))
        return _answer(create_product(caller.store, document, caller), request, 201)


class ProductDetail(APIView):
    def get(self, request: Request, public_id: str) -> Response:
        return _answer(_by_id(request, public_id), request)

    def put(self, request: Request, public_id: str) -> Response:
        caller, product = _caller(request), _by_id(request, public_id)
        document = read_product(Payload(request.data))
        return _answer(update_product(caller.store, product.pk, document, caller), request)

    def delete(self, request: Request, public_id: str) -> Response:
        return _delete(request, _by_id(request, public_id))


class SkuDetail(APIView):
    def get(self, request: Request, sku: str) -> Response:
        return _answer(_by_sku(request, sku), request)

    def put(self, request: Request, sku: str) -> Response:
        """Create or update: four of five clients rely on the first."""
        caller = _caller(request)
        document = read_product(Payload(request.data))
        return _answer(save_product(caller.store, sku, document, caller), request)

    def delete(self, request: Request, sku: str) -> Response:
        return _delete(request, _by_sku(request, sku))


def _delete(request: Request, product: Product) -> Response:
    caller = _caller(request)
    product = delete_product(caller.store, product.pk, caller)
    return Response({"Product": write_product(product, caller)})


class Stock(APIView):
    """PUT …/stock, for a SKU or a product's id (section 4.4)."""

    def put(self, request: Request, sku: str = "", public_id: str = "") -> Response:
        caller = _caller(request)
        product = _by_id(request, public_id) if public_id else _by_sku(request, sku)
        payload = Payload(request.data)
        product = change_stock(
            caller.store, product.pk, payload.text("action"), payload.whole("quantity"), caller
        )
        return _answer(product, request)
