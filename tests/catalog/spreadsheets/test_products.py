"""Product spreadsheets: what each row does, and that it is what the API would have done."""

from datetime import datetime
from decimal import Decimal

from catalog.models import Product
from catalog.reservations import reserve
from catalog.services import create_product, save_product
from connectors.models import Notice, Store
from tests.catalog.spreadsheets.sheets import bring_in, report, send, text, xlsx
from tests.conftest import make_partner, make_store

HEAD = ["SKU", "SKU do produto pai", "Nome", "Preço", "Estoque", "NCM"]


def test_products_and_variations_are_created_with_their_levels(store: Store) -> None:
    sheet = bring_in(
        store,
        xlsx(
            HEAD,
            ["CAM", None, "Camiseta", 59.9, None, "61091000"],
            ["CAM-M", "CAM", "Camiseta M", "49,90", 7, None],
        ),
    )

    variation = store.products.with_levels().get(sku="CAM-M")
    assert sheet.state == "done"
    assert variation.parent
    assert variation.parent.sku == "CAM"
    assert variation.parent.fields["ncm"] == "61091000"
    assert (variation.price_row.price, variation.stock_row.on_hand) == (Decimal("49.9"), 7)


def test_nothing_is_written_before_the_merchant_confirms(store: Store) -> None:
    sheet = send(store, xlsx(HEAD, ["A", None, "Caneca", 10, 1, None]))

    assert (sheet.state, report(sheet)) == ("ready", [(2, "create", "")])
    assert not store.products.exists()


def test_an_empty_cell_changes_nothing(store: Store) -> None:
    create_product(store, {"sku": "A", "name": "Caneca", "price": "10", "quantity": 3}, None)

    bring_in(store, xlsx(HEAD, ["A", None, None, None, None, "61091000"]))

    product = store.products.with_levels().get()
    assert (product.name, product.price_row.price, product.stock_row.on_hand) == ("Caneca", 10, 3)
    assert product.fields["ncm"] == "61091000"


def test_a_special_price_of_nought_is_none(store: Store) -> None:
    create_product(store, {"sku": "A", "name": "Caneca", "price": 10, "special_price": 8}, None)
    head = ["SKU", "Nome", "Preço", "Preço promocional"]
    rows = (["A", "Caneca", 10, 0], ["B", "Copo", 5, "0,00"])

    bring_in(store, xlsx(head, *rows))
    again = send(store, xlsx(head, *rows))

    prices = store.products.values_list("price_row__price", "price_row__special_price")
    assert set(prices) == {(Decimal(10), None), (Decimal(5), None)}
    assert report(again) == [(2, "same", ""), (3, "same", "")]


def test_the_same_file_twice_changes_nothing(store: Store) -> None:
    head = [*HEAD, "Altura (cm)", "Fotos", "Categorias", "Atributos", "Descrição"]
    row = [
        "A", None, "Caneca", "10,00", 3, "61091000", 2.5, "https://a.example/1.jpg; https://a.example/2.jpg",
        "Casa; Cozinha", "Cor=Azul", "Boa",
    ]  # fmt: skip
    bring_in(store, xlsx(head, row))
    before = store.products.values_list("modification__at", "fields").get()

    again = send(store, xlsx(head, row))

    assert report(again) == [(2, "same", "")]
    assert store.products.values_list("modification__at", "fields").get() == before
    assert before[1]["attributes"][0]["value"] == {"code": "azul", "label": "Azul"}


def test_each_wrong_row_says_why_and_the_others_go_on(store: Store) -> None:
    other = make_store()
    create_product(other, {"sku": "ALHEIO"}, None)
    sheet = bring_in(
        store,
        text(
            HEAD,
            ["A", "", "Caneca", "10", "1", "6109"],
            ["", "", "Sem SKU", "1", "1", ""],
            ["B", "ALHEIO", "Variação", "1", "1", ""],
            ["C", "", "Copo", "10", "1", ""],
            ["C", "", "Copo outra vez", "10", "1", ""],
            ["D", "C", "Copo azul", "10", "1", ""],
            ["E", "D", "Neta", "10", "1", ""],
            ["F", "", "Ambíguo", "1.234", "1", ""],
            ["G", "G", "De si mesmo", "1", "1", ""],
        ),
    )

    outcomes = {number: outcome for number, outcome, _reason in report(sheet)}
    reasons = {number: reason for number, _outcome, reason in report(sheet)}
    assert [n for n, outcome in outcomes.items() if outcome == "create"] == [5, 7]
    assert reasons[2].startswith("NCM: ")
    assert reasons[3] == "SKU: falta."
    assert "ALHEIO" in reasons[4]
    assert reasons[6] == "SKU: já está na linha 5."
    assert "é uma variação" in reasons[8]
    assert "vírgula" in reasons[9]
    assert set(store.products.values_list("sku", flat=True)) == {"C", "D"}


