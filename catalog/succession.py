"""What a platform calls the store's products, and which sales it has, when one integration takes
over from another."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Product, Reservation, SkuMapping, external_key
from connectors.models import Activation

AT_ONCE = 500


def mappings_to_move(source: Activation, target: Activation | None) -> QuerySet[SkuMapping]:
    """The De/Para of the source, but for codes and products of which the target has its own."""
    its_own = SkuMapping.objects.filter(activation=target)
    return SkuMapping.objects.filter(
        ~Exists(its_own.filter(code=OuterRef("code"))),
        ~Exists(its_own.filter(product=OuterRef("product"))),
        activation=source,
    )


def move_codes(source: Activation, target: Activation) -> None:
    """The De/Para, the partner's own ids, and which sales it has. The caller has locked the store's
    row."""
    old, new = external_key(source), external_key(target)
    sales = Reservation.objects.open().filter(Q(taken_by=source) | Q(leveled_by=source))
    theirs = Q(externals__has_key=old) | Q(pk__in=sales.values("product"))
    # Before what they guard: who changes their stock meanwhile writes the reservations as well.
    locked = Product.objects.select_for_update(no_key=True).filter(theirs, store=source.store)
    products = [p for p in locked.order_by("pk").only("externals") if old in p.externals]
    for column in ("taken_by", "leveled_by"):
        Reservation.objects.open().filter(**{column: source}).update(**{column: target})
    mappings = list(mappings_to_move(source, target).values_list("pk", flat=True))
    for start in range(0, len(mappings), AT_ONCE):
        some = mappings[start : start + AT_ONCE]
        SkuMapping.objects.filter(pk__in=some).update(activation=target)
    for product in products:
        product.externals.setdefault(new, product.externals.pop(old))
    Product.objects.bulk_update(products, ["externals"], batch_size=AT_ONCE)
