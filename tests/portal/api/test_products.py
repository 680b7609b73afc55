"""Products and SKUs (pluggto-api.md, section 4). Linx may send every field."""

from typing import Any

import pytest

from catalog.models import Price, Product, SkuMapping, Stock
from connectors.hub import wire
from connectors.models import Notice, Store
from tests.conftest import Partner, make_partner

SHIRT = {
    "sku": "CAM-01",
    "name": "Camiseta de algodão",
    "ean": "7891234567895",
    "ncm": "6109.10.00",
    "price": 79.9,
    "special_price": 59.9,
    "brand": "Fiação",
    "warranty_time": 3,
    "dimension": {"length": 32, "width": 11, "height": 3, "weight": 0.45},
    "categories": [{"name": "Roupas > Camisetas"}],
    "attributes": [
        {"code": "material", "label": "Material", "value": {"code": "co", "label": "Algodão"}}
    ],
    "photos": [{"url": "https://fotos.example/cam.jpg", "order": 1}],
    "variations": [
        {"sku": "CAM-01-P", "ean": "7891234567901", "quantity": 3, "price": 79.9},
        {"sku": "CAM-01-G", "ean": "7891234567918", "quantity": 4, "price": 84.9},
    ],
}
MUG = {"sku": "CAN-07", "name": "Caneca", "price": 25, "quantity": 10}


@pytest.fixture
def partner(store: Store) -> Partner:
    return make_partner(store, "linx")


def product_of(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    return response.json()["Product"]


def details_of(response: Any) -> tuple[int, str, Any]:
    return response.status_code, response.json()["type"], response.json()["details"]


def without_id(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in element.items() if k != "id"} for element in elements]


# -- Create and read -------------------------------------------------------------------------------
def test_a_new_product_with_two_variations_comes_back_whole(partner):
    created = product_of(partner.post("/products", SHIRT), 201)

    plain = {k: v for k, v in SHIRT.items() if not isinstance(v, list)}
    assert {name: created[name] for name in plain} == plain
    for name in ("categories", "attributes", "photos"):
        assert without_id(created[name]) == SHIRT[name]
        assert all(len(element["id"]) == 24 for element in created[name])
    assert [
        {name: each[name] for name in ("sku", "ean", "quantity", "price")}
        for each in created["variations"]
    ] == SHIRT["variations"]
    assert product_of(partner.get(f"/products/{created['id']}")) == created
    assert product_of(partner.get("/skus/CAM-01")) == created


def test_every_field_is_there_absent_ones_null_and_lists_empty(partner):
    created = product_of(partner.post("/products", {"sku": "NADA"}), 201)

    assert list(created) == list(wire.PRODUCT)
    lists = {name for name, kind in wire.PRODUCT.items() if kind is wire.Kind.LIST}
    assert all(created[name] == [] for name in lists)
    given = {name: value for name, value in created.items() if value not in (None, [])}
    assert given == {
        "id": created["id"],
        "sku": "NADA",
        "quantity": 0,
        "reserved": 0,
        "user_id": str(partner.activation.store_id),
        "created": created["created"],
        "modified": created["modified"],
        "created_by": partner.issued.client_id,
        "modified_by": partner.issued.client_id,
        "timestamp": created["timestamp"],
    }


def test_an_id_has_24_hexadecimal_characters(partner):
    created = product_of(partner.post("/products/", MUG), 201)

    assert len(created["id"]) == 24
    assert int(created["id"], 16) > 0


def test_the_quantity_of_a_parent_is_the_sum_of_its_variations(partner):
    created = product_of(partner.post("/products", {**SHIRT, "quantity": 99}), 201)

    assert created["quantity"] == 7


def test_the_sku_of_a_variation_answers_its_parent(partner):
    created = product_of(partner.post("/products", SHIRT), 201)

    assert product_of(partner.get("/skus/CAM-01-G")) == created


def test_a_second_product_with_the_same_sku_is_a_duplicate(partner):
    partner.post("/products", MUG)

    response = partner.post("/products", {**MUG, "name": "Outra"})

    message = "Já há um produto com o SKU CAN-07 nesta loja."
    assert details_of(response) == (400, "duplicate", {"errmsg": message})
    assert Product.objects.get().name == "Caneca"