def test_what_excel_made_of_a_value_is_not_taken_for_it(store: Store) -> None:
    create_product(store, {"sku": "A", "name": "Caneca"}, None)
    head = ["SKU", "Nome", "Modelo"]
    day = datetime(2026, 2, 1)
    sheet = bring_in(
        store, xlsx(head, ["A", "#N/A", "1"], [day, "Copo", "2"], ["#REF!", "Prato", "3"])
    )
    as_csv = bring_in(
        store,
        text(head, ["A", "#N/D", "1"], ["A", "Caneca", "#####"], ["7,89E+12", "Tigela", "2"]),
    )

    for each in (sheet, as_csv):
        assert [outcome for _number, outcome, _reason in report(each)] == ["refused"] * 3
    assert report(sheet)[0][2] == "Nome: #N/A é um erro da planilha, e não um valor."
    assert store.products.get().name == "Caneca"


def test_a_number_of_which_excel_lost_digits_is_no_sku(store: Store) -> None:
    sheet = send(store, xlsx(["SKU"], [1234567890123456789.0], [123456789012345.0]))

    shortened = "SKU: o Excel encurtou este número: formate a coluna como texto."
    assert report(sheet) == [(2, "refused", shortened), (3, "create", "")]


def test_a_price_that_excel_worked_out_is_the_same_the_second_time(store: Store) -> None:
    bring_in(store, xlsx(HEAD, ["A", None, "Caneca", 100 / 3, None, None]))

    again = send(store, xlsx(HEAD, ["A", None, "Caneca", 100 / 3, None, None]))

    assert report(again) == [(2, "same", "")]


def test_what_was_counted_is_what_there_is_whatever_sales_want_of_it(store: Store) -> None:
    product = create_product(store, {"sku": "A", "quantity": 10}, None)
    reserve(store, "pedido", {product.pk: 3}, None)

    bring_in(store, xlsx(HEAD, ["A", None, None, None, 7, None]))

    stock = store.products.with_levels().get().stock_row
    assert (stock.on_hand, stock.available) == (7, 4)


def test_of_a_parent_nothing_is_counted(store: Store) -> None:
    create_product(store, {"sku": "P", "variations": [{"sku": "V", "quantity": 2}]}, None)

    sheet = bring_in(store, xlsx(HEAD, ["P", None, None, None, 7, None]))

    assert report(sheet) == [(2, "same", "Estoque: o do produto pai é a soma do das variações.")]
    levels = store.products.values_list("sku", "stock_row__on_hand")
    assert dict(levels) == {"P": 0, "V": 2}


def test_a_platforms_field_is_refused_and_the_merchants_own_is_taken(store: Store) -> None:
    rocky = make_partner(store, "rocky").activation
    save_product(store, "A", {"name": "Caneca", "price": "10"}, rocky)

    theirs = bring_in(store, xlsx(HEAD, ["A", None, "Outro nome", None, None, None]))
    own = bring_in(store, xlsx(HEAD, ["A", None, "Caneca", None, None, "61091000"]))

    assert report(theirs)[0][1] == "refused"
    assert "Nome: vem de" in report(theirs)[0][2]
    assert report(own) == [(2, "update", "")]
    assert store.products.get().name == "Caneca"


def test_a_sync_does_not_blank_what_the_spreadsheet_said(store: Store) -> None:
    rocky = make_partner(store, "rocky").activation
    save_product(store, "A", {"name": "Caneca"}, rocky)
    bring_in(store, xlsx(["SKU", "NCM", "Garantia (meses)"], ["A", "61091000", 3]))

    save_product(store, "A", {"name": "Caneca azul", "ncm": None, "warranty_time": None}, rocky)

    product = store.products.get()
    assert product.name == "Caneca azul"
    assert (product.fields["ncm"], product.fields["warranty_time"]) == ("61091000", 3)


def test_partners_that_are_told_of_products_hear_of_an_import(store: Store) -> None:
    pluga = make_partner(store, "pluga", plugin_url="https://pluga.example").activation
    create_product(store, {"sku": "A", "price": "10"}, None)
    Notice.objects.all().delete()

    bring_in(
        store, xlsx(HEAD, ["A", None, "Caneca", 12, None, None], ["B", None, "Copo", 5, 1, None])
    )

    told = {n.object_id: (n.action, n.changes) for n in Notice.objects.filter(activation=pluga)}
    known = dict(store.products.values_list("sku", "public_id"))
    assert told == {
        known["A"]: ("updated", {"status": False, "stock": False, "price": True}),
        known["B"]: ("created", {"status": False, "stock": True, "price": True}),
    }


def test_an_import_takes_a_constant_number_of_queries(
    store: Store, django_assert_max_num_queries: object
) -> None:
    rows = [[f"S-{n}", None, f"Produto {n}", 10, 1, None] for n in range(300)]
    sheet = bring_in(store, xlsx(HEAD, *rows[:5]))

    with django_assert_max_num_queries(70):  # type: ignore[operator]
        bring_in(store, xlsx(HEAD, *rows))

    assert sheet.state == "done"
    assert Product.objects.count() == 300
