"""What each connector's specification allows its partner (product.md, the table)."""

from typing import Any

import pytest

from catalog.models import Product
from connectors.models import Store
from connectors.records import OrderStatus
from orders.models import Order, Shipment
from orders.services import create_order
from tests.conftest import Partner, make_partner
from tests.orders.samples import document, small_order

NFE_KEY = "35250411222333000181550010000228461512736891"
FOUR_FACTS = {
    "nfe_date": "2025-04-28T05:07:48.000Z",
    "nfe_number": "22846",
    "nfe_serie": "1",
    "nfe_key": NFE_KEY,
}
INVOICE = {**FOUR_FACTS, "nfe_link": "https://notas.example/22846.xml", "cfops": "6108"}
TRACKING = {"shipping_company": "Correios", "track_code": "AA123456785BR"}

# As typed clients send what they do not know.
DEFAULTS = {
    "printed": False, "label_type": "", "quotation_id": 0, "comment": "", "issues": [],
    "label_info": {"plp": None, "sender_name": ""},
}  # fmt: skip

SEES = {
    "rocky": {"pending", "approved", "paid"},
    "webstore": {"approved", "paid"},
    "linx": set(OrderStatus.values),
    "otimo": {"approved", "paid"},
}
REPORTS = {
    "rocky": {"invoiced", "shipping_informed"},
    "webstore": {"invoiced", "shipping_informed", "shipped"},
    "linx": {"invoiced", "shipping_informed", "shipped", "delivered"},
    "otimo": {"invoiced"},
}
NAMES = {
    "rocky": "Rocky E-Commerce",
    "webstore": "Webstore",
    "linx": "Linx Commerce V2",
    "otimo": "Ótimo Gestor",
}
INVOICED = "invoiced (nfe_key, nfe_number, nfe_serie, nfe_date, nfe_link, cfops)"
TRACKED = (
    "(shipping_company, shipping_method, track_code, track_url, estimate_delivery_date,"
    " date_shipped, date_delivered, expected_collection_date)"
)
ALLOWED = {
    "rocky": f"Permitido: {INVOICED}; shipping_informed {TRACKED}.",
    "webstore": f"Permitido: {INVOICED}; shipped/shipping_informed {TRACKED}.",
    "linx": f"Permitido: {INVOICED}; delivered/shipped/shipping_informed {TRACKED}.",
    "otimo": "Permitido: invoiced (nfe_date, nfe_number, nfe_serie, nfe_key).",
}


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


def place_order(pluga: Partner, number: str = "1001", **fields: Any) -> str:
    """An order of Pluga's with one shipment; its id."""
    placed = document(number, **{"shipments": [{}], **fields})
    return create_order(pluga.activation, placed).public_id


def details_of(response: Any) -> tuple[int, str, Any]:
    return response.status_code, response.json()["type"], response.json()["details"]


# -- Orders ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", SEES)
def test_a_connector_lists_and_reads_orders_whose_status_it_consumes(pluga, slug):
    for status in OrderStatus.values:
        place_order(pluga, status, status=status)
    partner = make_partner(pluga.activation.store, slug)  # after them: it took none

    listed = {row["Order"]["status"] for row in partner.get("/orders").json()["result"]}
    read = {
        order.status
        for order in Order.objects.all()
        if partner.get(f"/orders/{order.public_id}").status_code == 200
    }

    assert listed == read == SEES[slug]


@pytest.mark.parametrize("slug", SEES)
def test_an_order_that_was_taken_can_be_read_when_it_has_moved_on(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)
    pluga.put(f"/orders/{id}", {"status": "canceled"})

    assert partner.get(f"/orders/{id}").json()["Order"]["status"] == "canceled"


def test_a_channel_lists_its_own_orders_in_any_status_and_no_others(pluga):
    other = make_partner(pluga.activation.store, "pluga")
    for status in OrderStatus.values:
        place_order(pluga, status, status=status)
    id = place_order(other, "dele")

    assert pluga.get("/orders").json()["total"] == len(OrderStatus.values)
    assert other.get("/orders").json()["total"] == 1
    assert pluga.get(f"/orders/{id}").status_code == 404