def test_a_product_without_a_sku_is_refused(partner):
    response = partner.post("/products", {"name": "Sem SKU"})

    assert details_of(response) == (400, "invalid", "$.sku: falta o SKU do produto.")
    assert Product.objects.count() == 0


@pytest.mark.parametrize("path", ["/products/000000000000000000000000", "/skus/NADA"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_does_not_exist_is_not_found(partner, method, path):
    response = partner.call(method, path)

    assert (response.status_code, response.json()["type"]) == (404, "not_found")


def test_numbers_may_come_as_texts_and_go_out_as_numbers(partner):
    sent = {"sku": 4711, "price": "19.90", "quantity": "12", "warranty_time": "6", "cost": "7.125"}

    created = product_of(partner.post("/products", sent), 201)

    assert created["sku"] == "4711"
    assert (created["price"], created["quantity"]) == (19.9, 12)
    assert (created["warranty_time"], created["cost"]) == (6, 7.125)


def test_a_price_with_the_noise_of_a_float_is_rounded(partner):
    created = product_of(partner.post("/products", {**MUG, "price": 19.899999999999999}), 201)

    assert created["price"] == 19.9


def test_fields_that_nobody_knows_are_kept(partner):
    partner.post("/products", {**MUG, "gift_wrap": {"paper": "azul"}, "steps": [1, 2]})

    product = product_of(partner.get("/skus/CAN-07"))
    assert (product["gift_wrap"], product["steps"]) == ({"paper": "azul"}, [1, 2])


def test_credentials_inside_a_body_are_ignored(partner):
    created = product_of(partner.post("/products", {**MUG, "grant_type": "password"}), 201)

    assert "grant_type" not in created


# -- Update ----------------------------------------------------------------------------------------
def test_an_update_changes_only_what_was_sent(partner):
    created = product_of(partner.post("/products", MUG), 201)

    updated = product_of(partner.put(f"/products/{created['id']}", {"name": "Caneca azul"}))

    changing = ("name", "modified", "timestamp")
    assert updated["name"] == "Caneca azul"
    assert {**created, **{name: updated[name] for name in changing}} == updated


def test_an_unknown_sku_is_created_by_an_update(partner):
    product = product_of(partner.put("/skus/NOVO-1", {"name": "Novo", "price": 5}))

    assert (product["sku"], product["name"], product["price"]) == ("NOVO-1", "Novo", 5)


def test_a_known_sku_is_updated_by_an_update(partner):
    created = product_of(partner.post("/products", MUG), 201)

    updated = product_of(partner.put("/skus/CAN-07", {**MUG, "price": "27.50"}))

    assert (updated["id"], updated["price"]) == (created["id"], 27.5)


def test_a_sku_in_a_path_may_hold_any_character_but_a_slash(partner):
    product = product_of(partner.put("/skus/Caf%C3%A9%20n%C2%BA%201%2C5", {"price": 5}))

    assert product["sku"] == "Café nº 1,5"


@pytest.mark.parametrize("product", [MUG, SHIRT])
def test_our_own_answer_sent_back_changes_nothing(partner, product):
    created = product_of(partner.post("/products", product), 201)

    by_id = partner.put(f"/products/{created['id']}", created)
    by_sku = partner.put(f"/skus/{created['sku']}", created)

    expected = (400, "not_updated", "Changes not found in the document")
    assert details_of(by_id) == details_of(by_sku) == expected


def test_a_product_is_read_out_of_the_wrapping_of_our_answers(partner):
    answer = partner.post("/products", {"Product": MUG}).json()

    answer["Product"]["price"] = 27.5
    updated = product_of(partner.put("/skus/CAN-07", answer))

    assert (updated["sku"], updated["price"], "Product" in updated) == ("CAN-07", 27.5, False)


def test_an_empty_text_is_no_change_where_there_was_none(partner):
    partner.post("/products", {**MUG, "ean": ""})

    response = partner.put("/skus/CAN-07", {"ean": ""})

    assert details_of(response)[1] == "not_updated"


def test_a_blank_number_of_the_clients_is_no_change_where_there_was_none(partner):
    partner.post("/products", MUG)

    response = partner.put("/skus/CAN-07", {"external": ""})

    assert details_of(response)[:2] == (400, "not_updated")
    assert product_of(partner.get("/skus/CAN-07"))["external"] is None


def test_a_null_takes_a_value_away(partner):
    partner.post("/products", {**MUG, "special_price": 20, "brand": "Forno"})

    product = product_of(partner.put("/skus/CAN-07", {"special_price": None, "brand": None}))

    assert (product["special_price"], product["brand"]) == (None, None)


def test_a_special_price_of_nought_ends_the_promotion(partner):
    partner.post("/products", {**MUG, "special_price": 20})

    product = product_of(partner.put("/skus/CAN-07", {"special_price": 0}))
    again = partner.put("/skus/CAN-07", {"special_price": "0.00"})

    assert product["special_price"] is None
    assert details_of(again)[1] == "not_updated"


def test_external_is_each_clients_own(partner):
    other = make_partner(partner.activation.store, "linx")
    partner.post("/products", {**MUG, "external": 1001})

    product = product_of(other.put("/skus/CAN-07", {"external": "A-77"}))

    assert product["external"] == "A-77"
    assert product_of(partner.get("/skus/CAN-07"))["external"] == "1001"


# -- Variations ------------------------------------------------------------------------------------
def test_a_variation_is_changed_and_another_added_by_sku(partner):
    partner.post("/products", SHIRT)

    product = product_of(
        partner.put(
            "/skus/CAM-01",
            {"variations": [{"sku": "CAM-01-P", "price": 69.9}, {"sku": "CAM-01-M"}]},
        )
    )

    shown = [(each["sku"], each["price"], each["quantity"]) for each in product["variations"]]
    assert shown == [("CAM-01-P", 69.9, 3), ("CAM-01-G", 84.9, 4), ("CAM-01-M", None, 0)]


def test_a_variation_is_removed_by_sku(partner):
    partner.post("/products", SHIRT)

    product = product_of(
        partner.put("/skus/CAM-01", {"variations": [{"sku": "CAM-01-P", "remove": True}]})
    )

    assert [each["sku"] for each in product["variations"]] == ["CAM-01-G"]
    assert set(Product.objects.values_list("sku", flat=True)) == {"CAM-01", "CAM-01-G"}


def test_one_variation_is_updated_by_its_own_sku(partner):
    partner.post("/products", SHIRT)

    product = product_of(partner.put("/skus/CAM-01-G", {"name": "Camiseta G"}))

    assert product["sku"] == "CAM-01"
    assert product["name"] == "Camiseta de algodão"
    assert [each["name"] for each in product["variations"]] == [None, "Camiseta G"]


@pytest.mark.parametrize(
    ("variations", "kind", "details"),
    [
        ([{"name": "P"}], "invalid", "$.variations[0].sku: falta o SKU da variação."),
        (
            [{"sku": "CAN-07"}],
            "duplicate",
            {"errmsg": "O SKU CAN-07 já é de outro produto da loja."},
        ),
        (
            [{"sku": "CAM-01"}],
            "duplicate",
            {"errmsg": "O SKU CAM-01 já é de outro produto da loja."},
        ),
        ({"sku": "CAM-01-P"}, "invalid", "$.variations: got dict"),
        (["CAM-01-P"], "invalid", "$.variations[0]: got str, not an object"),
    ],
)
def test_a_wrong_variation_stores_nothing_of_the_product(partner, variations, kind, details):
    partner.post("/products", MUG)

    response = partner.post("/products", {**SHIRT, "variations": variations})

    assert details_of(response) == (400, kind, details)
    assert [product.sku for product in Product.objects.all()] == ["CAN-07"]
    assert (Price.objects.count(), Stock.objects.count()) == (1, 1)


def test_the_same_variation_twice_in_a_body_is_one(partner):
    twice = [{"sku": "CAM-01-P", "price": 1}, {"sku": "CAM-01-P", "price": 2}]

    product = product_of(partner.post("/products", {"sku": "CAM-01", "variations": twice}), 201)

    assert [(each["sku"], each["price"]) for each in product["variations"]] == [("CAM-01-P", 2)]


def test_a_variation_has_no_variations(partner):
    partner.post("/products", SHIRT)

    response = partner.put("/skus/CAM-01-P", {"variations": [{"sku": "CAM-01-PP"}]})

    message = "$.variations: uma variação não tem variações."
    assert details_of(response) == (400, "invalid", message)


# -- Lists inside a product (section 4.5) ----------------------------------------------------------
LISTS = {
    "categories": ({"name": "Casa > Cozinha"}, {"name": "Casa > Cozinha", "id": "…"}),
    "attributes": ({"code": "cor", "label": "Cor"}, {"code": "cor", "label": "A cor"}),
    "photos": (
        {"url": "https://fotos.example/1.jpg", "order": 1},
        {"url": "https://fotos.example/1.jpg", "order": 2},
    ),
    "price_table": ({"code": "ml", "price": 30}, {"code": "ml", "price": 31}),
    "stock_table": ({"code": "sp", "quantity": 3}, {"code": "sp", "quantity": 4}),
}


@pytest.mark.parametrize("name", LISTS)
def test_an_element_gets_an_id_and_others_stay_when_one_is_added(partner, name):
    element, _changed = LISTS[name]
    other = {
        **element,
        **{key: f"{element[key]}!" for key in ("name", "code", "url") & element.keys()},
    }
    first = product_of(partner.post("/products", {**MUG, name: [element]}), 201)[name]

    both = product_of(partner.put("/skus/CAN-07", {name: [other]}))[name]

    assert both[0] == first[0]
    assert without_id(both) == [element, other]
    assert both[0]["id"] != both[1]["id"]


@pytest.mark.parametrize("name", [name for name in LISTS if name != "categories"])
def test_an_element_is_known_by_its_natural_key(partner, name):
    element, changed = LISTS[name]
    first = product_of(partner.post("/products", {**MUG, name: [element]}), 201)[name]

    after = product_of(partner.put("/skus/CAN-07", {name: [changed]}))[name]

    assert after == [{**changed, "id": first[0]["id"]}]


@pytest.mark.parametrize("name", LISTS)
def test_an_element_sent_again_without_its_id_is_not_doubled(partner, name):
    element, _changed = LISTS[name]
    partner.post("/products", {**MUG, name: [element]})

    response = partner.put("/skus/CAN-07", {name: [element]})

    assert details_of(response)[1] == "not_updated"


@pytest.mark.parametrize("name", LISTS)
def test_an_element_is_changed_and_removed_by_its_id(partner, name):
    element, _changed = LISTS[name]
    id = product_of(partner.post("/products", {**MUG, name: [element]}), 201)[name][0]["id"]

    changed = product_of(partner.put("/skus/CAN-07", {name: [{"id": id, "label": "Novo"}]}))[name]
    removed = product_of(partner.put("/skus/CAN-07", {name: [{"id": id, "remove": True}]}))[name]

    assert changed == [{**element, "id": id, "label": "Novo"}]
    assert removed == []


def test_an_element_is_removed_by_its_natural_key(partner):
    partner.post("/products", {**MUG, "price_table": [{"code": "ml", "price": 30}]})

    product = product_of(
        partner.put("/skus/CAN-07", {"price_table": [{"code": "ml", "remove": True}]})
    )

    assert product["price_table"] == []


# -- Delete ----------------------------------------------------------------------------------------
def test_a_deleted_product_goes_with_its_variations(partner):
    created = product_of(partner.post("/products", SHIRT), 201)

    response = partner.call("DELETE", "/skus/CAM-01")

    assert product_of(response) == created
    assert Product.objects.count() == 0
    assert partner.get(f"/products/{created['id']}").status_code == 404


def test_a_deleted_variation_leaves_its_parent(partner):
    partner.post("/products", SHIRT)

    response = partner.call("DELETE", "/skus/CAM-01-P")

    assert response.status_code == 200
    assert set(Product.objects.values_list("sku", flat=True)) == {"CAM-01", "CAM-01-G"}


def test_a_product_is_deleted_by_its_id(partner):
    created = product_of(partner.post("/products", MUG), 201)

    response = partner.call("DELETE", f"/products/{created['id']}", {"access_token": "x"})

    assert product_of(response)["sku"] == "CAN-07"
    assert Product.objects.count() == 0


# -- List ------------------------------------------------------------------------------------------
def skus_of(response: Any) -> list[str]:
    return [row["Product"]["sku"] for row in response.json()["result"]]


def test_a_list_shows_parents_oldest_first_as_one_read_does(partner):
    partner.post("/products", MUG)
    partner.post("/products", SHIRT)

    response = partner.get("/products")

    assert list(response.json()) == ["total", "showing", "limit", "result"]
    assert (response.json()["total"], response.json()["showing"]) == (2, 2)
    assert response.json()["limit"] == 100
    assert skus_of(response) == ["CAN-07", "CAM-01"]
    assert response.json()["result"][1]["Product"] == product_of(partner.get("/skus/CAM-01"))


def test_a_list_is_paged_by_number(partner):
    for number in range(5):
        partner.post("/products", {"sku": f"P{number}"})

    pages = [partner.get("/products", limit="2", page=str(number)) for number in (1, 2, 3, 4)]

    assert [skus_of(page) for page in pages] == [["P0", "P1"], ["P2", "P3"], ["P4"], []]
    assert [page.json()["total"] for page in pages] == [5, 5, 5, 5]
    assert [page.json()["showing"] for page in pages] == [2, 2, 1, 0]
    assert {page.json()["limit"] for page in pages} == {2}


def test_a_list_is_paged_by_the_last_id_received(partner):
    ids = [product_of(partner.post("/products", {"sku": f"P{n}"}), 201)["id"] for n in range(3)]

    after_first = partner.get("/products", limit="2", next=ids[0])
    after_last = partner.get("/products", limit="2", next=ids[2])

    assert skus_of(after_first) == ["P1", "P2"]
    assert (after_last.json()["total"], after_last.json()["result"]) == (0, [])


def test_no_page_is_longer_than_100(partner):
    assert partner.get("/products", limit="5000").json()["limit"] == 100


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "-1"}, {"page": "um"}, {"page": "²"}])
def test_a_wrong_page_is_refused(partner, query):
    response = partner.get("/products", **query)

    name, value = next(iter(query.items()))
    expected = f"?{name}={value}: not a positive whole number"
    assert details_of(response) == (400, "invalid", expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sku": "CAN-07"}, ["CAN-07"]),
        ({"sku": "CAM-01-P"}, []),
        ({"bysku": "CAN-07"}, ["CAN-07"]),
        ({"bysku": "CAM-01-P"}, ["CAM-01"]),
        ({"ean": "7891234567895"}, ["CAM-01"]),
        ({"ean": "0000000000000"}, []),
        ({"id": "000000000000000000000000"}, []),
    ],
)
def test_a_list_is_searched(partner, query, expected):
    partner.post("/products", MUG)
    partner.post("/products", SHIRT)

    response = partner.get("/products", **query)

    assert skus_of(response) == expected
    assert response.json()["total"] == len(expected)


