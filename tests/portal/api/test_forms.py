"""Bodies as forms with PHP's brackets (pluggto-api.md, section 1)."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from connectors.errors import Unreadable
from connectors.models import Notice, Store
from portal.api.parsing import FORM, MOST_FIELDS, read_form
from tests.conftest import Partner, make_partner
from tests.orders.samples import small_order

JSON = "application/json"


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


def send(partner: Partner, method: str, path: str, body: Any, content_type: str = FORM) -> Any:
    partner.get("/orders")  # it has a token now
    return Client().generic(
        method,
        "/api" + path,
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {partner.token}"},
    )


# -- The grammar -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("sku=A&name=B+C", {"sku": "A", "name": "B C"}),
        ("name=Caf%C3%A9&brand=Café", {"name": "Café", "brand": "Café"}),
        ("name=&empty", {"name": "", "empty": ""}),
        ("a[b][c]=1&a[b][d]=2&a[e]=3", {"a": {"b": {"c": "1", "d": "2"}, "e": "3"}}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=1&a[1]=2", {"a": ["1", "2"]}),
        ("i[0][sku]=A&i[0][n]=1&i[1][sku]=B", {"i": [{"sku": "A", "n": "1"}, {"sku": "B"}]}),
        ("i[1][sku]=B&i[0][sku]=A", {"i": [{"sku": "A"}, {"sku": "B"}]}),
        ("i[10]=c&i[2]=b&i[1]=a", {"i": ["a", "b", "c"]}),
        ("i[][sku]=A&i[][n]=1&i[][sku]=B", {"i": [{"sku": "A", "n": "1"}, {"sku": "B"}]}),
        (
            "i[][v][s]=A&i[][v][e]=1&i[][v][s]=B",
            {"i": [{"v": {"s": "A", "e": "1"}}, {"v": {"s": "B"}}]},
        ),
        ("i[][c][]=x&i[][c][]=y", {"i": [{"c": ["x", "y"]}]}),
        ("a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        ("a[00]=x", {"a": {"00": "x"}}),
        ("0=x", {"0": "x"}),
        ("a=1&a=1", {"a": "1"}),
        ("__proto__[x]=1&constructor=2", {"__proto__": {"x": "1"}, "constructor": "2"}),
    ],
)
def test_brackets_make_objects_and_lists(text, expected):
    assert read_form(text) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a=1&a=2", "$: the key 'a' contradicts one before it"),
        ("a=1&a[b]=2", "$: the key 'a[b]' contradicts one before it"),
        ("a[b]=1&a=2", "$: the key 'a' contradicts one before it"),
        ("a[b]=1&a[]=2", "$: the key 'a[]' contradicts one before it"),
        ("a[]=1&a[0]=2", "$: the key 'a[0]' contradicts one before it"),
        ("a[0]=1&a[0]=2", "$: the key 'a[0]' contradicts one before it"),
        ("i[][v]=1&i[][v][x]=2&i[][v]=3&i[][v][x][y]=1", None),
        ("a[b=1", "$: cannot read the key 'a[b'"),
        ("a]=1", "$: cannot read the key 'a]'"),
        ("[a]=1", "$: cannot read the key '[a]'"),
        ("a[][]=1", "$: cannot read the key 'a[][]'"),
        ("=1", "$: cannot read the key ''"),
        ("a=%FF", "$: the body is not a form: "),
        ("a" + "[b]" * 20 + "=1", "$: the key 'a[b][b]"),
    ],
)
def test_what_would_be_two_things_at_once_is_named(text, error):
    if error is None:
        assert read_form(text)["i"][0] == {"v": "1"}
        return

    with pytest.raises(Unreadable) as raised:
        read_form(text)

    assert str(raised.value).startswith(error)


def test_there_is_an_end_to_the_fields():
    read_form("&".join(f"f{n}=1" for n in range(MOST_FIELDS)))

    with pytest.raises(Unreadable, match="not a form"):
        read_form("&".join(f"f{n}=1" for n in range(MOST_FIELDS + 1)))


# -- The resources ---------------------------------------------------------------------------------
def test_an_order_comes_as_an_opencart_module_sends_it(pluga):
    """PHP's http_build_query: true is 1, null and empty lists are not there at all."""
    form = {
        "original_id": "31",
        "channel": "OpenCart",
        "status": "approved",
        "total": "74.80",
        "shipping": "14.90",
        "auto_reserve": "1",
        "receiver_name": "Ana",
        "receiver_city": "São Paulo",
        "items[0][sku]": "CAM-P",
        "items[0][name]": "Camiseta",
        "items[0][quantity]": "2",
        "items[0][price]": "29.95",
        "items[0][variation][sku]": "CAM-P-AZ",
        "items[1][sku]": "BONE",
        "items[1][quantity]": "1",
        "payments[0][payment_type]": "credit",
        "payments[0][payment_total]": "74.80",
    }

    response = send(pluga, "POST", "/orders", urlencode(form))

    assert response.status_code == 201, response.content
    order = response.json()["Order"]
    assert (order["total"], order["shipping"], order["auto_reserve"]) == (74.8, 14.9, True)
    assert order["receiver_city"] == "São Paulo"
    assert [(i["sku"], i["quantity"], i["price"]) for i in order["items"]] == [
        ("CAM-P", 2, 29.95),
        ("BONE", 1, None),
    ]
    assert order["items"][0]["variation"]["sku"] == "CAM-P-AZ"
    assert order["payments"][0]["payment_total"] == 74.8


