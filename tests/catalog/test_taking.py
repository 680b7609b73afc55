"""What has not changed is neither read nor written again; what somebody else changed is."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Price, Product, SkuMapping, Stock, Taken, TakenPage
from catalog.services import change_stock, delete_product, save_product
from catalog.taking import Digester
from connectors.contract import Page, PriceSource, ProductSource, StockSource
from connectors.models import ActivationFlow, Failure, Run
from connectors.payload import Payload
from connectors.records import StockRecord
from connectors.sandbox.messages import Response
from connectors.storecontract.client import StoreContract as Client
from tests.catalog.conftest import TOKEN, from_the_beginning, pull, pull_all, thing
from tests.conftest import flow_of, make_managed, make_store


def let_time_pass(**time: int) -> None:
    for model in (Taken, TakenPage):
        model.objects.update(at=F("at") - timedelta(**time))


@pytest.mark.parametrize("ability", [ProductSource, PriceSource, StockSource])
def test_a_page_that_is_here_already_costs_one_query_and_no_look_at_a_product(reader, ability):
    pull_all(reader)
    from_the_beginning(reader)

    with CaptureQueriesContext(connection) as queries:
        run = pull(reader, ability)

    about = [q["sql"] for q in queries if "catalog_" in q["sql"]]
    assert (run.seen, run.changed) == (20, 0)
    assert len(about) == 1
    assert "catalog_takenpage" in about[0]


def test_of_a_page_with_one_change_only_that_record_is_looked_up(reader, big_shop, monkeypatch):
    pull_all(reader)
    read = []
    monkeypatch.setattr(
        "connectors.storecontract.mapping.read_stock",
        lambda payload: read.append(payload) or StockRecord(payload.text("sku"), 12),
    )
    big_shop.control("set_stock", {"sku": "C-03", "quantity": 12})
    from_the_beginning(reader)

    run = pull(reader, StockSource)

    assert (run.seen, run.changed, len(read)) == (20, 1, 1)


def test_a_page_that_comes_back_after_a_run_died_between_a_change_and_its_page_is_read(
    reader, big_shop, monkeypatch
):
    pull_all(reader)
    big_shop.control("set_stock", {"sku": "C-19", "quantity": 0})

    def die_once_it_is_stored(*args: object) -> None:
        if Stock.objects.get(product__sku="C-19").on_hand == 0:
            raise SystemExit

    monkeypatch.setattr("catalog.pulling.forget_records", die_once_it_is_stored)
    with pytest.raises(SystemExit):
        pull(reader, StockSource)
    monkeypatch.undo()
    Run.objects.filter(ended_at=None).update(expires_at=timezone.now())
    from_the_beginning(reader)
    pull(reader, StockSource)
    big_shop.control("set_stock", {"sku": "C-19", "quantity": 10})
    from_the_beginning(reader)

    pull(reader, StockSource)

    assert Stock.objects.get(product__sku="C-19").on_hand == 10


def test_what_was_deleted_here_comes_again_with_the_next_full_reading(reader):
    pull_all(reader)
    delete_product(reader.store, Product.objects.get(sku="C-03").pk, None)
    from_the_beginning(reader)

    runs = pull_all(reader)

    assert [run.changed for run in runs] == [1, 1, 1]
    assert Stock.objects.get(product__sku="C-03").on_hand == 10


def test_the_number_of_queries_of_a_run_that_writes_does_not_depend_on_the_number_of_records(
    reader, big_shop
):
    pull_all(reader)
    counts = []
    for numbers in (range(3), range(15)):
        for number in numbers:
            big_shop.control("set_stock", {"sku": f"C-{number:02}", "quantity": 11 + len(numbers)})
        with CaptureQueriesContext(connection) as queries:
            run = pull(reader, StockSource)
        assert run.changed == len(numbers)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_level_that_somebody_else_changed_is_taken_over_again_though_it_was_told_before(reader):
    pull_all(reader)
    product = Product.objects.get(sku="C-03")
    change_stock(reader.store, product.pk, "update", 4, None)
    from_the_beginning(reader)

    run = pull(reader, StockSource)

    assert (run.seen, run.changed) == (20, 1)
    assert Stock.objects.get(product=product).on_hand == 10


def test_what_another_integration_writes_is_compared_again(reader, sandbox, big_shop):
    other = make_managed(reader.store, "rocky", f"{sandbox.url}/other", {"token": TOKEN})
    shop = sandbox.open("store", "other", {"token": TOKEN})
    pull_all(reader)
    shop.control("set_price", {"sku": "C-05", "price": 120})
    pull(other, PriceSource)
    from_the_beginning(reader)

    run = pull(reader, PriceSource)

    assert (run.changed, Price.objects.get(product__sku="C-05").price) == (1, 100)


def test_what_another_store_has_alike_is_not_here_for_that(reader, sandbox, big_shop):
    url = f"{sandbox.url}/{big_shop.name}"
    other = make_managed(make_store(), "webstore", url, {"token": TOKEN})
    pull_all(reader)

    runs = pull_all(other)

    assert [run.changed for run in runs] == [20, 20, 20]


def test_a_products_fields_that_the_merchant_changed_are_taken_over_again(reader):
    pull_all(reader)
    save_product(reader.store, "C-03", {"name": "Outro nome"}, None)
    from_the_beginning(reader)

    run = pull(reader, ProductSource)

    assert (run.changed, Product.objects.get(sku="C-03").name) == (1, "Coisa 3")


def test_once_a_day_everything_that_is_sent_again_is_compared_in_full(reader):
    pull_all(reader)
    Stock.objects.filter(product__sku="C-03").update(on_hand=1)  # past every service
    from_the_beginning(reader)
    known = pull(reader, StockSource)
    let_time_pass(hours=21)
    from_the_beginning(reader)

    compared = pull(reader, StockSource)

    assert (known.changed, compared.changed) == (0, 1)
    assert Stock.objects.get(product__sku="C-03").on_hand == 10


def test_a_record_that_failed_is_not_remembered_and_the_state_before_it_neither(reader, big_shop):
    pull_all(reader)
    big_shop.control("set_price", {"sku": "C-03", "price": -1})
    bad = pull(reader, PriceSource)

    big_shop.control("set_price", {"sku": "C-03", "price": 100})
    good = pull(reader, PriceSource)

    assert (bad.outcome, good.outcome, good.seen) == ("partial", "done", 1)
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_a_mapping_that_leads_elsewhere_makes_its_record_news(reader, admin_client):
    pull_all(reader)
    target = save_product(reader.store, "OUTRO", {"name": "Outro"}, None)

    admin_client.post(
        "/admin/catalog/skumapping/add/",
        {"activation": reader.pk, "code": "C-03", "product": target.pk},
    )
    from_the_beginning(reader)
    pull(reader, StockSource)

    assert SkuMapping.objects.filter(code="C-03").exists()
    assert Stock.objects.get(product=target).on_hand == 10


def test_where_the_specification_says_so_everything_is_read_anew_once_a_day(
    store, sandbox, big_shop
):
    linx = make_managed(store, "linx", f"{sandbox.url}/{big_shop.name}", {"token": TOKEN})
    pull_all(linx)
    Price.objects.filter(product__sku="C-03").update(price=1)
    same_day = pull(linx, PriceSource)
    Run.objects.update(started_at=F("started_at") - timedelta(hours=25))
    let_time_pass(hours=25)

    next_day = pull(linx, PriceSource)
    after_it = pull(linx, PriceSource)

    assert [run.seen for run in (same_day, next_day, after_it)] == [0, 20, 0]
    assert next_day.cursor_before == ""
    assert Price.objects.get(product__sku="C-03").price == Decimal(100)


def test_where_the_clock_is_put_back_the_daily_pass_does_not_wait_for_what_was_the_future(
    store, sandbox, big_shop
):
    linx = make_managed(store, "linx", f"{sandbox.url}/{big_shop.name}", {"token": TOKEN})
    pull_all(linx)
    Price.objects.filter(product__sku="C-03").update(price=1)
    Run.objects.update(started_at=F("started_at") + timedelta(days=30))
    let_time_pass(hours=-24 * 30)

    at_once = pull(linx, PriceSource)
    after_it = pull(linx, PriceSource)

    assert [run.seen for run in (at_once, after_it)] == [20, 0]
    assert Price.objects.get(product__sku="C-03").price == Decimal(100)


def test_where_it_does_not_say_so_the_cursor_stays(reader):
    pull_all(reader)
    Run.objects.update(started_at=F("started_at") - timedelta(hours=25))
    flow = ActivationFlow.objects.get(pk=flow_of(reader, ProductSource))

    run = pull(reader, ProductSource)

    assert (run.seen, run.cursor_before, run.cursor_after) == (0, flow.cursor, flow.cursor)


def test_a_later_state_in_the_same_run_wins(reader, big_shop):
    pull_all(reader)
    big_shop.control("put_product", thing(3, quantity=7))
    pull(reader, StockSource)
    big_shop.control("put_product", thing(3, quantity=10))

    run = pull(reader, StockSource)

    assert (run.changed, Stock.objects.get(product__sku="C-03").on_hand) == (1, 10)


def test_a_page_that_comes_again_after_another_state_is_news(reader, big_shop):
    for quantity in (4, 5, 4):
        big_shop.control("set_stock", {"sku": "C-03", "quantity": quantity})
        pull_all(reader)

    assert Stock.objects.get(product__sku="C-03").on_hand == 4


def test_two_states_in_one_batch_do_not_hide_the_first_when_it_comes_back(
    reader, big_shop, monkeypatch
):
    pull_all(reader)
    first, second = {"sku": "C-03", "quantity": 4}, {"sku": "C-03", "quantity": 5}
    pages = [[first], [second]]

    def twice(_changes: object, _query: object) -> Response:
        page = pages.pop(0)
        return Response({"items": page, "cursor": f"x{len(pages)}", "more": bool(pages)})

    monkeypatch.setattr(big_shop, "_answer_page", twice)
    pull(reader, StockSource)
    both = Stock.objects.get(product__sku="C-03").on_hand
    pages.append([first])
    pull(reader, StockSource)

    assert (both, Stock.objects.get(product__sku="C-03").on_hand) == (5, 4)


def test_a_state_that_is_here_and_comes_after_another_one_in_the_same_batch_is_not_passed_over(
    reader, big_shop, monkeypatch
):
    """A shelf was counted wrong, and right again, before the first count was written."""
    pull_all(reader)
    pages = []
    changed = Client.changed_stock

    def remembered(client, cursor):
        for page in changed(client, cursor):
            pages.append(page)
            yield page

    monkeypatch.setattr(Client, "changed_stock", remembered)
    from_the_beginning(reader)
    pull(reader, StockSource)
    right = next(item for page in pages for item in page.items if item.data["sku"] == "C-03")
    wrong = Payload({**right.data, "quantity": 4})
    both = [Page([wrong], "1"), Page([right], "2")]
    monkeypatch.setattr(Client, "changed_stock", lambda client, cursor: iter(both))

    pull(reader, StockSource)

    assert Stock.objects.get(product__sku="C-03").on_hand == 10


def test_what_somebody_changes_while_a_run_reads_is_seen_a_moment_later(
    reader, big_shop, monkeypatch
):
    pull_all(reader)
    pages = [Page([Payload({"sku": sku, "quantity": 10})], sku) for sku in ("C-03", "C-04")]
    monkeypatch.setattr(Client, "changed_stock", lambda client, cursor: iter(pages))
    pull(reader, StockSource)

    def changed_meanwhile(client, cursor):
        yield pages[0]
        change_stock(reader.store, Q(sku="C-04"), "update", 3, None)
        yield pages[1]

    monkeypatch.setattr(Client, "changed_stock", changed_meanwhile)
    monkeypatch.setattr("catalog.taking.A_MOMENT", 0)
    run = pull(reader, StockSource)

    assert (run.seen, run.changed) == (2, 1)
    assert Stock.objects.get(product__sku="C-04").on_hand == 10


def test_a_last_page_that_only_says_how_far_it_came_is_where_the_next_run_begins(
    reader, monkeypatch
):
    pull_all(reader)
    level = Payload({"sku": "C-03", "quantity": 4})
    pages = [Page([level], "1"), Page([], "2")]
    monkeypatch.setattr(Client, "changed_stock", lambda client, cursor: iter(pages))

    pull(reader, StockSource)

    assert ActivationFlow.objects.get(pk=flow_of(reader, StockSource)).cursor == "2"


def test_a_record_has_one_name_whoever_else_holds_its_texts(reader):
    """An answer is read anew each time: a text in it may be one object with another, or not."""
    digester = Digester(reader, "stock")
    body = '{"sku": "C-03", "price": 1.5, "of": ["C-03", null, true, "é", 12345678901234567890]}'
    one, other = json.loads(body), json.loads(body)
    other["of"][0] = other["sku"]
    held = [other["sku"], other]

    assert digester.record(Payload(one)) == digester.record(Payload(held[1]))
    assert digester.record(Payload(one)) != digester.record(Payload({**one, "price": 2}))
