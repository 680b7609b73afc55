"""The merchant's products: the list, and one product with everything that is known of it."""

from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import DetailView, TemplateView

from catalog.editing import edit_product
from catalog.models import Product, ProductQuerySet, SkuMapping, Stock
from catalog.models.levels import OFFERED
from catalog.ownership import owners_of
from connectors.errors import NothingChanged, Refused
from connectors.ids import to_id
from connectors.models import Activation
from portal.pages.own import OwnStores
from portal.pages.product_form import ProductForm

PER_PAGE = 50
LONGEST = 100
# What is sold: a product with variations is sold as one of them.
SOLD = ~Exists(Product.objects.filter(parent=OuterRef("pk")))
SOLD_OUT = ~Exists(Stock.objects.filter(OFFERED, product=OuterRef("pk")))
UNMAPPED = ~Exists(SkuMapping.objects.filter(product=OuterRef("pk")))
FILTERS = {
    "active": (gettext_lazy("Ativos (cada SKU vendido)"), Q()),
    "out": (gettext_lazy("Sem estoque"), Q(SOLD_OUT)),
    "unmapped": (gettext_lazy("Sem De/Para"), Q(UNMAPPED)),
}


class OwnProducts(OwnStores):
    def get_queryset(self) -> ProductQuerySet:
        return Product.objects.filter(store__in=list(self.stores)).select_related("store")


class CataloguePage(OwnProducts, TemplateView):
    """Products with their variations inside; with a filter, each SKU that is sold."""

    template_name = "pages/catalogue.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        question = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        chosen = asked.get("show", "") if asked.get("show", "") in FILTERS else ""
        store = to_id(asked.get("store", ""))
        before = to_id(asked.get("before", ""))
        products = self.get_queryset().with_levels().select_related("parent")
        if store in self.stores:
            products = products.filter(store=store)
        if chosen:
            products = products.filter(SOLD, FILTERS[chosen][1])
        elif not question:
            products = products.filter(parent=None)
        if question:
            products = products.filter(_matches(question))
        # By the last row seen, not by counting: page 1000 costs what page 1 costs.
        if before:
            products = products.filter(pk__lt=before)
        families = Prefetch("variations", Product.objects.select_related("stock_row"))
        page = list(products.prefetch_related(families).order_by("-pk")[: PER_PAGE + 1])
        return {
            **super().get_context_data(**kwargs),
            "section": "catalogue",
            "products": [_row(product) for product in page[:PER_PAGE]],
            "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
            "first_page": not before,
            "question": question,
            "show": chosen,
            "filters": [(key, label) for key, (label, _query) in FILTERS.items()],
            "store": store,
            "stores": self.stores.values() if len(self.stores) > 1 else (),
        }


class ProductPage(OwnProducts, DetailView):
    template_name = "pages/product.html"
    slug_field = slug_url_kwarg = "public_id"
    context_object_name = "product"

    def get_queryset(self) -> ProductQuerySet:
        variations = Product.objects.with_levels().order_by("pk")
        mappings = SkuMapping.objects.select_related("activation__connector").order_by("pk")
        return (
            super()
            .get_queryset()
            .with_authors()
            .select_related("parent")
            .prefetch_related(
                Prefetch("variations", variations), Prefetch("sku_mappings", mappings)
            )
        )

    @cached_property
    def owners(self) -> list[Activation]:
        return owners_of(self.object.store, [self.object]).get(self.object.pk, [])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        product = self.object
        photos = [_photo(each) for each in product.fields.get("photos") or [] if each.get("url")]
        kwargs.setdefault("form", ProductForm(product, self.owners))
        return {
            **super().get_context_data(**kwargs),
            "section": "catalogue",
            "owners": self.owners,
            "places": product.fields.get("stock_table") or [],
            "price_tables": product.fields.get("price_table") or [],
            "photos": photos,
            "shows_photos": any(each["is_safe"] for each in photos),
            "categories": product.fields.get("categories") or [],
            "attributes": [_attribute(each) for each in product.fields.get("attributes") or []],
            "mappings": self._mappings(),
        }

    def _mappings(self) -> list[dict[str, Any]]:
        """What each integration of the store calls it: a code of its own, or our SKU."""
        codes = {each.activation_id: each.code for each in self.object.sku_mappings.all()}
        activations = self.object.store.activations.consuming().select_related("connector")
        return [
            {"activation": each, "code": codes.get(each.pk, ""), "locks": each.spec.locks}
            for each in activations.order_by("pk")
        ]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        self.object = self.get_object()
        form = ProductForm(self.object, self.owners, request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            edit_product(self.object.pk, form.cleaned_data, self.merchant)
        except NothingChanged:
            messages.info(request, _("Nada mudou."))
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Produto salvo; as integrações serão avisadas."))
            for warning in form.warnings():
                messages.warning(request, warning)
        return redirect("product", public_id)


def _matches(question: str) -> Q:
    """SKU and EAN by their indexes; the name within the store's own products."""
    return Q(sku__iexact=question) | Q(ean=question) | Q(name__called=question)


def _row(product: Product) -> dict[str, Any]:
    variations = list(product.variations.all())
    stocks = [_stock(each) for each in variations or [product]]
    return {
        "product": product,
        "name": product.name or (product.parent.name if product.parent else ""),
        "variations": len(variations),
        "available": sum(stock.available for stock in stocks),
        "reserved": sum(stock.reserved for stock in stocks),
    }


def _stock(product: Product) -> Stock:
    return product.stock_row if hasattr(product, "stock_row") else Stock()


def _photo(photo: dict[str, Any]) -> dict[str, Any]:
    url = str(photo["url"])
    return {"url": url, "is_safe": url.lower().startswith("https://")}


def _attribute(attribute: dict[str, Any]) -> tuple[Any, Any]:
    value = attribute.get("value")
    shown = value.get("label") if isinstance(value, dict) else value
    return attribute.get("label") or attribute.get("code"), shown
