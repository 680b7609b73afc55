"""Orders (pluggto-api.md, sections 5 to 7). Pluga brings them, Linx takes them in every status."""

from typing import Any

import pytest

from connectors.fiscal import cnpj_is_valid, nfe_key_is_valid
from connectors.hub import wire
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


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_an_item_without_a_variation_is_no_change_when_it_comes_back(pluga, nothing):
    items = [{"sku": "A", "quantity": 1, "variation": nothing}]
    created = order_of(pluga.post("/orders", small_order(items=items)), 201)

    response = pluga.put(f"/orders/{created['id']}", created)

    assert details_of(response)[1] == "not_updated"


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


def test_an_order_does_not_take_anothers_original_id(pluga):
    pluga.post("/orders", small_order("1001"))
    id = order_of(pluga.post("/orders", small_order("1002")), 201)["id"]

    response = pluga.put(f"/orders/{id}", {"original_id": "1001"})

    message = "Já existe um pedido 1001 deste canal."
    assert details_of(response) == (400, "duplicate", {"errmsg": message})
    assert order_of(pluga.get(f"/orders/{id}"))["original_id"] == "1002"


def test_the_same_original_id_in_another_account_is_another_order(pluga):
    for account in ("A", "B"):
        order_of(pluga.post("/orders", small_order("1001", channel_account=account)), 201)

    assert Order.objects.count() == 2


def test_orders_without_a_number_are_never_duplicates(pluga):
    for _time in range(2):
        order_of(pluga.post("/orders", {"status": "approved", "total": 1}), 201)

    assert Order.objects.count() == 2


def test_an_order_without_an_original_id_is_known_by_its_senders_own_number(pluga):
    body = {"status": "approved", "total": 1, "external": 77}
    order_of(pluga.post("/orders", body), 201)

    again = pluga.post("/orders", body)
    order_of(pluga.post("/orders", {**body, "external": 78}), 201)
    order_of(pluga.post("/orders", {**body, "original_id": "77"}), 201)

    message = "Já existe um pedido 77 deste canal."
    assert details_of(again) == (400, "duplicate", {"errmsg": message})
    assert Order.objects.count() == 3


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


def test_an_invoices_key_is_kept_without_what_people_write_between(linx, order):
    path, written = (
        f"/orders/{order['id']}",
        "3525 0411.2223 3300/0181 5500 1000-0228 4615 1273 6891",
    )
    shipment = {"id": order["shipments"][0]["id"], "nfe_key": written}
    answer = linx.put(path, {"status": "invoiced", "shipments": [shipment]})

    assert order_of(answer)["shipments"][0]["nfe_key"] == NFE_KEY
    assert linx.put(path, {"shipments": [shipment]}).status_code == 400  # nothing new


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


@pytest.mark.parametrize("id", [None, ""])
def test_a_shipment_with_an_empty_id_is_one_more(linx, order, id):
    shipments = [{"id": id, **TRACKING}]

    updated = order_of(linx.put(f"/orders/{order['id']}", {"shipments": shipments}))

    assert [each["track_code"] for each in updated["shipments"]] == [None, TRACKING["track_code"]]


def test_a_shipment_without_an_id_that_is_sent_again_is_the_same_one(pluga, linx, order):
    path = f"/orders/{order['id']}"
    body = {
        "status": "shipping_informed",
        "shipments": [
            {**TRACKING, "status": "shipped", "shipping_items": [{"sku": "A", "quantity": "1"}]},
            {**TRACKING, "status": "shipped", "shipping_items": [{"sku": "A", "quantity": "1"}]},
        ],
    }

    told = order_of(linx.put(path, body))["shipments"]
    again = linx.put(path, body)
    late = {"id": told[1]["id"], "date_delivered": "2025-05-02"}
    order_of(linx.put(path, {"status": "delivered", "shipments": [late]}))
    later = linx.put(path, {"shipments": body["shipments"]})

    assert len(told) == 3
    assert details_of(again) == (400, "not_updated", "Changes not found in the order")
    assert details_of(later)[1] == "not_updated"
    assert len(order_of(linx.get(path))["shipments"]) == 3


