"""Products and SKUs of the hub's API (pluggto-api.md, section 4). The frame around it (tokens,
errors, paging) is the portal's, and comes by REST_FRAMEWORK's settings."""

import re

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.freight import quotes
from catalog.models import Product, is_called
from catalog.search import search_products
from catalog.services import (
    change_stock,
    create_product,
    delete_product,
    save_product,
    update_product,
)
from catalog.wire import read_product, write_product, write_row
from connectors.errors import NotFound
from connectors.hub.openapi import PRODUCT_QUERY, asked, described, each, listed, ref, wrapped
from connectors.hub.tokens import caller_of
from connectors.payload import Payload, read_value, to_storable, to_text
from connectors.records import Document

PRODUCT = wrapped("Product")
TABLE = {
    "type": "object",
    "required": ["Products"],
    "properties": {"Products": each(ref("ProductRow"))},
}
FREIGHT_QUERY = (
    asked("destination_postalcode", _("O CEP de quem recebe. Obrigatório."), required=True),
    asked("products[0][sku]", _("O SKU do primeiro produto; products[1][sku] é o do segundo.")),
    asked("products[0][quantity]", _("Quantas unidades dele.")),
)
PRODUCT_FIELD = re.compile(r"products\[([0-9]{1,4})\]\[(\w+)\]")


def _answer(product: Product, request: Request, status: int = 200) -> Response:
    """The product; for a variation, its parent."""
    caller = caller_of(request)
    family = Product.objects.with_family().get(pk=product.parent_id or product.pk)
    return Response({"Product": write_product(family, caller)}, status=status)


def _by_id(request: Request, public_id: str) -> Product:
    product = caller_of(request).store.products.filter(public_id=public_id).first()
    if product is None:
        raise NotFound(f"product {public_id}")
    return product


def _by_sku(request: Request, sku: str) -> Product:
    caller = caller_of(request)
    product = caller.store.products.filter(is_called(caller.store, _stored(sku), caller)).first()
    if product is None:
        raise NotFound(f"sku {sku}")
    return product


def _stored(sku: str) -> str:
    """A SKU of an address as one of a body is read: without spaces around it."""
    stored = read_value(sku, to_text, "sku")
    if not stored:
        raise NotFound("sku: blank")
    return stored


class ProductList(GenericAPIView):
    @described(_("Procurar produtos"), listed("Product"), query=PRODUCT_QUERY)
    def get(self, request: Request) -> Response:
        """`?limit=` (at most 100) with `?page=` (from 1) or `?next=` (the id of the last product
        received). `?created=` and `?modified=` take `AtoB`, days or full times, or one of them;
        `?bysku=` takes the caller's own code as well, and finds a variation's parent; any other
        parameter is equality on the product's field of that name: `?sku=`, `?id=`, `?ean=`,
        `?external=`, `?supplier_id=`, `?user_id=`, `?brand=` … `?orderby=` with
        `?orderdirection=`, or `?sort=-modified`."""
        caller = caller_of(request)
        return self.get_paginated_response(
            [{"Product": write_product(product, caller)} for product in _page(self, request)]
        )

    @described(_("Criar um produto"), PRODUCT, status=201, takes=ref("ProductInput", "sku"))
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        document = read_product(Payload(request.data), caller)
        return _answer(create_product(caller.store, document, caller), request, 201)


class ProductTable(GenericAPIView):
    @described(_("A tabela compacta dos produtos"), TABLE, query=PRODUCT_QUERY)
    def get(self, request: Request) -> Response:
        """The compact table (section 4.3), with the list's parameters."""
        return Response({"Products": [write_row(product) for product in _page(self, request)]})


def _page(view: GenericAPIView, request: Request) -> list[Product]:
    products = search_products(request.query_params, caller_of(request))
    return view.paginate_queryset(products.with_family()) or []


