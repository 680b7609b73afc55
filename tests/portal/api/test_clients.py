"""The hub's clients, each as it was seen to speak (pluggto-api.md, section 15): what it sends, to
the letter, and what it reads of the answer. Channels bring orders with Pluga's credentials;
platforms take them with Linx's, which may see every status and send every product field."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Product, Stock
from connectors.models import AccessToken, Store
from connectors.payload import LOCAL
from orders.models import Order
from tests.conftest import Partner, make_partner
from tests.orders.samples import full_order, small_order

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
GRANT_KEYS = ["token_type", "access_token", "expires_in", "refresh_token"]


class Program:
    """Somebody's program: an address, four values, and its own way to speak HTTP."""

    def __init__(self, partner: Partner) -> None:
        issued = partner.issued
        self.four = {
            "client_id": issued.client_id,
            "client_secret": issued.client_secret,
            "username": issued.api_user,
            "password": issued.api_secret,
        }
        self.client_id = issued.client_id

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        bearer: str = "",
        **headers: str,
    ) -> Any:
        """`path` may have a query. A body that is no text is written as JSON."""
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return Client().generic(
            method, f"/api/{path}", text, content_type=content_type, headers=headers
        )

    def ask_token(self, path: str = "oauth/token", **fields: str) -> Any:
        form = urlencode({"grant_type": "password", **self.four, **fields})
        return self.send("POST", path, form, content_type=FORM)

    def token(self) -> str:
        response = self.ask_token()
        assert response.status_code == 200
        return str(response.json()["access_token"])


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


@pytest.fixture
def channel(pluga: Partner) -> Program:
    return Program(pluga)


@pytest.fixture
def platform(linx: Partner) -> Program:
    return Program(linx)


def place(pluga: Partner, number: str = "1001", **fields: Any) -> dict[str, Any]:
    response = pluga.post("/orders", small_order(number, **fields))
    assert response.status_code == 201, response.content
    return response.json()["Order"]


def php_form(data: Any, name: str = "") -> list[tuple[str, str]]:
    """As PHP's http_build_query writes it: no nulls, no empty arrays, a flag is 0 or 1."""
    if isinstance(data, dict):
        parts = data.items()
    elif isinstance(data, list):
        parts = enumerate(data)
    else:
        text = str(int(data)) if isinstance(data, bool) else str(data)
        return [] if data is None else [(name, text)]
    return [
        pair
        for key, value in parts
        for pair in php_form(value, f"{name}[{key}]" if name else str(key))
    ]


# -- magento (Magento 1) ---------------------------------------------------------------------------
class Magento(Program):
    """The token in the query of every call; the token request's fields in its query as well."""

    def ask_token(self, path: str = "oauth/token", **fields: str) -> Any:
        form = urlencode({"grant_type": "password", **self.four})
        return self.send("POST", f"{path}?{form}", form, content_type=FORM)

    def call(self, method: str, resource: str, body: Any = None) -> Any:
        sign = "&" if "?" in resource else "?"
        return self.send(method, f"{resource}{sign}access_token={self.token()}", body)


@pytest.fixture
def magento(linx: Partner) -> Magento:
    return Magento(linx)


def test_magento_logs_in_and_asks_the_time(magento):
    response = magento.ask_token()

    assert response.status_code == 200
    assert response.json()["expires_in"] - 60 > 0
    assert magento.send("GET", "time?").status_code == 200


def test_magento_asks_for_a_new_token_when_the_old_one_is_refused(magento):
    token = magento.token()
    AccessToken.objects.update(access_expires_at=timezone.now())

    expired = magento.send("GET", f"products?bysku=A&access_token={token}")
    unknown = magento.send("GET", "products?bysku=A&access_token=" + "0" * 40)

    assert (expired.status_code, unknown.status_code) == (401, 401)
    assert magento.call("GET", "products?bysku=A").status_code == 200


