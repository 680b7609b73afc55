"""The merchant's catalogue: his own, found, and edited where it is his."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.models import Product, SkuMapping, Stock
from catalog.services import create_product, save_product, update_product
from connectors.models import Act, Notice, Store
from portal.pages import catalogue
from tests.conftest import make_partner, make_store

pytestmark = pytest.mark.django_db


def skus_on(answer: Any) -> list[str]:
    return re.findall(r'href="/catalogue/\w+/">([^<]+)<', answer.content.decode())


def form_of(answer: Any, **typed: str) -> dict[str, str]:
    """What a browser would send of the page's form."""
    form = answer.context["form"]
    known = {
        name: str(form[name].value() or "")
        for name, field in form.fields.items()
        if not field.disabled
    }
    return {**known, **typed}


def test_the_list_shows_families_and_searches_within_them(page: Client, store: Store) -> None:
    create_product(
        store, {"sku": "CAM", "name": "Camiseta", "variations": [{"sku": "CAM-M"}]}, None
    )
    create_product(store, {"sku": "COP", "name": "Copo", "ean": "7891234567895"}, None)
    create_product(make_store(), {"sku": "ALHEIO"}, None)

    assert skus_on(page.get("/catalogue/")) == ["COP", "CAM"]
    assert skus_on(page.get("/catalogue/?q=cam-m")) == ["CAM-M"]
    assert skus_on(page.get("/catalogue/?q=7891234567895")) == ["COP"]
    assert skus_on(page.get("/catalogue/?q=misET")) == ["CAM"]
    assert skus_on(page.get("/catalogue/?q=ALHEIO")) == []


@pytest.mark.parametrize("typed", ["calca", "calça", "CALÇA", "Calc\u0327a", "jeans (azul"])
@pytest.mark.parametrize("name", ["Calça jeans (azul)", "CALÇA JEANS (AZUL)", "calca jeans (azul)"])
def test_a_name_is_found_with_whatever_accents(
    typed: str, name: str, page: Client, store: Store
) -> None:
    create_product(store, {"sku": "CAL", "name": name}, None)
    create_product(store, {"sku": "CAM", "name": "Camisa"}, None)

    assert skus_on(page.get("/catalogue/", {"q": typed})) == ["CAL"]


@pytest.mark.parametrize("typed", ["coracao", "Corac\u0327a\u0303o", "CORAÇÃO"])
def test_a_name_is_found_that_has_its_accents_behind_the_letters(
    typed: str, page: Client, store: Store
) -> None:
    create_product(store, {"sku": "COR", "name": "Corac\u0327a\u0303o"}, None)

    assert skus_on(page.get("/catalogue/", {"q": typed})) == ["COR"]


@pytest.mark.parametrize("typed", ["Tuyu Cuẽ", "tuyu cuẽ", "TUYU CUE"])
def test_a_name_is_found_with_the_accents_of_other_languages(
    typed: str, page: Client, store: Store
) -> None:
    create_product(store, {"sku": "TUY", "name": "Tuyu Cuẽ"}, None)

    assert skus_on(page.get("/catalogue/", {"q": typed})) == ["TUY"]


def test_filters_show_each_sku_that_is_sold(page: Client, store: Store) -> None:
    family = {"sku": "CAM", "variations": [{"sku": "CAM-M", "quantity": 2}, {"sku": "CAM-G"}]}
    create_product(store, family, None)
    mapped = create_product(store, {"sku": "COP", "quantity": 1}, None)
    otimo = make_partner(store, "otimo").activation
    SkuMapping.objects.create(activation=otimo, code="1", product=mapped)

    assert skus_on(page.get("/catalogue/?show=active")) == ["COP", "CAM-G", "CAM-M"]
    assert skus_on(page.get("/catalogue/?show=out")) == ["CAM-G"]
    assert skus_on(page.get("/catalogue/?show=unmapped")) == ["CAM-G", "CAM-M"]


