"""Both sides' catalogues compared: before the first synchronisation, and once a day."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from catalog import comparing, fetching
from catalog.comparing import compare_all_catalogues, compare_catalogue
from catalog.models import Price, Product, SkuMapping, Stock, Taken
from catalog.services import delete_product, save_product
from connectors.comparisons import STEP_LIFE, ask_to_mend, prune_comparisons
from connectors.contract import PriceSource, ProductSource, StockSource
from connectors.errors import NotAllowed, Refused
from connectors.findings import Findings
from connectors.models import Activation, Comparison, Difference, Listed, Run, State
from connectors.runs.holding import approve_preview, ask_preview, is_held
from connectors.storecontract.client import StoreContract
from connectors.trouble.incidents import watch_flows
from tests.catalog.conftest import TASKS, TOKEN, pull, pull_all, thing
from tests.clock import Clock
from tests.conftest import (
    flow_of,
    make_activation,
    make_managed,
    make_operator,
    make_store,
)
from tests.threads import one_within_another

pytestmark = pytest.mark.django_db


def preview(activation: Activation, **options: Any) -> Comparison:
    return finished(ask_preview(activation, make_operator(), **options))


def compared(activation: Activation) -> Comparison:
    purpose = Comparison.Purpose.CATALOGUE
    return finished(activation.comparisons.create(purpose=purpose))


def finished(comparison: Comparison) -> Comparison:
    compare_catalogue(comparison.pk)
    comparison.refresh_from_db()
    assert comparison.ended_at is not None
    return comparison


def found(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    columns = ("flow", "kind", "record_id", "ours", "theirs")
    return sorted(comparison.differences.values_list(*columns))


def test_a_preview_tells_what_would_be_created_and_writes_nothing(reader):
    comparison = preview(reader)

    new = {"theirs": 20, "create": 20}
    assert comparison.counts == {"products": new, "prices": new, "stock": new}
    assert (comparison.seen, comparison.reason) == (60, "")
    assert ("products", "create", "C-07", "", "Coisa 7") in found(comparison)
    assert not Product.objects.exists()
    assert not Taken.objects.exists()
    assert not Listed.objects.exists()
    assert not Run.objects.exists()


def test_a_preview_tells_everything_that_is_wrong(reader, big_shop, store):
    save_product(store, "C-01", {"name": "Coisa 1", "price": "90", "quantity": 10}, None)
    save_product(store, "C-02", {"name": "Coisa 2", "price": "100", "quantity": 10}, None)
    big_shop.control("put_product", thing(3, warranty_time="um ano"))
    big_shop.control("put_product", thing(4, price=0))
    big_shop.control("put_product", thing(5, ean="7891234567901"))
    big_shop.control("put_product", thing(6, ean="7891234567901"))
    big_shop.control("put_product", thing(7, name="x" * 501))
    big_shop.control("set_stock", {"sku": "NADA", "quantity": 1})

    differences = found(preview(reader))

    wrong = [row for row in differences if row[1] != "create"]
    assert [row[:4] for row in wrong] == [
        ("prices", "unmapped", "C-03", ""),
        ("prices", "update", "C-01", "90,00"),
        ("prices", "zero_price", "C-04", ""),
        ("products", "duplicate", "C-06", ""),
        ("products", "refused", "C-07", ""),
        ("products", "unreadable", "C-03", ""),
        ("stock", "unmapped", "C-03", ""),
        ("stock", "unmapped", "NADA", ""),
    ]
    assert ("prices", "update", "C-01", "90,00", "100,00") in wrong
    assert wrong[3][4] == "GTIN 7891234567901 também no SKU C-05"


def test_the_same_sku_with_something_else_behind_it_is_there_twice(reader, big_shop):
    product = {"sku": "C-01", "name": "Outra coisa"}
    big_shop.changes["products"].put("another key", product)

    differences = found(preview(reader))

    assert [row[:3] for row in differences if row[1] == "duplicate"] == [
        ("products", "duplicate", "C-01")
    ]


def test_what_a_mapping_means_is_not_unmapped(store, sandbox):
    shop = sandbox.open("store", "erp", {"token": TOKEN})
    otimo = make_managed(store, "otimo", f"{sandbox.url}/erp", {"token": TOKEN})
    product = save_product(store, "CAN-07", {"name": "Caneca", "quantity": 2}, None)
    SkuMapping.objects.create(activation=otimo, code="9001", product=product)
    for sku in ("9001", "9002"):
        shop.control("set_stock", {"sku": sku, "quantity": 6})

    assert found(preview(otimo)) == [
        ("stock", "unmapped", "9002", "", "6"),
        ("stock", "update", "9001", "2", "6"),
    ]


def test_nothing_is_synchronised_until_the_preview_is_approved(reader):
    comparison = ask_preview(reader, make_operator(), holds=True)
    run_tasks(reader)
    with pytest.raises(Refused, match="ainda está sendo feita"):
        approve_preview(comparison.pk, make_operator())
    finished(comparison)
    run_tasks(reader)
    assert not Run.objects.exists()

    approved = approve_preview(comparison.pk, make_operator())

    comparison.refresh_from_db()
    assert approved
    assert comparison.approved_by == make_operator()
    assert [run.outcome for run in pull_all(reader)] == ["done"] * 3
    assert Product.objects.count() == 20
    assert not approve_preview(comparison.pk, make_operator())


def run_tasks(activation: Activation) -> None:
    for ability, task in TASKS.items():
        task(flow_of(activation, ability))


def test_a_preview_may_be_made_any_time_and_then_nothing_waits_for_it(reader):
    pull_all(reader)

    comparison = preview(reader)

    assert {flow: counts["same"] for flow, counts in comparison.counts.items()} == {
        "products": 20, "prices": 20, "stock": 20,
    }  # fmt: skip
    assert pull(reader, StockSource).outcome == "done"


def test_asked_twice_it_is_made_once(reader):
    first = ask_preview(reader, make_operator())

    assert ask_preview(reader, make_operator()) == first


def test_where_no_catalogue_is_fetched_there_is_no_preview(store):
    with pytest.raises(NotAllowed):
        ask_preview(make_activation(store, "webstore"), make_operator())


def test_it_goes_on_where_its_minute_ended(reader, monkeypatch):
    monkeypatch.setattr(comparing, "STEP_SECONDS", 0)
    monkeypatch.setattr("connectors.storecontract.client.PAGE_SIZE", 8)
    comparison = ask_preview(reader, make_operator())
    steps = 0

    while Comparison.objects.filter(pk=comparison.pk, ended_at=None).exists():
        compare_catalogue(comparison.pk)
        steps += 1

    comparison.refresh_from_db()
    assert comparison.counts["products"] == {"theirs": 20, "create": 20}
    assert comparison.seen == 60
    assert comparison.differences.count() == 60
    assert steps > 6
    assert OrmQ.objects.exists()


def test_a_platform_in_trouble_is_asked_again_later(reader, big_shop, monkeypatch):
    comparison = ask_preview(reader, make_operator())
    answer = big_shop._answer_page

    def down(*args: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(big_shop, "_answer_page", down)
    compare_catalogue(comparison.pk)
    comparison.refresh_from_db()
    assert (comparison.ended_at, comparison.busy_until) == (None, None)
    assert comparison.due_at > timezone.now()

    monkeypatch.setattr(big_shop, "_answer_page", answer)
    assert finished(comparison).seen == 60


def test_refused_credentials_end_it_with_the_reason(reader, big_shop):
    big_shop.control("settings", {"token": "outro"})

    comparison = preview(reader)

    assert comparison.reason == "GET products: HTTP 401"


def test_an_integration_that_was_switched_off_is_not_compared(reader):
    comparison = ask_preview(reader, make_operator())
    Activation.objects.update(state=State.REVOKED)

    assert finished(comparison).reason == "A integração foi desligada."


def test_two_workers_do_not_take_the_same_step(reader):
    comparison = ask_preview(reader, make_operator())
    Comparison.objects.update(busy_until=timezone.now() + timedelta(minutes=5))

    compare_catalogue(comparison.pk)

    comparison.refresh_from_db()
    assert (comparison.seen, comparison.ended_at) == (0, None)


def test_one_whose_worker_dies_at_its_end_finds_nothing_twice(reader, monkeypatch):
    comparison = ask_preview(reader, make_operator())
    die_at_the_end(monkeypatch, lambda: compare_catalogue(comparison.pk))

    assert len(found(finished(comparison))) == 60
    assert comparison.counts["products"] == {"theirs": 20, "create": 20}


def die_at_the_end(monkeypatch: pytest.MonkeyPatch, step: Callable[[], None]) -> None:
    """A comparison's worker is killed before it could say that it is over."""

    def die(comparison: Comparison, reason: str = "") -> None:
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr("connectors.comparisons.finish", die)
        with pytest.raises(SystemExit):
            step()
    Comparison.objects.update(busy_until=timezone.now())