def test_magento_exports_a_product(magento):
    sku = "CAM/01 ção".replace("/", "-")
    body = {
        "sku": sku,
        "name": "Camiseta",
        "price": "79.9000",
        "special_price": "",
        "external": "1044",
        "quantity": "7",
        "dimension": {"length": "32", "width": "11", "height": "3", "weight": "0.4500"},
        "variations": [{"sku": "CAM-P", "quantity": "3", "price": "79.9000"}],
    }

    saved = magento.call("PUT", f"skus/{quote(sku)}", body)
    found = magento.call("GET", f"products?bysku={quote('CAM-P')}")
    again = magento.call("PUT", f"skus/{quote(sku)}", body)
    created = magento.call("POST", "products/", {"sku": "CAN-07", "price": "25.0000"})
    deleted = magento.call("DELETE", "skus/CAN-07")

    assert (saved.status_code, created.status_code, deleted.status_code) == (200, 201, 200)
    assert found.json()["result"][0]["Product"]["id"] == saved.json()["Product"]["id"]
    assert saved.json()["Product"]["dimension"]["weight"] == 0.45
    assert saved.json()["Product"]["special_price"] is None
    assert again.status_code == 400
    assert again.json()["type"] == "not_updated"
    assert again.json()["details"] == "Changes not found in the document"
    assert deleted.json()["Product"]["sku"] == "CAN-07"


def test_magento_knows_a_missing_product_by_its_type(magento):
    response = magento.call("GET", "skus/NADA")

    assert (response.status_code, response.json()["type"]) == (404, "not_found")


def test_magento_sends_stock_without_a_sku(magento):
    magento.call("POST", "products/", {"sku": "A", "quantity": 1})

    response = magento.call("PUT", "skus/A/stock", {"action": "update", "quantity": "5.0000"})

    assert (response.status_code, response.json()["Product"]["quantity"]) == (200, 5)


def test_magento_reads_the_table_page_by_page(magento):
    for number in range(5):
        magento.call("POST", "products/", {"sku": f"P{number}", "price": number})

    rows, page, last = [], None, ""
    while page is None or len(page) == 2:
        page = magento.call("GET", f"products/tabledata?limit=2&next={last}").json()["Products"]
        rows += page
        last = page[-1]["id"] if page else last

    assert [(row["sku"], row["price"]) for row in rows] == [(f"P{n}", n) for n in range(5)]


def test_magento_imports_from_the_list_and_writes_its_number_down(magento, pluga):
    order = place(pluga, external="PLUGA-1", shipments=[{"shipping_company": "Correios"}])

    listed = magento.call("GET", "orders?order=desc&limit=100").json()["result"][0]["Order"]
    noted = magento.call(
        "PUT",
        f"orders/{order['id']}",
        {"external": "100000123", "update": False, "ack": True},
    )
    shown = magento.call("GET", f"orders/{order['id']}?showExternal=true").json()["Order"]

    assert "receiver_address_number" in listed
    assert listed["items"][0]["variation"]["sku"] is None
    assert listed["shipments"][0]["shipping_company"] == "Correios"
    assert listed["created_by"] == order["created_by"]
    assert (noted.status_code, noted.json()["Order"]["external"]) == (200, "100000123")
    assert shown["external"][order["created_by"]] == "PLUGA-1"
    assert "100000123" in shown["external"].values()
    assert shown["ack"] is True


