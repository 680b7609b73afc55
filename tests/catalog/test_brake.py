"""A run that would empty the shelves, or move the prices, stops and asks."""

from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import pulling
from catalog.models import Price, Product, Stock
from catalog.services import change_stock
from catalog.tasks import pull_stock
from connectors.contract import PriceSource, ProductSource, StockSource
from connectors.errors import Unreadable
from connectors.messages.rings import RUNG
from connectors.models import ActivationFlow, Brake, Failure, Ring, Run
from connectors.runs.holding import answer_brake
from connectors.storecontract.client import StoreContract
from tests.catalog.conftest import TOKEN, from_the_beginning, pull, pull_all, thing
from tests.conftest import flow_of, make_managed, make_operator
from tests.products import make_products

pytestmark = pytest.mark.django_db


def set_stock(shop, numbers, quantity) -> None:
    for number in numbers:
        shop.control("set_stock", {"sku": f"C-{number:02}", "quantity": quantity})


def set_prices(shop, numbers, price) -> None:
    for number in numbers:
        shop.control("set_price", {"sku": f"C-{number:02}", "price": price})


def break_after(pages, shop, monkeypatch) -> None:
    answer, asked = shop._answer_page, []

    def breaks(changes, query):
        asked.append(query)
        if len(asked) > pages:
            raise RuntimeError
        return answer(changes, query)

    monkeypatch.setattr(shop, "_answer_page", breaks)


def stocked() -> int:
    return Stock.objects.filter(on_hand__gt=0).count()


