"""A spreadsheet's way, with crashes, repetitions and two at once."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from catalog.models import SkuMapping, Spreadsheet
from catalog.models.spreadsheets import SpreadsheetQuerySet
from catalog.services import create_product, delete_product
from catalog.spreadsheets import jobs
from catalog.spreadsheets.columns import columns_of, refused_rows, template
from catalog.spreadsheets.jobs import (
    cancel,
    confirm,
    continue_all_spreadsheets,
    prune_spreadsheets,
    upload,
    work,
)
from connectors.errors import Refused
from connectors.models import Store
from tests.catalog.spreadsheets.sheets import (
    MAPPINGS,
    PRODUCTS,
    bring_in,
    downloaded,
    queued,
    report,
    send,
    text,
    xlsx,
)
from tests.conftest import make_operator, make_partner, make_store


class Killed(BaseException):
    """The worker's process is gone."""


def rows(count: int, price: int = 10) -> bytes:
    return xlsx(["SKU", "Preço"], *([f"S-{n:04}", price] for n in range(count)))


def die_after(chunks: int, monkeypatch: Any, name: str) -> None:
    calls = 0
    real = getattr(jobs, name)

    def dying(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > chunks:
            raise Killed
        return real(*args)

    monkeypatch.setattr(jobs, name, dying)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 10)


def test_after_a_killed_worker_reading_goes_on_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = upload(store, PRODUCTS, "a.xlsx", rows(35), make_operator())
    with monkeypatch.context() as patch:
        die_after(2, patch, "_keep")
        with pytest.raises(Killed):
            work(sheet.pk)
    work(sheet.pk)  # somebody seems to be at it still
    assert sheet.lines.count() == 20
    Spreadsheet.objects.update(held_until=timezone.now())

    work(sheet.pk)

    sheet.refresh_from_db()
    assert (sheet.state, sheet.rows, sheet.lines.count()) == ("ready", 35, 35)


def test_after_a_killed_worker_nothing_is_written_twice_and_nothing_is_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = send(store, rows(35))
    confirm(sheet.pk)
    with monkeypatch.context() as patch:
        die_after(2, patch, "_note_surprises")
        with pytest.raises(Killed):
            work(sheet.pk)
    assert store.products.count() == 20
    Spreadsheet.objects.update(held_until=timezone.now())

    continue_all_spreadsheets()
    work(sheet.pk)

    sheet.refresh_from_db()
    assert (sheet.state, store.products.count()) == ("done", 35)


def test_of_one_store_a_spreadsheet_waits_for_the_one_before(store: Store) -> None:
    first, second = send(store, rows(5, 10)), send(store, rows(5, 20))
    for sheet in (first, second):
        confirm(sheet.pk)

    work(second.pk)
    assert not store.products.exists()
    work(first.pk)
    work(second.pk)

    prices = store.products.values_list("price_row__price", flat=True)
    assert set(prices) == {20}
    assert set(Spreadsheet.objects.values_list("state", flat=True)) == {"done"}


def test_another_stores_spreadsheet_does_not_wait(store: Store) -> None:
    other = make_store()
    confirm(send(store, rows(1)).pk)
    second = send(other, rows(1))
    confirm(second.pk)

    work(second.pk)

    assert other.products.count() == 1


def test_where_the_clock_is_put_back_nobody_holds_one_until_then(store: Store) -> None:
    sheet = send(store, rows(1))
    confirm(sheet.pk)
    Spreadsheet.objects.update(held_until=timezone.now() + timedelta(days=1))

    continue_all_spreadsheets()
    work(sheet.pk)

    assert store.products.count() == 1


def test_the_end_of_one_takes_no_other_stores_from_its_worker(store: Store) -> None:
    others, mine = send(make_store(), rows(1)), send(store, rows(1))
    for sheet in (others, mine):
        confirm(sheet.pk)
    held = timezone.now() + timedelta(minutes=1)
    Spreadsheet.objects.filter(pk=others.pk).update(held_until=held)

    work(mine.pk)

    others.refresh_from_db()
    assert others.held_until == held


def test_only_a_stores_own_spreadsheets_are_too_many_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 1)
    upload(make_store(), PRODUCTS, "a.xlsx", rows(1), make_operator())
    upload(store, PRODUCTS, "a.xlsx", rows(1), make_operator())

    with pytest.raises(Refused, match="demais"):
        upload(store, PRODUCTS, "a.xlsx", rows(1), make_operator())


def test_a_long_spreadsheet_takes_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TURN", -1)
    sheet = upload(store, PRODUCTS, "a.xlsx", rows(25), make_operator())

    for _turn in range(4):
        work(sheet.pk)

    sheet.refresh_from_db()
    assert (sheet.state, sheet.rows) == ("ready", 25)
    assert queued("work") == 4


