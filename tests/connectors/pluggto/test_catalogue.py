"""Products, prices and stock told to the sandbox's hub, over real HTTP. It knows an element of a
list by its id alone: whatever is sent without one is there twice."""

from decimal import Decimal
from typing import Any

import pytest
import responses

from connectors.contract import Account
from connectors.errors import Rejected
from connectors.pluggto.catalogue import write_product
from connectors.pluggto.client import Pluggto
from connectors.records import PriceRecord, ProductRecord, StockRecord
from tests.connectors.pluggto.conftest import CREDENTIALS

SHIRT_FIELDS = {
    "external": "aaaaaaaaaaaaaaaaaaaaaaaa",
    "name": "Camiseta",
    "ean": "7891234567895",
    "cost": "19.9",
    "dimension": {"length": 30, "width": 20, "height": 2, "weight": 0.25},
    "handling_time": 2,
    "categories": [{"name": "Roupas > Camisetas"}],
    "attributes": [{"code": "gender", "label": "Gênero", "value": {"code": "u", "label": "Un."}}],
    "photos": [{"url": "https://loja.example/1.jpg", "order": 1}],
    "price_table": [{"code": "B2W", "action": "increase", "percentage": 10}],
}


def shirt(**fields: Any) -> ProductRecord:
    size = {"code": "size", "label": "Tamanho", "value": {"code": "P", "label": "P"}}
    small = ProductRecord(
        "CAMISETA-P",
        {"name": "Camiseta P", "attributes": [size], "photos": [{"url": "https://l.example/p"}]},
    )
    large = ProductRecord("CAMISETA-G", {"name": "Camiseta G", "attributes": []})
    return ProductRecord("CAMISETA", {**SHIRT_FIELDS, **fields}, (small, large))


def told(hub: Any, sku: str = "CAMISETA") -> Any:
    return hub.report()["products"][sku]


def test_a_new_product_is_there_with_all_that_it_has(client, hub):
    id = client.push_product(shirt())

    there = told(hub)
    assert there["id"] == id
    assert there["name"] == "Camiseta"
    assert there["cost"] == 19.9
    assert there["dimension"] == SHIRT_FIELDS["dimension"]
    assert there["price_table"][0]["percentage"] == 10
    assert there["photos"][0]["external"] == "https://loja.example/1.jpg"
    assert [each["sku"] for each in there["variations"]] == ["CAMISETA-P", "CAMISETA-G"]
    assert there["variations"][0]["attributes"][0]["value"]["label"] == "P"


def test_the_same_product_twice_doubles_nothing_and_changes_nothing(client, hub):
    client.push_product(shirt())
    before = hub.shelves.products["CAMISETA"]

    id = client.push_product(shirt())

    assert hub.shelves.products["CAMISETA"] == before
    assert id == before["id"]


def test_a_change_changes_what_it_says_and_nothing_else(client, hub):
    client.push_product(shirt())
    photo_id = told(hub)["photos"][0]["id"]

    client.push_product(
        shirt(name="Camiseta nova", photos=[{**SHIRT_FIELDS["photos"][0], "title": "Frente"}])
    )

    there = told(hub)
    assert there["name"] == "Camiseta nova"
    assert [(each["id"], each["title"]) for each in there["photos"]] == [(photo_id, "Frente")]
    assert len(there["categories"]) == len(there["attributes"]) == 1


def test_a_photo_that_plugg_to_copied_is_known_again(client, hub):
    client.push_product(shirt())
    (photo,) = hub.shelves.products["CAMISETA"]["photos"]
    photo["url"] = "https://s3-sa-east-1.amazonaws.com/pluggto/8203/1.jpg"

    client.push_product(shirt(name="Outra"))

    assert len(told(hub)["photos"]) == 1


def test_what_was_sent_once_and_left_is_taken_out_and_what_others_put_there_stays(client, hub):
    client.push_product(shirt())
    product = hub.shelves.products["CAMISETA"]
    product["attributes"].append({"id": "panel", "code": "voltage"})

    client.push_product(
        ProductRecord(
            "CAMISETA",
            {
                "photos": [{"url": "https://loja.example/1.jpg", "remove": True}],
                "attributes": [{"code": "gender", "remove": True}, {"code": "no", "remove": True}],
            },
            (
                ProductRecord("CAMISETA-P", {"remove": True}),
                ProductRecord("CAMISETA-NEVER", {"remove": True}),
            ),
        )
    )

    there = told(hub)
    assert "photos" not in there
    assert [each["code"] for each in there["attributes"]] == ["voltage"]
    assert [each["sku"] for each in there["variations"]] == ["CAMISETA-G"]