# -- opencart (the vendor's own modules) -----------------------------------------------------------
def test_opencart_posts_orders_and_products_as_forms(channel, platform):
    """Every call with a token of its own."""
    order = small_order(
        auto_reserve=True,
        receiver_name="Conceição",
        external=None,
        items=[
            {"sku": "A", "quantity": 2, "price": 19.9, "variation": []},
            {"sku": "B", "quantity": 1, "price": 5, "variation": {"sku": "B-P"}},
        ],
    )
    product = {
        "grant_type": "authorization_code",
        "sku": "A",
        "name": "Caneca",
        "price": "25.0000",
        "quantity": 4,
        "dimension": {"length": 32, "weight": 0.45},
        "photos": [{"url": "https://loja.example/a.jpg", "name": "a", "order": 0}],
        "categories": [{"name": "Casa"}],
        "raw": {"product_id": "41", "model": "A"},
    }

    placed = channel.send(
        "POST",
        f"orders?access_token={channel.token()}",
        urlencode(php_form(order)),
        content_type=FORM,
    )
    saved = platform.send(
        "POST",
        f"products?access_token={platform.token()}",
        urlencode(php_form(product)),
        content_type=FORM,
    )

    assert (placed.status_code, saved.status_code) == (201, 201)
    read = placed.json()["Order"]
    assert (read["total"], read["receiver_name"], read["auto_reserve"]) == (59.9, "Conceição", True)
    assert [(i["sku"], i["quantity"], i["price"]) for i in read["items"]] == [
        ("A", 2, 19.9),
        ("B", 1, 5),
    ]
    assert [item["variation"]["sku"] for item in read["items"]] == [None, "B-P"]
    item = saved.json()["Product"]
    assert (item["price"], item["quantity"], item["dimension"]) == (
        25,
        4,
        {"length": 32, "weight": 0.45},
    )
    assert item["raw"] == product["raw"]
    assert item["photos"][0]["id"] != ""
    assert "grant_type" not in item


def test_opencart_takes_the_last_step_for_the_status_and_sends_its_number(platform, pluga):
    order = place(pluga, status="pending")
    pluga.put(f"/orders/{order['id']}", {"status": "approved"})

    listed = platform.send("GET", f"orders?access_token={platform.token()}").json()
    one = platform.send("GET", f"orders/{order['id']}?access_token={platform.token()}").json()
    noted = platform.send(
        "PUT", f"orders/{order['id']}?access_token={platform.token()}", {"external": 77}
    )

    assert listed["result"][0]["Order"]["status_history"][-1]["status"] == "approved"
    assert one["Order"]["id"] == order["id"]
    assert noted.json()["Order"]["external"] == "77"


def test_opencart_deletes_with_the_token_in_the_query_and_in_the_body(platform):
    token = platform.token()
    platform.send("POST", f"products?access_token={token}", {"sku": "A"})

    response = platform.send(
        "DELETE", f"skus/A?access_token={token}", {"access_token": token, "sku": "A"}
    )

    assert response.status_code == 200
    assert response.json()["Product"]["sku"] == "A"
    assert Product.objects.count() == 0


def test_opencart_reads_the_table_and_a_products_own_row(platform):
    token = platform.token()
    product = {"sku": "A", "raw": {"product_id": "41"}}
    id = platform.send("POST", f"products?access_token={token}", product).json()["Product"]["id"]

    table = platform.send("GET", f"products/tabledata?access_token={token}").json()
    read = platform.send("GET", f"products/{id}?access_token={token}").json()

    assert [(row["id"], row["sku"]) for row in table["Products"]] == [(id, "A")]
    assert isinstance(table["Products"][0]["timestamp"], int)
    assert read["Product"]["raw"]["product_id"] == "41"


# -- spree -----------------------------------------------------------------------------------------
def test_spree_asks_with_all_fields_at_once_and_upserts(platform):
    first = platform.ask_token(refresh_token="").json()
    token = platform.ask_token(
        grant_type="refresh_token", refresh_token=first["refresh_token"]
    ).json()["access_token"]
    variant = {
        "sku": "BOLSA-P",
        "quantity": 99,
        "price": "249.0",
        "special_price": "199.0",
        "ean_not_mandatory": True,
        "attributes": [
            {"code": "cor", "label": "cor", "value": {"code": "preta", "label": "preta"}}
        ],
    }
    body = {
        "sku": "BOLSA",
        "name": "Bolsa",
        "price": "249.0",
        "special_price": "199.0",
        "warranty_message": "",
        "handling_time": None,
        "ean_not_mandatory": True,
        "categories": [{"name": "Bolsas"}],
        "photos": [{"url": "https://x.example/1.jpg", "order": 1, "external": "https://x.example"}],
        "variations": [variant],
    }

    created = platform.send("PUT", "skus/BOLSA", body, bearer=token)
    changed = platform.send("PUT", "skus/BOLSA", {**body, "name": "Bolsa nova"}, bearer=token)
    stock = platform.send(
        "PUT",
        "skus/BOLSA-P/stock",
        {"action": "update", "quantity": 5, "sku": "BOLSA-P"},
        bearer=token,
    )

    assert [each.status_code for each in (created, changed, stock)] == [200, 200, 200]
    product = changed.json()["Product"]
    assert product["id"] == created.json()["Product"]["id"]
    assert [len(product[name]) for name in ("categories", "photos", "variations")] == [1, 1, 1]
    assert len(product["variations"][0]["attributes"]) == 1
    assert stock.json()["Product"]["quantity"] == 5


