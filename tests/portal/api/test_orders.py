"""Orders (pluggto-api.md, sections 5 to 7). Pluga brings them, Linx takes them in every status."""

from typing import Any

import pytest

from connectors import wire
from connectors.fiscal import cnpj_is_valid, nfe_key_is_valid
from connectors.models import Store
from orders.models import Order, OrderLink, Shipment
from tests.conftest import Partner, make_partner
from tests.orders.samples import full_order, small_order

NFE_KEY = "35250411222333000181550010000228461512736891"
INVOICE = {
    "nfe_key": NFE_KEY,
    "nfe_number": "22846",
    "nfe_serie": "1",
    "nfe_date": "2025-04-28T05:07:48.000Z",
    "nfe_link": "https://notas.example/22846.xml",
    "cfops": "6108",
}
TRACKING = {
    "shipping_company": "Correios",
    "shipping_method": "SEDEX",
    "track_code": "AA123456785BR",
    "track_url": "https://rastreio.example/AA123456785BR",
    "date_shipped": "2025-04-29T18:10:00.000Z",
}


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


def order_of(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    return response.json()["Order"]


def details_of(response: Any) -> tuple[int, str, Any]:
    return response.status_code, response.json()["type"], response.json()["details"]


def numbers_of(response: Any) -> list[str]:
    return [row["Order"]["original_id"] for row in response.json()["result"]]


def without_ids(order: dict[str, Any]) -> dict[str, Any]:
    """The hub gives items, payments and shipments ids of its own."""
    parts = {
        name: [{k: v for k, v in element.items() if k != "id"} for element in order[name]]
        for name in ("items", "payments", "shipments")
    }
    return {**order, **parts}


# -- Create and read -------------------------------------------------------------------------------
def test_a_full_order_comes_back_field_by_field(pluga, linx):
    sent = full_order()

    created = order_of(pluga.post("/orders", sent), 201)
    read = order_of(pluga.get(f"/orders/{created['id']}"))
    taken = order_of(linx.get(f"/orders/{created['id']}"))

    assert read == created
    assert without_ids({name: read[name] for name in sent}) == without_ids(sent)
    others = ("external", "ack")  # each client's own
    assert {**taken, **{name: read[name] for name in others}} == read
    assert [taken[name] for name in others] == [None, False]


def test_every_field_is_there_in_the_hubs_order(pluga):
    created = order_of(pluga.post("/orders", {"status": "approved", "total": 10}), 201)

    assert list(created) == list(wire.ORDER)
    lists = {name for name, kind in wire.ORDER.items() if kind is wire.Kind.LIST}
    assert {name for name in lists if created[name]} == {"status_history"}
    assert (created["status"], created["total"], created["ack"]) == ("approved", 10, False)


def test_what_the_hub_says_of_an_order_is_its_own(pluga):
    sent = small_order(id="1", created="2001-01-01", user_id="9", timestamp=1, deleted=True)

    created = order_of(pluga.post("/orders", sent), 201)

    order = Order.objects.get()
    assert created["id"] == order.public_id
    assert len(created["id"]) == 24
    assert created["order_id"] == order.pk
    assert created["user_id"] == str(order.store_id)
    assert created["created"] == wire.moment_text(order.created_at)
    assert created["created_by"] == created["modified_by"] == pluga.issued.client_id
    assert created["approved_date"] == created["created"]
    assert created["timestamp"] == int(order.modified_at.timestamp())
    assert created["deleted"] is False


def test_an_item_without_a_variation_still_has_the_object(pluga):
    items = [{"sku": "A", "quantity": 1, "variation": []}, {"sku": "B", "quantity": "2"}]

    created = order_of(pluga.post("/orders", small_order(items=items)), 201)

    nothing = {
        "id": None, "sku": None, "ean": None, "name": None, "external": None,
        "photo_url": None, "attributes": [],
    }  # fmt: skip
    assert [item["variation"] for item in created["items"]] == [nothing, nothing]
    assert [item["quantity"] for item in created["items"]] == [1, 2]


def test_an_order_may_be_wrapped(pluga):
    created = order_of(pluga.post("/orders", {"Order": small_order()}), 201)

    updated = order_of(pluga.put(f"/orders/{created['id']}", {"Order": {"payer_name": "Ana"}}))

    assert (created["original_id"], updated["payer_name"]) == ("1001", "Ana")


def test_numbers_may_come_as_texts_and_go_out_as_numbers(pluga):
    items = [{"sku": "A", "quantity": "3", "price": "19.905"}]
    payments = [{"payment_total": "59.90", "payment_installments": "3"}]

    created = order_of(
        pluga.post("/orders", small_order(total="59.90", items=items, payments=payments)), 201
    )

    assert created["total"] == 59.9
    assert (created["items"][0]["quantity"], created["items"][0]["price"]) == (3, 19.905)
    assert created["payments"][0]["payment_total"] == 59.9
    assert created["payments"][0]["payment_installments"] == "3"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2025-04-27T12:30:39.691Z", "2025-04-27T12:30:39.691Z"),
        ("2025-04-27T09:30:39-03:00", "2025-04-27T12:30:39.000Z"),
        ("2025-04-27 09:30:39", "2025-04-27T12:30:39.000Z"),
        ("2025-04-27", "2025-04-27T03:00:00.000Z"),
        ("", None),
    ],
)
def test_a_date_may_come_in_any_of_its_shapes(pluga, sent, kept):
    created = order_of(pluga.post("/orders", small_order(expected_send_date=sent)), 201)

    assert created["expected_send_date"] == kept