def test_a_product_comes_as_a_form_with_lists_in_lists(linx):
    form = (
        "sku=CAM&name=Camiseta&price=79.90&dimension[weight]=0.2&categories[][name]=Roupas"
        "&categories[][name]=Camisetas&variations[0][sku]=CAM-P&variations[0][quantity]=3"
        "&variations[0][attributes][0][code]=size&variations[0][attributes][0][value][label]=P"
        "&grant_type=password"
    )

    response = send(linx, "POST", "/products", form)

    assert response.status_code == 201, response.content
    product = response.json()["Product"]
    assert (product["price"], product["quantity"]) == (79.9, 3)
    assert [category["name"] for category in product["categories"]] == ["Roupas", "Camisetas"]
    attribute = product["variations"][0]["attributes"][0]
    assert (attribute["code"], attribute["value"]["label"]) == ("size", "P")
    assert "grant_type" not in product


def test_stock_and_an_invoice_come_as_forms(linx, pluga):
    send(linx, "PUT", "/skus/CAM", "name=Camiseta")
    order = send(
        pluga,
        "POST",
        "/orders",
        "status=approved&total=1&items[0][sku]=XIS&items[0][quantity]=1&shipments[0][status]=",
    ).json()["Order"]

    stock = send(linx, "PUT", "/skus/CAM/stock", "action=update&quantity=7")
    id = quote(order["shipments"][0]["id"])
    invoice = send(
        linx,
        "PUT",
        f"/orders/{order['id']}",
        f"status=invoiced&shipments[0][id]={id}&shipments[0][nfe_number]=12"
        "&shipments[0][nfe_date]=2025-04-27+12:30:39",
    )

    assert stock.json()["Product"]["quantity"] == 7
    assert invoice.status_code == 200, invoice.content
    assert [s["nfe_number"] for s in invoice.json()["Order"]["shipments"]] == ["12"]


@pytest.mark.parametrize("mark", ["0", "false", "False", ""])
def test_a_mark_that_a_form_does_not_set_removes_no_variation(linx, mark):
    send(linx, "POST", "/products", "sku=CAM&variations[0][sku]=CAM-P&variations[1][sku]=CAM-G")

    form = f"variations[0][sku]=CAM-P&variations[0][remove]={mark}&variations[0][quantity]=4"
    kept = send(linx, "PUT", "/skus/CAM", form).json()["Product"]["variations"]

    assert [(each["sku"], each["quantity"]) for each in kept] == [("CAM-P", 4), ("CAM-G", 0)]


