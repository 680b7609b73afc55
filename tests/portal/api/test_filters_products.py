"""Searching and sorting products (pluggto-api.md, section 4.2)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache

from catalog.models import Modification, Product, Stock
from connectors.hub import wire
from connectors.models import Store
from tests.conftest import Partner, make_partner, make_store
from tests.portal.api.samples import full_product


@pytest.fixture
def partner(store: Store) -> Partner:
    return make_partner(store, "linx")


def save(partner: Partner, sku: str, **fields: Any) -> Product:
    response = partner.post("/products", {"sku": sku, **fields})
    assert response.status_code == 201, response.content
    return Product.objects.get(sku=sku, store=partner.activation.store)


def found(partner: Partner, **query: str) -> list[str]:
    response = partner.get("/products", **query)
    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["showing"] == answer["total"] == len(answer["result"])
    return [row["Product"]["sku"] for row in answer["result"]]


def test_every_scalar_field_finds_its_product_and_no_other(partner):
    """With the value that the answer shows."""
    partner.post("/products", full_product(sku="A", variations=[], external="E1"))
    save(partner, "B")
    Stock.objects.filter(product__sku="A").update(reserved=3)
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    Product.objects.filter(sku="B").update(created_at=long_ago)
    Modification.objects.filter(product__sku="B").update(at=long_ago, by=None)
    shown = partner.get("/products", sku="A").json()["result"][0]["Product"]
    same_in_both = {"user_id", "created_by"}

    missed = {}
    for name, kind in wire.PRODUCT.items():
        value = shown[name]
        if kind in (wire.Kind.LIST, wire.Kind.OBJECT) or value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if found(partner, **{name: text}) != (["A", "B"] if name in same_in_both else ["A"]):
            missed[name] = text

    assert missed == {}


def test_a_number_is_found_however_it_is_written(partner):
    save(partner, "A", price="59.9", cost="7.10", warranty_time="6")
    save(partner, "B", price=5)

    assert found(partner, price="59.90") == ["A"]
    assert found(partner, cost="7.1") == ["A"]
    assert found(partner, warranty_time="6.0") == ["A"]


def test_a_parents_quantity_is_its_variations_sum(partner):
    save(partner, "A", variations=[{"sku": "A1", "quantity": 3}, {"sku": "A2", "quantity": 4}])
    save(partner, "B", quantity=7)
    save(partner, "C", quantity=3)
    Stock.objects.filter(product__sku="A2").update(on_hand=5, reserved=5)

    assert found(partner, quantity="7") == ["B"]
    assert found(partner, quantity="3") == ["A", "C"]
    assert found(partner, reserved="5") == ["A"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"bysku": "A"}, ["A"]),
        ({"bysku": "A1"}, ["A"]),
        ({"bysku": "NADA"}, []),
        ({"sku": "A1"}, []),
        ({"brand": "Fiação"}, ["A", "B"]),
        ({"brand": "Fiação", "ncm": "6109.10.00"}, ["A"]),
        ({"brand": "fiação"}, []),
        ({"nobody_has_it": "1"}, []),
        ({"variations": "A1"}, []),
        ({"dimension": "1"}, []),
        ({"brand__contains": "F"}, []),
    ],
)
def test_products_are_searched(partner, query, expected):
    save(partner, "A", brand="Fiação", ncm="6109.10.00", variations=[{"sku": "A1"}])
    save(partner, "B", brand="Fiação")
    save(partner, "C", brand="Forno")

    assert found(partner, **query) == expected


def test_external_is_each_callers_own(partner):
    other = make_partner(partner.activation.store, "linx")
    save(partner, "A", external=1001)
    other.put("/skus/A", {"external": "X-1"})

    assert (found(partner, external="1001"), found(other, external="1001")) == (["A"], [])
    assert (found(partner, external="X-1"), found(other, external="X-1")) == ([], ["A"])


def test_the_map_of_all_clients_numbers_may_be_sent(partner):
    other = make_partner(partner.activation.store, "linx")
    save(partner, "A", external=1001)

    written = other.put(
        "/skus/A",
        {"external": {partner.issued.client_id: "roubado", other.issued.client_id: 77}},
    )
    nothing = other.put("/skus/A", {"external": {partner.issued.client_id: "roubado"}})

    assert written.json()["Product"]["external"] == "77"
    assert nothing.json()["type"] == "not_updated"
    assert found(partner, external="1001") == ["A"]


def test_a_product_of_which_nobody_said_whose_it_is_is_the_accounts_own(partner):
    account = str(partner.activation.store_id)
    save(partner, "A")
    save(partner, "B", supplier_id=None)
    save(partner, "C", supplier_id="8203x")

    assert found(partner, supplier_id=account) == ["A", "B"]
    assert found(partner, supplier_id="8203x") == ["C"]
    assert found(partner, supplier_id="nobody") == []


def test_user_id_is_the_callers_account_or_nobodys(partner):
    save(partner, "A")
    other = make_store()
    make_partner(other, "linx").post("/products", {"sku": "DELES"})

    assert found(partner, user_id=str(partner.activation.store_id)) == ["A"]
    assert found(partner, user_id=str(other.pk)) == []


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("2025-04-27to2025-04-28", ["A", "B"]),
        ("2025-04-28", ["B"]),
        ("2025-04-27T15:00:00.000Zto2025-04-27T15:00:00.000Z", ["A"]),
        ("2025-04-30to2025-05-30", []),
    ],
)
def test_products_of_a_span_of_time(partner, span, expected):
    for sku, day in (("A", 27), ("B", 28)):
        product = save(partner, sku)
        at = datetime(2025, 4, day, 15, tzinfo=UTC)
        Product.objects.filter(pk=product.pk).update(created_at=at)
        Modification.objects.filter(pk=product.pk).update(at=at)

    assert found(partner, created=span) == found(partner, modified=span) == expected


def test_what_became_of_a_variation_became_of_its_product(partner):
    save(partner, "A", variations=[{"sku": "A-1", "quantity": 3}, {"sku": "A-2"}])
    Modification.objects.update(at=datetime(2025, 4, 27, 15, tzinfo=UTC), by=None)

    partner.put("/skus/A-1/stock", {"action": "update", "quantity": 2})

    product = partner.get("/skus/A").json()["Product"]
    changed = product["variations"][0]
    told = {name: changed[name] for name in ("modified", "modified_by", "timestamp")}
    assert {name: product[name] for name in told} == told
    now = changed["modified"]
    assert found(partner, modified=f"{now}to{now}") == ["A"]
    assert found(partner, modified_by=partner.issued.client_id) == ["A"]
    assert found(partner, timestamp=str(changed["timestamp"])) == ["A"]


def test_a_product_that_lost_a_variation_has_changed(partner):
    save(partner, "A", variations=[{"sku": "A-1"}, {"sku": "A-2"}, {"sku": "A-3"}])
    long_ago = datetime(2025, 4, 27, 15, tzinfo=UTC)

    for method, sku, body in (
        ("DELETE", "A-1", None),
        ("PUT", "A", {"variations": [{"sku": "A-2", "remove": True}]}),
    ):
        Modification.objects.update(at=long_ago)
        assert partner.call(method, f"/skus/{sku}", body).status_code == 200
        assert found(partner, modified="2025-04-28to") == ["A"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"order": "desc"}, ["C", "A", "B"]),
        ({"sort": "-sku"}, ["C", "B", "A"]),
        ({"orderby": "name", "orderdirection": "asc"}, ["B", "A", "C"]),
    ],
)
def test_products_are_sorted(partner, query, expected):
    for sku, name in (("B", "x"), ("A", "y"), ("C", "z")):
        save(partner, sku, name=name)

    assert found(partner, **query) == expected


def test_next_past_the_end_has_a_total_of_nothing(partner):
    ids = [save(partner, sku).public_id for sku in "ABC"]

    end = {"total": 0, "showing": 0, "limit": 2, "result": []}
    assert partner.get("/products", limit="2", next=ids[2]).json() == end
    assert partner.get("/products", limit="2", next="0" * 24).json() == end
    assert partner.get("/products", limit="2", next=ids[0], sku="A").json() == end
    assert partner.get("/products", limit="2", next=ids[0]).json()["total"] == 2


def test_a_list_goes_on_where_it_was_read_to_though_that_product_changed(partner):
    ids = {sku: save(partner, sku).public_id for sku in "ABC"}
    partner.get("/products", sort="modified", limit="1")
    cache.clear()  # another process is asked from here on

    partner.put("/skus/A", {"name": "x"})

    assert found(partner, sort="modified", next=ids["A"]) == ["B", "C", "A"]


def test_a_list_up_to_a_moment_ends_though_each_product_that_it_shows_changes(partner):
    for sku in "ABC":
        save(partner, sku)
    shown = partner.get("/products").json()["result"]
    until = max(row["Product"]["modified"] for row in shown)
    seen, last = [], ""

    for _page in range(5):
        query = {"sort": "modified", "modified": f"2020-01-01to{until}", "limit": "1"}
        page = partner.get("/products", **query, next=last).json()["result"]
        if not page:
            break
        seen.append(page[0]["Product"]["sku"])
        last = page[0]["Product"]["id"]
        partner.put(f"/skus/{seen[-1]}", {"name": f"x{len(seen)}"})

    assert (seen, page) == (["A", "B", "C"], [])


@pytest.mark.parametrize("order", [{}, {"sort": "created"}])
def test_next_to_a_product_that_was_deleted_meanwhile_passes_nothing_over(partner, order):
    ids = [save(partner, sku).public_id for sku in "ABCD"]
    Product.objects.get(public_id=ids[1]).delete()

    rest = found(partner, next=ids[1], **order)

    assert rest[-2:] == ["C", "D"]
    assert len(rest) <= 3  # what was made in the same second is shown once more
