"""What is sold: products and their variations."""

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.hub import wire
from connectors.hub.hubobject import PUBLIC_ID_ONCE, HubObject
from connectors.models import Activation, Store
from connectors.prepared import Slot


def external_key(activation: Activation) -> str:
    """Not the bare number: to PostgreSQL that would be a place in a list."""
    return f"activation {activation.pk}"


class ProductQuerySet(models.QuerySet["Product"]):
    def with_levels(self) -> "ProductQuerySet":
        """Price, stock and the last change in the same query."""
        return self.select_related("price_row", "stock_row", "modification")

    def to_restock(self) -> "ProductQuerySet":
        """With all that a change of stock is told by. They are locked together with their stock,
        which is read when whoever changed it before has ended."""
        locked = self.select_for_update(no_key=True, of=("self", "stock_row"))
        variations = Product.objects.filter(parent=models.OuterRef("pk"))
        return (
            locked.filter(stock_row__isnull=False)
            .with_levels()
            .select_related("parent", "created_by")
            .annotate(has_variations=models.Exists(variations.order_by()))
        )

    def with_family(self) -> "ProductQuerySet":
        """Everything that the hub's answer shows of a product, in a constant number of queries."""
        variations = Product.objects.with_authors().order_by("pk")
        return self.with_authors().prefetch_related(models.Prefetch("variations", variations))

    def with_authors(self) -> "ProductQuerySet":
        return self.with_levels().select_related("created_by", "modification__by")

    def with_quantities(self) -> "ProductQuerySet":
        """`available` and `promised`, to search by: a parent's are its variations' sums."""
        stock = F("stock_row__on_hand") - F("stock_row__reserved") - F("stock_row__safety")
        available = Greatest(stock, 0)
        variations = Product.objects.filter(parent=models.OuterRef("pk")).order_by()

        def sum_of(level: Combinable) -> models.Subquery:
            return models.Subquery(
                variations.values("parent").annotate(sum=models.Sum(level)).values("sum")
            )

        return self.alias(
            available=Coalesce(sum_of(available), available),
            promised=Coalesce(sum_of(F("stock_row__reserved")), F("stock_row__reserved")),
        )


class Product(HubObject):
    """A product, or a variation of one (then `parent` is set). Both have a SKU of their own, and
    no two in a store have the same."""

    TABLE = wire.PRODUCT
    COLUMNS = ("sku", "name", "ean")

    store = models.ForeignKey(
        Store, models.PROTECT, verbose_name=_("loja"), related_name="products", db_index=False
    )
    parent = models.ForeignKey(
        "self", models.CASCADE, verbose_name=_("variação de"), null=True, related_name="variations"
    )
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("nome"), max_length=500, blank=True)
    ean = models.CharField(_("EAN"), max_length=50, blank=True)
    # The clients' own ids for it, each under its `external_key`.
    externals = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("criado em"), default=timezone.now, editable=False)
    # Without an index, which would be asked only when an activation is deleted.
    created_by = models.ForeignKey(
        Activation,
        models.SET_NULL,
        verbose_name=_("criado por"),
        null=True,
        related_name="+",
        db_index=False,
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("produto")
        verbose_name_plural = _("produtos")
        ordering = ["-pk"]
        constraints = [
            PUBLIC_ID_ONCE,
            models.UniqueConstraint(fields=["store", "sku"], name="sku_once_per_store"),
            models.CheckConstraint(condition=~Q(sku=""), name="product_has_sku"),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="product_not_own_parent"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="product_list", condition=Q(parent=None)),
            models.Index(fields=["store", "ean"], name="product_by_ean", condition=~Q(ean="")),
            models.Index(fields=["sku"], name="product_by_sku"),
            models.Index(fields=["ean"], name="product_by_ean_anywhere", condition=~Q(ean="")),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}".strip()


def is_called(store: Store | Slot, code: str | Slot, activation: Activation | Slot | None) -> Q:
    """That a product of the store is the one that this code means: by the activation's De/Para
    first, else by SKU. Two looks into indexes, which an "or" would not be."""
    products = Product.objects.filter(store=store).order_by()
    by_sku = products.filter(sku=code).values("pk")
    if activation is None:
        return Q(pk__in=by_sku)
    mapped = products.filter(sku_mappings__activation=activation, sku_mappings__code=code)
    return Q(pk=Coalesce(models.Subquery(mapped.values("pk")), models.Subquery(by_sku)))