# -- De/Para ---------------------------------------------------------------------------------------
@pytest.fixture
def mapped(partner: Partner) -> Partner:
    """Its platform calls the mug 9001. Another product's SKU happens to be 9001 as well."""
    partner.post("/products", MUG)
    partner.post("/products", {"sku": "9001", "name": "Outro"})
    product = Product.objects.get(sku="CAN-07")
    SkuMapping.objects.create(activation=partner.activation, code="9001", product=product)
    return partner


def test_the_platforms_own_code_means_the_mapped_product(mapped):
    assert product_of(mapped.get("/skus/9001"))["sku"] == "CAN-07"

    product = product_of(mapped.put("/skus/9001", {"sku": "9001", "name": "Caneca branca"}))

    assert (product["sku"], product["name"]) == ("CAN-07", "Caneca branca")
    assert (
        product_of(mapped.put("/skus/9001/stock", {"action": "update", "quantity": 2}))["quantity"]
        == 2
    )
    assert Product.objects.get(sku="9001").name == "Outro"


def test_a_product_that_is_mapped_is_not_made_a_second_time_under_its_code(partner):
    partner.post("/products", MUG)
    mug = Product.objects.get()
    SkuMapping.objects.create(activation=partner.activation, code="9001", product=mug)

    refused = partner.post("/products", {"sku": "9001", "name": "Caneca", "quantity": 10})

    assert details_of(refused)[:2] == (400, "duplicate")
    assert list(Product.objects.all()) == [mug]


