"""The Layer API's words for products, by the fields that third parties' clients were seen to
read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.linxlayer import mapping
from connectors.payload import Payload
from connectors.records import ProductRecord

PRODUCT = {
    "ProductID": 500,
    "Name": "Camisa de linho",
    "SKU": "CAMISA",
    "IntegrationID": "ERP-500",
    "BrandID": 7,
    "SkusID": [501, 502],
    "MetadataValues": [],
    "ShortDescription": "Leve",
    "LongDescription": "<p>Camisa leve</p>",
    "WarrantyDescription": "30 dias",
    "IsVisible": True,
    "IsDeleted": False,
    "ModifiedDate": "/Date(1682679600000-0300)/",
}
SMALL = {
    "ProductID": 501,
    "Name": "Camisa P",
    "SKU": "CAMISA-P",
    "UPC": "7891234567895",
    "Weight": 0.3,
    "ParentsID": [500],
    "IsDeleted": False,
}
LARGE = {**SMALL, "ProductID": 502, "Name": "Camisa G", "SKU": "CAMISA-G", "UPC": None}
TEXTS = {
    "name": "Camisa de linho",
    "description": "<p>Camisa leve</p>",
    "short_description": "Leve",
    "warranty_message": "30 dias",
}


def read(product: dict[str, Any], *skus: dict[str, Any]) -> ProductRecord:
    return mapping.read_product(Payload(product), [Payload(sku) for sku in skus])


def test_a_products_skus_are_its_variations() -> None:
    assert read(PRODUCT, SMALL, LARGE) == ProductRecord(
        "CAMISA",
        TEXTS,
        (
            ProductRecord("CAMISA-P", {"name": "Camisa P", "ean": "7891234567895"}),
            ProductRecord("CAMISA-G", {"name": "Camisa G"}),
        ),
    )


def test_a_product_with_one_sku_is_a_simple_one_under_the_skus_code() -> None:
    assert read(PRODUCT, SMALL) == ProductRecord("CAMISA-P", TEXTS | {"ean": "7891234567895"})


def test_a_deleted_sku_is_none() -> None:
    assert read(PRODUCT, SMALL, {**LARGE, "IsDeleted": True}).sku == "CAMISA-P"


def test_a_text_that_is_missing_blanks_nothing() -> None:
    bare = {**PRODUCT, "LongDescription": None, "ShortDescription": "", "WarrantyDescription": None}

    assert read(bare, SMALL, LARGE).fields == {"name": "Camisa de linho"}


@pytest.mark.parametrize(
    ("product", "skus", "reason"),
    [
        ({**PRODUCT, "IsDeleted": True}, [SMALL], "foi apagado na loja"),
        (PRODUCT, [], "no SKU that can be sold"),
        (PRODUCT, [{**SMALL, "SKU": ""}], "SKU: empty"),
        ({**PRODUCT, "SKU": None}, [SMALL, LARGE], "SKU: empty"),
        ({**PRODUCT, "Name": None}, [SMALL, LARGE], "Name: got NoneType"),
    ],
)
def test_what_it_cannot_read_it_does_not_guess(
    product: dict[str, Any], skus: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(product, *skus)


@pytest.mark.parametrize(("ids", "read_ids"), [([501, "502"], [501, 502]), ([], []), (None, [])])
def test_the_skus_ids(ids: Any, read_ids: list[int]) -> None:
    assert mapping.read_sku_ids(Payload({"SkusID": ids})) == read_ids


@pytest.mark.parametrize("ids", ["501", {"a": 1}, [None]])
def test_ids_that_are_none(ids: Any) -> None:
    with pytest.raises(Unreadable, match="SkusID"):
        mapping.read_sku_ids(Payload({"SkusID": ids}))


def test_the_first_time_everything_is_asked_for_and_then_what_changed_with_an_overlap() -> None:
    began = datetime(2025, 1, 31, 15, 0, tzinfo=UTC)

    cursor = mapping.write_cursor(began)

    assert mapping.write_since("", began) == ""
    assert mapping.write_since(cursor, began) == 'ModifiedDate>="2025-01-31T08:00:00"'


def test_after_the_clock_was_ahead_everything_is_asked_for() -> None:
    began = datetime(2025, 1, 31, 15, 0, tzinfo=UTC)

    assert mapping.write_since(mapping.write_cursor(began + timedelta(hours=5)), began) == ""
    from_another_host = mapping.write_cursor(began + timedelta(seconds=5))
    assert mapping.write_since(from_another_host, began) == 'ModifiedDate>="2025-01-31T08:00:05"'
