"""The compact table of products (pluggto-api.md, section 4.3)."""

import pytest

from connectors.models import Store
from tests.conftest import Partner, make_partner, make_store

PATHS = ["/products/tabledata", "/products/tableData", "/tableData", "/tabledata", "/Tabledata/"]


@pytest.fixture
def partner(store: Store) -> Partner:
    """Of a store with a mug, and a shirt in two sizes."""
    partner = make_partner(store, "linx")
    partner.post("/products", {"sku": "CAN", "price": 25, "special_price": 20, "quantity": 10})
    sizes = [
        {"sku": "CAM-P", "price": 79.9, "special_price": 59.9, "quantity": 3},
        {"sku": "CAM-G", "price": 84.9, "quantity": 4},
    ]
    partner.post("/products", {"sku": "CAM", "price": 79.9, "variations": sizes})
    make_partner(make_store(), "linx").post("/products", {"sku": "DELES"})
    return partner


@pytest.mark.parametrize("path", PATHS)
def test_a_row_says_what_a_product_costs_and_how_much_there_is(partner, path):
    can, cam = (row["Product"] for row in partner.get("/products").json()["result"])

    response = partner.get(path)

    assert response.status_code == 200
    assert response.json() == {
        "Products": [
            {
                "id": can["id"],
                "sku": "CAN",
                "price": 25,
                "special_price": 20,
                "quantity": 10,
                "timestamp": can["timestamp"],
                "variations": [],
            },
            {
                "id": cam["id"],
                "sku": "CAM",
                "price": 79.9,
                "special_price": None,
                "quantity": 7,
                "timestamp": cam["timestamp"],
                "variations": [
                    {
                        "id": cam["variations"][0]["id"],
                        "sku": "CAM-P",
                        "price": 79.9,
                        "special_price": 59.9,
                        "quantity": 3,
                        "timestamp": cam["variations"][0]["timestamp"],
                    },
                    {
                        "id": cam["variations"][1]["id"],
                        "sku": "CAM-G",
                        "price": 84.9,
                        "special_price": None,
                        "quantity": 4,
                        "timestamp": cam["variations"][1]["timestamp"],
                    },
                ],
            },
        ]
    }


@pytest.mark.parametrize("path", PATHS)
def test_the_table_is_paged_by_the_last_id_until_a_page_is_short(partner, path):
    for number in range(3):
        partner.post("/products", {"sku": f"P{number}"})

    skus, last = [], ""
    while True:
        rows = partner.get(path, limit="2", next=last).json()["Products"]
        skus += [row["sku"] for row in rows]
        if len(rows) < 2:
            break
        last = rows[-1]["id"]

    assert skus == ["CAN", "CAM", "P0", "P1", "P2"]


def test_the_table_of_an_empty_store_is_empty(store):
    assert make_partner(store, "linx").get("/products/tabledata").json() == {"Products": []}


def test_the_table_is_searched_as_the_list_is(partner):
    rows = partner.get("/tabledata", bysku="CAM-G").json()["Products"]

    assert [row["sku"] for row in rows] == ["CAM"]