def test_confirming_twice_imports_once(store: Store) -> None:
    sheet = send(store, rows(1))

    assert [confirm(sheet.pk), confirm(sheet.pk), cancel(sheet.pk)] == [True, False, False]


def test_what_was_discarded_is_never_written(store: Store) -> None:
    sheet = send(store, rows(1))

    assert cancel(sheet.pk)
    assert not confirm(sheet.pk)
    work(sheet.pk)

    assert not store.products.exists()


def test_what_changed_since_the_check_is_judged_again(store: Store) -> None:
    sheet = send(store, xlsx(["SKU", "SKU do produto pai"], ["P", None], ["V", "P"]))
    create_product(store, {"sku": "X", "variations": [{"sku": "V"}]}, None)
    confirm(sheet.pk)

    work(sheet.pk)

    assert report(sheet)[1] == (3, "refused", "SKU: já é de outro produto da loja.")


def test_what_was_refused_in_the_check_is_not_written_though_it_would_be_right_by_now(
    store: Store,
) -> None:
    sheet = send(store, xlsx(["SKU", "SKU do produto pai"], ["V", "P"], ["A", None]))
    create_product(store, {"sku": "P"}, None)
    confirm(sheet.pk)

    work(sheet.pk)

    assert [outcome for _n, outcome, _r in report(sheet)] == ["refused", "create"]
    assert set(store.products.values_list("sku", flat=True)) == {"P", "A"}


def test_a_parent_that_was_deleted_since_the_check_has_no_variations(store: Store) -> None:
    parent = create_product(store, {"sku": "P"}, None)
    sheet = send(store, xlsx(["SKU", "SKU do produto pai"], ["P", None], ["V", "P"]))
    delete_product(store, parent.pk, None)
    confirm(sheet.pk)

    work(sheet.pk)

    assert [outcome for _n, outcome, _r in report(sheet)] == ["same", "refused"]


def test_a_row_that_was_refused_is_none_that_was_there_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 1)

    sheet = send(store, text(["SKU", "NCM"], ["A", "1"], ["A", "61091000"]))

    assert [outcome for _n, outcome, _r in report(sheet)] == ["refused", "create"]


def test_what_was_discarded_while_it_was_read_stays_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = upload(store, PRODUCTS, "a.xlsx", xlsx(["Nome"], ["A"]), make_operator())
    real = jobs.match
    monkeypatch.setattr(jobs, "match", lambda *args: cancel(sheet.pk) and real(*args))

    work(sheet.pk)

    sheet.refresh_from_db()
    assert (sheet.state, sheet.reason) == ("cancelled", "")


def test_what_was_discarded_as_a_worker_took_it_stays_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = upload(store, PRODUCTS, "a.xlsx", rows(1), make_operator())
    real = SpreadsheetQuerySet.select_related

    def late(sheets: SpreadsheetQuerySet, *names: str) -> SpreadsheetQuerySet:
        cancel(sheet.pk)
        return real(sheets, *names)

    monkeypatch.setattr(SpreadsheetQuerySet, "select_related", late)

    work(sheet.pk)

    sheet.refresh_from_db()
    assert sheet.state == "cancelled"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (xlsx(["SKU", "Cor do céu"], ["A", "azul"]), "Cor do céu"),
        (xlsx(["Nome"], ["A"]), "Falta a coluna “SKU”"),
        (xlsx(["SKU", "sku"], ["A", "B"]), "duas vezes"),
        (xlsx(["SKU"]), "não tem linhas"),
        (text(["SKU"], ["A" * 200_000]), "Não deu para ler"),
    ],
)
def test_what_cannot_be_read_says_why(store: Store, content: bytes, reason: str) -> None:
    sheet = send(store, content)

    assert sheet.state == "unreadable"
    assert reason in sheet.reason
    assert not sheet.content


def test_refused_rows_come_back_as_the_same_spreadsheet_with_a_reason(store: Store) -> None:
    sheet = send(store, text(["SKU", "NCM", "Nome"], ["A", "1", "=1+1"], ["B", "61091000", "b"]))

    table = list(refused_rows(sheet))

    assert table[0] == ["SKU", "NCM", "Nome", "Motivo"]
    assert len(table) == 2
    assert table[1][:3] == ["A", "1", "=1+1"]
    again = send(store, downloaded([table[0], [*table[1][:1], "61091000", *table[1][2:]]]))
    assert again.lines.get().cells[2] == "=1+1"
    assert report(again) == [(2, "create", "")]