def test_a_cnpj_with_letters_stays_as_it_is(pluga):
    cnpj = "12ABC34501DE35"
    assert cnpj_is_valid(cnpj)

    created = order_of(pluga.post("/orders", small_order(sale_intermediary=cnpj)), 201)

    assert created["sale_intermediary"] == cnpj


def test_fields_that_nobody_knows_are_kept(pluga):
    created = order_of(pluga.post("/orders", small_order(gift={"message": "Parabéns!"})), 201)

    assert created["gift"] == {"message": "Parabéns!"}


def test_a_second_order_with_one_original_id_is_a_duplicate(pluga):
    pluga.post("/orders", small_order("1001"))

    response = pluga.post("/orders", small_order("1001", total=1))

    message = "Já existe um pedido 1001 deste canal."
    assert details_of(response) == (400, "duplicate", {"errmsg": message})
    assert [float(order.total) for order in Order.objects.all()] == [59.9]


def test_the_same_original_id_in_another_account_is_another_order(pluga):
    for account in ("A", "B"):
        order_of(pluga.post("/orders", small_order("1001", channel_account=account)), 201)

    assert Order.objects.count() == 2


def test_orders_without_an_original_id_are_never_duplicates(pluga):
    for _time in range(2):
        order_of(pluga.post("/orders", {"status": "approved", "total": 1}), 201)

    assert Order.objects.count() == 2


def test_an_unknown_order_is_not_found(pluga):
    id = "000000000000000000000000"

    assert details_of(pluga.get(f"/orders/{id}")) == (404, "not_found", f"order {id}")
    assert details_of(pluga.put(f"/orders/{id}", {})) == (404, "not_found", f"order {id}")


# -- List ------------------------------------------------------------------------------------------
def test_a_list_shows_whole_orders_oldest_first(pluga, linx):
    for number in ("1", "2"):
        pluga.post("/orders", small_order(number))

    response = linx.get("/orders")

    assert list(response.json()) == ["total", "showing", "limit", "result"]
    assert (response.json()["total"], response.json()["showing"]) == (2, 2)
    assert response.json()["limit"] == 100
    assert numbers_of(response) == ["1", "2"]
    second = response.json()["result"][1]["Order"]
    assert second == order_of(linx.get(f"/orders/{second['id']}"))


