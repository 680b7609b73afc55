from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.models import Product, SkuMapping
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline


class VariationInline(ReadOnlyInline):
    model = Product
    fk_name = "parent"
    verbose_name_plural = _("variações")
    fields = ("sku", "name", "ean")
    readonly_fields = fields


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("sku", "name", "store", "shown_price", "shown_stock", "modified_at")
    search_fields = ("sku", "name", "ean")
    inlines = (VariationInline,)
    fields = (
        "store", "sku", "name", "ean", "parent", "shown_price", "shown_stock", "fields",
        "created_at", "created_by", "modified_at", "modified_by",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).select_related("store", "price_row", "stock_row")

    @display(description=_("preço"))
    def shown_price(self, product: Product) -> str:
        price = product.price_row.price
        if price is None:
            return ""
        return f"R$ {number_format(price, 2, use_l10n=True, force_grouping=True)}"

    @display(description=_("disponível"))
    def shown_stock(self, product: Product) -> str:
        return str(product.stock_row)


@admin.register(SkuMapping)
class SkuMappingAdmin(ModelAdmin):
    list_display = ("code", "product", "activation")
    list_select_related = ("product", "activation__store")
    search_fields = ("code", "product__sku")
    autocomplete_fields = ("product", "activation")
