"""Units kept for sales: who holds them, and until when."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from catalog.editing import edit_product
from catalog.levels import set_stock
from catalog.models import Product, Reservation, Stock
from catalog.reservations import (
    consume,
    keep_safety,
    note_asked,
    note_taken,
    release,
    reserve,
)
from catalog.services import (
    change_stock,
    create_product,
    delete_product,
    save_product,
    take_product,
)
from catalog.taking import remember
from connectors.contract import Flow
from connectors.errors import NothingChanged
from connectors.models import Activation, Notice, Store
from connectors.records import ProductRecord, StockRecord
from tests.conftest import make_activation, make_managed, make_operator


@pytest.fixture
def product(store: Store) -> Product:
    """There are ten."""
    return create_product(store, {"sku": "A", "quantity": 10}, None)


@pytest.fixture
def master(store: Store) -> Activation:
    """It tells us levels."""
    return make_activation(store, "rocky")


def level(product: Product) -> tuple[int, int, int]:
    """On hand, reserved, available; and the sum is the sum."""
    stock = Stock.objects.get(product=product)
    held = Reservation.objects.filter(product=product).aggregate(sum=Sum("held"))["sum"] or 0
    assert stock.reserved == held
    return stock.on_hand, stock.reserved, stock.available


def holds(product: Product) -> list[tuple[str, int, int]]:
    rows = Reservation.objects.filter(product=product).order_by("pk")
    return list(rows.values_list("sale", "held", "quantity"))


def tell(master: Activation, quantity: int, asked: float = 0) -> None:
    """A level of A that was asked for so many seconds from now."""
    asked_at = timezone.now() + timedelta(seconds=asked)
    set_stock(master.store, [StockRecord("A", quantity)], master, asked_at)


# -- Held ------------------------------------------------------------------------------------------
def test_what_is_kept_is_not_available(store, product):
    missing = reserve(store, "sale", {product.pk: 3}, None)

    assert missing == {}
    assert level(product) == (10, 3, 7)


def test_keeping_the_same_again_changes_nothing(store, product):
    for _time in range(3):
        reserve(store, "sale", {product.pk: 3}, None)

    assert level(product) == (10, 3, 7)


def test_a_sale_wants_more_or_fewer_units_or_other_products(store, product):
    other = create_product(store, {"sku": "B", "quantity": 1}, None)
    reserve(store, "sale", {product.pk: 3}, None)

    reserve(store, "sale", {product.pk: 5}, None)
    more = level(product)
    reserve(store, "sale", {product.pk: 2}, None)
    fewer = level(product)
    reserve(store, "sale", {other.pk: 1}, None)

    assert (more, fewer) == ((10, 5, 5), (10, 2, 8))
    assert (level(product), level(other)) == ((10, 0, 10), (1, 1, 0))


def test_of_the_last_units_the_first_sale_has_its_own_and_the_second_what_is_left(store, product):
    first = reserve(store, "first", {product.pk: 8}, None)
    second = reserve(store, "second", {product.pk: 4}, None)

    assert (first, second) == ({}, {product.pk: 2})
    assert holds(product) == [("first", 8, 8), ("second", 2, 4)]
    assert level(product) == (10, 10, 0)


def test_a_sale_that_asks_for_more_takes_nothing_from_a_later_one(store, product):
    reserve(store, "first", {product.pk: 5}, None)
    reserve(store, "second", {product.pk: 5}, None)

    missing = reserve(store, "first", {product.pk: 6}, None)

    assert missing == {product.pk: 1}
    assert holds(product) == [("first", 5, 6), ("second", 5, 5)]


def test_units_that_come_back_serve_whoever_waits_longest(store, product):
    for sale, quantity in (("first", 10), ("second", 2), ("third", 2)):
        reserve(store, sale, {product.pk: quantity}, None)

    release(store, "first", None)

    assert holds(product) == [("first", 0, 0), ("second", 2, 2), ("third", 2, 2)]
    assert level(product) == (10, 4, 6)


def test_new_stock_serves_whoever_waits_longest(store, product, master):
    for sale, quantity in (("first", 10), ("second", 2), ("third", 2)):
        reserve(store, sale, {product.pk: quantity}, None)

    tell(master, 13)

    assert holds(product) == [("first", 10, 10), ("second", 2, 2), ("third", 1, 2)]
    assert level(product) == (13, 13, 0)


def test_where_a_level_is_too_low_for_all_the_latest_sale_loses_its_units(store, product, master):
    reserve(store, "first", {product.pk: 4}, None)
    reserve(store, "second", {product.pk: 4}, None)

    tell(master, 5)

    assert holds(product) == [("first", 4, 4), ("second", 1, 4)]
    assert level(product) == (5, 5, 0)


def test_safety_stock_is_never_offered_and_serves_a_sale_nevertheless(store, product):
    keep_safety(product.pk, 4)

    offered = level(product)
    missing = reserve(store, "sale", {product.pk: 8}, None)

    assert offered == (10, 0, 6)
    assert missing == {}
    assert level(product) == (10, 8, 0)


def test_a_variation_is_kept_and_its_parent_shows_the_sum(store):
    variations = [{"sku": "P", "quantity": 3}, {"sku": "G", "quantity": 4}]
    shirt = create_product(store, {"sku": "CAM", "variations": variations}, None)
    small = shirt.variations.get(sku="P")

    reserve(store, "sale", {small.pk: 2}, None)

    assert level(small) == (3, 2, 1)
    products = Product.objects.with_quantities().filter(available=5, promised=2)
    assert products.get(parent=None) == shirt


def test_a_product_that_is_deleted_takes_its_reservations_along(store, product):
    reserve(store, "sale", {product.pk: 3}, None)

    delete_product(store, product.pk, None)

    assert not Reservation.objects.exists()
    assert reserve(store, "sale", {product.pk: 3}, None) == {}


# -- Gone ------------------------------------------------------------------------------------------
def test_what_is_invoiced_leaves_the_shelf(store, product):
    reserve(store, "sale", {product.pk: 3}, None)

    consume(store, "sale", None)

    assert level(product) == (7, 0, 7)


def test_what_is_invoiced_is_gone_once(store, product):
    reserve(store, "sale", {product.pk: 3}, None)

    for _time in range(2):
        consume(store, "sale", None)
        reserve(store, "sale", {product.pk: 3}, None)

    assert level(product) == (7, 0, 7)


def test_what_was_invoiced_and_is_cancelled_then_is_not_put_back(store, product):
    reserve(store, "sale", {product.pk: 3}, None)
    consume(store, "sale", None)

    release(store, "sale", None)

    assert level(product) == (7, 0, 7)


def test_a_sale_that_is_invoiced_without_units_takes_those_that_there_are(store, product):
    reserve(store, "first", {product.pk: 8}, None)
    reserve(store, "second", {product.pk: 5}, None)

    consume(store, "second", None)

    assert holds(product) == [("first", 5, 8), ("second", 0, 0)]
    assert level(product) == (5, 5, 0)


def test_a_sale_of_more_than_there_is_leaves_nothing_when_it_is_invoiced(store, product):
    reserve(store, "sale", {product.pk: 13}, None)

    consume(store, "sale", None)

    assert level(product) == (0, 0, 0)


# -- Counted by whoever tells the levels -----------------------------------------------------------
def test_a_level_of_a_master_that_does_not_have_the_sale_is_with_its_units(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)

    tell(master, 8)

    assert level(product) == (8, 3, 5)


def test_a_level_that_was_asked_for_after_the_master_had_the_sale_is_without_its_units(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    tell(master, 7)

    assert level(product) == (7, 0, 7)


def test_a_level_of_another_master_than_the_one_that_has_the_sale_is_with_its_units(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    tell(make_activation(store, "webstore"), 8)

    assert level(product) == (8, 3, 5)


def test_a_level_that_stays_the_same_counts_as_well(store, product, master):
    """Three were sold, and three came in."""
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    tell(master, 10)

    assert level(product) == (10, 0, 10)


def test_what_the_master_has_counted_is_not_taken_off_again_by_the_invoice(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    tell(master, 7)

    consume(store, "sale", master)

    assert level(product) == (7, 0, 7)


def test_what_the_master_has_counted_is_its_own_to_put_back(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    tell(master, 7)

    release(store, "sale", None)

    assert level(product) == (7, 0, 7)


def test_a_level_that_was_asked_for_while_the_master_took_the_sale_sells_nothing_twice(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    tell(master, 7, asked=-60)

    assert level(product) == (7, 3, 4)


def test_and_when_no_other_level_came_until_the_invoice_it_was_without_the_units(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    tell(master, 7, asked=-60)

    consume(store, "sale", None)

    assert level(product) == (7, 0, 7)


@pytest.mark.parametrize("asked", [False, True])
def test_a_level_from_before_the_master_had_the_sale_says_nothing_about_it(
    store, product, master, asked
):
    reserve(store, "sale", {product.pk: 3}, None)
    tell(master, 9)
    if asked:
        note_asked(store, "sale", master)
    note_taken(store, "sale", master)

    consume(store, "sale", master)

    assert level(product) == (6, 0, 6)


def test_a_level_since_the_master_was_first_sent_the_sale_may_be_without_its_units(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_asked(store, "sale", master)  # it had it then, and its answer was lost
    tell(master, 7)
    until_the_answer = level(product)
    note_asked(store, "sale", master)
    note_taken(store, "sale", master)

    consume(store, "sale", master)

    assert until_the_answer == (7, 3, 4)
    assert level(product) == (7, 0, 7)


def test_a_master_that_was_asked_in_vain_does_not_have_what_another_invoices(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)
    note_asked(store, "sale", master)
    tell(master, 10)

    consume(store, "sale", None)

    assert level(product) == (7, 0, 7)


def test_whoever_invoices_a_sale_has_it_and_had_it_in_its_last_level(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    tell(master, 7)

    consume(store, "sale", master)

    assert level(product) == (7, 0, 7)


def test_a_master_of_differences_takes_its_sales_off_by_itself(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    change_stock(store, product.pk, "decrease", 3, master)
    until_the_invoice = level(product)

    consume(store, "sale", master)

    assert until_the_invoice == (7, 3, 4)
    assert level(product) == (7, 0, 7)


def test_what_a_sale_wants_more_is_unknown_to_the_master(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    reserve(store, "sale", {product.pk: 4}, None)
    tell(master, 7)

    assert level(product) == (7, 4, 3)


def test_units_that_left_at_different_times_are_all_gone_once(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    tell(master, 7)
    reserve(store, "sale", {product.pk: 4}, None)

    for _time in range(2):
        consume(store, "sale", None)
        reserve(store, "sale", {product.pk: 4}, None)

    assert level(product) == (6, 0, 6)


def test_who_says_again_that_he_has_a_sale_had_it_from_the_first_time_on(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)
    asked_at = timezone.now()
    note_taken(store, "sale", master)

    set_stock(store, [StockRecord("A", 7)], master, asked_at)

    assert level(product) == (7, 0, 7)


def test_the_master_still_has_a_sale_that_wants_as_much_as_before(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    reserve(store, "sale", {product.pk: 3}, None)
    tell(master, 7)

    assert level(product) == (7, 0, 7)


def test_what_a_person_counts_is_with_the_units_of_every_sale(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)
    note_taken(store, "sale", master)

    save_product(store, "A", {"quantity": 9}, None)

    assert level(product) == (9, 3, 6)


def test_a_copy_of_what_we_showed_is_no_level(store, product, master):
    reserve(store, "sale", {product.pk: 3}, None)

    with pytest.raises(NothingChanged):
        save_product(store, "A", {"name": "", "quantity": 7}, master)

    assert level(product) == (10, 3, 7)


def test_less_than_nothing_is_no_copy_of_the_nothing_that_we_showed(store, product, master):
    reserve(store, "sale", {product.pk: 10}, None)

    save_product(store, "A", {"quantity": -3}, master)

    assert level(product) == (0, 0, 0)


def test_what_a_person_counts_is_a_level_even_where_it_is_as_many_as_are_available(
    store, product, master
):
    reserve(store, "sale", {product.pk: 3}, None)

    edit_product(product.pk, {"quantity": 7}, make_operator())

    assert level(product) == (7, 3, 4)


def test_a_level_that_a_platform_tells_with_its_product_is_as_old_as_the_question(store, product):
    reader = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    asked_at = timezone.now()
    reserve(store, "sale", {product.pk: 3}, None)

    take_product(ProductRecord("A", {"quantity": 7}), 1, reader, asked_at)
    before = level(product)
    note_taken(store, "sale", reader)
    take_product(ProductRecord("A", {"quantity": 8}), 2, reader, asked_at)
    old = level(product)
    take_product(ProductRecord("A", {"quantity": 5}), 3, reader, timezone.now())

    assert (before, old, level(product)) == ((7, 3, 4), (8, 3, 5), (5, 0, 5))


@pytest.mark.parametrize("comes_to", [note_taken, consume])
def test_a_level_that_was_told_before_is_looked_at_again_once_the_master_has_the_sale(
    store, product, master, comes_to
):
    reserve(store, "sale", {product.pk: 3}, None)
    remember(master, Flow.STOCK, [("A", product.pk, 1)])

    comes_to(store, "sale", master)

    assert not product.taken.exclude(digest=None).exists()


# -- Told ------------------------------------------------------------------------------------------
@pytest.fixture
def tools(store: Store) -> Activation:
    return make_activation(store, "pluga", plugin_url="https://tools.example/hook")


def notices() -> list[tuple[str, str, dict[str, bool]]]:
    return list(Notice.objects.order_by("pk").values_list("topic", "object_id", "changes"))


def test_every_change_of_what_is_kept_is_told_as_a_change_of_stock(store, product, tools):
    told = ("products", product.public_id, {"status": False, "price": False, "stock": True})

    for change in (
        lambda: reserve(store, "sale", {product.pk: 3}, None),
        lambda: reserve(store, "sale", {product.pk: 4}, None),
        lambda: consume(store, "sale", None),
        lambda: keep_safety(product.pk, 1),
    ):
        Notice.objects.all().delete()
        change()
        assert notices() == [told]


def test_what_changes_nothing_is_not_told(store, product, tools):
    reserve(store, "sale", {product.pk: 3}, None)
    Notice.objects.all().delete()

    reserve(store, "sale", {product.pk: 3}, None)
    keep_safety(product.pk, 0)

    assert notices() == []


def test_a_changed_stock_shows_in_when_the_product_changed(store, product, tools):
    before = product.modification.at

    reserve(store, "sale", {product.pk: 3}, tools)

    product.refresh_from_db()
    assert product.modification.at > before
    assert product.modification.by == tools