def test_a_list_is_paged_by_number_and_by_the_last_id(pluga, linx):
    ids = [order_of(pluga.post("/orders", small_order(str(n))), 201)["id"] for n in range(5)]

    pages = [linx.get("/orders", limit="2", page=str(number)) for number in (1, 2, 3, 4)]
    after = linx.get("/orders", limit="2", next=ids[1])
    past = linx.get("/orders", next=ids[4])

    assert [numbers_of(page) for page in pages] == [["0", "1"], ["2", "3"], ["4"], []]
    assert [page.json()["total"] for page in pages] == [5, 5, 5, 5]
    assert numbers_of(after) == ["2", "3"]
    assert (past.json()["total"], past.json()["result"]) == (0, [])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "approved"}, ["1001"]),
        ({"status": "pending,approved"}, ["1001", "1002"]),
        ({"status": "delivered"}, []),
        ({"original_id": "1002"}, ["1002"]),
        ({"channel": "Amazon"}, ["1003"]),
    ],
)
def test_a_list_is_searched(pluga, linx, query, expected):
    pluga.post("/orders", small_order("1001"))
    pluga.post("/orders", small_order("1002", status="pending"))
    pluga.post("/orders", small_order("1003", status="invoiced", channel="Amazon"))

    assert numbers_of(linx.get("/orders", **query)) == expected


def test_an_unknown_status_in_a_search_is_refused(linx):
    response = linx.get("/orders", status="approved,enviado")

    status, kind, details = details_of(response)
    assert (status, kind) == (400, "invalid")
    assert details.startswith("$.status: 'enviado' is not a status; use pending, ")


# -- Update ----------------------------------------------------------------------------------------
@pytest.fixture
def order(pluga: Partner, linx: Partner) -> dict[str, Any]:
    """A full order as Linx read it: approved, with one shipment, not invoiced yet."""
    shipments = [{"shipping_company": "Mercado Envios", "status": None}]
    created = order_of(pluga.post("/orders", full_order(shipments=shipments)), 201)
    return order_of(linx.get(f"/orders/{created['id']}"))


def test_an_invoice_and_then_tracking_go_into_the_shipment_that_is_there(linx, order):
    assert nfe_key_is_valid(NFE_KEY)
    path, shipment_id = f"/orders/{order['id']}", order["shipments"][0]["id"]

    invoiced = order_of(
        linx.put(path, {"status": "invoiced", "shipments": [{"id": shipment_id, **INVOICE}]})
    )
    informed = order_of(
        linx.put(
            path,
            {
                "status": "shipping_informed",
                "shipments": [{"id": shipment_id, "status": "shipped", **TRACKING}],
            },
        )
    )

    assert invoiced["status"] == "invoiced"
    assert invoiced["shipments"] == [{**order["shipments"][0], **INVOICE}]
    assert informed["status"] == "shipping_informed"
    assert informed["shipments"] == [
        {**order["shipments"][0], **INVOICE, **TRACKING, "status": "shipped"}
    ]
    tags = {name for name, value in informed["tags"].items() if value == 1}
    assert tags == {"has_invoice_key", "has_invoice_number", "has_track", "has_track_url"}
    changing = {"status", "shipments", "tags", "status_history", "modified", "timestamp"}
    assert {k: v for k, v in informed.items() if k not in changing | {"modified_by"}} == {
        k: v for k, v in order.items() if k not in changing | {"modified_by"}
    }


def test_a_shipment_without_an_id_is_one_more(linx, order):
    updated = order_of(linx.put(f"/orders/{order['id']}", {"shipments": [TRACKING]}))

    assert updated["shipments"][0] == order["shipments"][0]
    assert {name: updated["shipments"][1][name] for name in TRACKING} == TRACKING
    assert len(updated["shipments"]) == 2


def test_an_unknown_shipment_is_refused_with_its_place(linx, order):
    shipments = [{"id": "000000000000000000000000", **INVOICE}]

    response = linx.put(f"/orders/{order['id']}", {"status": "invoiced", "shipments": shipments})

    message = "$.shipments[0].id: o pedido não tem a entrega 000000000000000000000000."
    assert details_of(response) == (404, "not_found", message)
    assert Order.objects.get().status == "approved"