# -- Once a day ------------------------------------------------------------------------------------
def test_both_sides_lists_are_compared(reader, big_shop, store):
    pull_all(reader)
    gone = big_shop.changes["products"].latest.pop("C-01")
    assert gone
    Price.objects.filter(product__sku="C-02").update(price=1)
    Stock.objects.filter(product__sku="C-03").update(on_hand=2)
    Taken.objects.update(digest=None)
    delete_product(store, Product.objects.get(sku="C-04").pk, None)

    comparison = compared(reader)

    assert found(comparison) == [
        ("prices", "create", "C-04", "", "100,00"),
        ("prices", "update", "C-02", "1,00", "100,00"),
        ("products", "create", "C-04", "", "Coisa 4"),
        ("products", "missing_there", "C-01", "Coisa 1", ""),
        ("stock", "create", "C-04", "", "10"),
        ("stock", "update", "C-03", "2", "10"),
    ]
    assert comparison.counts["products"] == {
        "theirs": 19, "same": 18, "create": 1, "ours": 19, "missing_there": 1,
    }  # fmt: skip
    assert Price.objects.get(product__sku="C-02").price == 1


@pytest.fixture
def other_shop(sandbox):
    """Which has two of the same products."""
    shop = sandbox.open("store", "other", {"token": TOKEN})
    for same in (thing(1), thing(2)):
        shop.control("put_product", same)
    return shop