def test_spree_reads_an_order_with_a_body_and_sends_the_whole_of_it_back(platform, pluga):
    order = place(pluga, receiver_name="Ana", shipments=[{"shipping_company": "Correios"}])
    token = platform.token()
    read = platform.send("GET", f"orders/{order['id']}", {}, bearer=token).json()["Order"]
    back = {
        "status": "shipping_informed",
        "subtotal": "59.9",
        "total": "59.9",
        "total_paid": "59.9",
        "shipping": "0.0",
        "discount": "0.0",
        "external": "R123456789",
        "receiver_name": "Ana",
        "receiver_phone_area": "11",
        "shipments": [
            {
                "id": read["shipments"][0]["id"],
                "external": "H1",
                "track_url": "https://rastreio.example/AA",
                "nfe_link": None,
                "shipping_company": "PAC",
                "shipping_method": "PAC",
                "track_code": "AA123456785BR",
                "date_shipped": "2025-04-29",
                "nfe_number": "123",
                "nfe_serie": "1",
                "shipping_items": [{"sku": "CAN-07", "quantity": 2}],
            }
        ],
        "items": [
            {
                "quantity": 2,
                "sku": "CAN-07",
                "price": "29.95",
                "total": "59.9",
                "name": "Caneca",
                "variation": {"sku": "CAN-07"},
            }
        ],
    }

    response = platform.send("PUT", f"orders/{order['id']}", back, bearer=token)

    assert response.status_code == 200
    written = response.json()["Order"]
    assert (written["status"], written["external"]) == ("shipping_informed", "R123456789")
    assert len(written["shipments"]) == 1
    assert written["shipments"][0]["track_code"] == "AA123456785BR"
    assert written["shipments"][0]["date_shipped"] == "2025-04-29T03:00:00.000Z"
    assert written["items"] == read["items"]


def test_spree_reports_an_integration_error(platform, pluga):
    order = place(pluga)
    entry = {"message": "CPF inválido", "date": "2025-04-27 12:30:39 UTC"}

    response = platform.send(
        "PUT", f"orders/{order['id']}", {"log_history": [entry]}, bearer=platform.token()
    )

    assert response.json()["Order"]["log_history"] == [entry]


# -- sapb1, samurai (typed clients, C#) ------------------------------------------------------------
def test_sapb1_takes_approved_orders_of_some_days_oldest_first(platform, pluga):
    for number in ("1", "2"):
        place(pluga, number, **({"status": "pending"} if number == "2" else {}))
    pluga.post("/orders", full_order(original_id="3", status="approved"))
    today = timezone.now().astimezone(LOCAL).date()
    span = f"{today - timedelta(days=5)}to{today}"

    response = platform.send(
        "GET",
        f"orders?access_token={platform.token()}&created={span}"
        "&status=approved&orderby=created&orderdirection=asc&limit=100",
        Accept="application/json",
    )

    assert response.status_code == 200
    assert list(response.json()) == ["total", "showing", "limit", "result"]
    orders = [row["Order"] for row in response.json()["result"]]
    assert [order["original_id"] for order in orders] == ["1", "3"]
    for order in orders:
        datetime.fromisoformat(order["created"])
        datetime.fromisoformat(order["modified"])
        assert isinstance(order["total"], int | float)
        assert isinstance(order["timestamp"], int)
        assert isinstance(order["order_id"], int)
        assert order["ack"] is False
        assert order["external"] is None


