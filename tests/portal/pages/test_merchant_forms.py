"""What a merchant types of an order's invoice and tracking, by the buttons of its page."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connectors.fiscal import check_digit
from connectors.models import Store
from connectors.payload import LOCAL, to_moment
from orders.models import Order
from tests.conftest import Partner
from tests.portal.pages.test_orders import place, text_of

TRACKING = {"say": "tracking", "shipping_company": "Correios", "track_code": "QC638247124BR"}
# Far enough from each other, should midnight pass.
YESTERDAY, TODAY, AHEAD = (
    str(timezone.localdate(timezone=LOCAL) + timedelta(days=days)) for days in (-1, 0, 2)
)


def key_of(store: Store, day: date) -> str:
    body = f"35{day:%y%m}{store.cnpj}55001000000123112345678"
    return body + check_digit(body)


@pytest.fixture
def order(channel: Partner) -> Order:
    return place(channel, "1001")


@pytest.fixture
def key(store: Store, order: Order) -> str:
    return key_of(store, order.created_at.astimezone(LOCAL).date())


def say(page: Client, order: Order, **typed: str) -> str:
    """What stands on the page to which it leads."""
    return text_of(page.post(f"/orders/{order.public_id}/", typed, follow=True))


def tick_for(page: Client, order: Order, **typed: str) -> dict[str, str]:
    """The box to tick on the page that asks about this."""
    asks = page.post(f"/orders/{order.public_id}/", typed).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]+)">', asks)
    return {name: unescape(value) for name, value in boxes}


def invoice(page: Client, order: Order, **typed: str) -> str:
    prefixed = {f"invoice-{name}": value for name, value in typed.items()}
    return say(page, order, say="invoice", **prefixed)


def test_number_and_series_are_taken_from_the_key(page: Client, order: Order, key: str) -> None:
    said = invoice(page, order, nfe_key=f"{key[:4]} {key[4:]}", nfe_number="000123")

    order.refresh_from_db()
    shipment = order.shipments.get()
    assert "Nota fiscal informada" in said
    assert order.status == "invoiced"
    assert (shipment.nfe_key, shipment.nfe_number, shipment.nfe_serie) == (key, "123", "1")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"nfe_key": ""}, "obrigatório"),
        ({"nfe_key": "1" * 44}, "o último confere os outros"),
        ({"nfe_number": "124"}, "A chave diz 123."),
        ({"nfe_serie": "2"}, "A chave diz 1."),
        ({"nfe_date": AHEAD}, "Este dia ainda não chegou."),
    ],
)
def test_an_invoice_that_cannot_be_is_refused(
    page: Client, order: Order, key: str, wrong: dict[str, str], why: str
) -> None:
    said = invoice(page, order, **{"nfe_key": key, **wrong})

    order.refresh_from_db()
    assert why in said
    assert order.status == "approved"


def test_what_may_be_right_is_asked_about_once_more(
    page: Client, order: Order, store: Store
) -> None:
    old = key_of(store, order.created_at.date() - timedelta(days=100))

    asked = invoice(page, order, nfe_key=old)
    typed = {"say": "invoice", "invoice-nfe_key": old}
    tick = tick_for(page, order, **typed)
    order.refresh_from_db()
    before = order.status
    taken = say(page, order, **typed, **tick)

    order.refresh_from_db()
    assert "O mês da nota está longe do mês do pedido." in asked
    assert "Conferi e está certo" in asked
    assert (before, order.status) == ("approved", "invoiced")
    assert "Nota fiscal informada" in taken


def test_a_tick_is_for_what_was_asked_and_for_nothing_that_was_typed_since(
    page: Client, order: Order, store: Store
) -> None:
    older, old = (
        key_of(store, order.created_at.date() - timedelta(days=days)) for days in (100, 200)
    )
    tick = tick_for(page, order, **{"say": "invoice", "invoice-nfe_key": older})

    asked = say(page, order, **{"say": "invoice", "invoice-nfe_key": old}, **tick)

    order.refresh_from_db()
    assert "O mês da nota está longe do mês do pedido." in asked
    assert order.status == "approved"


def test_of_a_day_put_right_the_first_moment_is_kept(page: Client, order: Order, key: str) -> None:
    for day in (TODAY, YESTERDAY):
        invoice(page, order, nfe_key=key, nfe_date=day)

    assert order.shipments.get().nfe_date == to_moment(YESTERDAY)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"date_shipped": AHEAD}, "Este dia ainda não chegou."),
        (
            {"date_shipped": TODAY, "date_delivered": YESTERDAY},
            "A entrega não é anterior ao envio.",
        ),
        ({"track_code": ""}, "obrigatório"),
        ({"track_code": "QC638247125BR"}, "O último número deste código dos Correios"),
    ],
)
def test_tracking_that_looks_wrong_is_not_taken(
    page: Client, channel: Partner, wrong: dict[str, Any], why: str
) -> None:
    order = place(channel, "1001", status="invoiced")

    said = say(page, order, **{**TRACKING, **wrong})

    order.refresh_from_db()
    assert why in said
    assert order.status == "invoiced"
    assert not order.shipments.exists()


def test_an_odd_postal_code_is_taken_with_a_tick(page: Client, channel: Partner) -> None:
    order = place(channel, "1001", status="invoiced")

    odd = {**TRACKING, "track_code": "QC638247125BR"}

    say(page, order, **odd, **tick_for(page, order, **odd))

    assert order.shipments.get().track_code == "QC638247125BR"


def test_all_that_was_typed_is_kept_and_shown_again(
    page: Client, channel: Partner, store: Store
) -> None:
    order = place(channel, "1001")
    link, url = "https://erp.example/danfe", "https://jadlog.example/JD1"
    invoice(
        page, order, nfe_key=key_of(store, order.created_at.astimezone(LOCAL).date()),
        nfe_date=YESTERDAY, nfe_link=link,
    )  # fmt: skip
    shown = page.get(f"/orders/{order.public_id}/").content.decode()
    tracking = {
        "shipping_company": "Jadlog", "shipping_method": "Expresso", "track_code": "JD1",
        "track_url": url,
    }  # fmt: skip

    say(page, order, say="tracking", date_shipped=YESTERDAY, **tracking)

    order.refresh_from_db()
    sent = order.shipments.get()
    assert f'value="{link}"' in shown
    assert f'value="{YESTERDAY}"' in shown
    assert (sent.nfe_link, sent.nfe_date) == (link, to_moment(YESTERDAY))
    assert {name: getattr(sent, name) for name in tracking} == tracking
    assert sent.date_shipped == to_moment(YESTERDAY)
    assert order.status == "shipped"
    after = page.get(f"/orders/{order.public_id}/").content.decode()
    for value in (*tracking.values(), YESTERDAY):
        assert f'value="{value}"' in after


def test_a_delivery_may_be_typed_without_the_day_of_shipping(
    page: Client, channel: Partner
) -> None:
    order = place(channel, "1001", status="shipped")

    say(page, order, **TRACKING, date_delivered=TODAY)

    order.refresh_from_db()
    assert order.shipments.get().date_delivered == to_moment(TODAY)
    assert order.status == "delivered"