def test_pages_follow_the_last_row_in_constant_queries(
    page: Client, store: Store, monkeypatch: Any, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(catalogue, "PER_PAGE", 3)
    for number in range(5):
        create_product(store, {"sku": f"S{number}"}, None)

    with django_assert_max_num_queries(9):
        first = page.get("/catalogue/")
    older = first.context["older"]

    assert skus_on(first) == ["S4", "S3", "S2"]
    assert skus_on(page.get(f"/catalogue/?before={older}")) == ["S1", "S0"]
    assert page.get("/catalogue/?before=x&store=y&show=z&q=%00").status_code == 200


def test_a_merchant_edits_his_own_fields_and_partners_hear_of_it(
    page: Client, store: Store, merchant: User
) -> None:
    rocky = make_partner(store, "rocky").activation
    pluga = make_partner(store, "pluga", plugin_url="https://pluga.example").activation
    product = save_product(store, "A", {"name": "Caneca", "price": "10"}, rocky)
    Notice.objects.all().delete()
    url = f"/catalogue/{product.public_id}/"

    shown = page.get(url)
    answer = page.post(url, form_of(shown, ncm="6912.00.00", handling_time="2"), follow=True)

    product.refresh_from_db()
    assert (product.fields["ncm"], product.fields["handling_time"]) == ("69120000", 2)
    assert "Produto salvo" in answer.content.decode()
    assert Notice.objects.filter(activation=pluga, object_id=product.public_id).exists()
    act = Act.objects.get(by=merchant)
    assert act.changes["NCM"] == ["", "69120000"]
    save_product(store, "A", {"name": "Caneca nova", "ncm": ""}, rocky)
    product.refresh_from_db()
    assert (product.name, product.fields["ncm"]) == ("Caneca nova", "69120000")


def test_a_platforms_field_is_shown_with_its_owner_and_not_taken(
    page: Client, store: Store
) -> None:
    rocky = make_partner(store, "rocky").activation
    product = save_product(store, "A", {"name": "Caneca", "price": "10"}, rocky)
    url = f"/catalogue/{product.public_id}/"

    shown = page.get(url)
    page.post(url, form_of(shown, name="Outro", price="1"))

    product.refresh_from_db()
    assert product.name == "Caneca"
    assert shown.context["form"].fields["name"].disabled
    assert "Vem de Rocky" in shown.content.decode()


def test_where_no_platform_sends_the_catalogue_everything_but_its_levels_is_the_merchants(
    page: Client, store: Store
) -> None:
    otimo = make_partner(store, "otimo").activation
    product = create_product(store, {"sku": "A", "name": "Caneca"}, None)
    save_product(store, "A", {"quantity": 3}, otimo)

    fields = page.get(f"/catalogue/{product.public_id}/").context["form"].fields

    assert {name for name, field in fields.items() if field.disabled} == {
        "price", "special_price", "quantity",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("ncm", "123", "8 algarismos"),
        ("ean", "7891234567890", "dígito do GTIN"),
        ("price", "1.234", "vírgula"),
        ("handling_time", "dois", "não é um número"),
    ],
)
def test_what_is_certainly_wrong_is_said_beside_its_field(
    page: Client, store: Store, name: str, text: str, error: str
) -> None:
    product = create_product(store, {"sku": "A", "name": "Caneca"}, None)
    url = f"/catalogue/{product.public_id}/"

    answer = page.post(url, form_of(page.get(url), **{name: text}))

    product.refresh_from_db()
    assert error in str(answer.context["form"].errors[name])
    assert name not in product.fields


def test_an_emptied_stock_is_asked_about(page: Client, store: Store) -> None:
    product = create_product(store, {"sku": "A", "name": "Caneca", "quantity": 7}, None)
    url = f"/catalogue/{product.public_id}/"

    answer = page.post(url, form_of(page.get(url), quantity="", name="Xícara"))

    assert answer.context["form"].errors == {"quantity": ["Se não há nenhuma, escreva 0."]}
    assert store.products.get().name == "Caneca"