def test_sapb1_asks_for_the_invoice_and_sends_it_without_knowing_the_shipment(channel, pluga):
    order = place(pluga)
    path = f"orders/{order['id']}?access_token={channel.token()}"
    key = "35250411222333000181550010000228461512736891"
    invoice = {
        "id": "",
        "status": "shipped",
        "date_shipped": "2025-04-28",
        "nfe_key": key,
        "nfe_number": "22846",
        "nfe_serie": "1",
        "nfe_date": "2025-04-28",
    }

    asked = channel.send("PUT", path, {"status": "waiting_invoice"})
    again = channel.send("PUT", path, {"status": "waiting_invoice"})
    sent = channel.send("PUT", path, {"status": "shipping_informed", "shipments": [invoice]})

    assert (asked.status_code, sent.status_code) == (200, 200)
    assert again.status_code == 400
    assert (again.json()["type"], again.json()["details"]) == (
        "not_updated",
        "Changes not found in the order",
    )
    assert sent.json()["Order"]["shipments"][0]["nfe_key"] == key


def test_sapb1_reads_and_writes_a_stock(platform):
    token = platform.token()
    platform.send("PUT", f"skus/A?access_token={token}", {"price": 1})

    read = platform.send("GET", f"skus/A?access_token={token}")
    written = platform.send(
        "PUT",
        f"skus/A/stock?access_token={token}",
        {"action": "update", "quantity": 7, "sku": "A"},
    )

    assert read.json()["Product"]["quantity"] == 0
    assert written.json()["Product"]["quantity"] == 7


def test_samurai_pages_products_of_some_days_and_wraps_an_orders_status(platform, channel, pluga):
    token = platform.token()
    for number in range(3):
        platform.send("PUT", f"skus/P{number}?access_token={token}", {"price": 1})
    today = timezone.now().astimezone(LOCAL).date()
    query = f"access_token={token}&limit=2&created={today}to{today}&modified={today}to{today}"

    skus, last = [], ""
    while True:
        page = platform.send("GET", f"products?{query}&next={last}").json()
        skus += [row["Product"]["sku"] for row in page["result"]]
        if len(page["result"]) < 2:
            break
        last = page["result"][-1]["Product"]["id"]
    order = place(pluga)
    moved = channel.send(
        "PUT",
        f"orders/{order['id']}?access_token={channel.token()}",
        {"Order": {"id": order["id"], "status": "invoiced"}},
    )

    assert skus == ["P0", "P1", "P2"]
    assert (moved.status_code, moved.json()["Order"]["status"]) == (200, "invoiced")


def test_samurai_finds_a_product_by_its_sku_and_by_its_id(platform):
    token = platform.token()
    id = platform.send("PUT", f"skus/A?access_token={token}", {}).json()["Product"]["id"]

    for query in ("sku=A", f"id={id}"):
        found = platform.send("GET", f"products?access_token={token}&{query}").json()

        assert (found["total"], found["result"][0]["Product"]["id"]) == (1, id)
        assert isinstance(found["result"][0]["Product"]["timestamp"], int)
        assert found["result"][0]["Product"]["created_by"] == platform.client_id


# -- conectala (a marketplace's back office) -------------------------------------------------------
def test_conectala_brings_an_order_once_and_moves_it_to_its_end(channel):
    token = channel.token()
    body = small_order(
        status="approved",
        total="59.90",
        total_paid="59.90",
        email_nfe="nfe@loja.example",
        sale_intermediary="30.120.829/0001-99",
        shipments=[
            {"shipping_company": "Jadlog", "shipping_items": [{"sku": "CAN-07", "quantity": 2}]}
        ],
    )

    created = channel.send("POST", f"orders?access_token={token}", body)
    again = channel.send("POST", f"orders?access_token={token}", body)
    order = created.json()["Order"]
    path, shipment = f"orders/{order['id']}?access_token={token}", order["shipments"][0]["id"]
    delivered = channel.send(
        "PUT",
        path,
        {
            "status": "delivered",
            "shipments": [
                {"id": shipment, "date_delivered": "2025-05-02 10:00:00", "status": "delivered"}
            ],
        },
    )

    assert 200 <= created.status_code <= 299
    assert (again.status_code, again.json()["error"]) == (400, True)
    assert order["original_id"] in again.json()["details"]["errmsg"]
    assert delivered.json()["Order"]["status"] == "delivered"
    assert len(delivered.json()["Order"]["shipments"]) == 1
    assert channel.send("PUT", path, {"status": "canceled"}).status_code == 200