@pytest.mark.parametrize("slug", REPORTS)
@pytest.mark.parametrize("status", [each for each in OrderStatus.values if each != "approved"])
def test_a_connector_reports_only_its_own_statuses(pluga, slug, status):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)

    response = partner.put(f"/orders/{id}", {"status": status})

    if status in REPORTS[slug]:
        assert response.status_code == 200
        assert Order.objects.get().status == status
    else:
        message = f"{NAMES[slug]} não pode informar a situação {status}. {ALLOWED[slug]}"
        assert details_of(response) == (403, "not_allowed", message)
        assert Order.objects.get().status == "approved"


@pytest.mark.parametrize(
    ("slug", "shipment", "refused"),
    [
        ("rocky", {**INVOICE, **TRACKING}, ""),
        ("rocky", {"documents": [{"url": "https://notas.example/1.xml", "type": "invoice"}]}, ""),
        ("rocky", {"printed": True}, "printed"),
        ("rocky", {**TRACKING, **DEFAULTS}, ""),
        ("otimo", {**FOUR_FACTS, **DEFAULTS}, ""),
        ("rocky", {**INVOICE, **TRACKING, "invented": 1}, ""),
        ("webstore", {**INVOICE, **TRACKING}, ""),
        ("linx", {**INVOICE, **TRACKING, "date_delivered": "2025-05-05"}, ""),
        ("otimo", FOUR_FACTS, ""),
        ("otimo", INVOICE, "cfops, nfe_link"),
        ("otimo", {**FOUR_FACTS, **TRACKING}, "shipping_company, track_code"),
        ("otimo", {**FOUR_FACTS, "comment": "pago"}, "comment"),
        ("otimo", {**FOUR_FACTS, "documents": [{"type": "invoice"}]}, "documents"),
        ("otimo", {**FOUR_FACTS, "invented": 1}, "invented"),
    ],
)
def test_a_connector_reports_only_its_own_fields(pluga, slug, shipment, refused):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)
    shipment_id = Shipment.objects.get().public_id

    response = partner.put(
        f"/orders/{id}", {"status": "invoiced", "shipments": [{"id": shipment_id, **shipment}]}
    )

    if not refused:
        assert response.status_code == 200
        read = response.json()["Order"]["shipments"][0]
        assert read["nfe_key"] == shipment.get("nfe_key")
    else:
        message = (
            f"{NAMES[slug]} não pode informar estes dados da entrega: {refused}. {ALLOWED[slug]}"
        )
        assert details_of(response) == (403, "not_allowed", message)
        assert Order.objects.get().status == "approved"
        assert Shipment.objects.get().nfe_key == ""


def test_a_blank_in_the_place_of_what_the_channel_says_is_a_change(pluga):
    rocky = make_partner(pluga.activation.store, "rocky")
    id = place_order(pluga, shipments=[{"label_type": "zpl"}])
    shipment = {"id": Shipment.objects.get().public_id, "label_type": "", **TRACKING}

    response = rocky.put(f"/orders/{id}", {"shipments": [shipment]})

    assert details_of(response)[:2] == (403, "not_allowed")
    assert Shipment.objects.get().fields["label_type"] == "zpl"


@pytest.mark.parametrize("slug", REPORTS)
@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"receiver_city": "Santos"}, "receiver_city"),
        ({"total": 1}, "total"),
        ({"items": []}, "items"),
        ({"payments": [{"payment_type": "credit"}]}, "payments"),
        ({"payer_name": "X", "subtotal": 1}, "payer_name, subtotal"),
    ],
)
def test_an_order_is_its_channels_to_change(pluga, slug, body, names):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)

    response = partner.put(f"/orders/{id}", body)

    message = f"{NAMES[slug]} não pode alterar estes campos do pedido: {names}. {ALLOWED[slug]}"
    assert details_of(response) == (403, "not_allowed", message)
    assert Order.objects.get().lines.count() == 1


