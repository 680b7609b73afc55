"""The stores' figures: kept with every change, and equal to what the orders say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.models import Store
from connectors.records import OrderStatus as S
from orders.models import Order, Tally
from orders.services import create_order, update_order
from orders.statistics import (
    Figure,
    Period,
    by_field,
    correct_tallies,
    fold_all_tallies,
    same_day_of_previous_month,
    sold_by_period,
    standing,
    tallies_of,
)
from orders.wire import OrderDocument
from tests.conftest import make_activation, make_store
from tests.orders.samples import become, document


@pytest.fixture
def pluga(store: Store):
    return make_activation(store, "pluga")


def figures(store: Store) -> dict[str, Figure]:
    return by_field(tallies_of([store.pk]), "status")


def test_an_order_counts_in_the_status_that_it_has(store, pluga):
    order = create_order(pluga, document("1", status="pending", total=10.5))
    assert figures(store) == {"pending": Figure(1, Decimal("10.5"))}

    update_order(order.pk, become(S.APPROVED), pluga)

    assert figures(store) == {"approved": Figure(1, Decimal("10.5"))}


def test_another_total_or_channel_counts_from_then_on(store, pluga):
    order = create_order(pluga, document("1", total=10))

    update_order(order.pk, OrderDocument(head={"total": "12.34", "channel": "Loja"}), pluga)

    assert by_field(tallies_of([store.pk]), "channel") == {"Loja": Figure(1, Decimal("12.34"))}


def test_what_is_not_paid_or_was_given_back_is_not_sold(store, pluga):
    for number, status in enumerate(S):
        create_order(pluga, document(str(number), status=status.value, total=1))

    sold = sold_by_period([store.pk], [Period()])[0]

    not_sold = {S.PENDING, S.PARTIAL_PAYMENT, S.UNDER_REVIEW, S.CANCELED, S.REFUNDED}
    assert sold.orders == len(S) - len(not_sold)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 1, 2, 59, 59, tzinfo=UTC), date(2026, 10, 31)),
        (datetime(2026, 11, 1, 3, 0, 0, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_the_day_is_that_of_sao_paulo(at, day, store, pluga):
    order = create_order(pluga, document("1"))
    Tally.objects.all().delete()
    Order.objects.filter(pk=order.pk).update(created_at=at)

    assert correct_tallies(store) == 1

    assert Tally.objects.get().day == day


def test_an_order_of_the_night_counts_on_the_same_day_at_once(store, pluga):
    order = create_order(pluga, document("1"))

    order.created_at = datetime(2026, 11, 1, 2, 59, 59, tzinfo=UTC)

    assert standing(order).key[0] == date(2026, 10, 31)


def test_a_wrong_amount_is_mended_also_where_the_number_is_right(store, pluga):
    create_order(pluga, document("1", total=10))
    Tally.objects.update(amount=7)

    assert correct_tallies(store) == 1

    assert figures(store) == {"approved": Figure(1, Decimal(10))}


def test_beside_a_day_what_was_ever_sold_is_all_of_it(store, pluga):
    order = create_order(pluga, document("1"))
    day = standing(order).key[0]

    found = sold_by_period([store.pk], [Period(day.replace(year=2100)), Period()])

    assert [figure.orders for figure in found] == [0, 1]


def test_what_is_kept_is_what_a_rebuild_says(store, pluga):
    for number in range(6):
        order = create_order(pluga, document(str(number), total=number + 0.01, status="pending"))
        for status in (S.APPROVED, S.INVOICED, S.CANCELED)[: number % 4]:
            update_order(order.pk, become(status), pluga)

    assert correct_tallies(store) == 0
    kept = figures(store)
    Tally.objects.all().delete()
    correct_tallies(store)

    assert figures(store) == kept


@pytest.mark.parametrize("currency", ["usd", "BRL", "brl", "", None])
def test_an_amount_in_another_currency_is_counted_and_not_added_up(store, pluga, currency):
    create_order(pluga, document("1", total=10))
    create_order(pluga, document("2", total=100, currency=currency))
    other = currency == "usd"
    told = {"approved": Figure(2, Decimal(10 if other else 110), int(other))}

    assert correct_tallies(store) == 0
    assert figures(store) == told
    fold_all_tallies()
    assert figures(store) == told
    assert sold_by_period([store.pk], [Period()])[0].average == Decimal(10 if other else 55)

    Tally.objects.all().delete()
    correct_tallies(store)
    assert figures(store) == told


def test_what_an_older_version_added_up_is_put_right(store, pluga):
    create_order(pluga, document("1", total=100, currency="USD"))
    Tally.objects.update(amount=100, foreign=0)

    assert correct_tallies(store) == 1

    assert figures(store) == {"approved": Figure(1, Decimal(0), 1)}


def test_an_order_that_turns_out_to_be_in_another_currency_leaves_the_sum(store, pluga):
    order = create_order(pluga, document("1", total=10))

    update_order(order.pk, OrderDocument(head={"currency": "USD"}), pluga)

    assert figures(store) == {"approved": Figure(1, Decimal(0), 1)}


def test_folding_changes_no_figure_and_leaves_one_row_of_each_key(store, pluga):
    for number in range(3):
        order = create_order(pluga, document(str(number), total=7, status="pending"))
        update_order(order.pk, become(S.APPROVED), pluga)
    before = figures(store)
    fold_all_tallies()
    order = create_order(pluga, document("9", total=7))

    fold_all_tallies()

    assert before == {"approved": Figure(3, Decimal(21))}
    assert figures(store) == {"approved": Figure(4, Decimal(28))}
    assert Tally.objects.filter(folded=False).count() == 0
    assert Tally.objects.filter(status="approved").count() == 1


def test_another_stores_orders_do_not_count(store, pluga):
    create_order(pluga, document("1"))

    assert sold_by_period([store.pk + 1], [Period()]) == [Figure()]


def test_a_store_is_put_right_and_folded_by_itself(store, pluga):
    other = make_activation(make_store(), "pluga")
    for by, totals in ((pluga, (10, 20)), (other, (7,))):
        for number, total in enumerate(totals):
            create_order(by, document(str(number), total=total))
    told = {"approved": Figure(2, Decimal(30))}, {"approved": Figure(1, Decimal(7))}

    assert correct_tallies(store) == correct_tallies(other.store) == 0
    fold_all_tallies()

    assert (figures(store), figures(other.store)) == told
    Tally.objects.filter(store=store).delete()
    assert (correct_tallies(other.store), correct_tallies(store)) == (0, 1)
    assert (figures(store), figures(other.store)) == told


def test_what_is_folded_takes_no_turn_of_what_is_not(store, pluga, monkeypatch):
    monkeypatch.setattr("orders.statistics.FOLDED_AT_ONCE", 1)
    create_order(pluga, document("1", status="approved"))
    fold_all_tallies()
    create_order(pluga, document("2", status="pending"))

    fold_all_tallies()

    assert not Tally.objects.filter(folded=False).exists()


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2026, 1, 15), date(2025, 12, 15)),
        (date(2028, 3, 29), date(2028, 2, 29)),
        (date(2026, 3, 29), date(2026, 2, 28)),
        (date(2026, 5, 31), date(2026, 4, 30)),
        (date(2026, 8, 31), date(2026, 7, 31)),
        (date(2026, 2, 28), date(2026, 1, 28)),
        (date(2026, 3, 1), date(2026, 2, 1)),
    ],
)
def test_a_shorter_month_is_compared_by_its_last_day(day, before):
    assert same_day_of_previous_month(day) == before