def test_another_orders_shipment_is_unknown(pluga, linx, order):
    created = order_of(pluga.post("/orders", small_order("7", shipments=[{}])), 201)
    shipments = [{"id": order["shipments"][0]["id"], **INVOICE}]

    response = linx.put(f"/orders/{created['id']}", {"shipments": shipments})

    assert response.status_code == 404
    assert set(Shipment.objects.values_list("nfe_key", flat=True)) == {""}


def test_our_own_answer_sent_back_changes_nothing(pluga, linx, order):
    brought = order_of(pluga.get(f"/orders/{order['id']}"))

    responses = [
        linx.put(f"/orders/{order['id']}", order),
        pluga.put(f"/orders/{order['id']}", brought),
        linx.put(f"/orders/{order['id']}", {"status": order["status"]}),
        linx.put(f"/orders/{order['id']}", {}),
    ]

    expected = (400, "not_updated", "Changes not found in the order")
    assert [details_of(response) for response in responses] == [expected] * 4


def test_every_step_is_in_the_status_history(pluga, linx):
    id = order_of(pluga.post("/orders", small_order(status="pending")), 201)["id"]
    pluga.put(f"/orders/{id}", {"status": "approved"})
    linx.put(f"/orders/{id}", {"status": "invoiced", "shipments": [INVOICE]})

    history = order_of(linx.get(f"/orders/{id}"))["status_history"]

    assert [step["status"] for step in history] == ["pending", "approved", "invoiced"]
    assert [step["date"] for step in history] == sorted(step["date"] for step in history)


def test_a_pending_order_has_no_approved_date_until_it_is_approved(pluga):
    created = order_of(pluga.post("/orders", small_order(status="pending")), 201)

    approved = order_of(pluga.put(f"/orders/{created['id']}", {"status": "approved"}))

    assert created["approved_date"] is None
    assert approved["approved_date"] == approved["modified"]


def test_external_and_ack_are_each_clients_own(pluga, linx, order):
    path = f"/orders/{order['id']}"

    noted = order_of(linx.put(path, {"external": 4711, "update": False, "ack": True}))

    assert (noted["external"], noted["ack"]) == ("4711", True)
    assert order_of(pluga.get(path))["external"] == full_order()["external"]
    assert details_of(linx.put(path, {"external": "4711"}))[1] == "not_updated"
    link = OrderLink.objects.get(activation=linx.activation)
    assert (link.external_id, link.acknowledged) == ("4711", True)


def test_a_client_reports_its_own_error_in_the_log(linx, order):
    entry = {"message": "CPF inválido", "date": "2025-04-27 12:30:39"}

    updated = order_of(linx.put(f"/orders/{order['id']}", {"log_history": [entry]}))

    assert updated["log_history"] == [entry]


def test_a_channel_may_change_its_own_order_and_its_items(pluga, order):
    items = [{"sku": "NOVO", "quantity": 1, "price": 5}]

    updated = order_of(
        pluga.put(f"/orders/{order['id']}", {"receiver_city": "Santos", "items": items})
    )

    assert updated["receiver_city"] == "Santos"
    assert [(item["sku"], item["quantity"]) for item in updated["items"]] == [("NOVO", 1)]
    assert len(updated["payments"]) == 1


def test_a_part_that_is_null_is_not_spoken_of(pluga, order):
    response = pluga.put(f"/orders/{order['id']}", {"items": None, "payments": None})

    assert details_of(response)[1] == "not_updated"


def test_an_order_does_not_go_backwards(pluga, linx, order):
    path = f"/orders/{order['id']}"
    linx.put(path, {"status": "shipped", "shipments": [TRACKING]})

    response = linx.put(path, {"status": "invoiced"})

    number = order["original_id"]
    message = f"O pedido {number} já está enviado e não volta para faturado."
    assert details_of(response) == (400, "invalid", message)
    read = order_of(linx.get(path))
    assert [step["status"] for step in read["status_history"]] == ["approved", "shipped"]