WHOLE = {"status": "invoiced", "payer_name": "X", "subtotal": 1, "items": [], "external": "9"}


@pytest.mark.parametrize("slug", ["rocky", "webstore", "linx"])
def test_what_is_not_a_platforms_stays_as_it_is_where_it_comes_with_what_is(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga, payer_name="Ana")

    updated = partner.put(f"/orders/{id}", WHOLE).json()["Order"]

    assert (updated["status"], updated["external"]) == ("invoiced", "9")
    assert (updated["payer_name"], updated["subtotal"]) == ("Ana", None)
    assert len(updated["items"]) == 1


def test_of_otimo_nothing_else_is_taken_even_with_what_is_its_own(pluga):
    otimo = make_partner(pluga.activation.store, "otimo")
    id = place_order(pluga)

    response = otimo.put(f"/orders/{id}", WHOLE)

    message = (
        "Ótimo Gestor não pode alterar estes campos do pedido: items, payer_name, subtotal."
        f" {ALLOWED['otimo']}"
    )
    assert details_of(response) == (403, "not_allowed", message)
    assert Order.objects.get().status == "approved"


def test_otimo_may_send_the_order_back_with_its_own_facts_in_it(pluga):
    otimo = make_partner(pluga.activation.store, "otimo")
    id = place_order(pluga, items=[{"sku": "CAN-07", "quantity": 2, "variation": []}])
    order = otimo.get(f"/orders/{id}").json()["Order"]
    order["shipments"][0].update(FOUR_FACTS)

    response = otimo.put(f"/orders/{id}", {**order, "status": "invoiced"})

    assert response.status_code == 200
    assert Order.objects.get().status == "invoiced"


@pytest.mark.parametrize("slug", REPORTS)
def test_what_a_typed_client_leaves_blank_changes_nothing_of_the_order(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)
    blank = {"auto_reserve": False, "discount": 0, "stock_code": "", "log_history": []}
    invoice = {"id": Shipment.objects.get().public_id, **FOUR_FACTS}

    alone = partner.put(f"/orders/{id}", blank)
    with_facts = partner.put(
        f"/orders/{id}", {**blank, "status": "invoiced", "shipments": [invoice]}
    )

    assert details_of(alone) == (400, "not_updated", "Changes not found in the order")
    assert with_facts.status_code == 200
    assert Order.objects.get().fields == {}


# As typed clients send a shipment of which they know the invoice alone.
UNSAID = {
    "shipping_company": None, "track_code": None, "estimate_delivery_date": "",
    "date_shipped": None, "date_delivered": "0001-01-01T00:00:00", "shipping_items": [],
}  # fmt: skip