def test_a_product_is_searched_by_the_platforms_own_code(mapped):
    mapped.put("/skus/CAM-01", {"variations": [{"sku": "CAM-01-P"}]})
    small = Product.objects.get(sku="CAM-01-P")
    SkuMapping.objects.create(activation=mapped.activation, code="9002", product=small)
    other = make_partner(mapped.activation.store, "linx")

    assert skus_of(mapped.get("/products", bysku="9001")) == ["CAN-07"]
    assert skus_of(mapped.get("/products", bysku="9002")) == ["CAM-01"]
    assert skus_of(other.get("/products", bysku="9001")) == ["9001"]
    assert skus_of(other.get("/products", bysku="9002")) == []


def test_an_id_means_its_product_whatever_the_codes_say(mapped):
    other = Product.objects.get(sku="9001")

    product = product_of(mapped.put(f"/products/{other.public_id}", {"name": "O outro"}))
    deleted = product_of(mapped.call("DELETE", f"/products/{other.public_id}"))

    assert (product["sku"], product["name"]) == ("9001", "O outro")
    assert deleted["sku"] == "9001"
    assert [each.sku for each in Product.objects.all()] == ["CAN-07"]


def test_a_code_is_its_own_activations_alone(mapped):
    other = make_partner(mapped.activation.store, "linx")

    assert product_of(other.get("/skus/9001"))["sku"] == "9001"


