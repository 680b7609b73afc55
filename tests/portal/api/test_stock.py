"""PUT /skus/{sku}/stock (pluggto-api.md, section 4.4)."""

from typing import Any

import pytest

from catalog.models import Stock
from connectors.models import Store
from tests.conftest import Partner, make_partner


@pytest.fixture
def partner(store: Store) -> Partner:
    """Of a store with a mug, of which there are 10."""
    partner = make_partner(store, "linx")
    partner.post("/products", {"sku": "CAN-07", "quantity": 10})
    return partner


def details_of(response: Any) -> tuple[int, str, Any]:
    return response.status_code, response.json()["type"], response.json()["details"]


@pytest.mark.parametrize(
    ("action", "quantity", "level"),
    [
        ("update", 4, 4),
        ("update", 0, 0),
        ("update", "4", 4),
        ("update", -3, 0),
        ("update", "-3.0000", 0),
        ("increase", 5, 15),
        ("increase", "5", 15),
        ("decrease", 3, 7),
        ("decrease", 10, 0),
        ("decrease", 11, 0),
    ],
)
def test_stock_is_overwritten_increased_and_decreased(partner, action, quantity, level):
    response = partner.put("/skus/CAN-07/stock", {"action": action, "quantity": quantity})

    assert response.status_code == 200
    assert response.json()["Product"]["quantity"] == level
    assert Stock.objects.get().on_hand == level


def test_the_answer_is_the_whole_product(partner):
    response = partner.put("/skus/CAN-07/stock", {"action": "update", "quantity": 1, "sku": 4711})

    assert response.json() == partner.get("/skus/CAN-07").json()


def test_stock_is_written_by_the_products_id_as_well(partner):
    id = partner.get("/skus/CAN-07").json()["Product"]["id"]

    response = partner.put(f"/products/{id}/stock", {"action": "decrease", "quantity": 1})

    assert response.json()["Product"]["quantity"] == 9


def test_the_stock_of_a_variation_counts_in_its_parent(partner):
    variations = [{"sku": "CAM-P", "quantity": 1}, {"sku": "CAM-G", "quantity": 2}]
    partner.post("/products", {"sku": "CAM", "variations": variations})

    product = partner.put("/skus/CAM-P/stock", {"action": "increase", "quantity": 4}).json()[
        "Product"
    ]

    assert (product["sku"], product["quantity"]) == ("CAM", 7)
    assert [(each["sku"], each["quantity"]) for each in product["variations"]] == [
        ("CAM-P", 5),
        ("CAM-G", 2),
    ]


def test_the_stock_of_a_variation_is_written_by_both_ids(partner):
    variations = [{"sku": "CAM-P", "quantity": 1}, {"sku": "CAM-G", "quantity": 2}]
    product = partner.post("/products", {"sku": "CAM", "variations": variations}).json()["Product"]
    small = product["variations"][0]["id"]
    body = {"action": "increase", "quantity": 4}

    response = partner.put(f"/products/{product['id']}/variation/{small}/stock", body)

    assert response.status_code == 200
    shown = [each["quantity"] for each in response.json()["Product"]["variations"]]
    assert (response.json()["Product"]["quantity"], shown) == (7, [5, 2])


def test_a_product_with_variations_has_no_stock_of_its_own_to_write(partner):
    variations = [{"sku": "CAM-P", "quantity": 1}, {"sku": "CAM-G", "quantity": 2}]
    partner.post("/products", {"sku": "CAM", "variations": variations})

    response = partner.put("/skus/CAM/stock", {"action": "update", "quantity": 9})

    assert response.status_code == 400
    assert response.json()["details"] == "Changes not found in the document"
    assert partner.get("/skus/CAM").json()["Product"]["quantity"] == 3


def test_a_variation_of_another_product_is_not_found(partner):
    cup = partner.get("/skus/CAN-07").json()["Product"]["id"]
    shirt = partner.post("/products", {"sku": "CAM", "variations": [{"sku": "CAM-P"}]}).json()
    small = shirt["Product"]["variations"][0]["id"]
    body = {"action": "update", "quantity": 9}

    responses = [
        partner.put(f"/products/{cup}/variation/{small}/stock", body),
        partner.put(f"/products/{cup}/variation/{cup}/stock", body),
        partner.put(f"/products/{small}/variation/{small}/stock", body),
    ]

    assert [details_of(each)[:2] for each in responses] == [(404, "not_found")] * 3
    assert details_of(responses[0])[2] == f"variation {small}"


@pytest.mark.parametrize("action", ["update", "increase", "decrease"])
def test_stock_that_is_so_already_is_not_updated(partner, action):
    quantity = 10 if action == "update" else 0

    response = partner.put("/skus/CAN-07/stock", {"action": action, "quantity": quantity})

    expected = (400, "not_updated", "Changes not found in the document")
    assert details_of(response) == expected


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"quantity": 1}, "$.action: got NoneType"),
        ({"action": "update"}, "$.quantity: got NoneType"),
        ({"action": "update", "quantity": "muitas"}, "$.quantity: cannot read 'muitas'"),
        ({"action": "update", "quantity": 1.5}, "$.quantity: cannot read '1.5'"),
        ({"action": "update", "quantity": True}, "$.quantity: got bool"),
        ({"action": "update", "quantity": [1]}, "$.quantity: got list"),
        (
            {"action": "set", "quantity": 1},
            "$.action: use update, increase ou decrease, com quantidade positiva.",
        ),
        (
            {"action": "decrease", "quantity": -1},
            "$.action: use update, increase ou decrease, com quantidade positiva.",
        ),
        ({"action": "update", "quantity": 2**31}, "quantity: 2147483648 não é uma quantidade."),
        ({"action": "increase", "quantity": 10**12}, "$.quantity: cannot read '1000000000000'"),
    ],
)
def test_a_wrong_body_is_refused_and_changes_nothing(partner, body, details):
    response = partner.put("/skus/CAN-07/stock", body)

    assert details_of(response) == (400, "invalid", details)
    assert Stock.objects.get().on_hand == 10


def test_the_stock_of_an_unknown_sku_is_not_found(partner):
    response = partner.put("/skus/NADA/stock", {"action": "update", "quantity": 1})

    assert details_of(response) == (404, "not_found", "sku NADA")
