"""The page on which a merchant answers a buyer who asks for his data."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from connectors.models import Store
from orders.buyers import buyer_url
from orders.models import Erasure
from portal.pages import personal
from tests.conftest import Partner, make_partner, make_store
from tests.orders.test_personal_data import CPF, EMAIL, place

pytestmark = pytest.mark.django_db


def ask(page: Client, store: Store, who: str, say: str, **fields: Any) -> Any:
    form = {"store": store.pk, "who": who, "say": say, **fields}
    return page.post("/personal-data/", form, follow=True)


def test_a_buyers_data_is_found_exported_and_erased(
    page: Client, store: Store, channel: Partner
) -> None:
    order = place(channel, "1001")

    found = ask(page, store, CPF, "find").content.decode()
    exported = ask(page, store, EMAIL, "export")
    unsure = ask(page, store, CPF, "anonymise")
    assert "1001" in found
    assert exported.json()[0]["payer_cpf"] == CPF
    assert not Erasure.objects.exists()
    assert unsure.status_code == 200
    ask(page, store, CPF, "anonymise", sure="1")

    order.refresh_from_db()
    assert order.fields["payer_cpf"] == "***"
    assert "Pedido do titular" in page.get("/personal-data/").content.decode()
    assert "Nada sobrou" in ask(page, store, "1001", "leftovers").content.decode()


def test_more_orders_than_are_shown_are_exported_and_erased_too(
    page: Client, store: Store, channel: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "ORDERS_SHOWN", 1)
    for number in ("1001", "1002"):
        place(channel, number)

    found = ask(page, store, CPF, "find").content.decode()
    assert "Pedidos encontrados: 2" in found
    assert "Estes são os 1 primeiros" in found
    assert len(ask(page, store, CPF, "export").json()) == 2
    ask(page, store, CPF, "anonymise", sure="1")

    (erasure,) = Erasure.objects.all()
    assert len(erasure.order_ids) == 2


def test_which_orders_keep_their_buyer_is_said(
    page: Client, store: Store, channel: Partner
) -> None:
    place(channel, "1001")
    place(channel, "1002", status="approved")

    first, second = (
        ask(page, store, CPF, "anonymise", sure="1").content.decode() for _twice in range(2)
    )

    assert "não terminaram ou estão retidos: 1002." in first
    assert "O pedido 1002 ainda não terminou" in second


def test_an_erased_buyers_link_greets_nobody(page: Client, store: Store, channel: Partner) -> None:
    order = place(channel, "1001")
    ask(page, store, CPF, "anonymise", sure="1")

    order.refresh_from_db()
    greeting = page.get(urlsplit(buyer_url(order)).path).content.decode()

    assert "Olá!" in greeting
    assert "***" not in greeting


def test_only_who_was_shown_is_erased_or_exported(
    page: Client, store: Store, channel: Partner
) -> None:
    order = place(channel, "1001")
    shown = {"shown_store": store.pk, "shown_who": "outra@example.com"}

    erased = ask(page, store, CPF, "anonymise", sure="1", **shown).content.decode()
    exported = ask(page, store, CPF, "export", **shown).content.decode()

    order.refresh_from_db()
    assert order.fields["payer_cpf"] == CPF
    assert not Erasure.objects.exists()
    for shown_now in (erased, exported):
        assert "1001" in shown_now
        assert f'name="shown_who" value="{CPF}"' in shown_now
    ask(page, store, CPF, "anonymise", sure="1", shown_store=store.pk, shown_who=CPF)
    assert Erasure.objects.exists()


def test_anothers_buyers_are_nobodys(page: Client, store: Store) -> None:
    foreign = make_store()
    place(make_partner(foreign, "pluga"), "1001")

    assert "1001" not in ask(page, store, CPF, "find").content.decode()
    refused = ask(page, foreign, CPF, "export")
    assert refused.context["form"].errors["store"]