@pytest.fixture
def other(other_shop, store, sandbox):
    url = f"{sandbox.url}/{other_shop.name}"
    return make_managed(store, "rocky", url, {"token": TOKEN}, name="Outra")


def test_what_two_integrations_tell_otherwise_is_shown(reader, big_shop, other_shop, other):
    pull_all(reader)
    pull_all(other)
    assert found(compared(reader)) == found(compared(other)) == []

    photo = {"url": "https://outra.example/1.jpg"}
    other_shop.control("put_product", thing(1, photos=[photo], name="Coisa de outro"))
    pull_all(other)

    text = "Também vem de Outra, e um desfaz o que o outro manda."
    assert ("products", "duplicate", "C-01", "", text) in found(compared(reader))
    assert found(compared(other)) == []
    Activation.objects.filter(pk=other.pk).update(state=State.PAUSED)
    assert "duplicate" not in [row[1] for row in found(compared(reader))]


def test_what_is_asked_for_is_read_again_by_its_flow(reader, store):
    pull_all(reader)
    Price.objects.filter(product__sku="C-02").update(price=1)
    Taken.objects.update(digest=None)
    comparison = compared(reader)
    Taken.objects.update(digest=None)

    asked = ask_to_mend(comparison.differences.all(), make_operator())
    compare_all_catalogues()
    run = pull(reader, PriceSource)

    difference = comparison.differences.get()
    assert (asked, difference.asked_by, difference.result) == (
        1, make_operator(), "Lido de novo, desde o começo.",
    )  # fmt: skip
    assert (run.seen, run.changed) == (20, 1)
    assert Price.objects.get(product__sku="C-02").price == Decimal(100)


