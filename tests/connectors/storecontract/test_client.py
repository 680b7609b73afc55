import json

import pytest
import requests
import responses

from connectors.contract import Account
from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable
from connectors.records import OrderStatus
from connectors.storecontract import client as module
from connectors.storecontract.client import StoreContract
from tests.connectors.storecontract.conftest import TOKEN, make_order, sample

URL = "https://loja.example.com/hub"
HUB_ID = "692f10c4a9d1e3b7c5f20811"


@pytest.fixture
def far():
    """A platform that answers what the test announced, and nothing else."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def distant():
    return StoreContract(Account(f"{URL}/", {"token": TOKEN}))


def fill(shop, skus):
    for sku in skus:
        shop.control("put_product", {"sku": sku, "name": sku, "price": 10, "quantity": 1})


# -- Against the sandbox ---------------------------------------------------------------------------
def test_the_right_token_passes_the_check(shop, contract):
    contract.check()


def test_a_wrong_token_is_unauthorized(shop, sandbox):
    stranger = StoreContract(Account(f"{sandbox.url}/loja", {"token": "another"}))

    for attempt in (
        stranger.check,
        lambda: list(stranger.changed_stock("")),
        lambda: stranger.push_order(make_order()),
    ):
        with pytest.raises(Unauthorized, match="HTTP 401"):
            attempt()


def test_an_address_where_nothing_is_served_is_rejected(sandbox):
    lost = StoreContract(Account(f"{sandbox.url}/nobody", {"token": TOKEN}))

    with pytest.raises(Rejected, match="GET check: HTTP 404"):
        lost.check()


def test_products_prices_and_stock_are_fetched_with_their_variations(shop, contract):
    product = sample("product_full.json")
    for quantity, variation in enumerate(product["variations"], start=3):
        variation.update(price=59.9, special_price=49.9, quantity=quantity)
    shop.control("put_product", product)

    (products,) = contract.changed_products("")
    (prices,) = contract.changed_prices("")
    (stock,) = contract.changed_stock("")

    (record,) = map(contract.read_product, products.items)
    assert record.sku == "CAM-01"
    assert [variation.sku for variation in record.variations] == [
        "CAM-01-P",
        "CAM-01-M",
    ]
    assert [
        (price.sku, str(price.price), str(price.special_price))
        for price in map(contract.read_price, prices.items)
    ] == [("CAM-01-P", "59.9", "49.9"), ("CAM-01-M", "59.9", "49.9")]
    assert [(level.sku, level.quantity) for level in map(contract.read_stock, stock.items)] == [
        ("CAM-01-P", 3),
        ("CAM-01-M", 4),
    ]


def test_many_items_come_in_pages_each_with_its_cursor(shop, contract):
    fill(shop, [f"SKU-{number}" for number in range(1201)])

    pages = list(contract.changed_stock(""))

    assert [len(page.items) for page in pages] == [500, 500, 201]
    assert [page.items[0].data["sku"] for page in pages] == [
        "SKU-0",
        "SKU-500",
        "SKU-1000",
    ]
    assert [page.items for page in contract.changed_stock(pages[-1].cursor)] == [[]]


def test_a_run_that_stopped_after_a_page_goes_on_with_the_next_one(shop, contract, monkeypatch):
    monkeypatch.setattr(module, "PAGE_SIZE", 2)
    fill(shop, "ABCDE")
    first = next(iter(contract.changed_products("")))

    rest = [
        item.data["sku"] for page in contract.changed_products(first.cursor) for item in page.items
    ]

    assert [item.data["sku"] for item in first.items] == ["A", "B"]
    assert rest == ["C", "D", "E"]


def test_what_changes_while_the_pages_are_read_comes_at_their_end(shop, contract, monkeypatch):
    monkeypatch.setattr(module, "PAGE_SIZE", 2)
    fill(shop, "ABCD")
    pages = iter(contract.changed_stock(""))
    seen = [next(pages)]
    shop.control("set_stock", {"sku": "A", "quantity": 9})
    shop.control("set_stock", {"sku": "C", "quantity": 8})

    seen += pages

    levels = [(i.data["sku"], i.data["quantity"]) for page in seen for i in page.items]
    assert levels == [("A", 1), ("B", 1), ("D", 1), ("A", 9), ("C", 8)]


def test_the_same_cursor_gives_the_same_items_or_newer_states_of_them(shop, contract):
    fill(shop, "ABC")
    (first,) = contract.changed_prices("")
    shop.control("set_price", {"sku": "A", "price": 12.5, "special_price": 11})

    (again,) = contract.changed_prices("")
    (since,) = contract.changed_prices(first.cursor)

    assert [item.data["sku"] for item in first.items] == ["A", "B", "C"]
    assert [item.data["sku"] for item in again.items] == ["B", "C", "A"]
    assert [item.data for item in since.items] == [{"sku": "A", "price": 12.5, "special_price": 11}]


def test_a_cursor_that_the_platform_never_gave_is_rejected(shop, contract):
    with pytest.raises(Rejected, match="GET stock: HTTP 422"):
        list(contract.changed_stock("yesterday"))


def test_one_bad_product_does_not_hinder_the_others(shop, contract):
    fill(shop, "AC")
    shop.control("put_product", {"sku": "B", "name": "B", "warranty_time": "um ano"})
    fill(shop, "D")

    (page,) = contract.changed_products("")

    read, failed = [], []
    for payload in page.items:
        try:
            read.append(contract.read_product(payload).sku)
        except Unreadable as error:
            failed.append(str(error))
    assert read == ["A", "C", "D"]
    assert failed == ["$.items[2].warranty_time: cannot read 'um ano'"]


def test_an_order_pushed_many_times_exists_once(shop, contract):
    ids = [
        contract.push_order(make_order(status=status))
        for status in ("pending", "pending", "approved", "canceled")
    ]

    assert ids == ["1001"] * 4
    assert list(shop.orders) == [HUB_ID]
    order = shop.report()["orders"][HUB_ID]
    assert (order["puts"], order["statuses"]) == (
        4,
        ["pending", "approved", "canceled"],
    )
    assert order["document"] == {**sample("order_full.json"), "status": "canceled"}


def test_what_became_of_an_order_is_fetched(shop, contract):
    contract.push_order(make_order())
    shop.work()
    (invoiced,) = contract.changed_fulfilments("")
    shop.work()
    (informed,) = contract.changed_fulfilments(invoiced.cursor)

    first = contract.read_fulfilment(invoiced.items[0])
    second = contract.read_fulfilment(informed.items[0])

    assert (first.hub_id, first.external_id, first.status) == (
        HUB_ID,
        "1001",
        "invoiced",
    )
    assert first.tracking is None
    assert second.status is OrderStatus.SHIPPING_INFORMED
    assert second.invoice == first.invoice
    assert second.tracking is not None
    assert second.tracking.company == "Transportadora Exemplo"


# -- Faults ----------------------------------------------------------------------------------------
def test_a_request_asks_for_full_pages_with_the_token(far, distant):
    far.get(
        f"{URL}/stock",
        json={"items": [], "cursor": "7", "more": False},
        match=[
            responses.matchers.query_param_matcher({"cursor": "7", "limit": 500}),
            responses.matchers.header_matcher({"Authorization": f"Bearer {TOKEN}"}),
        ],
    )

    (page,) = distant.changed_stock("7")

    assert page.cursor == "7"


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ({"status": 500}, Unavailable, "GET products: HTTP 500"),
        ({"status": 503}, Unavailable, "GET products: HTTP 503"),
        (
            {"body": requests.exceptions.ReadTimeout(f"{URL}?token={TOKEN}")},
            Unavailable,
            "GET products: GET: ReadTimeout",
        ),
        ({"status": 403}, Unauthorized, "GET products: HTTP 403"),
        ({"body": "<html>"}, Unreadable, "GET products: not JSON: b'<html>'"),
        ({"json": ["A"]}, Unreadable, "$: got list, not an object"),
        ({"json": {"cursor": "1", "more": False}}, Unreadable, "$.items: missing"),
        ({"json": {"items": [], "more": False}}, Unreadable, "$.cursor: got NoneType"),
        (
            {"json": {"items": [], "cursor": "1"}},
            Unreadable,
            "$.more: cannot read 'None'",
        ),
        (
            {"json": {"items": ["A"], "cursor": "1", "more": False}},
            Unreadable,
            "$.items[0]: got str, not an object",
        ),
    ],
)
def test_a_fault_of_the_platform_is_named_by_what_we_do_next(far, distant, answer, error, text):
    far.get(f"{URL}/products", **answer)

    with pytest.raises(error) as caught:
        list(distant.changed_products(""))

    assert str(caught.value) == text


def test_a_busy_platform_says_when_to_come_back(far, distant):
    far.get(f"{URL}/prices", status=429, headers={"Retry-After": "17"})

    with pytest.raises(Unavailable) as caught:
        list(distant.changed_prices(""))

    assert caught.value.after == 17


def test_a_redirect_is_not_followed(far, distant):
    far.get(f"{URL}/check", status=302, headers={"Location": "https://other.example.com/"})

    with pytest.raises(Rejected, match="GET check: HTTP 302"):
        distant.check()


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_order_is_rejected_with_the_platforms_reason(far, distant, status):
    far.put(f"{URL}/orders/{HUB_ID}", status=status, json={"error": "SKU sem cadastro"})

    with pytest.raises(Rejected) as caught:
        distant.push_order(make_order())

    assert (
        str(caught.value) == f'PUT orders/{HUB_ID}: HTTP {status}: {{"error": "SKU sem cadastro"}}'
    )


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": ""}])
def test_an_order_taken_without_an_id_is_unreadable(far, distant, answer):
    far.put(f"{URL}/orders/{HUB_ID}", json=answer)

    with pytest.raises(Unreadable, match=r"^\$\.id: "):
        distant.push_order(make_order())


def test_a_hub_id_cannot_lead_to_another_address(far, distant):
    far.put(f"{URL}/orders/..%2Fcheck%3Fa", json={"id": "1"})

    assert distant.push_order(make_order(id="../check?a")) == "1"


def test_a_cursor_that_does_not_move_ends_the_run(far, distant):
    far.get(f"{URL}/stock", json={"items": [], "cursor": "7", "more": True})

    with pytest.raises(Unreadable) as caught:
        list(distant.changed_stock("7"))

    assert str(caught.value) == "GET stock: a plataforma diz que há mais, mas o cursor não avançou."


def test_cursors_that_go_in_circles_end_the_run(far, distant):
    def circle(request):
        following = {"": "1", "1": "2", "2": "1"}[request.params["cursor"]]
        return 200, {}, json.dumps({"items": [], "cursor": following, "more": True})

    far.add_callback(responses.GET, f"{URL}/stock", callback=circle)

    with pytest.raises(Unreadable, match="o cursor não avançou"):
        list(distant.changed_stock(""))

    assert len(far.calls) == 3