def test_a_run_that_would_empty_too_much_writes_nothing_of_it_and_asks(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    cursor = ActivationFlow.objects.get(pk=flow_of(reader, StockSource)).cursor

    run = pull(reader, StockSource)

    assert (run.outcome, run.changed, stocked()) == ("held", 0, 20)
    assert run.reason == ("Zera estoques: 12 de 20 SKUs. A integração espera uma resposta.")
    assert ActivationFlow.objects.get(pk=flow_of(reader, StockSource)).cursor == cursor
    brake = Brake.objects.get()
    assert (brake.danger, brake.count, brake.base, brake.percent, brake.limit) == (
        "zeroed", 12, 20, 60, 30,
    )  # fmt: skip
    assert ["C-03", "10", "0"] in brake.sample
    assert not Failure.objects.exists()


@pytest.mark.parametrize(("number", "outcome"), [(9, "done"), (10, "held")])
def test_a_few_at_once_are_an_ordinary_day(reader, big_shop, number, outcome):
    pull_all(reader)
    set_stock(big_shop, range(number), 0)

    assert pull(reader, StockSource).outcome == outcome


@pytest.mark.parametrize(("limit", "outcome"), [(60, "done"), (59, "held"), (100, "done")])
def test_the_limit_is_a_setting_of_the_integration(reader, big_shop, limit, outcome):
    pull_all(reader)
    reader.settings = {"brake_zeroed": limit}
    reader.save()
    set_stock(big_shop, range(12), 0)

    assert pull(reader, StockSource).outcome == outcome


@pytest.mark.parametrize(
    ("price", "outcome"),
    [(50, "done"), (49.99, "held"), (150, "done"), (151, "held"), (0, "held"), (10000, "held")],
)
def test_a_price_moves_when_it_is_more_than_half_of_itself_away(reader, big_shop, price, outcome):
    pull_all(reader)
    set_prices(big_shop, range(12), price)

    run = pull(reader, PriceSource)

    assert run.outcome == outcome
    changed = Price.objects.exclude(price=100).filter(price__isnull=False).count()
    assert changed == (12 if outcome == "done" else 0)


def test_what_a_buyer_pays_is_what_counts(reader, big_shop):
    pull_all(reader)
    for number in range(12):
        price = {"sku": f"C-{number:02}", "price": 1000, "special_price": 99}
        big_shop.control("set_price", price)

    assert pull(reader, PriceSource).outcome == "done"


def test_a_special_price_of_nought_moves_nothing(reader, big_shop):
    pull_all(reader)
    for number in range(12):
        big_shop.control("set_price", {"sku": f"C-{number:02}", "price": 100, "special_price": 0})

    assert [pull(reader, each).outcome for each in (PriceSource, ProductSource)] == ["done"] * 2
    assert not Price.objects.exclude(special_price=None).exists()


def test_while_it_waits_for_an_answer_the_flow_neither_reads_nor_writes(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    held = pull(reader, StockSource)
    set_stock(big_shop, range(20), 3)

    again = pull(reader, StockSource)
    prices = pull(reader, PriceSource)

    assert again.pk == held.pk
    assert prices.outcome == "done"  # each flow has a brake of its own
    assert Brake.objects.count() == 1


def test_let_through_it_applies_the_change_once(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)

    answered = answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, StockSource)
    set_stock(big_shop, range(20), 8)
    pull(reader, StockSource)
    set_stock(big_shop, range(12), 0)
    next_time = pull(reader, StockSource)

    assert answered
    assert (applied.outcome, applied.changed) == ("done", 12)
    brake = Brake.objects.earliest("pk")
    assert brake.answered_by == make_operator()
    assert brake.used_at is not None
    assert (next_time.outcome, stocked()) == ("held", 20)


def test_a_yes_is_to_what_was_asked_and_more_is_asked_for_again(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    set_stock(big_shop, range(8), 10)  # mended meanwhile
    set_stock(big_shop, range(8, 20), 0)  # four that were asked for, and eight that were not

    few_more = pull(reader, StockSource)
    set_stock(big_shop, range(8), 0)
    many_more = pull(reader, StockSource)

    assert [few_more.outcome, many_more.outcome, stocked()] == ["done", "held", 8]
    assert Brake.objects.latest("pk").count == 16  # with the eight of just before


def test_a_yes_to_one_price_is_not_a_yes_to_another(reader, big_shop):
    pull_all(reader)
    set_prices(big_shop, range(12), 40)
    pull(reader, PriceSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    set_prices(big_shop, range(12), 4)

    worse = pull(reader, PriceSource)
    answer_brake(Brake.objects.latest("pk").pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, PriceSource)

    assert [worse.outcome, applied.outcome, applied.changed] == ["held", "done", 12]
    assert not any(Brake.objects.values_list("asked", flat=True))  # nobody needs it any more


def test_a_yes_holds_until_all_of_it_is_written(reader, big_shop, monkeypatch):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 6)
    with monkeypatch.context() as broken:
        break_after(1, big_shop, broken)
        half = pull(reader, StockSource)
    left = stocked()

    rest = pull(reader, StockSource)

    assert [half.outcome, left, rest.outcome, stocked()] == ["failed", 14, "done", 8]
    assert Brake.objects.count() == 1


def test_what_is_asked_for_is_all_that_the_run_would_write(reader, big_shop, monkeypatch):
    pull_all(reader)
    monkeypatch.setattr(pulling, "MOST_AT_ONCE", 1)
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 6)
    set_stock(big_shop, range(18), 0)
    cursor = ActivationFlow.objects.get(pk=flow_of(reader, StockSource)).cursor

    held = pull(reader, StockSource)
    brake = Brake.objects.get()
    answer_brake(brake.pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, StockSource)

    assert (held.outcome, brake.count, brake.base, brake.written) == ("held", 18, 20, 6)
    assert len(brake.asked) == 12
    assert ActivationFlow.objects.get(pk=flow_of(reader, StockSource)).cursor != cursor
    assert (applied.outcome, stocked(), Brake.objects.count()) == ("done", 2, 1)


def test_where_the_platform_forgets_what_it_showed_nothing_is_read_on(
    reader, big_shop, monkeypatch
):
    pull_all(reader)
    monkeypatch.setattr(pulling, "MOST_AT_ONCE", 1)
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 6)
    monkeypatch.setattr(StoreContract, "forgets", frozenset({StockSource}))
    set_stock(big_shop, range(18), 0)

    pull(reader, StockSource)
    asked = Brake.objects.get()
    answer_brake(asked.pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, StockSource)

    # What comes after what was asked is judged anew: it is fewer than the limit.
    assert (asked.count, applied.outcome, stocked()) == (12, "done", 2)


def test_a_platform_that_breaks_off_while_it_is_read_on_is_asked_about_all_the_same(
    reader, big_shop, monkeypatch
):
    pull_all(reader)
    monkeypatch.setattr(pulling, "MOST_AT_ONCE", 1)
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 10)
    set_stock(big_shop, range(20), 0)
    break_after(1, big_shop, monkeypatch)

    run = pull(reader, StockSource)

    assert (run.outcome, Brake.objects.get().count, stocked()) == ("held", 10, 20)