def test_what_is_not_there_is_not_sent_to_be_taken_out():
    gone = ProductRecord("CAMISETA-P", {"remove": True})
    record = ProductRecord("CAMISETA", {"attributes": [{"code": "no", "remove": True}]}, (gone,))

    assert write_product(record, None) == {"attributes": [], "variations": []}


def test_a_sku_that_is_a_variation_there_is_not_overwritten(client, hub):
    client.push_product(shirt())

    with pytest.raises(Rejected, match="CAMISETA-P é uma variação do produto CAMISETA"):
        client.push_product(ProductRecord("CAMISETA-P", {"name": "Sozinha"}))

    assert list(hub.shelves.products) == ["CAMISETA"]


def test_a_price_and_the_end_of_a_promotion(client, hub):
    client.push_product(ProductRecord("CANECA", {"name": "Caneca"}))
    client.push_price(PriceRecord("CANECA", Decimal("39.9000"), Decimal("29.9000")))
    with_promotion = told(hub, "CANECA")

    for _again in range(2):
        client.push_price(PriceRecord("CANECA", Decimal("39.9000")))

    assert (with_promotion["price"], with_promotion["special_price"]) == (39.9, 29.9)
    assert told(hub, "CANECA")["price"] == 39.9
    assert "special_price" not in told(hub, "CANECA")
    assert told(hub, "CANECA")["name"] == "Caneca"


def test_a_variations_price_is_told_with_its_product(client, hub):
    client.push_product(shirt())

    client.push_price(PriceRecord("CAMISETA-G", Decimal("84.9"), None, "CAMISETA"))

    small, large = told(hub)["variations"]
    assert "price" not in small
    assert (large["price"], large["name"]) == (84.9, "Camiseta G")
    assert list(hub.shelves.products) == ["CAMISETA"]


def test_stock_is_absolute_for_products_and_for_variations(client, hub):
    client.push_product(shirt())
    client.push_product(ProductRecord("CANECA", {}))

    for record in (
        StockRecord("CAMISETA-P", 7),
        StockRecord("CANECA", 3),
        StockRecord("CANECA", 3),
    ):
        client.push_stock(record)

    assert told(hub)["variations"][0]["quantity"] == 7
    assert told(hub, "CANECA")["quantity"] == 3


def test_stock_of_what_is_not_there_is_rejected(client):
    with pytest.raises(Rejected, match="Not found"):
        client.push_stock(StockRecord("CANECA", 3))


def test_a_product_that_is_removed_is_gone_and_may_be_removed_again(client, hub):
    client.push_product(shirt())

    for _again in range(2):
        client.remove_product("CAMISETA")

    assert hub.report()["products"] == {}


@pytest.mark.parametrize("sku", ["A/B", "50% off?x=1#y", "Ção é", "a b"])
def test_a_sku_is_one_segment_of_the_address_whatever_is_in_it(client, hub, sku):
    client.push_product(ProductRecord(sku, {"name": "X"}))
    client.push_stock(StockRecord(sku, 2))

    assert hub.shelves.products[sku]["quantity"] == 2


@pytest.mark.parametrize("sku", [".", ".."])
def test_a_sku_that_would_lead_elsewhere_is_rejected(client, hub, sku):
    with pytest.raises(Rejected):
        client.push_product(ProductRecord(sku, {}))

    assert hub.report()["products"] == {}


def test_what_a_hub_forbids_concerns_the_record_and_not_the_credentials():
    forbidden = {"error": True, "type": "not_allowed", "message": "", "details": "Não pode."}
    with responses.RequestsMock() as far_side:
        far_side.post("https://h/oauth/token", json={"access_token": "t", "expires_in": 60})
        far_side.put("https://h/skus/A/stock", status=403, json=forbidden)

        with pytest.raises(Rejected, match="HTTP 403: Não pode"):
            Pluggto(Account("https://h", CREDENTIALS)).push_stock(StockRecord("A", 1))
