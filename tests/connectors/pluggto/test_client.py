"""Against the sandbox's hub, over real HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Rejected, Unauthorized, Unreadable
from connectors.hub.wire import moment_text
from connectors.payload import Payload
from connectors.records import (
    DeliveryRecord,
    FulfilmentRecord,
    InvoiceRecord,
    OrderStatus,
    TrackingRecord,
)

INVOICE = InvoiceRecord(
    key="35250411222333000181550010000228461512736891",
    number="22846",
    series="1",
    issued_at=datetime(2025, 4, 28, 5, 7, 48, tzinfo=UTC),
    link="https://notas.example/22846.xml",
    cfops="6108",
)
TRACKING = TrackingRecord(
    company="Correios",
    method="SEDEX",
    code="AA123456785BR",
    url="https://rastreio.example/AA123456785BR",
    shipped_at=datetime(2025, 4, 29, 18, 10, tzinfo=UTC),
)


def ago(**time: float) -> str:
    return moment_text(datetime.now(UTC) - timedelta(**time)) or ""


def ids(pages: Any) -> list[str]:
    return [order.data["id"] for page in pages for order in page.items]


def test_a_token_is_asked_for_once_and_used_again(client, hub):
    client.check()
    client.check()

    assert len(hub.tokens) == 1


def test_a_forgotten_token_is_replaced(client, hub, place_order):
    order_id = place_order()
    client.check()
    hub.tokens.clear()

    pages = list(client.changed_orders(""))

    assert ids(pages) == [order_id]
    assert len(hub.tokens) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("client_secret", "O Plugg.to recusou o Client ID ou o Client Secret."),
        ("api_secret", "O Plugg.to recusou o API User ou o API Secret."),
    ],
)
def test_wrong_credentials_are_unauthorized(make_client, wrong, message):
    client = make_client(**{wrong: "wrong"})

    with pytest.raises(Unauthorized) as error:
        client.check()

    assert str(error.value) == message


def test_every_order_of_many_pages_comes_once(client, place_order):
    placed = [place_order() for _ in range(205)]

    pages = list(client.changed_orders(""))

    assert [len(page.items) for page in pages] == [100, 100, 5]
    assert ids(pages) == placed


def test_a_pull_that_was_interrupted_goes_on_where_it_stopped(client, place_order):
    placed = [place_order() for _ in range(205)]
    whole = list(client.changed_orders(""))

    rest = list(client.changed_orders(whole[0].cursor))

    assert ids(rest) == placed[100:]
    assert rest[-1].cursor == whole[-1].cursor


def test_a_full_last_page_is_followed_by_an_empty_one(client, place_order):
    placed = [place_order(modified=ago(hours=1)) for _ in range(100)]

    pages = list(client.changed_orders(""))

    assert [len(page.items) for page in pages] == [100, 0]
    assert ids(pages) == placed
    assert pages[-1].cursor > pages[0].cursor


def test_only_the_last_page_moves_the_cursor_to_the_newest_change(client, place_order):
    newest = ago(minutes=1)
    place_order(modified=newest)
    for _ in range(105):
        place_order(modified=ago(hours=30))
    before = ago(hours=40)

    first, last = client.changed_orders(before)

    assert first.cursor.startswith(f"{before} ")
    assert last.cursor == newest


def test_a_change_dated_later_than_the_pull_does_not_carry_the_cursor_with_it(client, place_order):
    place_order(modified=ago(hours=-2))

    pages = list(client.changed_orders(""))

    assert pages[-1].cursor < ago(hours=-1)


def test_where_nothing_changed_the_cursor_stays(client):
    pages = list(client.changed_orders("2026-01-05T10:00:00.000Z"))

    assert [(page.items, page.cursor) for page in pages] == [([], "2026-01-05T10:00:00.000Z")]


def test_the_first_pull_takes_the_last_30_days(client, place_order):
    place_order(modified=ago(days=32))
    recent = place_order(modified=ago(days=29))

    pages = list(client.changed_orders(""))

    assert ids(pages) == [recent]


def test_a_pull_begins_with_the_cursors_day_by_any_clock(client, place_order):
    """Two in the morning UTC is still the day before in São Paulo."""
    place_order(modified="2026-03-08T23:59:59.000Z")
    wanted = [
        place_order(modified=moment)
        for moment in ("2026-03-09T00:00:00.000Z", "2026-03-09T23:00:00.000Z", ago(hours=1))
    ]

    pages = list(client.changed_orders("2026-03-10T02:00:00.000Z"))

    assert ids(pages) == wanted


def test_a_row_that_is_no_order_does_not_stop_the_others(client, hub, place_order):
    place_order(status="on_the_moon")
    good = place_order()

    (page,) = client.changed_orders("")

    with pytest.raises(Unreadable, match=r"^\$\.result\[0\]\.Order\.status: 'on_the_moon'"):
        client.read_order(page.items[0])
    assert client.read_order(page.items[1]).external_id == good


def test_an_order_of_the_sandbox_reads_as_a_real_one(client, place_order):
    order_id = place_order(status="pending", total=132.7, channel="Shopee")

    (page,) = client.changed_orders("")
    record = client.read_order(page.items[0])

    assert record.status is OrderStatus.PENDING
    assert record.external_id == order_id
    assert record.channel == "Shopee"
    assert str(record.total) == "132.7"
    assert [(line.sku, line.quantity, str(line.unit_price)) for line in record.lines] == [
        ("CAMISETA-P", 2, "59.9")
    ]
    assert len(record.shipments) == 1


def test_what_the_marketplace_does_to_an_order_comes_with_the_next_pull(client, hub, place_order):
    order_id = place_order(status="pending")
    cursor = list(client.changed_orders(""))[-1].cursor

    hub.control("set_status", {"id": order_id, "status": "approved"})

    (page,) = client.changed_orders(cursor)
    assert client.read_order(page.items[0]).status is OrderStatus.APPROVED


def test_invoice_and_then_tracking_lie_in_one_shipment(client, hub, place_order):
    order_id = place_order(channel="MercadoLivre")
    (shipment,) = hub.orders[order_id]["shipments"]

    client.push_fulfilment(
        FulfilmentRecord(OrderStatus.INVOICED, external_id=order_id, invoice=INVOICE)
    )
    client.push_fulfilment(
        FulfilmentRecord(OrderStatus.SHIPPING_INFORMED, external_id=order_id, tracking=TRACKING)
    )

    told = hub.report()["orders"][order_id]
    assert told["status"] == "shipping_informed"
    assert told["statuses"] == ["approved", "invoiced", "shipping_informed"]
    assert told["shipments"] == [
        {
            "id": shipment["id"],
            "estimate_delivery_date": shipment["estimate_delivery_date"],
            "nfe_key": "35250411222333000181550010000228461512736891",
            "nfe_number": "22846",
            "nfe_serie": "1",
            "nfe_date": "2025-04-28T05:07:48.000Z",
            "nfe_link": "https://notas.example/22846.xml",
            "cfops": "6108",
            "shipping_company": "Correios",
            "shipping_method": "SEDEX",
            "track_code": "AA123456785BR",
            "track_url": "https://rastreio.example/AA123456785BR",
            "date_shipped": "2025-04-29T18:10:00.000Z",
            "status": "shipped",
            "label_info": shipment["label_info"],
        }
    ]


def test_an_order_without_a_shipment_gets_one_and_keeps_it(client, hub, place_order):
    order_id = place_order(shipments=[])
    invoiced = FulfilmentRecord(OrderStatus.INVOICED, external_id=order_id, invoice=INVOICE)
    shipped = FulfilmentRecord(OrderStatus.SHIPPED, external_id=order_id, tracking=TRACKING)

    for record in (invoiced, invoiced, shipped, shipped):
        client.push_fulfilment(record)

    (shipment,) = hub.orders[order_id]["shipments"]
    assert (shipment["nfe_number"], shipment["track_code"]) == ("22846", "AA123456785BR")


def test_the_same_push_twice_changes_nothing_more(client, hub, place_order):
    order_id = place_order()
    record = FulfilmentRecord(
        OrderStatus.SHIPPED, external_id=order_id, invoice=INVOICE, tracking=TRACKING
    )
    client.push_fulfilment(record)
    after_the_first = hub.orders[order_id]

    client.push_fulfilment(record)

    assert hub.orders[order_id] == after_the_first


def test_a_delivery_says_when(client, hub, place_order):
    order_id = place_order()
    tracking = TrackingRecord(delivered_at=datetime(2025, 5, 5, 15, 42, tzinfo=UTC))

    client.push_fulfilment(
        FulfilmentRecord(OrderStatus.DELIVERED, external_id=order_id, tracking=tracking)
    )

    (shipment,) = hub.orders[order_id]["shipments"]
    assert shipment["status"] == "delivered"
    assert shipment["date_delivered"] == "2025-05-05T15:42:00.000Z"


def test_an_order_cancelled_there_meanwhile_is_not_revived_by_its_invoice(client, hub, place_order):
    order_id = place_order()
    hub.control("set_status", {"id": order_id, "status": "canceled"})

    client.push_fulfilment(
        FulfilmentRecord(OrderStatus.INVOICED, external_id=order_id, invoice=INVOICE)
    )

    told = hub.report()["orders"][order_id]
    assert told["status"] == "canceled"
    assert told["shipments"][0]["nfe_number"] == "22846"


def test_an_order_that_plugg_to_does_not_have_is_rejected_with_its_words(client):
    with pytest.raises(Rejected) as error:
        client.push_fulfilment(FulfilmentRecord(OrderStatus.INVOICED, external_id="none/such"))

    assert str(error.value) == (
        "GET orders/none%2Fsuch: HTTP 404: "
        "An error occurred, see details for more information. Not found"
    )


def test_a_reply_of_one_order_reads_as_a_row_of_the_list(client, hub, place_order):
    order_id = place_order()

    record = client.read_order(Payload({"Order": hub.orders[order_id]}))

    assert record.external_id == order_id


def delivery(number: int, code: str = "", sku: str = "") -> DeliveryRecord:
    invoice = replace(INVOICE, key=f"{number:044}", number=str(number))
    tracking = replace(TRACKING, code=code) if code else None
    return DeliveryRecord(invoice, tracking, ({"sku": sku, "quantity": 1},) if sku else ())


def told_of(*deliveries: DeliveryRecord, order_id: str, status: OrderStatus) -> FulfilmentRecord:
    first, *others = deliveries
    return FulfilmentRecord(
        status,
        external_id=order_id,
        invoice=first.invoice,
        tracking=first.tracking,
        items=first.items,
        others=tuple(others),
    )


def test_an_order_that_goes_out_in_several_deliveries_has_a_shipment_for_each(
    client, hub, place_order
):
    order_id = place_order()
    first, second = delivery(1, "AA1", "CAMISETA-P"), delivery(2, "", "CAMISETA-G")
    status = OrderStatus.SHIPPING_INFORMED

    client.push_fulfilment(told_of(delivery(1), order_id=order_id, status=OrderStatus.INVOICED))
    for _again in range(2):
        client.push_fulfilment(told_of(first, second, order_id=order_id, status=status))

    shipments = hub.report()["orders"][order_id]["shipments"]
    assert [(each["nfe_number"], each["status"]) for each in shipments] == [
        ("1", "shipped"), ("2", "invoiced"),
    ]  # fmt: skip
    assert [each["shipping_items"][0]["sku"] for each in shipments] == ["CAMISETA-P", "CAMISETA-G"]


def test_a_corrected_invoice_takes_the_place_of_the_wrong_one(client, hub, place_order):
    order_id = place_order()
    status = OrderStatus.INVOICED
    client.push_fulfilment(told_of(delivery(1), delivery(2), order_id=order_id, status=status))

    client.push_fulfilment(told_of(delivery(3), delivery(2), order_id=order_id, status=status))

    shipments = hub.report()["orders"][order_id]["shipments"]
    assert sorted(each["nfe_number"] for each in shipments) == ["2", "3"]


def test_an_order_that_the_merchant_cancels_is_cancelled_there(client, hub, place_order):
    order_id = place_order()
    (before,) = hub.orders[order_id]["shipments"]

    client.push_fulfilment(FulfilmentRecord(OrderStatus.CANCELED, external_id=order_id))

    assert hub.orders[order_id]["status"] == "canceled"
    assert hub.orders[order_id]["shipments"] == [before]
