"""Somebody else changes a product at the moment in which its record is taken."""

import threading
from typing import Any

import pytest
from django.db import connection

from catalog import tasks
from catalog.models import Product, Stock, Taken
from catalog.services import change_stock
from connectors.contract import StockSource
from tests.catalog.conftest import from_the_beginning, pull, pull_all, thing

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