@pytest.mark.parametrize("known", [{"printed": True}, {}])
def test_a_parcel_is_not_another_one_for_a_typed_clients_blanks(pluga, linx, order, known):
    path, parcel = f"/orders/{order['id']}", {**TRACKING, "printed": False, "label_type": ""}
    told = order_of(linx.put(path, {"shipments": [parcel]}))["shipments"]
    if known:
        order_of(pluga.put(path, {"shipments": [{"id": told[1]["id"], **known}]}))

    again = linx.put(path, {"shipments": [parcel]})

    assert details_of(again) == (400, "not_updated", "Changes not found in the order")
    assert len(told) == len(order_of(linx.get(path))["shipments"]) == 2


def test_a_parcel_of_which_less_is_said_is_not_the_known_one_that_is_said_in_full(linx, order):
    path, less = f"/orders/{order['id']}", {"nfe_key": NFE_KEY}
    order_of(linx.put(path, {"shipments": [{**less, **TRACKING}]}))

    updated = order_of(linx.put(path, {"shipments": [less, {**less, **TRACKING}]}))
    again = linx.put(path, {"shipments": [less, {**less, **TRACKING}]})

    codes = [each["track_code"] for each in updated["shipments"] if each["nfe_key"]]
    assert codes == [TRACKING["track_code"], None]
    assert details_of(again)[1] == "not_updated"


def test_a_shipment_like_one_that_is_named_beside_it_is_one_more(linx, order):
    path, first = f"/orders/{order['id']}", order["shipments"][0]["id"]
    order_of(linx.put(path, {"shipments": [{"id": first, **TRACKING}]}))

    updated = order_of(linx.put(path, {"shipments": [{"id": first}, TRACKING]}))

    assert [each["track_code"] for each in updated["shipments"]] == [TRACKING["track_code"]] * 2


def test_a_delivery_of_some_of_the_items_is_a_shipment_of_its_own(linx, order):
    shipments = [
        {"shipping_items": [{"sku": "A", "quantity": "2"}], "status": "invoiced", **INVOICE},
        {"shipping_items": [{"sku": "B", "quantity": 1}], "status": "invoiced"},
    ]

    updated = order_of(
        linx.put(f"/orders/{order['id']}", {"status": "invoiced", "shipments": shipments})
    )

    assert [each["shipping_items"] for each in updated["shipments"]] == [
        [],
        [{"sku": "A", "quantity": 2}],
        [{"sku": "B", "quantity": 1}],
    ]


def test_a_document_gets_an_id_and_leaves_the_others_there(pluga, linx, order):
    path, id = f"/orders/{order['id']}", order["shipments"][0]["id"]
    label = {"url": "https://etiquetas.example/1.pdf", "type": "label"}
    invoice = {"url": "https://notas.example/1.xml", "type": "invoice"}

    def put(partner: Partner, *documents: Any) -> list[dict[str, Any]]:
        body = {"shipments": [{"id": id, "documents": list(documents)}]}
        return order_of(partner.put(path, body))["shipments"][0]["documents"]

    first = put(pluga, label)
    both = put(linx, invoice)
    again = linx.put(path, {"shipments": [{"id": id, "documents": [invoice, label]}]})
    nothing = linx.put(path, {"shipments": [{"id": id, "documents": []}]})
    without = put(linx, {"id": both[1]["id"], "remove": True})

    assert len(first[0]["id"]) == 24
    assert both == [first[0], {**invoice, "id": both[1]["id"]}]
    assert [details_of(each)[1] for each in (again, nothing)] == ["not_updated"] * 2
    assert without == first


