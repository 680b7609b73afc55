"""Olist ERP's API v3 through a whole day: switched on by the admin's form, called over real HTTP by
the portal's own flows, with the token kept where all of them find it."""

from typing import Any

import pytest

from connectors.models import Activation, ActivationFlow, Failure, SharedToken, State
from connectors.records import OrderStatus
from connectors.sandbox.tiny_v3 import TinyV3
from connectors.services import client_of
from orders.models import Order
from tests.connectors.day import Day, levels
from tests.connectors.olist.v3.conftest import APP, CREDENTIALS

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

MUG = {"sku": "CANECA", "descricao": "Caneca", "preco": 39.9, "saldo": 120}
SHIRT = {
    "sku": "CAMISETA",
    "descricao": "Camiseta",
    "preco": 79.9,
    "variacoes": [
        {"sku": "CAMISETA-P", "descricao": "Camiseta P", "preco": 79.9, "saldo": 40},
        {"sku": "CAMISETA-G", "descricao": "Camiseta G", "preco": 84.9, "saldo": 25},
    ],
}
CHANNEL = "03007331000141"


class Erp:
    def __init__(self, day: Day) -> None:
        self.tiny: TinyV3 = day.open("tiny_v3", **APP)
        for goods in (MUG, SHIRT):
            self.tiny.control("put_product", goods)
        self.day = day
        self.activation = day.switch_on_managed(
            "olist",
            self.tiny,
            credential_integrator_id=CREDENTIALS["integrator_id"],
            credential_token=CREDENTIALS["token"],
            setting_v3_token_url=f"{day.url_of(self.tiny)}/token",
        )

    def run(self) -> None:
        self.day.run_flows(self.activation)

    def held(self, order: Order) -> Any:
        return self.tiny.report()["orders"][order.public_id]


@pytest.fixture
def erp(day: Day) -> Erp:
    return Erp(day)


def of(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return OrderStatus(order.status)


def state_of(erp: Erp) -> str:
    return str(Activation.objects.get(pk=erp.activation.pk).state)


def test_the_whole_day(day: Day, erp: Erp) -> None:
    assert state_of(erp) == State.ACTIVE

    # The catalogue, its prices and its stock.
    erp.run()
    erp.run()
    assert levels(day.store) == {
        "CANECA": (39.9, 120),
        "CAMISETA": (79.9, 0),
        "CAMISETA-P": (79.9, 40),
        "CAMISETA-G": (84.9, 25),
    }
    erp.tiny.control("put_product", {**MUG, "preco": 34.5, "saldo": 7})
    erp.run()
    assert levels(day.store)["CANECA"] == (34.5, 7)

    # An order goes there, and what becomes of it comes back.
    erp.tiny.control("put_intermediary", {"cnpj": "03.007.331/0001-41", "nome": "Canal"})
    order = day.place_order(sale_intermediary=CHANNEL)
    assert erp.held(order)["situacoes"] == [3]
    seen = []
    for _step in range(3):
        erp.tiny.work()
        erp.run()
        seen.append(of(order))
    assert seen == [OrderStatus.INVOICED, OrderStatus.SHIPPED, OrderStatus.DELIVERED]
    shipment = order.shipments.get()
    [note] = erp.tiny.notes.values()
    assert shipment.nfe_key == note["chaveAcesso"]
    assert shipment.track_code == erp.held(order)["transportador"]["codigoRastreamento"]

    # Another is cancelled.
    dropped = day.place_order(sale_intermediary=CHANNEL)
    day.move_order(dropped, "canceled")
    assert erp.held(dropped)["situacoes"] == [3, 2]

    assert not Failure.objects.open().exists()
    assert not ActivationFlow.objects.filter(failures_in_a_row__gt=0).exists()
    assert erp.tiny.renewals == 1


def test_the_renewed_token_is_kept_for_whoever_calls_next(day: Day, erp: Erp) -> None:
    erp.tiny.control("expire_access", {})

    client_of(erp.activation).check()
    client_of(erp.activation).check()

    assert erp.tiny.renewals == 2
    assert erp.tiny.refresh not in SharedToken.objects.get().sealed


def test_an_authorisation_that_ended_pauses_until_a_new_one_is_recorded(day: Day, erp: Erp) -> None:
    erp.tiny.control("expire_access", {})
    erp.tiny.control("expire_refresh", {})
    erp.run()
    assert state_of(erp) == State.PAUSED
    page = day.page_of(erp.activation)
    assert "autorizá-lo outra vez" in page
    assert "juntos no campo do token, Client ID, Client Secret e o refresh token novo" in page

    erp.tiny.refresh, erp.tiny.renewed_at = "authorised-again", erp.tiny.renewed_at + 86400
    new = CREDENTIALS["token"].replace(APP["refresh_token"], "authorised-again")
    day.change(
        erp.activation,
        credential_integrator_id=CREDENTIALS["integrator_id"],
        credential_token=new,
    )
    erp.run()

    assert state_of(erp) == State.ACTIVE
    assert levels(day.store)["CANECA"] == (39.9, 120)
