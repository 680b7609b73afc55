from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import floatformat
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from catalog.mappings import delete_mapping, save_mapping
from catalog.models import Product, SkuMapping, Stock
from catalog.reservations import keep_safety
from catalog.sent_admin import SentAdmin
from connectors.admin.asking import why_url
from connectors.admin.columns import (
    INTEGRATION,
    WIDE,
    IntegrationColumn,
    moment,
    short,
    two_lines,
)
from connectors.admin.failures import pretty
from connectors.admin.paging import CodesFirst
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.admin.recorded import RecordedAdmin
from connectors.models import Activation

__all__ = ["ProductAdmin", "SentAdmin", "SkuMappingAdmin", "StockAdmin"]


class VariationInline(ReadOnlyInline):
    model = Product
    fk_name = "parent"
    verbose_name_plural = _("variações")
    fields = ("sku", "name", "ean")
    readonly_fields = fields


@admin.register(Product)
class ProductAdmin(CodesFirst, ReadOnlyAdmin):
    code_fields = ("sku", "ean")
    actions_detail = ("why",)
    list_display = (
        "shown_sku", "shown_store", "shown_price", "shown_stock", "shown_modified",
    )  # fmt: skip
    when_empty = _(
        "Nenhum produto ainda: eles vêm da integração de catálogo da loja, ou de uma planilha."
        " Ative um conector que envia produtos, ou importe a planilha nas páginas da loja."
    )
    search_fields = ("sku", "name__called", "ean")
    inlines = (VariationInline,)
    fields = (
        "store", "sku", "name", "ean", "parent", "shown_price", "shown_stock", "shown_fields",
        "created_at", "created_by", "modified_at", "modified_by",
    )  # fmt: skip

    @action(description=_("Por que não sincronizou?"), url_path="why", permissions=["view"])
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(Product, pk=object_id)
        return HttpResponseRedirect(why_url(row.store_id, row.sku))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).with_levels().select_related("store")

    @display(description=_("outros campos"))
    def shown_fields(self, product: Product) -> SafeString | None:
        return pretty(product.fields)

    @display(description=_("SKU e nome"))
    def shown_sku(self, product: Product) -> SafeString:
        return two_lines(product.sku, product.name, WIDE)

    @display(description=_("loja"))
    def shown_store(self, product: Product) -> SafeString:
        return short(product.store)

    @display(description=_("alterado em"))
    def shown_modified(self, product: Product) -> SafeString | None:
        return moment(product.modification.at)

    @display(description=_("alterado em"))
    def modified_at(self, product: Product) -> str:
        return str(localize(localtime(product.modification.at)))

    @display(description=_("alterado por"))
    def modified_by(self, product: Product) -> Activation | None:
        return product.modification.by

    @display(description=_("preço"))
    def shown_price(self, product: Product) -> str:
        price = product.price_row.price
        if price is None:
            return ""
        return f"R$ {floatformat(price, '2g')}"

    @display(description=_("disponível"))
    def shown_stock(self, product: Product) -> str:
        return str(product.stock_row)


@admin.register(Stock)
class StockAdmin(CodesFirst, RecordedAdmin):
    """Levels are the platforms', reservations the orders'; the safety stock is a person's."""

    code_fields = ("product__sku",)
    list_display = ("shown_product", "on_hand", "reserved", "safety", "shown_available")
    when_empty = _(
        "Nenhum estoque ainda: cada produto tem o seu. Quando os produtos da loja chegarem, ele"
        " aparece aqui."
    )
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__name__called")
    fields = ("product", "on_hand", "reserved", "safety", "shown_available")
    readonly_fields = ("product", "on_hand", "reserved", "shown_available")

    @display(description=_("produto"))
    def shown_product(self, stock: Stock) -> SafeString:
        return two_lines(stock.product.sku, stock.product.name, WIDE)

    @display(description=_("disponível"))
    def shown_available(self, stock: Stock) -> str:
        return str(stock)

    def save_model(self, request: HttpRequest, obj: Stock, form: Any, change: bool) -> None:
        keep_safety(obj.pk, obj.safety)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Stock | None = None) -> bool:
        return False


@admin.register(SkuMapping)
class SkuMappingAdmin(CodesFirst, IntegrationColumn, RecordedAdmin):
    code_fields = ("code", "product__sku")
    list_display = ("code", "shown_product", "integration")
    when_empty = _(
        "Nenhum De/Para ainda: só é preciso onde o sistema chama um SKU por outro código. Adicione"
        " um aqui, ou importe a planilha de De/Para da loja."
    )
    list_select_related = ("product", *INTEGRATION)
    search_fields = ("code", "product__sku")
    autocomplete_fields = ("product", "activation")

    @display(description=_("produto"))
    def shown_product(self, mapping: SkuMapping) -> SafeString:
        return two_lines(mapping.product.sku, mapping.product.name, WIDE)

    def save_model(self, request: HttpRequest, obj: SkuMapping, form: Any, change: bool) -> None:
        save_mapping(obj)

    def delete_model(self, request: HttpRequest, obj: SkuMapping) -> None:
        delete_mapping(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SkuMapping]) -> None:
        for mapping in queryset.select_related("activation"):
            self.delete_model(request, mapping)