@pytest.mark.parametrize("kind", [PRODUCTS, MAPPINGS])
def test_the_template_is_a_spreadsheet_that_we_take_without_its_example(
    store: Store, kind: Any
) -> None:
    activation = make_partner(store, "otimo").activation if kind == MAPPINGS else None
    create_product(store, {"sku": "CAM-01-AZ-M"}, None)
    left_in = template(kind)
    book = load_workbook(BytesIO(left_in))
    book.worksheets[0]["A2"] = "CAM-02"
    book.save(overwritten := BytesIO())

    sheet = send(store, left_in, kind=kind, activation=activation)
    taken = send(store, overwritten.getvalue(), kind=kind, activation=activation)

    assert sheet.headers == [column.header for column in columns_of(kind)]
    assert report(sheet) == [(2, "refused", "É o exemplo do modelo, e não um produto da loja.")]
    assert [outcome for _n, outcome, _r in report(taken)] == ["create"]
    again = list(refused_rows(sheet))
    assert report(send(store, text(*again), kind=kind, activation=activation)) == report(sheet)


def test_a_code_that_is_typed_into_the_template_stays_a_text() -> None:
    sheet = load_workbook(BytesIO(template(PRODUCTS))).worksheets[0]
    formats = {
        cell.value: sheet.column_dimensions[cell.column_letter].number_format for cell in sheet[1]
    }

    assert (formats["SKU"], formats["GTIN/EAN"], formats["NCM"]) == ("@", "@", "@")
    assert formats["Preço"] == "General"


# -- De/Para --------------------------------------------------------------------------------------


def test_codes_are_mapped_moved_and_refused(store: Store) -> None:
    otimo = make_partner(store, "otimo").activation
    for sku in "ABC":
        create_product(store, {"sku": sku}, None)
    products = dict(store.products.values_list("sku", "pk"))
    SkuMapping.objects.create(activation=otimo, code="1", product_id=products["A"])
    SkuMapping.objects.create(activation=otimo, code="2", product_id=products["B"])
    content = xlsx(
        ["Código no sistema", "SKU"],
        ["2", "A"], ["1", "B"], ["3", "C"], ["3", "A"], ["4", "C"], ["5", "Z"],
    )  # fmt: skip

    sheet = bring_in(store, content, kind=MAPPINGS, activation=otimo)

    mapped = dict(otimo.sku_mappings.values_list("code", "product__sku"))
    assert mapped == {"2": "A", "1": "B", "3": "C"}
    assert [outcome for _n, outcome, _r in report(sheet)] == [
        "update", "update", "create", "refused", "refused", "refused",
    ]  # fmt: skip


def test_a_sku_leaves_the_code_that_it_had_and_none_of_another_integration(store: Store) -> None:
    otimo, rocky = (make_partner(store, slug).activation for slug in ("otimo", "rocky"))
    product = create_product(store, {"sku": "A"}, None)
    create_product(make_store(), {"sku": "ALHEIO"}, None)
    for activation, code in ((otimo, "1"), (rocky, "2")):
        SkuMapping.objects.create(activation=activation, code=code, product=product)
    content = xlsx(["Código no sistema", "SKU"], ["2", "A"], ["3", "ALHEIO"])

    sheet = bring_in(store, content, kind=MAPPINGS, activation=otimo)

    assert report(sheet) == [
        (2, "update", "O SKU tinha o código 1."),
        (3, "refused", "SKU: a loja não tem ALHEIO."),
    ]
    codes = SkuMapping.objects.values_list("activation", "code")
    assert set(codes) == {(otimo.pk, "2"), (rocky.pk, "2")}


def test_a_mapping_spreadsheet_names_an_integration_of_its_store(store: Store) -> None:
    foreign = make_partner(make_store(), "otimo").activation

    for activation in (None, foreign):
        with pytest.raises(Refused):
            upload(store, MAPPINGS, "a.xlsx", rows(1), make_operator(), activation)


def test_old_spreadsheets_go_with_their_rows(store: Store) -> None:
    send(store, rows(1))
    Spreadsheet.objects.update(created_at=timezone.now() - timedelta(days=31))

    prune_spreadsheets()

    assert not Spreadsheet.objects.exists()


def test_what_is_being_imported_is_never_too_old(store: Store) -> None:
    confirm(send(store, rows(1)).pk)
    Spreadsheet.objects.update(created_at=timezone.now() - timedelta(days=31))

    prune_spreadsheets()

    assert Spreadsheet.objects.exists()


def test_a_header_that_an_upgrade_took_away_does_not_hold_up_what_comes_behind(
    store: Store,
) -> None:
    old, new = send(store, rows(1)), send(store, rows(1, price=20))
    Spreadsheet.objects.filter(pk=old.pk).update(headers=["SKU", "Não há mais"])
    confirm(old.pk)
    confirm(new.pk)

    work(old.pk)
    work(new.pk)

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (Spreadsheet.State.DONE, Spreadsheet.State.DONE)
    assert [(line.outcome, "Não há mais" in line.reason) for line in old.lines.all()] == [
        ("refused", True)
    ]
