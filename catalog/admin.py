from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.models import Product, SkuMapping, Stock
from catalog.push import recompare
from catalog.reservations import keep_safety
from catalog.taking import forget_records
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.trouble.causes import UNKNOWN_SKU
from connectors.trouble.failures import retry_parked


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


@admin.register(Stock)
class StockAdmin(ModelAdmin):
    """Levels are the platforms', reservations the orders'; the safety stock is a person's."""

    list_display = ("product", "on_hand", "reserved", "safety", "shown_available")
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__name")
    fields = ("product", "on_hand", "reserved", "safety", "shown_available")
    readonly_fields = ("product", "on_hand", "reserved", "shown_available")

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
class SkuMappingAdmin(ModelAdmin):
    list_display = ("code", "product", "activation")
    list_select_related = ("product", "activation__store")
    search_fields = ("code", "product__sku")
    autocomplete_fields = ("product", "activation")

    def save_model(self, request: HttpRequest, obj: SkuMapping, form: Any, change: bool) -> None:
        """What failed for want of it is tried again."""
        super().save_model(request, obj, form, change)
        retry_parked(obj.activation_id, cause=UNKNOWN_SKU)
        forget_records(obj.activation, {obj.code, form.initial.get("code", obj.code)})
        recompare(
            obj.activation.store, {obj.product_id, form.initial.get("product", obj.product_id)}
        )

    def delete_model(self, request: HttpRequest, obj: SkuMapping) -> None:
        super().delete_model(request, obj)
        forget_records(obj.activation, {obj.code})
        recompare(obj.activation.store, {obj.product_id})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SkuMapping]) -> None:
        for mapping in queryset.select_related("activation"):
            self.delete_model(request, mapping)