# -- Notices ---------------------------------------------------------------------------------------
def notices() -> list[tuple[str, str, str, dict[str, bool]]]:
    rows = Notice.objects.order_by("pk")
    return [(row.topic, row.action, row.object_id, row.changes) for row in rows]


def flags(*names: str) -> dict[str, bool]:
    return {name: name in names for name in ("status", "stock", "price")}


def test_pluga_is_told_what_becomes_of_products_and_the_writer_is_not(partner):
    make_partner(partner.activation.store, "pluga", plugin_url="https://pluga.example/hook")
    make_partner(partner.activation.store, "linx", plugin_url="https://linx.example/hook")

    id = product_of(partner.post("/products", SHIRT), 201)["id"]
    partner.put("/skus/CAM-01", {"name": "Outro nome"})
    partner.put("/skus/CAM-01-P", {"price": 1})
    partner.put("/skus/CAM-01-P/stock", {"action": "increase", "quantity": 1})
    partner.call("DELETE", "/skus/CAM-01")

    assert notices() == [
        ("products", "created", id, flags("price", "stock")),
        ("products", "updated", id, flags()),
        ("products", "updated", id, flags("price")),
        ("products", "updated", id, flags("stock")),
        ("skus", "deleted", "CAM-01", flags("price", "stock")),
    ]


def test_a_refused_write_tells_nobody(partner):
    make_partner(partner.activation.store, "pluga", plugin_url="https://pluga.example/hook")

    partner.post("/products", {"sku": "X", "price": -1})

    assert Notice.objects.count() == 0


def test_less_than_nothing_in_stock_is_nothing_and_keeps_nothing_else_out(partner):
    partner.post("/products", SHIRT)
    variations = [{"sku": "CAM-01-P", "quantity": "-2.0000"}, {"sku": "CAM-01-G", "quantity": 1}]

    response = partner.put("/skus/CAM-01", {"price": 69.9, "variations": variations})

    assert response.status_code == 200, response.content
    shirt = response.json()["Product"]
    assert (shirt["price"], [each["quantity"] for each in shirt["variations"]]) == (69.9, [0, 1])
