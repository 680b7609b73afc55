"""Somebody else changes a product at the moment in which its record is taken."""

import threading
from typing import Any

import pytest
from django.db import connection

from catalog import tasks
from catalog.levels import set_stock
from catalog.mappings import save_mapping
from catalog.models import Product, SkuMapping, Stock, Taken
from catalog.reservations import reserve
from catalog.services import change_stock, create_product, delete_product
from catalog.shelves import Shelves
from connectors.contract import StockSource
from connectors.records import StockRecord
from tests.catalog.conftest import from_the_beginning, pull, pull_all, thing
from tests.conftest import make_activation, make_store
from tests.threads import one_within_another

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_at_the_same_moment_makes_the_record_news_again(reader, big_shop, monkeypatch):
    pull_all(reader)
    big_shop.control("put_product", thing(3, quantity=12))
    product = Product.objects.get(sku="C-03")
    others, remember = [], tasks.remember

    def change() -> None:
        try:
            change_stock(reader.store, product.pk, "update", 4, None)
        finally:
            connection.close()

    def slow(*args: Any) -> None:
        others.append(threading.Thread(target=change))
        others[-1].start()
        others[-1].join(0.3)
        assert others[-1].is_alive()  # it waits for the product's row
        remember(*args)

    monkeypatch.setattr(tasks, "remember", slow)
    pull(reader, StockSource)
    others[0].join()
    monkeypatch.undo()

    assert Stock.objects.get(product=product).on_hand == 4
    assert Taken.objects.get(flow="stock", record_id="C-03").digest is None
    from_the_beginning(reader)
    assert pull(reader, StockSource).changed == 1
    assert Stock.objects.get(product=product).on_hand == 12


@pytest.mark.parametrize(("first", "second"), [("level", "sale"), ("sale", "level")])
def test_a_level_and_a_sale_at_the_same_moment_are_both_kept(first, second, monkeypatch):
    store = make_store()
    rocky = make_activation(store, "rocky")
    mug = create_product(store, {"sku": "CANECA", "quantity": 10}, None)
    works = {
        "level": lambda: set_stock(store, [StockRecord("CANECA", 7)], rocky),
        "sale": lambda: reserve(store, "1001", {mug.pk: 2}, None),
    }

    faults = one_within_another(monkeypatch, Shelves, "share_out", works[first], works[second])

    assert faults == []
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved) == (7, 2)


def test_a_product_is_deleted_while_it_gets_a_code(monkeypatch):
    store = make_store()
    rocky = make_activation(store, "rocky")
    mug = create_product(store, {"sku": "CANECA"}, None)

    faults = one_within_another(
        monkeypatch,
        SkuMapping,
        "save",
        lambda: save_mapping(SkuMapping(activation=rocky, code="77", product=mug)),
        lambda: delete_product(store, mug.pk, None),
    )

    assert faults == []
    assert not SkuMapping.objects.exists()
