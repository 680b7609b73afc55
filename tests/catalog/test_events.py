"""What a store's tools are told of its products."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.levels import set_prices, set_stock
from catalog.services import change_stock, delete_product, save_product
from connectors.errors import NothingChanged
from connectors.models import Activation, Event, Store
from connectors.records import PriceRecord, StockRecord
from connectors.spec import Hook
from tests.conftest import make_activation

SHIRT: dict[str, Any] = {
    "name": "Camiseta",
    "brand": "Exemplo",
    "handling_time": 2,
    "dimension": {"length": 30, "width": 25, "height": 3, "weight": 0.2},
    "categories": [{"name": "Roupas"}, {"name": "Verão"}],
    "photos": [{"url": "https://f.example/1.jpg"}, {"url": "https://f.example/2.jpg"}],
    "variations": [
        {
            "sku": "CAM-P",
            "price": 79.9,
            "quantity": 12,
            "attributes": [{"code": "size", "label": "Tamanho", "value": {"label": "P"}}],
        },
        {"sku": "CAM-G", "price": 84.9, "quantity": 0},
    ],
}


@pytest.fixture
def erp(store: Store) -> Activation:
    return make_activation(store, "linx")


@pytest.fixture(autouse=True)
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga")


def told() -> list[tuple[str, str]]:
    events = [(event.hook, event.object_id) for event in Event.objects.order_by("pk")]
    Event.objects.all().delete()
    return sorted(events)


def test_each_sku_of_a_new_product_is_told(store, erp):
    save_product(store, "CAM", SHIRT, erp)

    assert told() == [
        ("price.changed", "CAM-G"),
        ("price.changed", "CAM-P"),
        ("product.created", "CAM"),
        ("product.created", "CAM-G"),
        ("product.created", "CAM-P"),
        ("stock.changed", "CAM-P"),
    ]


def test_a_product_is_told_flat_and_a_variation_with_what_is_its_parents(store, erp):
    save_product(store, "CAM", SHIRT, erp)

    data = Event.objects.get(hook=Hook.PRODUCT_CREATED, object_id="CAM-P").data
    parent = Event.objects.get(hook=Hook.PRODUCT_CREATED, object_id="CAM").data
    assert data | {"ean": None, "model": None, "ncm": None, "link": None} == {
        "sku": "CAM-P",
        "parent_sku": "CAM",
        "name": "Camiseta",
        "price": 79.9,
        "special_price": None,
        "quantity": 12,
        "ean": None,
        "brand": "Exemplo",
        "model": None,
        "ncm": None,
        "link": None,
        "short_description": None,
        "description": None,
        "length": 30,
        "width": 25,
        "height": 3,
        "weight": 0.2,
        "categories_text": "Roupas; Verão",
        "attributes_text": "Tamanho: P",
        "image": "https://f.example/1.jpg",
        "images_text": "https://f.example/1.jpg\nhttps://f.example/2.jpg",
        "preparation_days": 2,
    }
    assert (parent["parent_sku"], parent["quantity"]) == (None, 12)


def test_a_photos_address_that_is_no_text_is_told_as_one(store, erp):
    save_product(store, "CAN", {"photos": [{"url": 7}, {"url": ["a"]}]}, erp)

    data = Event.objects.get(hook=Hook.PRODUCT_CREATED, object_id="CAN").data
    assert (data["image"], data["images_text"]) == ("7", "7\n['a']")


def test_preparation_days_are_told_only_if_they_are_filled_in(store, erp):
    save_product(store, "CAN", {"name": "Caneca"}, erp)

    assert "preparation_days" not in Event.objects.get().data


def test_only_what_changed_is_told(store, erp):
    save_product(store, "CAM", SHIRT, erp)
    told()

    save_product(store, "CAM", {"variations": [{"sku": "CAM-P", "quantity": 11}]}, erp)
    assert told() == [("stock.changed", "CAM-P")]
    save_product(store, "CAM", {"brand": "Outra", "external": "77"}, erp)
    assert told() == [("product.updated", "CAM")]
    save_product(store, "CAM-G", {"special_price": 70}, erp)
    assert told() == [("price.changed", "CAM-G")]
    save_product(store, "CAM", {"external": "78"}, erp)
    assert told() == []
    with pytest.raises(NothingChanged):
        save_product(store, "CAM", {"brand": "Outra"}, erp)
    assert told() == []
    save_product(store, "CAM", {"variations": [{"sku": "CAM-G", "remove": True}]}, erp)
    assert told() == [("product.updated", "CAM")]


def test_stock_and_prices_are_told_however_they_come(store, erp):
    for sku in ("A", "B"):
        save_product(store, sku, {"name": sku}, None)
    told()

    change_stock(store, store.products.get(sku="A").pk, "increase", 3, erp)
    [event] = Event.objects.all()
    assert (event.data["sku"], event.data["quantity"]) == ("A", 3)
    assert told() == [("stock.changed", "A")]
    set_stock(store, [StockRecord("A", 3), StockRecord("B", 5)], erp)
    assert told() == [("stock.changed", "B")]
    set_prices(store, [PriceRecord("A", Decimal("9.9")), PriceRecord("B", Decimal(1))], erp)
    assert told() == [("price.changed", "A"), ("price.changed", "B")]
    delete_product(store, store.products.get(sku="A").pk, erp)
    assert told() == []


def test_a_bulk_of_changes_costs_the_same_however_large(store, erp):
    for number in range(40):
        save_product(store, f"P{number}", {"name": "x"}, None)
    costs = []
    for records in ([StockRecord("P0", 1)], [StockRecord(f"P{n}", 2) for n in range(40)]):
        with CaptureQueriesContext(connection) as queries:
            set_stock(store, records, erp)
        costs.append(len(queries))

    assert costs[0] == costs[1]