def test_a_document_that_is_no_object_is_refused_with_its_place(linx, order):
    shipments = [{"documents": ["https://notas.example/1.xml"]}]

    response = linx.put(f"/orders/{order['id']}", {"shipments": shipments})

    expected = "$.shipments[0].documents[0]: got str, not an object"
    assert details_of(response) == (400, "invalid", expected)


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
    path = f"/orders/{order['id']}"
    brought = order_of(pluga.get(path))
    taken_with_map, brought_with_map = (
        order_of(partner.get(path, showExternal="true")) for partner in (linx, pluga)
    )

    responses = [
        linx.put(path, order),
        pluga.put(path, brought),
        linx.put(path, taken_with_map),
        pluga.put(path, brought_with_map),
        pluga.put(path, {"Order": brought}),
        linx.put(path, {"status": order["status"]}),
        linx.put(path, {}),
    ]

    expected = (400, "not_updated", "Changes not found in the order")
    assert [details_of(response) for response in responses] == [expected] * 7


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


def test_the_map_of_all_clients_numbers_is_shown_to_whoever_asks_for_it(pluga, linx, order):
    path = f"/orders/{order['id']}"
    linx.put(path, {"external": "4711"})

    shown = order_of(linx.get(path, showExternal="true"))
    listed = linx.get("/orders", showExternal="true").json()["result"][0]["Order"]

    assert shown["external"] == {
        pluga.issued.client_id: full_order()["external"],
        linx.issued.client_id: "4711",
    }
    assert listed == shown
    assert {**shown, "external": "4711"} == order_of(linx.get(path, showExternal="false"))
    assert details_of(linx.get(path, showExternal="talvez")) == (
        400,
        "invalid",
        "?showExternal: cannot read 'talvez'",
    )


def test_of_a_map_of_numbers_the_writers_own_counts(pluga, linx, order):
    path, own = f"/orders/{order['id']}", linx.issued.client_id
    others = {pluga.issued.client_id: "roubado"}

    written = order_of(linx.put(path, {"external": {**others, own: 4711}}))
    again = linx.put(path, {"external": {**others, own: "4711"}})
    nothing = [linx.put(path, {"external": value}) for value in ({}, [], others)]

    assert written["external"] == "4711"
    assert [details_of(each)[1] for each in (again, *nothing)] == ["not_updated"] * 4
    assert order_of(pluga.get(path))["external"] == full_order()["external"]


def test_a_number_that_is_too_long_is_refused(pluga, linx, order):
    too_long = {"external": "9" * 201}

    responses = [
        linx.put(f"/orders/{order['id']}", too_long),
        pluga.post("/orders", small_order("novo", **too_long)),
    ]

    for response in responses:
        assert details_of(response)[:2] == (400, "invalid")
        assert details_of(response)[2].startswith("$.external: Certifique-se ")
    assert Order.objects.count() == 1


def test_a_client_reports_its_own_error_in_the_log(linx, order):
    entry = {"message": "CPF inválido", "date": "2025-04-27 12:30:39"}

    updated = order_of(linx.put(f"/orders/{order['id']}", {"log_history": [entry]}))

    assert order["log_history"] != []
    assert updated["log_history"] == [*order["log_history"], entry]


def test_what_the_log_says_already_is_not_said_twice(linx, order):
    path, entry = f"/orders/{order['id']}", {"message": "CPF inválido", "date": "2025-04-27"}
    linx.put(path, {"log_history": [entry]})

    again = linx.put(path, {"log_history": [entry]})
    other = order_of(linx.put(path, {"log_history": [entry, {**entry, "date": "2025-04-28"}]}))

    assert details_of(again)[1] == "not_updated"
    assert other["log_history"][-2:] == [entry, {**entry, "date": "2025-04-28"}]
    assert len(other["log_history"]) == len(order["log_history"]) + 2


def test_a_channel_may_change_its_own_order_and_its_items(pluga, order):
    items = [{"sku": "NOVO", "quantity": 1, "price": 5}]

    updated = order_of(
        pluga.put(f"/orders/{order['id']}", {"receiver_city": "Santos", "items": items})
    )

    assert updated["receiver_city"] == "Santos"
    assert [(item["sku"], item["quantity"]) for item in updated["items"]] == [("NOVO", 1)]
    assert len(updated["payments"]) == 1