def test_much_that_waits_for_one_does_not_keep_others_waiting(reader, other):
    asked = {"flow": "prices", "kind": "update", "asked_by": make_operator()}
    for activation, count in ((reader, 1001), (other, 1)):
        comparison = activation.comparisons.create(
            purpose=Comparison.Purpose.CATALOGUE, ended_at=timezone.now()
        )
        Difference.objects.bulk_create(
            Difference(comparison=comparison, record_id=str(n), asked_at=timezone.now(), **asked)
            for n in range(count)
        )
    flow = reader.flows.get(ability="PriceSource")
    later = timezone.now() + timedelta(hours=1)
    Run.objects.create(
        activation=reader, ability=flow.ability, flow=flow.flow, outcome="running", expires_at=later
    )

    fetching.fetch_asked()

    waiting = Difference.objects.to_do().values_list("comparison__activation", flat=True)
    assert set(waiting) == {reader.pk}


def test_what_a_run_reads_at_this_moment_is_not_taken_from_under_it(reader):
    pull_all(reader)
    Price.objects.filter(product__sku="C-02").update(price=1)
    Taken.objects.update(digest=None)
    ask_to_mend(compared(reader).differences.all(), make_operator())
    run = Run.objects.filter(ability="PriceSource")
    run.update(ended_at=None, outcome="running")

    compare_all_catalogues()
    waiting = Difference.objects.to_do().count()
    run.update(ended_at=timezone.now(), outcome="done")
    compare_all_catalogues()

    assert (waiting, Difference.objects.to_do().count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_begins_while_it_is_asked_for_reads_from_the_beginning(reader, monkeypatch):
    pull_all(reader)
    Price.objects.filter(product__sku="C-02").update(price=1)
    Taken.objects.update(digest=None)
    ask_to_mend(compared(reader).differences.all(), make_operator())
    asked, pages = threading.Event(), StoreContract.changed_prices

    def slowly(*args: Any) -> Any:
        asked.wait(2)
        yield from pages(*args)

    def ask() -> None:
        fetching._read_anew(reader.pk, "prices")
        asked.set()

    monkeypatch.setattr(StoreContract, "changed_prices", slowly)
    faults = one_within_another(
        monkeypatch, fetching, "_asked", ask, lambda: pull(reader, PriceSource)
    )

    assert faults == []
    assert Run.objects.filter(ability="PriceSource").latest("pk").cursor_before == ""
    assert Difference.objects.get().done_at is not None


def test_what_cannot_be_mended_by_reading_again_is_not_asked_for(reader, big_shop):
    pull_all(reader)
    big_shop.control("set_stock", {"sku": "NADA", "quantity": 1})
    big_shop.changes["stock"].latest.pop("C-01")

    assert ask_to_mend(compared(reader).differences.all(), make_operator()) == 0


def test_each_integration_has_its_turn_once_a_day(reader):
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))

    compare_all_catalogues()
    compare_all_catalogues()
    first = list(Comparison.objects.values_list("purpose", flat=True))
    Comparison.objects.update(
        asked_at=timezone.now() - timedelta(hours=25), ended_at=timezone.now()
    )
    compare_all_catalogues()

    assert first == ["catalogue"]
    assert Comparison.objects.count() == 2


def test_where_the_clock_is_put_back_a_comparison_waits_for_nothing_in_what_was_the_future(
    reader, monkeypatch
):
    clock = Clock()
    clock.rule(monkeypatch, (Comparison, "asked_at"), (Comparison, "due_at"))
    Activation.objects.update(created_at=clock.now - timedelta(days=100))
    watch_flows()
    old, new = (reader.comparisons.create(purpose="catalogue", ended_at=clock.now) for _n in "12")
    Comparison.objects.filter(pk=old.pk).update(asked_at=clock.now - timedelta(hours=30))
    waiting = ask_preview(reader, make_operator())
    Comparison.objects.filter(pk=waiting.pk).update(
        busy_until=clock.now + timedelta(minutes=1), due_at=clock.now + timedelta(minutes=5)
    )

    clock.go(timedelta(days=-30))
    watch_flows()
    clock.go(STEP_LIFE)
    OrmQ.objects.all().delete()
    compare_all_catalogues()
    queued = [row.task["args"] for row in OrmQ.objects.all()]
    clock.go(timedelta(days=1))
    compare_all_catalogues()

    ages = Comparison.objects.filter(ended_at__isnull=False).order_by("asked_at")
    assert list(ages) == [old, new]
    assert (waiting.pk,) in queued
    assert Comparison.objects.filter(purpose="catalogue", ended_at=None).count() == 1