def test_an_approval_that_nothing_needed_does_not_wait_for_the_next_danger(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    set_stock(big_shop, range(12), 10)  # mended by the platform meanwhile
    calm = pull(reader, StockSource)

    set_stock(big_shop, range(12), 0)
    danger = pull(reader, StockSource)

    assert [calm.outcome, danger.outcome] == ["done", "held"]


def test_a_yes_is_not_used_up_by_a_run_that_only_fetches_what_was_rung_for(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    told = {"ability": StockSource.__name__, "record_id": "C-19", "rung_at": timezone.now()}
    Ring.objects.create(activation=reader, **told)

    pull_stock(flow_of(reader, StockSource), RUNG)
    applied = pull(reader, StockSource)

    assert (applied.outcome, applied.changed, stocked()) == ("done", 12, 8)


def test_read_again_it_is_judged_again(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)

    answer_brake(Brake.objects.get().pk, Brake.Answer.REREAD, make_operator())
    still = pull(reader, StockSource)
    answer_brake(Brake.objects.latest("pk").pk, Brake.Answer.REREAD, make_operator())
    set_stock(big_shop, range(12), 9)
    mended = pull(reader, StockSource)

    assert [still.outcome, mended.outcome] == ["held", "done"]
    assert set(Stock.objects.values_list("on_hand", flat=True)) == {9, 10}


def test_the_first_answer_counts(reader, big_shop):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    pull(reader, StockSource)
    brake = Brake.objects.get()

    answers = [
        answer_brake(brake.pk, answer, make_operator())
        for answer in (Brake.Answer.REREAD, Brake.Answer.APPLY)
    ]

    brake.refresh_from_db()
    assert (answers, brake.answer) == ([True, False], "reread")


def test_runs_that_follow_each_other_are_judged_as_one(reader, big_shop):
    pull_all(reader)
    outcomes = []
    for begin in (0, 4, 8):
        set_stock(big_shop, range(begin, begin + 4), 0)
        outcomes.append(pull(reader, StockSource).outcome)

    assert outcomes == ["done", "done", "held"]
    assert Brake.objects.get().count == 12


def test_a_change_that_is_spread_over_batches_is_judged_as_one(reader, big_shop, monkeypatch):
    pull_all(reader)
    monkeypatch.setattr(pulling, "MOST_AT_ONCE", 1)
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 6)
    set_stock(big_shop, range(12), 0)

    run = pull(reader, StockSource)

    brake = Brake.objects.get()
    assert (run.outcome, brake.count, brake.written) == ("held", 12, 6)
    assert stocked() == 14  # what was written before could not be known to be part of it


def test_prices_that_come_with_the_products_are_braked_too(reader, big_shop):
    pull_all(reader)
    for number in range(12):
        product = thing(number)
        state = {**product, "price": 1, "quantity": 0}
        big_shop.changes["products"].put(product["sku"], state)

    run = pull(reader, ProductSource)

    assert run.outcome == "held"
    assert set(Price.objects.values_list("price", flat=True)) == {Decimal(100)}


def test_a_first_synchronisation_over_a_catalogue_that_is_there_is_braked_as_well(
    reader, big_shop, store
):
    make_products(store, (f"C-{number:02}" for number in range(20)), on_hand=5)
    set_stock(big_shop, range(12), 0)

    run = pull(reader, StockSource)

    assert (run.outcome, Brake.objects.get().base) == ("held", 20)


def test_what_was_parked_is_braked_with_the_rest_and_stays_parked(reader, big_shop):
    set_stock(big_shop, range(12), 0)
    early = pull(reader, StockSource)
    pull(reader, ProductSource)
    for product in Product.objects.all():
        change_stock(reader.store, product.pk, "update", 5, None)

    held = pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, StockSource)

    assert [early.failed, held.outcome, applied.outcome] == [20, "held", "done"]
    assert stocked() == 8
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_what_could_not_be_read_at_first_stays_parked_while_it_is_braked(
    reader, big_shop, monkeypatch
):
    """By the name that it had then, which is not its code."""
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    monkeypatch.setattr(
        "connectors.runs.running.guess_id", lambda payload: f"number of {payload.data['sku']}"
    )

    def refuse(self, payload):
        raise Unreadable("new to us")

    with monkeypatch.context() as patch:
        patch.setattr(StoreContract, "read_stock", refuse)
        early = pull(reader, StockSource)
    Failure.objects.update(retry_at=timezone.now())
    held = pull(reader, StockSource)
    answer_brake(Brake.objects.get().pk, Brake.Answer.APPLY, make_operator())
    applied = pull(reader, StockSource)

    assert [early.failed, held.outcome, applied.outcome] == [12, "held", "done"]
    assert stocked() == 8
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_another_integrations_stock_does_not_count(reader, big_shop, sandbox):
    pull_all(reader)
    shop = sandbox.open("store", "small", {"token": TOKEN})
    for number in range(100, 112):
        shop.control("put_product", thing(number))
    small = make_managed(reader.store, "rocky", f"{sandbox.url}/small", {"token": TOKEN})
    pull_all(small)
    for number in range(100, 110):
        shop.control("set_stock", {"sku": f"C-{number}", "quantity": 0})

    assert pull(small, StockSource).outcome == "held"
    assert Brake.objects.get().base == 12


def test_trouble_in_the_middle_does_not_get_a_change_past_the_brake(reader, big_shop, monkeypatch):
    pull_all(reader)
    set_stock(big_shop, range(12), 0)
    from_the_beginning(reader)
    runs = Run.objects.count()
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 15)
    break_after(1, big_shop, monkeypatch)

    run = pull(reader, StockSource)

    assert Run.objects.count() == runs + 1
    assert (run.outcome, stocked()) == ("failed", 20 - Stock.objects.filter(on_hand=0).count())
