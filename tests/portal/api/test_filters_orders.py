"""Searching and sorting orders (pluggto-api.md, section 5.3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.hub import wire
from connectors.models import Store
from orders.models import Order, OrderLink
from tests.conftest import Partner, make_partner
from tests.orders.samples import full_order, small_order


@pytest.fixture
def pluga(store: Store) -> Partner:
    return make_partner(store, "pluga")


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


def place(pluga: Partner, number: str, **fields: Any) -> Order:
    """`created_at`, `modified_at` and `approved_at` are set past the service."""
    times = {name: fields.pop(name) for name in list(fields) if name.endswith("_at")}
    response = pluga.post("/orders", small_order(number, **fields))
    assert response.status_code == 201, response.content
    order = Order.objects.get(original_id=number)
    Order.objects.filter(pk=order.pk).update(**times)
    order.refresh_from_db()
    return order


def found(partner: Partner, **query: str) -> list[str]:
    response = partner.get("/orders", **query)
    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["showing"] == len(answer["result"])
    return [row["Order"]["original_id"] for row in answer["result"]]


# -- Dates -----------------------------------------------------------------------------------------
def local(text: str) -> datetime:
    """A time in São Paulo, three hours behind."""
    return datetime.fromisoformat(f"{text}-03:00").astimezone(UTC)


@pytest.fixture
def days(pluga: Partner) -> None:
    for number, time in {
        "the last instant of the 26th": "2025-04-26T23:59:59.999999",
        "the first of the 27th": "2025-04-27T00:00:00",
        "noon": "2025-04-27T12:30:39.691234",
        "the last of the 27th": "2025-04-27T23:59:59.999999",
        "the first of the 28th": "2025-04-28T00:00:00",
    }.items():
        at = local(time)
        place(pluga, number, created_at=at, modified_at=at, approved_at=at)


THE_27TH = ["the first of the 27th", "noon", "the last of the 27th"]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("2025-04-27to2025-04-27", THE_27TH),
        ("2025-04-27", THE_27TH),
        ("2025-04-26to2025-04-27", ["the last instant of the 26th", *THE_27TH]),
        ("2025-04-28to", ["the first of the 28th"]),
        ("to2025-04-26", ["the last instant of the 26th"]),
        ("2025-04-27T03:00:00.000Zto2025-04-28T02:59:59.999Z", THE_27TH),
        ("2025-04-27T12:30:39.691-03:00to2025-04-27 12:30:39.691", ["noon"]),
        ("2025-04-27T15:30:39.691Z", ["noon"]),
        ("2025-04-27T03:00:00Zto2025-04-28T02:59:59Z", THE_27TH),
        ("2025-04-28 00:00:00to2025-04-28 23:59:59", ["the first of the 28th"]),
        ("2025-04-28to2025-04-27", []),
        ("2024-02-29to2024-02-29", []),
    ],
)
def test_orders_of_a_span_of_time(linx, days, span, expected):
    for field in ("created", "modified", "approved_date"):
        assert found(linx, **{field: span}) == expected


def test_a_shown_time_finds_its_order(pluga, linx):
    place(pluga, "1")

    shown = linx.get("/orders").json()["result"][0]["Order"]

    for field in ("created", "modified", "approved_date", "timestamp"):
        assert found(linx, **{field: str(shown[field])}) == ["1"]
    assert found(linx, modified=f"{shown['modified']}to{shown['modified']}") == ["1"]
    assert found(linx, timestamp=str(shown["timestamp"] + 1)) == []


def test_a_date_without_a_column_has_its_spans_as_well(pluga, linx):
    place(pluga, "1", expected_send_date="2025-04-27T15:30:39.691Z")
    place(pluga, "2", expected_send_date="2025-04-28")
    place(pluga, "3")

    assert found(linx, expected_send_date="2025-04-27") == ["1"]
    assert found(linx, expected_send_date="2025-04-27to2025-04-28") == ["1", "2"]
    assert found(linx, expected_send_date="2025-04-27T15:30:39.691Z") == ["1"]


# -- Fields ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("approved", ["a"]),
        ("approved,pending", ["a", "b"]),
        ("approved, picking,", ["a", "c"]),
        ("in_separation", ["c"]),
        ("pending,in_separation", ["b", "c"]),
        ("delivered", []),
        ("buffered", []),
        ("approved,buffered", ["a"]),
    ],
)
def test_orders_in_one_or_several_statuses(pluga, linx, status, expected):
    for number, its in (("a", "approved"), ("b", "pending"), ("c", "picking")):
        place(pluga, number, status=its)

    assert found(linx, status=status) == expected


def test_paid_is_the_old_word_for_approved_whichever_is_asked_for(pluga, linx):
    for number, its in (("a", "approved"), ("b", "paid"), ("c", "pending")):
        place(pluga, number, status=its)

    assert found(linx, status="approved") == ["a", "b"]
    assert found(linx, status="paid,pending") == ["a", "b", "c"]
    assert found(linx, status="pending") == ["c"]


def test_external_and_ack_are_the_callers_own(pluga, linx):
    for number in ("1", "2"):
        order = place(pluga, number, external=f"de-{number}")
    linx.put(f"/orders/{order.public_id}", {"external": "4711", "ack": True})

    assert found(linx, external="4711") == ["2"]
    assert found(linx, external="de-2") == []
    assert found(pluga, external="de-2") == ["2"]
    assert (found(linx, ack="true"), found(linx, ack="false")) == (["2"], ["1"])
    assert (found(pluga, ack="1"), found(pluga, ack="0")) == ([], ["1", "2"])


def scalar_fields() -> list[str]:
    lists = (wire.Kind.LIST, wire.Kind.OBJECT)
    return [name for name, kind in wire.ORDER.items() if kind not in lists]


def test_every_scalar_field_finds_its_order_and_no_other(pluga):
    """With the value that the answer shows."""
    other = small_order("2", status="pending", channel="B", total=1, ack=False)
    pluga.post("/orders", full_order(original_id="1", external="E1", ack=True))
    pluga.post("/orders", other)
    Order.objects.filter(original_id="2").update(
        created_at=datetime(2001, 1, 1, tzinfo=UTC),
        modified_at=datetime(2001, 1, 1, tzinfo=UTC),
        modified_by=None,
    )
    shown = pluga.get("/orders", original_id="1").json()["result"][0]["Order"]
    same_in_both = {"user_id", "created_by", "deleted"}

    missed = {}
    for name in scalar_fields():
        value = shown[name]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        expected = ["1", "2"] if name in same_in_both else ["1"]
        if value is not None and found(pluga, **{name: text}) != expected:
            missed[name] = text

    assert missed == {}
    assert {name for name in scalar_fields() if shown[name] is None} == set()


@pytest.mark.parametrize(
    "query",
    [
        {"a_field_that_nobody_has": "1"},
        {"channel__startswith": "M"},
        {"fields__channel": "MercadoLivre"},
        {"0": "1"},
        {"99999999999999999999": "1"},
        {"a-b": "1"},
        {"items": "CAN-07"},
        {"tags": "1"},
        {"user_id": "0"},
        {"id": "000000000000000000000000"},
        {"deleted": "true"},
        {"created_by": "0" * 32},
    ],
)
def test_what_nobody_has_finds_nothing(pluga, linx, query):
    place(pluga, "1")

    assert found(linx, **query) == []


def test_a_field_that_nobody_knows_is_searched_where_it_was_sent(pluga, linx):
    place(pluga, "1", gift=True, points=7, note="Olá % _ ' \\ \"")
    place(pluga, "2", gift=False, points=70, note="")

    assert found(linx, gift="true") == ["1"]
    assert found(linx, points="7") == ["1"]
    assert found(linx, note="Olá % _ ' \\ \"") == ["1"]
    assert found(linx, note="Olá") == []


def test_an_empty_value_and_what_authenticates_ask_for_nothing(pluga, linx):
    place(pluga, "1")

    assert found(linx, status="", channel="", created="", grant_type="password", next="") == ["1"]


def test_several_filters_go_together(pluga, linx):
    place(pluga, "1", channel="A")
    place(pluga, "2", channel="B", status="pending")
    place(pluga, "3", channel="B")

    assert found(linx, channel="B", status="approved") == ["3"]


def test_no_filter_shows_an_order_that_is_not_the_connectors_to_see(store, pluga):
    place(pluga, "1", status="invoiced")
    webstore = make_partner(store, "webstore")

    for query in ({"status": "invoiced"}, {"original_id": "1"}, {"ack": "false"}):
        assert found(webstore, **query) == []


# -- Values that make no sense ---------------------------------------------------------------------
ODD = (
    "\x00", "9" * 400, "-1", "1e999", "NaN", "Infinity", "ontem", "to", "toto", "2025-13-45",
    "2025-04-27toontem", "2025-04-27to2025-04-28to2025-04-29", "0001-01-01", "9999-12-31",
    "9999-12-31to9999-12-31", "10000-01-01", "2025-04-27T25:00:00Z", "é" * 300, "{}", "[1]",
    "null", "true", "'; --", "%", "\ufffd",
)  # fmt: skip


def one_of_each(table: wire.Table, own: str) -> list[str]:
    """The fields that are searched in a way of their own, and one of each kind that is not."""
    by_kind = {kind: name for name, kind in table.items() if name not in own.split()}
    return [*own.split(), *by_kind.values()]


PAGING = "limit page next orderby orderdirection order sort a_field_that_nobody_has "
ASKED = {
    "/orders": one_of_each(
        wire.ORDER,
        PAGING + "id order_id status external ack deleted user_id created created_by timestamp"
        " original_id total expected_send_date showExternal",
    ),
    "/products": one_of_each(
        wire.PRODUCT,
        PAGING + "id bysku external supplier_id user_id price quantity reserved created created_by"
        " timestamp sku",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("text", ODD)
def test_no_value_of_any_filter_is_a_fault_of_ours(linx, pluga, path, text):
    place(pluga, "1")
    linx.post("/products", {"sku": "A"})

    for name in ASKED[path]:
        response = linx.get(path, **{name: text})

        assert response.status_code in (200, 400), (name, response.content)
        if response.status_code == 400:
            assert response.json()["type"] == "invalid"
            assert response.json()["details"].startswith(("?", "$.status")), response.json()


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"created": "ontem"}, "?created: cannot read 'ontem'"),
        ({"modified": "2025-04-27to2025-04-31"}, "?modified: cannot read '2025-04-31'"),
        ({"created": "9999-12-31"}, "?created: cannot read '9999-12-31'"),
        ({"expected_send_date": "x"}, "?expected_send_date: cannot read 'x'"),
        ({"total": "caro"}, "?total: cannot read 'caro'"),
        ({"subtotal": "caro"}, "?subtotal: cannot read 'caro'"),
        ({"order_id": "1.5"}, "?order_id: cannot read '1.5'"),
        ({"ack": "talvez"}, "?ack: cannot read 'talvez'"),
        ({"channel": "\x00"}, "?channel: cannot read '\\x00'"),
        ({"limit": "9" * 5000}, f"?limit={'9' * 20}: not a positive whole number"),
        ({"order": "up"}, "?order=up: use asc or desc"),
        (
            {"orderby": "payer_name"},
            "?orderby=payer_name: use one of created, modified, timestamp, order_id, original_id,"
            " channel, status, total",
        ),
    ],
)
def test_a_value_that_its_field_cannot_have_is_refused(linx, query, details):
    response = linx.get("/orders", **query)

    assert (response.status_code, response.json()["type"]) == (400, "invalid")
    assert response.json()["details"] == details


# -- Order and pages -------------------------------------------------------------------------------
@pytest.fixture
def four(pluga: Partner) -> dict[str, Order]:
    """Each later than the one before; b and c cost the same, and a changed last."""
    start = datetime(2025, 4, 27, 12, tzinfo=UTC)
    totals = {"a": 30, "b": 20, "c": 20, "d": 10}
    changed = {"a": 9, "b": 1, "c": 2, "d": 3}
    return {
        number: place(
            pluga,
            number,
            total=totals[number],
            created_at=start + timedelta(minutes=position),
            modified_at=start + timedelta(hours=changed[number]),
        )
        for position, number in enumerate(totals)
    }


SORTED = [
    ({}, "abcd"),
    ({"orderby": "created", "orderdirection": "asc"}, "abcd"),
    ({"orderby": "created", "orderdirection": "desc"}, "dcba"),
    ({"orderby": "created", "orderdirection": "DESC"}, "dcba"),
    ({"order": "desc"}, "dcba"),
    ({"order": "asc"}, "abcd"),
    ({"orderdirection": "desc"}, "dcba"),
    ({"sort": "created"}, "abcd"),
    ({"sort": "-created"}, "dcba"),
    ({"sort": "-modified"}, "adcb"),
    ({"orderby": "modified", "order": "asc"}, "bcda"),
    ({"orderby": "total"}, "dbca"),
    ({"orderby": "total", "orderdirection": "desc"}, "acbd"),
    ({"orderby": "order_id", "orderdirection": "desc"}, "dcba"),
]


@pytest.mark.parametrize(("query", "expected"), SORTED)
def test_orders_are_sorted(linx, four, query, expected):
    assert found(linx, **query) == list(expected)


@pytest.mark.parametrize(("query", "expected"), SORTED)
def test_pages_and_next_go_along_the_chosen_order(linx, four, query, expected):
    first, second, third, last = (four[number].public_id for number in expected)

    pages = [found(linx, limit="3", page=page, **query) for page in ("1", "2", "3")]
    after = [found(linx, limit="2", next=id, **query) for id in (first, second, third)]
    end = linx.get("/orders", limit="2", next=last, **query)

    assert pages == [list(expected[:3]), [expected[3]], []]
    assert after == [list(expected[1:3]), list(expected[2:]), [expected[3]]]
    assert end.json() == {"total": 0, "showing": 0, "limit": 2, "result": []}


def test_who_changes_what_he_is_shown_by_change_is_shown_the_rest_all_the_same(linx, four):
    walked, last = "", ""
    while page := linx.get("/orders", sort="modified", limit="3", next=last).json()["result"]:
        for order in (row["Order"] for row in page):
            walked += order["original_id"]
            last = order["id"]
            linx.put(f"/orders/{last}", {"ack": True})

    assert walked == "bcda" + "bcda"  # and what has changed since


def test_next_goes_together_with_filters(linx, pluga, four):
    assert found(linx, next=four["a"].public_id, channel="MercadoLivre", limit="2") == ["b", "c"]
    assert linx.get("/orders", next=four["c"].public_id).json()["total"] == 1


def test_next_may_be_an_order_that_the_filters_leave_out(linx, pluga, four):
    pluga.put(f"/orders/{four['b'].public_id}", {"status": "canceled"})

    assert found(linx, status="approved", next=four["b"].public_id) == ["c", "d"]


def test_links_of_others_do_not_double_an_order(store, pluga, linx):
    make_partner(store, "webstore")
    place(pluga, "1")
    OrderLink.objects.update(external_id="X", acknowledged=True)

    assert found(linx, external="X", ack="true") == ["1"]
