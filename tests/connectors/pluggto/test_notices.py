"""What Plugg.to rings for (pluggto-api.md, section 12)."""

import json
from typing import Any

import pytest

from connectors.contract import Changed, OrderSource
from connectors.errors import Unreadable

ID = "606a7d2de2dc666bac3206b5"
NOTICE = {
    "type": "orders",
    "id": ID,
    "action": "updated",
    "user": 129,
    "changes": {"status": True, "stock": False, "price": False},
}


def body(**different: Any) -> bytes:
    return json.dumps({**NOTICE, **different}).encode()


@pytest.mark.parametrize(
    "text",
    [
        body(),
        body(action="created"),
        b'{\n "changes":{"price":false,"status":true,"stock":false}, "user":129,'
        b'"action":"updated" ,"id":"606a7d2de2dc666bac3206b5","type":"orders"}\n',
        body(action="something new", user=None, changes=None),
        b'{"type":"orders","id":"606a7d2de2dc666bac3206b5"}',
    ],
)
def test_an_orders_notice_says_which_order_in_whatever_order_its_words_stand(client, text):
    assert client.read_notice(text) == [Changed(OrderSource, ID)]


@pytest.mark.parametrize("kind", ["products", "skus", "messages", "invoices", "something new"])
def test_other_notices_do_not_concern_us(client, kind):
    assert client.read_notice(body(type=kind, id="CAMISETA/P")) == []


@pytest.mark.parametrize(
    "text",
    [
        b"", b"oi", b"[]", b"null", b"{}", b"\xff", b'{"type":"orders"}', body(id=""),
        b"[" * 100000, body(id=".."), body(id="1/../../oauth/token"),
        body(id={"$gt": ""}), body(id="6" * 25),
    ],
)  # fmt: skip
def test_rubbish_is_unreadable(client, text):
    with pytest.raises(Unreadable):
        client.read_notice(text)


def test_it_is_answered_in_json(client):
    assert client.answer_notice(body()) == {"received": True}


def test_the_order_is_fetched_as_the_list_would_show_it(client, place_order):
    order_id = place_order()

    (fetched,) = client.fetch(OrderSource, order_id)

    (page,) = client.changed_orders("")
    assert client.read_order(fetched) == client.read_order(page.items[0])


def test_an_order_that_is_not_ours_is_nothing(client):
    assert list(client.fetch(OrderSource, ID)) == []


def test_the_sandbox_tells_what_happens_to_orders_until_it_is_heard(hub, place_order, receiver):
    hub.control("settings", {"notify": receiver.url})
    receiver.reply(500)
    order_id = place_order()
    hub.control("set_status", {"id": order_id, "status": "canceled"})

    for _turn in range(20):
        hub.work()
        for waiting in hub.bell.waiting:
            waiting.not_before = 0

    assert [(each["id"], each["action"]) for each in receiver.bodies] == [
        (order_id, "created"), (order_id, "updated"), (order_id, "created"),
    ]  # fmt: skip
    assert hub.report()["not_told"] == []