def test_conectala_reads_its_suppliers_products_until_there_are_none(platform, store):
    token = platform.token()
    for number in range(3):
        platform.send("PUT", f"skus/P{number}?access_token={token}", {"price": 1})
    today = timezone.now().astimezone(LOCAL).date()
    query = f"access_token={token}&limit=2&supplier_id={store.pk}"
    query += f"&modified={today - timedelta(days=1)}to{today}"

    seen, last = [], ""
    while (page := platform.send("GET", f"products?{query}{last}").json())["total"] > 0:
        seen += [row["Product"]["sku"] for row in page["result"]]
        last = f"&next={page['result'][-1]['Product']['id']}"
    one = platform.send("GET", f"skus/P1?access_token={token}&limit=100&supplier_id={store.pk}")
    others = platform.send("GET", f"products?access_token={token}&supplier_id=none")

    assert seen == ["P0", "P1", "P2"]
    assert one.json()["Product"]["sku"] == "P1"
    assert others.json()["total"] == 0


# -- codebar (a scanner), vue-products -------------------------------------------------------------
def test_codebar_finds_by_ean_and_puts_the_whole_product_back(platform):
    token = platform.token()
    platform.send(
        "PUT",
        f"skus/A?access_token={token}",
        {"ean": "7891234567895", "quantity": 3, "photos": [{"url": "https://x.example/1.jpg"}]},
    )

    nothing = platform.send("GET", f"products?ean=0000000000000&access_token={token}")
    found = platform.send("GET", f"products?ean=7891234567895&access_token={token}")
    product = found.json()["result"][0]["Product"]
    saved = platform.send(
        "PUT", f"skus/{product['sku']}?access_token={token}", {**product, "quantity": "12"}
    )

    assert (nothing.status_code, nothing.json()["total"]) == (200, 0)
    changing = {name: saved.json()["Product"][name] for name in ("modified", "timestamp")}
    assert saved.json()["Product"] == {**product, "quantity": 12, **changing}


def test_vue_products_lists_a_hundred_and_goes_on_after_the_last(platform):
    token = platform.token()
    ids = [
        platform.send("PUT", f"skus/P{n}", {}, bearer=token).json()["Product"]["id"]
        for n in range(2)
    ]

    first = platform.send("GET", "products", bearer=token, accept=JSON).json()
    after = platform.send("GET", f"products?next={ids[0]}&limit=100", bearer=token).json()

    assert [row["Product"]["id"] for row in first["result"]] == ids
    assert [row["Product"]["id"] for row in after["result"]] == ids[1:]


# -- glauber (2016) --------------------------------------------------------------------------------
def test_glauber_uses_the_old_addresses(platform, channel):
    token = f"?access_token={platform.token()}"
    product = platform.send(
        "POST", f"products{token}", {"sku": "A", "variations": [{"sku": "A1"}, {"sku": "A2"}]}
    ).json()["Product"]
    first = product["variations"][0]["id"]
    body = {"action": "update", "quantity": 3}

    varied = platform.send("PUT", f"products/{product['id']}/variation/{first}/stock{token}", body)
    table = platform.send("GET", f"tableData{token}")
    deleted = platform.send("DELETE", f"products/{product['id']}{token}")
    placed = channel.send("POST", f"order?access_token={channel.token()}", small_order())
    listed = channel.send("GET", f"order?access_token={channel.token()}&limit=10&page=1")
    quotes = channel.send(
        "GET", f"shipping/?access_token={channel.token()}&destination_postalcode=80010000"
    )

    assert varied.json()["Product"]["quantity"] == 3
    assert table.json()["Products"][0]["variations"][0]["quantity"] == 3
    assert (deleted.status_code, placed.status_code) == (200, 201)
    assert listed.json()["total"] == 1
    assert (quotes.status_code, quotes.json()) == (200, [])