def test_neither_on_its_first_day_nor_while_its_preview_waits_is_an_integration_compared(reader):
    compare_all_catalogues()
    new = Comparison.objects.count()
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))
    preview(reader, holds=True)
    compare_all_catalogues()

    assert new == 0
    assert list(Comparison.objects.values_list("purpose", flat=True)) == ["preview"]


def test_the_list_is_bounded_and_the_count_is_not(reader, monkeypatch):
    monkeypatch.setattr("connectors.findings.LISTED_AT_MOST", 5)

    comparison = preview(reader)

    assert comparison.counts["products"]["create"] == 20
    assert comparison.differences.filter(flow="products").count() == 5


def test_old_comparisons_are_forgotten(reader):
    old, new = preview(reader), compared(reader)
    Comparison.objects.filter(pk=old.pk).update(asked_at=timezone.now() - timedelta(days=31))

    prune_comparisons()

    assert list(Comparison.objects.all()) == [new]
    assert not Difference.objects.filter(comparison=old.pk).exists()


def test_a_preview_that_nobody_has_approved_yet_holds_however_old_it_is(reader):
    held = preview(reader, holds=True)
    Comparison.objects.update(asked_at=timezone.now() - timedelta(days=400))

    prune_comparisons()

    assert is_held(flow_of(reader, ProductSource))
    assert held.differences.exists()


def test_what_is_too_much_for_one_prune_is_the_nexts(reader, monkeypatch):
    monkeypatch.setattr("connectors.comparisons.PRUNED_AT_ONCE", 5)
    preview(reader)
    Comparison.objects.update(asked_at=timezone.now() - timedelta(days=31))
    OrmQ.objects.all().delete()
    before = Difference.objects.count()

    prune_comparisons()

    assert before - Difference.objects.count() == 5
    assert OrmQ.objects.get().func() == "connectors.comparisons.prune_comparisons"


def test_what_was_not_saved_is_not_counted_twice(reader):
    comparison = reader.comparisons.create(purpose="catalogue")
    findings = Findings(comparison, ProductSource.flow)
    findings.count("theirs", 2)
    findings.save()
    findings.count("theirs", 3)

    findings.save()

    assert comparison.counts == {"products": {"theirs": 5}}


def test_what_two_integrations_tell_alike_is_not_shown(reader, big_shop, other_shop, other):
    pull_all(reader)
    pull_all(other)

    # A price that both have anew: only the one has told it yet.
    for shop in (big_shop, other_shop):
        shop.control("put_product", thing(1, price=90))
    pull(other, PriceSource)

    assert found(compared(reader)) == []


def test_what_the_other_integration_did_not_write_is_not_laid_to_it(
    reader, big_shop, other_shop, other
):
    pull_all(reader)
    pull_all(other)

    big_shop.control("put_product", thing(1, price=90))  # news
    save_product(reader.store, "C-02", {"price": "80"}, None)  # a person's

    kinds = {row[:3] for row in found(compared(reader)) if row[0] == "prices"}
    assert kinds == {("prices", "update", "C-01"), ("prices", "update", "C-02")}


def test_a_level_that_is_refused_is_not_taken_for_one_of_a_new_product(reader, big_shop):
    pull_all(reader)
    big_shop.control("set_price", {"sku": "C-03", "price": -1})

    assert [row[:3] for row in found(compared(reader))] == [("prices", "refused", "C-03")]


def test_what_another_comparison_lists_meanwhile_is_not_there_for_that(reader, big_shop, sandbox):
    pull_all(reader)
    big_shop.changes["products"].latest.pop("C-01")
    url = f"{sandbox.url}/{big_shop.name}"
    others = make_managed(make_store(), "webstore", url, {"token": TOKEN})
    theirs = others.comparisons.create(purpose=Comparison.Purpose.CATALOGUE)
    for code in ("C-01", "NADA"):
        Listed.objects.create(comparison=theirs, flow="products", record_id=code, digest=1)
    big_shop.control("set_stock", {"sku": "NADA", "quantity": 1})

    assert [row[:3] for row in found(compared(reader))] == [
        ("products", "missing_there", "C-01"),
        ("stock", "unmapped", "NADA"),
    ]