def test_an_item_and_a_payment_keep_their_ids_and_what_was_not_said_of_them(pluga, order):
    path, item, payment = f"/orders/{order['id']}", order["items"][0], order["payments"][0]
    items = [{"id": item["id"], "quantity": 9}, {"sku": "NOVO", "quantity": 1}]
    payments = [{"id": payment["id"], "payment_total": 1.5}]

    updated = order_of(pluga.put(path, {"items": items, "payments": payments}))

    assert updated["items"][0] == {**item, "quantity": 9}
    assert (updated["items"][1]["sku"], len(updated["items"])) == ("NOVO", 2)
    assert updated["payments"] == [{**payment, "payment_total": 1.5}]


def test_items_sent_again_without_ids_or_with_the_senders_are_the_same_items(pluga):
    items = [{"id": "A1", "sku": "A", "quantity": 1}, {"id": "A2", "sku": "B", "quantity": 2}]
    created = order_of(pluga.post("/orders", small_order(items=items)), 201)
    path = f"/orders/{created['id']}"

    same = pluga.put(path, {"items": items})
    changed = order_of(pluga.put(path, {"items": [items[0], {**items[1], "quantity": 3}]}))

    assert details_of(same)[1] == "not_updated"
    assert changed["items"][0] == created["items"][0]
    assert changed["items"][1]["quantity"] == 3


def test_a_part_that_is_null_is_not_spoken_of(pluga, order):
    response = pluga.put(f"/orders/{order['id']}", {"items": None, "payments": None})

    assert details_of(response)[1] == "not_updated"


def test_what_the_hub_computes_may_be_sent_and_is_not_even_read(pluga, order):
    sent = {"created": "ontem", "modified": 1, "timestamp": "x", "tags": [], "deleted": "talvez"}

    updated = order_of(
        pluga.put(
            f"/orders/{order['id']}",
            {**sent, "purchased": "2025-04-27 09:29:58", "payment_method": "pix"},
        )
    )

    assert updated["purchased"] == "2025-04-27T12:29:58.000Z"
    assert updated["payment_method"] == "pix"
    assert {name: updated[name] for name in sent if name not in ("modified", "timestamp")} == {
        name: order[name] for name in sent if name not in ("modified", "timestamp")
    }


def test_an_order_does_not_go_backwards(pluga, linx, order):
    path = f"/orders/{order['id']}"
    linx.put(path, {"status": "shipped", "shipments": [TRACKING]})

    response = linx.put(path, {"status": "invoiced"})

    number = order["original_id"]
    message = f"O pedido {number} já está enviado e não volta para faturado."
    assert details_of(response) == (400, "invalid", message)
    read = order_of(linx.get(path))
    assert [step["status"] for step in read["status_history"]] == ["approved", "shipped"]


def test_an_invoice_that_comes_after_the_tracking_is_kept(pluga, linx, order):
    path = f"/orders/{order['id']}"
    linx.put(path, {"status": "shipped", "shipments": [TRACKING]})
    id = order_of(linx.get(path))["shipments"][0]["id"]
    late = {"status": "invoiced", "shipments": [{"id": id, "nfe_number": "2", "nfe_serie": "1"}]}

    first, again = linx.put(path, late), linx.put(path, late)

    read = order_of(pluga.get(path))
    assert (read["status"], read["shipments"][0]["nfe_number"]) == ("shipped", "2")
    assert (first.status_code, again.status_code) == (200, 400)


def test_an_invoice_of_an_order_that_was_cancelled_meanwhile_is_refused(pluga, linx, order):
    path = f"/orders/{order['id']}"
    pluga.put(path, {"status": "canceled"})

    response = linx.put(path, {"status": "invoiced", "shipments": [INVOICE]})

    reason = f"O pedido {order['original_id']} já está cancelado e não volta para faturado."
    assert details_of(response) == (400, "invalid", reason)
    assert order_of(pluga.get(path))["shipments"] == order["shipments"]


def test_a_channels_old_look_at_its_order_changes_nothing(pluga, linx, order):
    path = f"/orders/{order['id']}"
    linx.put(path, {"status": "shipped", "shipments": [TRACKING]})

    response = pluga.put(path, {"status": "approved", "receiver_name": "Outra pessoa"})

    assert response.status_code == 400
    assert order_of(pluga.get(path))["receiver_name"] == order["receiver_name"]