# -- laravel ---------------------------------------------------------------------------------------
def test_laravel_repeats_its_fields_in_the_query_and_pages_until_a_page_is_short(platform, pluga):
    wrong = urlencode({"grant_type": "x", "client_id": "ignored"})
    token = platform.ask_token(f"Oauth/token?{wrong}").json()["access_token"]
    for number in range(3):
        place(pluga, str(number))

    user = platform.send("GET", f"users?access_token={token}").json()
    seen, page = [], 0
    while True:
        page += 1
        answer = platform.send("GET", f"orders?access_token={token}&limit=2&page={page}").json()
        seen += [row["Order"]["original_id"] for row in answer["result"]]
        if answer["showing"] != answer["limit"]:
            break

    assert {"id", "name", "email", "status"} <= set(user["data"])
    assert seen == ["0", "1", "2"]


# -- worker-nuvem ----------------------------------------------------------------------------------
def test_worker_nuvem_refreshes_by_basic_authentication_and_asks_for_a_whole_day(platform, pluga):
    place(pluga)
    refresh = platform.ask_token().json()["refresh_token"]
    pair = f"{platform.four['client_id']}:{platform.four['client_secret']}"
    granted = platform.send(
        "POST",
        "oauth/token",
        urlencode({"grant_type": "refresh_token", "refresh_token": refresh}),
        content_type=FORM,
        Authorization=f"Basic {base64.b64encode(pair.encode()).decode()}",
    )
    token = granted.json()["access_token"]
    day = timezone.now().date()
    span = f"{day - timedelta(days=1)}T00:00:00.000Zto{day}T23:59:59.999Z"

    tested = platform.send("GET", f"orders?limit=1&access_token={token}")
    answer = platform.send("GET", f"orders?limit=100&created={span}&access_token={token}").json()

    assert list(granted.json()) == GRANT_KEYS
    assert tested.status_code == 200
    assert [row["Order"]["original_id"] for row in answer["result"]] == ["1001"]
    assert len(answer["result"]) < answer["limit"]


# -- node-panel ------------------------------------------------------------------------------------
def test_node_panel_shows_orders_by_status_and_prints_their_labels(platform, pluga):
    label = {"url": "https://etiquetas.example/1.pdf", "type": "label"}
    ids = [
        place(pluga, "1", status="picking", shipments=[{"documents": [label]}])["id"],
        place(pluga, "2", status="approved", shipments=[{"documents": [label]}])["id"],
    ]
    place(pluga, "3", status="delivered", sub_status="done")
    token = platform.token()

    listed = platform.send(
        "GET",
        "orders?limit=100&page=1&sort=-created&status=approved,in_separation",
        bearer=token,
    ).json()
    found = platform.send("GET", "orders?sub_status=done", bearer=token).json()
    labels = platform.send("GET", f"labels?orders={','.join(ids)}", bearer=token)
    unknown = platform.send("GET", f"orders/{'0' * 24}", bearer=token)

    assert [row["Order"]["original_id"] for row in listed["result"]] == ["2", "1"]
    assert [row["Order"]["original_id"] for row in found["result"]] == ["3"]
    assert (labels.status_code, labels.json()) == (200, {"urls": [label["url"]]})
    assert unknown.status_code == 404


