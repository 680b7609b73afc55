"""GET /labels (pluggto-api.md, section 8)."""

from typing import Any

import pytest

from connectors.models import Store
from tests.conftest import Partner, make_partner, make_store
from tests.orders.samples import small_order

NO_ID = "000000000000000000000000"


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


def place(pluga: Partner, number: str, *documents: Any) -> str:
    """An order with one shipment for each list of documents; its id."""
    shipments = [{"documents": each} for each in documents]
    return pluga.post("/orders", small_order(number, shipments=shipments)).json()["Order"]["id"]


def label(name: str) -> dict[str, str]:
    return {"url": f"https://etiquetas.example/{name}.pdf", "type": "label"}


def urls_of(response: Any) -> list[str]:
    assert response.status_code == 200
    assert list(response.json()) == ["urls"]
    return [url.removeprefix("https://etiquetas.example/") for url in response.json()["urls"]]


def test_labels_come_in_the_orders_order_each_file_once(pluga, linx):
    invoice = {"url": "https://notas.example/1.xml", "type": "invoice"}
    one = place(pluga, "1", [invoice, label("a")], [label("b")])
    two = place(pluga, "2", [label("c")])
    three = place(pluga, "3", [label("a")])

    assert urls_of(linx.get("/labels", orders=f"{two},{one},{three}")) == [
        "c.pdf",
        "a.pdf",
        "b.pdf",
    ]
    assert urls_of(linx.get("/Labels/", orders=f"{one}, {two}")) == ["a.pdf", "b.pdf", "c.pdf"]


def test_an_order_without_a_label_gives_none(pluga, linx):
    without = place(pluga, "1", [{"url": "https://notas.example/1.xml", "type": "invoice"}], [])
    odd = place(pluga, "2", [{"type": "label"}, {"type": "label", "url": ["x"]}])

    for orders in (without, odd, NO_ID, "", ",", "x" * 5000):
        assert urls_of(linx.get("/labels", orders=orders)) == []
    assert urls_of(linx.get("/labels")) == []


def test_nobody_gets_anothers_labels(store, pluga, linx):
    id = place(pluga, "1", [label("a")])
    strangers = [
        make_partner(make_store(), "linx"),  # of another store
        make_partner(store, "pluga"),  # a channel that did not bring it
    ]
    pluga.put(f"/orders/{id}", {"status": "invoiced"})
    strangers.append(make_partner(store, "webstore"))  # it takes no invoiced orders

    assert urls_of(linx.get("/labels", orders=id)) == ["a.pdf"]
    assert [urls_of(each.get("/labels", orders=id)) for each in strangers] == [[], [], []]


def test_a_label_that_a_platform_attached_is_there_for_all(pluga, linx):
    id = place(pluga, "1", [])
    shipment = linx.get(f"/orders/{id}").json()["Order"]["shipments"][0]["id"]

    linx.put(f"/orders/{id}", {"shipments": [{"id": shipment, "documents": [label("a")]}]})

    assert urls_of(pluga.get("/labels", orders=id)) == ["a.pdf"]


def test_fifty_orders_at_once_and_no_more(pluga, linx):
    id = place(pluga, "1", [label("a")])

    fifty = linx.get("/labels", orders=",".join([NO_ID] * 49 + [id]))
    more = linx.get("/labels", orders=",".join([NO_ID] * 50 + [id]))

    assert urls_of(fifty) == ["a.pdf"]
    assert (more.status_code, more.json()["details"]) == (400, "?orders=: at most 50 ids")


def test_a_character_that_is_no_text_is_refused(linx):
    response = linx.get("/labels", orders="\x00")

    assert (response.status_code, response.json()["details"]) == (
        400,
        "?orders: cannot read '\\x00'",
    )