class ProductDetail(APIView):
    @described(_("Um produto"), PRODUCT)
    def get(self, request: Request, public_id: str) -> Response:
        return _answer(_by_id(request, public_id), request)

    @described(_("Alterar um produto"), PRODUCT, takes=ref("ProductInput"))
    def put(self, request: Request, public_id: str) -> Response:
        caller, product = caller_of(request), _by_id(request, public_id)
        document = read_product(Payload(request.data), caller)
        return _answer(update_product(caller.store, product.pk, document, caller), request)

    @described(_("Excluir um produto"), PRODUCT)
    def delete(self, request: Request, public_id: str) -> Response:
        return _delete(request, _by_id(request, public_id))


class SkuDetail(APIView):
    @described(_("O produto deste SKU; para o de uma variação, o produto dela"), PRODUCT)
    def get(self, request: Request, sku: str) -> Response:
        return _answer(_by_sku(request, sku), request)

    @described(_("Criar ou alterar o produto deste SKU"), PRODUCT, takes=ref("ProductInput"))
    def put(self, request: Request, sku: str) -> Response:
        """Create or update: four of five clients rely on the first."""
        caller = caller_of(request)
        document = read_product(Payload(request.data), caller)
        return _answer(save_product(caller.store, _stored(sku), document, caller), request)

    @described(_("Excluir o produto ou a variação deste SKU"), PRODUCT)
    def delete(self, request: Request, sku: str) -> Response:
        return _delete(request, _by_sku(request, sku))


def _delete(request: Request, product: Product) -> Response:
    caller = caller_of(request)
    product = delete_product(caller.store, product.pk, caller)
    return Response({"Product": write_product(product, caller)})


class Stock(APIView):
    """PUT …/stock, for a SKU, a product's id, or a product's and its variation's (section 4.4)."""

    @described(_("Informar, somar ou baixar o estoque"), PRODUCT, takes=ref("Stock"))
    def put(
        self, request: Request, sku: str = "", public_id: str = "", variation_id: str = ""
    ) -> Response:
        caller = caller_of(request)
        which: str | Q
        if sku:
            which, name = _stored(sku), f"sku {sku}"
        elif variation_id:
            which = Q(public_id=variation_id, parent__public_id=public_id)
            name = f"variation {variation_id}"
        else:
            which, name = Q(public_id=public_id), f"product {public_id}"
        payload = Payload(request.data)
        action, quantity = payload.text("action"), payload.whole("quantity")
        try:
            product = change_stock(caller.store, which, action, quantity, caller)
        except NotFound as error:
            raise NotFound(name) from error
        if product.parent:
            return _answer(product, request)
        return Response({"Product": write_product(product, caller, ())})  # it has no variations


class Shipping(APIView):
    @described(_("Cotar o frete"), each(ref("Quote")), query=FREIGHT_QUERY)
    def get(self, request: Request) -> Response:
        """Quotes of the store's freight sources (section 10), as a list. The hub's own parameters
        are not known; these are the fields of a source's request: `?destination_postalcode=`
        (required), `destination_state`, `destination_country`, `origin_postalcode`,
        `origin_state`, `origin_city`, `origin_country`, `amount`, and for each product
        `products[0][sku]=`, `products[0][quantity]=` and, where the catalogue is not to say it,
        `unit_price`, `weight`, `height`, `length`, `width`, `department`, `crossdocking`."""
        return Response(quotes(caller_of(request), Payload(_with_products(request), "?")))


def _with_products(request: Request) -> Document:
    """The query, with PHP's brackets made a list."""
    asked: Document = {}
    products: dict[int, Document] = {}
    for name, value in request.query_params.items():
        read_value(value, to_storable, f"?{name}")
        if match := PRODUCT_FIELD.fullmatch(name):
            products.setdefault(int(match[1]), {})[match[2]] = value
        else:
            asked[name] = value
    return {**asked, "products": [products[number] for number in sorted(products)]}