@pytest.mark.parametrize("mark", ["1", "true", "True"])
def test_a_mark_that_a_form_sets_removes_a_variation(linx, mark):
    send(linx, "POST", "/products", "sku=CAM&variations[0][sku]=CAM-P&variations[1][sku]=CAM-G")

    form = f"variations[0][sku]=CAM-P&variations[0][remove]={mark}"
    kept = send(linx, "PUT", "/skus/CAM", form).json()["Product"]["variations"]

    assert [each["sku"] for each in kept] == ["CAM-G"]


@pytest.mark.parametrize(
    ("body", "content_type", "announced"),
    [
        ("update=false", FORM, False),
        ("update=False", FORM, False),
        ("update=0", FORM, False),
        ('{"update": false}', JSON, False),
        ('{"update": "false"}', JSON, False),
        ('{"update": 0}', JSON, False),
        ("", FORM, True),
        ("update=1", FORM, True),
        ("update=true", FORM, True),
        ('{"update": true}', JSON, True),
        ('{"update": null}', JSON, True),
    ],
)
def test_an_update_that_says_so_is_announced_to_nobody(linx, pluga, body, content_type, announced):
    order = pluga.post("/orders", small_order()).json()["Order"]
    listener = make_partner(pluga.activation.store, "linx", plugin_url="https://loja.example/")
    news = '"status": "canceled"' if content_type == JSON else "status=canceled"
    body = f"{{{news}, {body[1:]}" if content_type == JSON else f"{news}&{body}"

    changed = send(pluga, "PUT", f"/orders/{order['id']}", body, content_type)

    assert changed.json()["Order"]["status"] == "canceled"
    notices = Notice.objects.filter(activation=listener.activation, object_id=order["id"])
    assert [(n.topic, n.action) for n in notices] == [("orders", "updated")] * announced


def test_an_item_whose_variation_is_blank_in_a_form_has_none(pluga):
    """Clients take `variation.sku` for the sold one as soon as it is not null."""
    form = (
        "status=approved&total=1&items[0][sku]=A&items[0][quantity]=1"
        "&items[0][variation][sku]=&items[0][variation][name]="
    )

    item = send(pluga, "POST", "/orders", form).json()["Order"]["items"][0]

    assert item["sku"] == "A"
    assert item["variation"] == {
        **dict.fromkeys(("id", "sku", "ean", "name", "external", "photo_url")),
        "attributes": [],
    }


def test_a_wrong_value_in_a_form_is_named_by_its_place(pluga):
    form = "status=approved&total=1&items[0][sku]=A&items[0][quantity]=muitos"

    response = send(pluga, "POST", "/orders", form)

    assert response.status_code == 400
    assert response.json()["details"] == "$.items[0].quantity: cannot read 'muitos'"


def test_a_key_that_contradicts_another_is_refused_in_the_hubs_shape(linx):
    response = send(linx, "POST", "/products", "sku=A&sku[b]=1")

    assert response.status_code == 400
    assert response.json()["details"] == "$: the key 'sku[b]' contradicts one before it"


@pytest.mark.parametrize(
    "content_type", [FORM, FORM + "; charset=UTF-8", FORM + "; charset=rot13", "", "x"]
)
def test_json_is_read_whatever_it_is_called(linx, content_type):
    """curl calls everything a form."""
    response = send(linx, "PUT", "/skus/A", '{"name": "Caneca"}', content_type)

    assert response.status_code in (200, 201)
    assert response.json()["Product"]["name"] == "Caneca"


@pytest.mark.parametrize("body", [b"{}", b"", b"nonsense", b"a=1"])
@pytest.mark.parametrize("content_type", ["application/json", "application/json,", FORM])
def test_a_get_may_have_a_body(linx, body, content_type):
    response = send(linx, "GET", "/orders", body, content_type)

    assert response.status_code == 200