def test_a_merchant_types_his_stock_and_empties_what_is_not_so(page: Client, store: Store) -> None:
    product = create_product(
        store, {"sku": "A", "name": "Caneca", "brand": "Aurora", "quantity": 7}, None
    )
    url = f"/catalogue/{product.public_id}/"

    page.post(url, form_of(page.get(url), quantity="4", brand=""))

    saved = Product.objects.with_levels().get(pk=product.pk)
    assert saved.stock_row.on_hand == 4
    assert saved.fields.get("brand") is None


def test_the_stock_of_a_product_with_variations_is_typed_at_each(
    page: Client, store: Store
) -> None:
    product = create_product(store, {"sku": "CAM", "variations": [{"sku": "CAM-M"}]}, None)
    one = create_product(store, {"sku": "COP"}, None)

    fields, of_one = (
        set(page.get(f"/catalogue/{each.public_id}/").context["form"].fields)
        for each in (product, one)
    )

    assert of_one - fields == {"quantity"}


def test_each_field_stands_once_in_its_part_as_it_is_typed(page: Client, store: Store) -> None:
    size = {"width": 2.5, "height": 2.0, "weight": 0.055}
    product = create_product(
        store, {"sku": "A", "price": "100", "dimension": size, "description": "Um\ndois"}, None
    )

    shown = page.get(f"/catalogue/{product.public_id}/")

    form = shown.context["form"]
    parts = {part: [field.name for field in fields] for part, fields in form.parts()}
    assert sorted(name for names in parts.values() for name in names) == sorted(form.fields)
    assert parts["Fiscal"] == ["ncm", "cest", "nbm", "isbn", "origin"]
    values = {name: form[name].value() for name in form.fields if form[name].value()}
    assert values == {
        "price": "100,00", "quantity": "0", "dimension_width": "2,5", "dimension_height": "2",
        "dimension_weight": "0,055", "description": "Um\ndois",
    }  # fmt: skip
    # In a line of its own, a browser would take the line breaks away.
    assert re.search(r'<textarea name="description"[^>]*>\s*Um\ndois', shown.content.decode())


def test_a_choice_that_there_is_not_is_no_fault_of_ours(page: Client, store: Store) -> None:
    product = create_product(store, {"sku": "A", "name": "Caneca"}, None)
    url = f"/catalogue/{product.public_id}/"

    answer = page.post(url, form_of(page.get(url), origin="99", name="Copo"))

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == ["origin"]
    assert store.products.get().name == "Caneca"


def test_saving_what_stands_there_changes_nothing(page: Client, store: Store) -> None:
    product = create_product(
        store, {"sku": "A", "price": "1234.5", "ncm": "isto", "dimension": {"width": 2.5}}, None
    )
    url = f"/catalogue/{product.public_id}/"

    answer = page.post(url, form_of(page.get(url)), follow=True)

    assert "Nada mudou" in answer.content.decode()
    product.refresh_from_db()
    assert product.fields["ncm"] == "isto"


def test_an_origin_in_other_words_is_shown_and_stays(page: Client, store: Store) -> None:
    product = create_product(store, {"sku": "A", "name": "Caneca", "origin": "nacional"}, None)
    url = f"/catalogue/{product.public_id}/"

    shown = page.get(url)
    page.post(url, form_of(shown, name="Copo"))

    product.refresh_from_db()
    assert '<option value="nacional" selected>' in shown.content.decode()
    assert (product.name, product.fields["origin"]) == ("Copo", "nacional")


def test_an_old_page_writes_only_what_was_typed_into_it(page: Client, store: Store) -> None:
    product = create_product(
        store, {"sku": "A", "name": "Caneca", "price": "10", "quantity": 9}, None
    )
    url = f"/catalogue/{product.public_id}/"

    shown = page.get(url)
    update_product(store, product.pk, {"price": "12", "quantity": 4, "brand": "Aurora"}, None)
    was_shown = {f"initial-{name}": value for name, value in form_of(shown).items()}
    page.post(url, {**form_of(shown, name="Caneca nova"), **was_shown})

    saved = Product.objects.with_levels().get(pk=product.pk)
    assert 'type="hidden" name="initial-price" value="10,00"' in shown.content.decode()
    assert (saved.name, saved.fields["brand"]) == ("Caneca nova", "Aurora")
    assert (saved.price_row.price, saved.stock_row.on_hand) == (12, 4)


