"""Several workers at spreadsheets at the same moment: nothing twice, nothing missing, in order."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from catalog.levels import set_prices
from catalog.models import Spreadsheet, Stock
from catalog.reservations import reserve
from catalog.services import change_stock, save_product
from catalog.shelves import Shelves
from catalog.spreadsheets import jobs
from catalog.spreadsheets.jobs import confirm, upload, work
from connectors.models import Store
from connectors.records import PriceRecord
from tests.catalog.spreadsheets.sheets import PRODUCTS, send, xlsx
from tests.catalog.test_push import CREDENTIALS
from tests.catalog.test_push_concurrency import at_once
from tests.conftest import make_activation, make_managed, make_operator, make_store
from tests.threads import AT_ONCE, all_at_once, one_within_another

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time"),
]
SKUS = [f"S-{number:02}" for number in range(25)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 4)


@pytest.fixture
def store(transactional_db: None) -> Store:
    return make_store()


def rows(price: int, skus: list[str] = SKUS) -> bytes:
    return xlsx(["SKU", "Preço"], *([sku, price] for sku in skus))


def finish(*sheets: Spreadsheet) -> None:
    """As workers do who take from the queue whatever is next."""
    mine = Spreadsheet.objects.filter(pk__in=[sheet.pk for sheet in sheets])
    for _turn in range(200):
        waiting = list(mine.at_work().values_list("pk", flat=True))
        for pk in waiting:
            work(pk)
        if not waiting:
            return


def levels(store: Store) -> dict[str, Any]:
    return dict(store.products.values_list("sku", "price_row__price"))


def test_six_workers_read_and_write_one_spreadsheet_once(store: Store) -> None:
    sheet = upload(store, PRODUCTS, "a.xlsx", rows(10), make_operator())

    all_at_once(lambda: work(sheet.pk))
    finish(sheet)
    confirmed = all_at_once(lambda: confirm(sheet.pk))
    all_at_once(lambda: work(sheet.pk))
    finish(sheet)

    sheet.refresh_from_db()
    assert (sheet.state, sheet.rows, sheet.lines.count()) == ("done", 25, 25)
    assert confirmed.count(True) == 1
    assert levels(store) == dict.fromkeys(SKUS, 10)


def test_of_six_spreadsheets_of_the_same_products_the_last_confirmed_stays(store: Store) -> None:
    sheets = [send(store, rows(price)) for price in range(1, AT_ONCE + 1)]
    for sheet in sheets:
        confirm(sheet.pk)

    all_at_once(lambda: finish(*sheets))

    assert set(Spreadsheet.objects.values_list("state", flat=True)) == {"done"}
    assert levels(store) == dict.fromkeys(SKUS, AT_ONCE)
    ended = Spreadsheet.objects.order_by("ended_at").values_list("pk", flat=True)
    assert list(ended) == [sheet.pk for sheet in sheets]


def test_a_spreadsheet_a_partner_and_a_run_write_the_same_products_at_once(store: Store) -> None:
    partner, erp = make_activation(store, "rocky"), make_activation(store, "otimo")
    make_managed(store, "pluggto", "https://hub.example", CREDENTIALS)  # they are marked for it
    for sku in SKUS:
        save_product(store, sku, {"name": sku, "quantity": 100}, partner)
    codes = [f"6912000{number}" for number in range(5)]
    sheets = [send(store, xlsx(["SKU", "NCM"], *([sku, ncm] for sku in SKUS))) for ncm in codes]

    def put() -> None:
        for number in range(4):
            for sku in reversed(SKUS):
                save_product(store, sku, {"name": f"{sku} {number}"}, partner)

    def restock() -> None:
        for sku in SKUS * 4:
            change_stock(store, sku, "decrease", 1, partner)

    def run() -> None:
        for number in range(1, 11):
            set_prices(store, [PriceRecord(sku, Decimal(number)) for sku in SKUS], erp)

    def bring_in() -> None:
        for sheet in sheets:
            confirm(sheet.pk)
            finish(sheet)

    at_once(put, restock, run, bring_in)

    said = store.products.values_list("name", "fields__ncm", "price_row__price")
    assert sorted(said) == [(f"{sku} 3", codes[-1], 10) for sku in SKUS]
    assert set(store.products.values_list("stock_row__on_hand", flat=True)) == {96}


def test_two_stores_do_not_wait_for_each_other(store: Store) -> None:
    stores = [store, make_store()]
    sheets = [send(each, rows(price)) for price, each in enumerate(stores, 1)]
    for sheet in sheets:
        confirm(sheet.pk)

    all_at_once(lambda: finish(*sheets))

    assert [levels(each) for each in stores] == [dict.fromkeys(SKUS, n) for n in (1, 2)]


def test_what_two_people_confirm_and_discard_at_once_is_one_of_both(store: Store) -> None:
    sheet = send(store, rows(1))
    acts = iter([confirm, jobs.cancel] * AT_ONCE)

    answers = all_at_once(lambda: next(acts)(sheet.pk))
    finish(sheet)

    sheet.refresh_from_db()
    assert answers.count(True) == 1
    assert (sheet.state, store.products.count()) in (("done", 25), ("cancelled", 0))


def test_a_sale_at_the_moment_in_which_a_spreadsheet_sets_the_level_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = save_product(store, "CANECA", {"quantity": 10}, None)
    sheet = send(store, xlsx(["SKU", "Estoque"], ["CANECA", 7]))
    confirm(sheet.pk)

    faults = one_within_another(
        monkeypatch,
        Shelves,
        "share_out",
        lambda: finish(sheet),
        lambda: reserve(store, "1001", {mug.pk: 2}, None),
    )

    assert faults == []
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved) == (7, 2)