# -- monitor-ts, discord, sales-ts -----------------------------------------------------------------
def test_monitors_sum_up_the_orders_of_some_days(platform, pluga):
    for number in ("1", "2", "3"):
        place(pluga, number, total=10.5)
    Order.objects.filter(original_id="1").update(created_at=timezone.now() - timedelta(days=9))
    token = platform.token()
    today = timezone.now().astimezone(LOCAL).date()
    span = f"{today - timedelta(days=1)}to{today}"

    of_both_days = platform.send("GET", f"orders?created={span}", bearer=token).json()
    of_today = platform.send("GET", f"orders?created={today}", bearer=token).json()
    first = platform.send("GET", f"orders?limit=1&created={span}", bearer=token).json()
    id = first["result"][0]["Order"]["id"]
    second = platform.send("GET", f"orders?limit=1&created={span}&next={id}", bearer=token).json()
    last = second["result"][0]["Order"]["id"]
    end = platform.send("GET", f"orders?limit=1&created={span}&next={last}", bearer=token).json()

    totals = [row["Order"]["total"] for row in of_both_days["result"]]
    assert totals == [10.5, 10.5]
    assert of_today == of_both_days
    assert (first["showing"], second["showing"], end["result"]) == (1, 1, [])


# -- py-beleza, wp-plugin --------------------------------------------------------------------------
def test_py_beleza_reads_with_a_strange_content_type_and_a_body(platform):
    token = platform.token()
    body = {"name": "Batom", "ncm": "33041000", "brand": "Beleza", "model": "B1"}

    saved = platform.send("PUT", "skus/BATOM", body, bearer=token)
    read = platform.send("GET", "skus/BATOM", "{}", content_type="application/json,", bearer=token)

    assert (saved.status_code, read.status_code) == (200, 200)
    assert {name: read.json()["Product"][name] for name in body} == body


def test_wp_plugin_sends_a_bare_number_for_a_sku(platform):
    token = platform.ask_token("oauth/token/").json()["access_token"]
    platform.send("PUT", f"skus/4711/?access_token={token}", {"sku": "4711"})
    other = platform.ask_token("oauth/token/").json()["access_token"]

    response = platform.send(
        "PUT",
        f"skus/4711/stock?access_token={other}",
        '{"action": "increase", "quantity": 1, "sku": 4711}',
    )

    assert (response.status_code, Stock.objects.get().on_hand) == (200, 1)
    assert platform.send("GET", f"products/?access_token={token}").status_code == 200


# -- pluggto-php (the vendor's SDK), senior-java, integra ------------------------------------------
def test_pluggto_php_places_the_smallest_order_for_an_account(channel, store):
    granted = channel.ask_token().json()
    refreshed = channel.ask_token(
        grant_type="refresh_token", refresh_token=granted["refresh_token"]
    ).json()

    created = channel.send(
        "POST",
        f"orders?access_token={refreshed['access_token']}",
        {"status": "pending", "total": 10},
        **{"x-user_id": str(store.pk)},
    )

    assert len(granted["access_token"]) == len(refreshed["access_token"]) == 40
    assert created.status_code == 201
    assert len(created.json()["Order"]["id"]) == 24


def test_pluggto_php_reads_the_hubs_own_words_when_it_may_not_in(channel):
    wrong = channel.ask_token(password="wrong")
    strange = channel.ask_token(grant_type="strange")

    assert wrong.json()["error_description"] == "User credentials are invalid"
    assert strange.json()["error_description"] == "Invalid or missing grant_type parameter"


def test_senior_java_reads_the_token_by_its_keys_and_external_as_a_map(platform, pluga):
    order = place(pluga, external="E-1")
    granted = platform.ask_token()

    shown = platform.send(
        "GET", f"orders/{order['id']}?showExternal=true", bearer=granted.json()["access_token"]
    ).json()["Order"]

    assert list(granted.json()) == GRANT_KEYS
    assert shown["external"] == {order["created_by"]: "E-1"}
    assert set(shown["tags"]) >= {"has_invoice_key", "has_track", "has_track_url", "has_label"}


def test_integra_knows_success_by_the_absence_of_an_error(platform, pluga):
    order = place(pluga)
    token = platform.token()
    invoice = {"status": "invoiced", "shipments": [{"nfe_number": "1", "nfe_serie": "1"}]}

    right = platform.send("PUT", f"orders/{order['id']}", invoice, bearer=token).json()
    wrong = platform.send("PUT", f"orders/{order['id']}", {"status": "x"}, bearer=token).json()

    assert "error" not in right
    assert wrong["error"] is True
    assert isinstance(wrong["type"], str)
    assert isinstance(wrong["details"], str)
