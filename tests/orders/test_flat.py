"""Orders whose lists are texts."""

from decimal import Decimal

import pytest

from connectors.errors import Refused, Unreadable
from connectors.models import Activation, Store
from connectors.payload import Payload
from connectors.records import OrderStatus
from orders.flat import read_flat_order, to_amount
from tests.conftest import make_partner

SALE = {"original_id": "1", "status": "approved", "items_sku": "A;B", "items_quantity": "1;2"}


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_partner(store, "pluga").activation


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("59,90", "59.90"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("R$ 10", "10"),
        ("10.5", "10.5"),
        (59.9, "59.9"),
        (7, "7"),
        ("1.234.567,8", "1234567.8"),
        ("0.125", "0.125"),
    ],
)
def test_money_is_read_as_people_write_it(written, amount):
    assert to_amount(written) == Decimal(amount)


@pytest.mark.parametrize("written", ["dez", "1,2,3", "", True, None, "1.2.3", "1.500", "R$ 1.500"])
def test_what_is_no_money_is_none(written):
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        to_amount(written)


@pytest.mark.parametrize("written", ["1.500", "R$ 1.500", "-12.345"])
def test_what_may_be_a_thousand_or_one_is_refused(pluga, written):
    with pytest.raises(Unreadable, match=r"\$\.total: cannot read"):
        read_flat_order(Payload(SALE | {"total": written}), pluga)


@pytest.mark.parametrize(
    ("skus", "quantities", "separator"),
    [
        ("A;B", "1;2", None),
        ("A; B ;", "1; 2;", None),
        ("A|B", "1|2", None),
        ("A\nB\n", "1\r\n2", None),
        ("A,B", "1,2", ","),
        (["A", "B"], [1, 2], None),
    ],
)
def test_items_are_told_apart_however_they_are_joined(pluga, skus, quantities, separator):
    sale = SALE | {"items_sku": skus, "items_quantity": quantities}
    if separator:
        sale["items_separator"] = separator

    document = read_flat_order(Payload(sale), pluga)

    assert document.items == [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]
    assert "items_separator" not in document.head


def test_one_item_needs_no_separator(pluga):
    sale = SALE | {"items_sku": 7891000, "items_quantity": 3, "items_price": 9.9}

    document = read_flat_order(Payload(sale), pluga)

    assert document.items == [{"sku": "7891000", "quantity": 3, "price": "9.9"}]
    assert document.head["total"] == "29.7"


def test_prices_may_have_gaps_and_names_commas(pluga):
    sale = SALE | {"items_price": "10;", "items_name": "Caneca, azul; Prato"}
    with pytest.raises(Refused, match=r"\$.items_price: são 1 valores, e em items_sku 2"):
        read_flat_order(Payload(sale), pluga)

    document = read_flat_order(Payload(sale | {"items_price": ["10", None]}), pluga)

    assert [item.get("price") for item in document.items or []] == ["10", None]
    assert [item["name"] for item in document.items or []] == ["Caneca, azul", "Prato"]


def test_the_payment_and_the_shipment_stand_beside_the_items(pluga):
    sale = SALE | {
        "items_price": "10;20",
        "shipping": "5,50",
        "discount": "1",
        "payment_type": "pix",
        "payment_installments": "",
        "shipping_company": "Correios",
        "track_code": "AA123456785BR",
        "payer_name": "Ana",
        "cor_favorita": "azul",
    }

    document = read_flat_order(Payload(sale), pluga)

    assert document.status == OrderStatus.APPROVED
    assert document.head["total"] == "54.5"
    assert document.head["channel"] == "Pluga"
    assert (document.head["payer_name"], document.head["cor_favorita"]) == ("Ana", "azul")
    assert document.payments is not None
    assert (document.payments[0]["payment_type"], document.payments[0]["payment_total"]) == (
        "pix", "54.5",
    )  # fmt: skip
    assert document.shipments == [{"shipping_company": "Correios", "track_code": "AA123456785BR"}]


def test_what_was_said_is_not_computed(pluga):
    sale = SALE | {"total": "99,90", "channel": "Site", "payment_total": "50"}

    document = read_flat_order(Payload(sale), pluga)

    assert (document.head["total"], document.head["channel"]) == ("99.9", "Site")
    assert document.payments == [{"payment_total": "50"}]


def test_nothing_is_added_that_nobody_said(pluga):
    document = read_flat_order(Payload(SALE | {"payment_type": "", "track_code": None}), pluga)

    assert (document.payments, document.shipments) == (None, None)


def test_a_place_names_the_field_as_it_was_sent(pluga):
    with pytest.raises(Unreadable, match=r"^\$.items_quantity\[1\]: cannot read 'dois'"):
        read_flat_order(Payload(SALE | {"items_quantity": "1;dois"}), pluga)
    with pytest.raises(Unreadable, match=r"^\$.shipping: cannot read 'x'"):
        read_flat_order(Payload(SALE | {"shipping": "x"}), pluga)
    with pytest.raises(Unreadable, match=r"^\$.items_separator: got list"):
        read_flat_order(Payload(SALE | {"items_separator": [";"]}), pluga)
