"""What operators change in the catalogue by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client

from catalog.models import Modification, SkuMapping, Stock
from catalog.services import create_product
from connectors.models import Notice, Store
from tests.conftest import make_activation, make_store


@pytest.fixture
def admin_client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def test_a_code_means_a_product_of_the_integrations_own_store(
    admin_client: Client, store: Store
) -> None:
    rocky = make_activation(store, "rocky")
    mine = create_product(store, {"sku": "A"}, None)
    anothers = create_product(make_store(), {"sku": "A"}, None)
    form = {"activation": rocky.pk, "code": "9001"}

    refused = admin_client.post("/admin/catalog/skumapping/add/", {**form, "product": anothers.pk})
    taken = admin_client.post("/admin/catalog/skumapping/add/", {**form, "product": mine.pk})

    assert "Este produto é de outra loja que a integração." in refused.content.decode()
    assert taken.status_code == 302
    assert SkuMapping.objects.get().product == mine


def test_a_mapping_without_a_product_is_refused_by_the_form(
    admin_client: Client, store: Store
) -> None:
    form = {"activation": make_activation(store, "rocky").pk, "code": "9001"}

    answer = admin_client.post("/admin/catalog/skumapping/add/", form)

    assert (answer.status_code, SkuMapping.objects.count()) == (200, 0)


@pytest.mark.parametrize("address", ["catalog/product", "catalog/stock"])
def test_a_product_is_found_by_its_name_without_accents(
    admin_client: Client, store: Store, address: str
) -> None:
    create_product(store, {"sku": "A", "name": "Calça de algodão"}, None)

    for typed, shown in (("calca algodao", True), ("CALÇA", True), ("calco", False)):
        page = admin_client.get(f"/admin/{address}/", {"q": typed}).content.decode()
        assert ("Calça de algodão" in page) == shown


@pytest.mark.parametrize("address", ["catalog/skumapping", "connectors/store", "auth/group"])
def test_what_was_saved_a_moment_ago_is_not_saved_twice(
    admin_client: Client, store: Store, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    rocky, product = make_activation(store, "rocky"), create_product(store, {"sku": "A"}, None)
    form = {
        "activation": rocky.pk, "product": product.pk, "code": "9001",
        "name": "Centro", "cnpj": "12ABC34501DE35", "domain": "centro.example.com",
    }  # fmt: skip
    admin_client.post(f"/admin/{address}/add/", form)
    for checks in ("validate_unique", "validate_constraints"):
        truly = getattr(Model, checks)
        seen: list[Model] = []

        def at_first_nothing(row: Model, truly: Any = truly, seen: Any = seen, **but: Any) -> None:
            if seen:
                truly(row, **but)
            seen.append(row)

        monkeypatch.setattr(Model, checks, at_first_nothing)

    answer = admin_client.post(f"/admin/{address}/add/", form)

    assert answer.status_code == 200
    assert "já existe" in answer.content.decode()


@pytest.mark.parametrize("said", ["abc", "²"])
@pytest.mark.parametrize(
    ("address", "field"), [("catalog/skumapping", "product"), ("connectors/store", "members")]
)
def test_what_is_no_row_is_refused_by_the_form(
    admin_client: Client, address: str, field: str, said: str
) -> None:
    answer = admin_client.post(f"/admin/{address}/add/", {field: said})

    assert answer.status_code in (200, 404)


@pytest.mark.parametrize("page", ["²", "½", "9" * 20])
def test_a_page_that_is_none_shows_the_first_variations(
    page: str, admin_client: Client, store: Store
) -> None:
    product = create_product(store, {"sku": "A", "variations": [{"sku": "A-1"}]}, None)

    answer = admin_client.get(
        f"/admin/catalog/product/{product.pk}/change/", {"variations-page": page}
    )

    assert "A-1" in answer.content.decode()


def test_a_products_page_says_when_it_was_changed_as_people_write_it(
    admin_client: Client, store: Store
) -> None:
    product = create_product(store, {"sku": "A"}, None)
    Modification.objects.update(at=datetime(2026, 3, 1, 1, 30, tzinfo=UTC))

    page = admin_client.get(f"/admin/catalog/product/{product.pk}/change/").content.decode()

    assert "28/02/2026 22:30" in page


def test_what_was_saved_is_said_without_taking_names_for_masculine(
    admin_client: Client, store: Store
) -> None:
    form = {"name": "Loja Azul", "domain": store.domain, "cnpj": store.cnpj}

    page = admin_client.post(f"/admin/connectors/store/{store.pk}/change/", form, follow=True)

    assert "Gravado: loja “" in page.content.decode()


def test_a_thousand_units_of_safety_stock_are_not_taken_for_one(
    admin_client: Client, store: Store
) -> None:
    product = create_product(store, {"sku": "A", "quantity": 2000}, None)
    page = f"/admin/catalog/stock/{product.pk}/change/"

    refused = admin_client.post(page, {"safety": "1.000"})

    assert "Informe um número inteiro." in refused.content.decode()
    assert Stock.objects.get().safety == 0


def test_an_operator_sets_the_safety_stock_and_nothing_else_of_it(
    admin_client: Client, store: Store
) -> None:
    make_activation(store, "pluga", plugin_url="https://tools.example/hook")
    product = create_product(store, {"sku": "A", "quantity": 10}, None)
    Notice.objects.all().delete()

    answer = admin_client.post(
        f"/admin/catalog/stock/{product.pk}/change/", {"safety": 4, "on_hand": 99, "reserved": 9}
    )

    stock = Stock.objects.get()
    assert answer.status_code == 302
    assert (stock.on_hand, stock.reserved, stock.safety, stock.available) == (10, 0, 4, 6)
    assert [notice.object_id for notice in Notice.objects.all()] == [product.public_id]


def test_nobody_adds_or_deletes_a_stock(admin_client: Client, store: Store) -> None:
    product = create_product(store, {"sku": "A"}, None)

    statuses = [
        admin_client.get("/admin/catalog/stock/add/").status_code,
        admin_client.get(f"/admin/catalog/stock/{product.pk}/delete/").status_code,
    ]

    assert statuses == [403, 403]