def test_anothers_product_is_as_unknown_as_one_that_nobody_has(page: Client) -> None:
    foreign = create_product(make_store(), {"sku": "A", "name": "Segredo"}, None)

    for path in (f"/catalogue/{foreign.public_id}/", "/catalogue/nenhum/"):
        assert page.get(path).status_code == page.post(path, {}).status_code == 404
    assert skus_on(page.get(f"/catalogue/?store={foreign.store_id}")) == []


def test_stock_by_place_and_mapping_are_shown(page: Client, store: Store) -> None:
    place = {"code": "CD-SP", "quantity": 4, "reserved": 1}
    product = create_product(store, {"sku": "A", "stock_table": [place]}, None)
    otimo = make_partner(store, "otimo").activation
    SkuMapping.objects.create(activation=otimo, code="ERP-9", product=product)

    html = page.get(f"/catalogue/{product.public_id}/").content.decode()

    assert "CD-SP" in html
    assert "4 (1 reservados)" in html
    assert "ERP-9" in html


def test_a_price_table_says_its_price_or_its_percentage(page: Client, store: Store) -> None:
    """Neither has to be there: each element is kept as it came."""
    tables = [
        {"code": "ML", "action": "overwrite", "price": 59.9},
        {"code": "B2W", "action": "increase", "percentage": 12.5},
        {"code": "SHP", "action": "decrease", "percentage": 3},
        {"code": "Vazia"},
    ]
    product = create_product(store, {"sku": "A", "price_table": tables}, None)

    html = page.get(f"/catalogue/{product.public_id}/").content.decode()

    assert "<dt>ML</dt><dd>R$ 59,90</dd><dt>B2W</dt><dd>+12,5%</dd>" in html
    assert "<dt>SHP</dt><dd>−3%</dd><dt>Vazia</dt><dd>–</dd>" in html


def test_photos_are_asked_for_only_when_somebody_wants_to_see_them(
    page: Client, store: Store
) -> None:
    urls = ("https://fotos.example/a.jpg", "http://fotos.example/b.jpg", "javascript:alert(1)")
    photos = [{"url": url} for url in urls]
    product = create_product(store, {"sku": "A", "name": "Caneca", "photos": photos}, None)

    answer = page.get(f"/catalogue/{product.public_id}/")

    html = answer.content.decode()
    pictures = re.findall(r"<img [^>]+>", html)
    assert len(pictures) == 1
    for part in (f'src="{urls[0]}"', 'alt="Caneca, foto 1"', 'loading="lazy"', "no-referrer"):
        assert part in pictures[0]
    assert html.index("<details>") < html.index("<img") < html.index("</details>")
    assert [f'data-copy="{url}"' in html for url in urls] == [True] * 3
    assert "img-src 'self' data: https:;" in answer["Content-Security-Policy"]
    assert "https:" not in page.get("/orders/")["Content-Security-Policy"]


def test_what_is_all_reserved_or_kept_back_is_out_of_stock(page: Client, store: Store) -> None:
    levels = {"LIVRE": (2, 1, 0), "VENDIDO": (2, 2, 0), "GUARDADO": (3, 1, 2)}
    for sku, (on_hand, reserved, safety) in levels.items():
        product = create_product(store, {"sku": sku}, None)
        Stock.objects.filter(product=product).update(
            on_hand=on_hand, reserved=reserved, safety=safety
        )

    assert skus_on(page.get("/catalogue/?show=out")) == ["GUARDADO", "VENDIDO"]
    assert page.get("/catalogue/").content.decode().count("sem estoque") == 2
    assert page.get("/").context["products"]["out_of_stock"] == 2


def test_the_page_of_a_refused_form_begins_at_what_is_wrong(page: Client, store: Store) -> None:
    product = create_product(store, {"sku": "COP", "name": "Copo"}, None)
    url = f"/catalogue/{product.public_id}/"

    answer = page.post(url, form_of(page.get(url), price="abc"))

    assert "autofocus>abc não é um número." in answer.content.decode()