@pytest.mark.parametrize("slug", REPORTS)
def test_of_what_is_null_a_typed_client_does_not_speak(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    known = {
        "shipping_company": "Mercado Envios", "track_code": "ME1", "date_shipped": "2025-04-28",
        "estimate_delivery_date": "2025-05-05",
        "shipping_items": [{"sku": "CAN-07", "quantity": 2}],
    }  # fmt: skip
    id = place_order(pluga, shipments=[known], channel_account="LOJA")
    before = partner.get(f"/orders/{id}").json()["Order"]["shipments"][0]
    shipment = {"id": before["id"], **UNSAID, **FOUR_FACTS}
    body = {"status": "invoiced", "channel_account": None, "shipments": [shipment]}

    order = partner.put(f"/orders/{id}", body).json()["Order"]

    assert order["shipments"] == [{**before, **FOUR_FACTS}]
    assert order["channel_account"] == "LOJA"


def test_a_tracking_without_the_invoice_does_not_take_the_invoice_away(pluga):
    linx = make_partner(pluga.activation.store, "linx")
    id = place_order(pluga)
    shipment = {"id": Shipment.objects.get().public_id, **FOUR_FACTS}
    linx.put(f"/orders/{id}", {"status": "invoiced", "shipments": [shipment]})
    tracked = {**dict.fromkeys(shipment), "id": shipment["id"], **TRACKING}

    linx.put(f"/orders/{id}", {"status": "shipped", "shipments": [tracked]})

    read = linx.get(f"/orders/{id}").json()["Order"]["shipments"][0]
    assert {name: read[name] for name in FOUR_FACTS} == FOUR_FACTS
    assert read["track_code"] == TRACKING["track_code"]


@pytest.mark.parametrize("slug", REPORTS)
def test_a_typed_client_may_send_items_and_payments_back_with_its_blanks(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    payment = {"payment_type": "credit", "payment_total": 59.9}
    id = place_order(pluga, payments=[payment])
    order = partner.get(f"/orders/{id}").json()["Order"]
    blank = {"items": {"original_sku": "", "tax": 0}, "payments": {"payment_quota": 0}}
    lists = {name: [{**row, **blank[name]} for row in order[name]] for name in blank}
    invoice = {"id": order["shipments"][0]["id"], **FOUR_FACTS}

    alone = partner.put(f"/orders/{id}", lists)
    with_facts = partner.put(
        f"/orders/{id}", {**lists, "status": "invoiced", "shipments": [invoice]}
    )

    assert details_of(alone) == (400, "not_updated", "Changes not found in the order")
    assert with_facts.status_code == 200
    assert [with_facts.json()["Order"][name] for name in blank] == [order[name] for name in blank]


@pytest.mark.parametrize("slug", REPORTS)
def test_every_connector_may_keep_its_own_notes(pluga, slug):
    partner = make_partner(pluga.activation.store, slug)
    id = place_order(pluga)
    log = [{"message": "Cliente sem cadastro", "date": "2025-04-27"}]

    response = partner.put(f"/orders/{id}", {"external": "9", "ack": True, "log_history": log})

    assert response.status_code == 200


@pytest.mark.parametrize("slug", REPORTS)
def test_only_a_channel_creates_orders(store, slug):
    partner = make_partner(store, slug)

    response = partner.post("/orders", small_order())

    message = f"{NAMES[slug]} não cria pedidos: nesta integração eles vêm do hub."
    assert details_of(response) == (403, "not_allowed", message)
    assert Order.objects.count() == 0


# -- Products --------------------------------------------------------------------------------------
MUG = {"sku": "CAN-07", "name": "Caneca", "ncm": "6912.00.00", "price": 25, "quantity": 10}


@pytest.fixture
def mug(store: Store) -> Product:
    """Registered by the merchant's own hand, every field."""
    make_partner(store, "linx").post("/products", MUG)
    return Product.objects.get()


@pytest.mark.parametrize("slug", ["rocky", "webstore", "linx"])
def test_a_platform_sends_its_catalogue(store, slug):
    response = make_partner(store, slug).post("/products", {"sku": "A", "name": "B", "price": 1})

    assert response.status_code == 201


def test_otimo_sends_price_and_stock(store, mug):
    otimo = make_partner(store, "otimo")

    price = otimo.put("/skus/CAN-07", {"sku": "CAN-07", "price": 27, "special_price": 26})
    quantity = otimo.put("/skus/CAN-07", {"quantity": 8})
    stock = otimo.put("/skus/CAN-07/stock", {"action": "decrease", "quantity": 1})

    assert [each.status_code for each in (price, quantity, stock)] == [200, 200, 200]
    product = stock.json()["Product"]
    shown = (product["price"], product["special_price"], product["quantity"], product["name"])
    assert shown == (27, 26, 7, "Caneca")


def test_otimo_does_not_touch_what_is_not_price_or_stock(store, mug):
    otimo = make_partner(store, "otimo")

    product = otimo.put("/skus/CAN-07", {"name": "X", "ncm": "", "price": 27}).json()["Product"]

    assert (product["name"], product["ncm"], product["price"]) == ("Caneca", "6912.00.00", 27)


@pytest.mark.parametrize(
    ("method", "path", "body", "names"),
    [
        ("POST", "/products", {"sku": "NOVO", "price": 1}, "price, sku"),
        ("PUT", "/skus/CAN-07", {"name": "X", "ncm": "Y"}, "name, ncm"),
        ("PUT", "/skus/NOVO", {"name": "X"}, "name"),
        ("DELETE", "/skus/CAN-07", None, "delete"),
    ],
)
def test_otimo_sends_no_products(store, mug, method, path, body, names):
    response = make_partner(store, "otimo").call(method, path, body)

    message = f"Ótimo Gestor não pode alterar produtos nestes campos: {names}."
    assert details_of(response) == (403, "not_allowed", message)
    assert [(each.sku, each.name) for each in Product.objects.all()] == [("CAN-07", "Caneca")]


def test_otimos_price_of_an_unknown_sku_makes_no_product(store):
    response = make_partner(store, "otimo").put("/skus/NOVO", {"price": 1})

    message = "Não há produto com o SKU NOVO nesta loja."
    assert details_of(response) == (404, "not_found", message)
    assert Product.objects.count() == 0


CANNOT_SEND = {
    "handling_time": 2,
    "manufacture_time": 5,
    "warranty_time": 12,
    "warranty_message": "Guarde a nota",
    "ncm": "6109.10.00",
    "isbn": "9788533613379",
    "nbm": "6109",
    "cest": "28.038.00",
}


def test_what_rocky_cannot_send_stays_as_the_merchant_wrote_it(store):
    variations = [{"sku": "CAM-P", **CANNOT_SEND}]
    make_partner(store, "linx").post(
        "/products", {"sku": "CAM", **CANNOT_SEND, "variations": variations}
    )
    empty = dict.fromkeys(CANNOT_SEND)
    rocky = make_partner(store, "rocky")

    body = {"name": "Camiseta", **empty, "variations": [{"sku": "CAM-P", "ean": "1", **empty}]}
    product = rocky.put("/skus/CAM", body).json()["Product"]

    assert (product["name"], product["variations"][0]["ean"]) == ("Camiseta", "1")
    assert {name: product[name] for name in CANNOT_SEND} == CANNOT_SEND
    assert {name: product["variations"][0][name] for name in CANNOT_SEND} == CANNOT_SEND


def test_what_rocky_cannot_send_alone_is_refused(store, mug):
    response = make_partner(store, "rocky").put("/skus/CAN-07", {"ncm": "", "cest": "1"})

    message = "Rocky E-Commerce não pode alterar produtos nestes campos: cest, ncm."
    assert details_of(response) == (403, "not_allowed", message)


def test_what_rocky_sends_again_changes_nothing_whatever_it_cannot_send(store, mug):
    response = make_partner(store, "rocky").put("/skus/CAN-07", {"name": "Caneca", "ncm": ""})

    assert details_of(response)[1] == "not_updated"


@pytest.mark.parametrize(
    ("method", "path", "body", "names"),
    [
        ("POST", "/products", {"sku": "NOVO"}, "sku"),
        ("PUT", "/skus/CAN-07", {"name": "X"}, "name"),
        ("PUT", "/skus/CAN-07", {"price": 1}, "price"),
        ("PUT", "/skus/NOVO", {"price": 1}, "price"),
        ("PUT", "/skus/CAN-07/stock", {"action": "update", "quantity": 1}, "quantity"),
        ("DELETE", "/skus/CAN-07", None, "delete"),
    ],
)
def test_pluga_reads_products_and_writes_none(store, mug, method, path, body, names):
    pluga = make_partner(store, "pluga")

    response = pluga.call(method, path, body)

    message = f"Pluga não pode alterar produtos nestes campos: {names}."
    assert details_of(response) == (403, "not_allowed", message)
    product = pluga.get("/skus/CAN-07").json()["Product"]
    assert (product["name"], product["price"], product["quantity"]) == ("Caneca", 25, 10)
