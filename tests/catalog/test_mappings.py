"""De/Para: written by one door, which lets none cross from one store to another."""

import threading

import pytest
from django.db import connection, transaction

from catalog.mappings import delete_mapping, replace_mappings, save_mapping
from catalog.models import Product, SkuMapping
from catalog.services import change_stock, save_product
from connectors.errors import NotAllowed
from connectors.models import Activation, Event
from connectors.spec import Hook
from tests.conftest import make_activation, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def activation() -> Activation:
    return make_activation(make_store(), "pluga")


@pytest.fixture
def product(activation: Activation) -> Product:
    return Product.objects.create(store=activation.store, sku="CAN-01")


@pytest.fixture
def stranger() -> Product:
    return Product.objects.create(store=make_store(), sku="CAN-01")


def test_a_mapping_is_saved_and_deleted(activation: Activation, product: Product) -> None:
    mapping = SkuMapping(activation=activation, code="9001", product=product)

    save_mapping(mapping)

    assert str(SkuMapping.objects.get()) == "9001 → CAN-01"
    delete_mapping(mapping)
    assert not SkuMapping.objects.exists()


def test_a_mapping_to_another_stores_product_is_refused(
    activation: Activation, stranger: Product
) -> None:
    mapping = SkuMapping(activation=activation, code="9001", product=stranger)

    with pytest.raises(NotAllowed, match="outra loja"):
        save_mapping(mapping)

    assert not SkuMapping.objects.exists()


def test_a_mapping_is_not_moved_to_another_stores_product(
    activation: Activation, product: Product, stranger: Product
) -> None:
    mapping = SkuMapping.objects.create(activation=activation, code="9001", product=product)
    mapping.product = stranger

    with pytest.raises(NotAllowed, match="outra loja"):
        save_mapping(mapping)

    assert SkuMapping.objects.get().product == product


def test_of_many_one_of_another_store_refuses_all(
    activation: Activation, product: Product, stranger: Product
) -> None:
    old = SkuMapping.objects.create(activation=activation, code="8000", product=product)

    with pytest.raises(NotAllowed, match="outra loja"):
        replace_mappings(activation, {old.pk}, {"9001": product.pk, "9002": stranger.pk})

    assert SkuMapping.objects.get() == old


def test_many_make_room_and_take_it(activation: Activation, product: Product) -> None:
    old = SkuMapping.objects.create(activation=activation, code="8000", product=product)

    replace_mappings(activation, {old.pk}, {"9001": product.pk})

    assert list(SkuMapping.objects.values_list("code", "product")) == [("9001", product.pk)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_change_of_stock_does_not_wait_for_a_mapping(activation: Activation) -> None:
    store = activation.store
    product = save_product(store, "CAN-01", {"name": "Caneca"}, None)

    def change() -> None:
        try:
            change_stock(store, product.pk, "update", 3, None)
        finally:
            connection.close()

    changing = threading.Thread(target=change)
    with transaction.atomic():
        save_mapping(SkuMapping(activation=activation, code="9001", product=product))
        changing.start()
        changing.join(5)
        waits = changing.is_alive()
    changing.join()

    assert not waits
    assert Event.objects.filter(hook=Hook.STOCK_CHANGED).count() == 1
