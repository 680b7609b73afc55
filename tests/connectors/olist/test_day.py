"""Olist ERP through a whole day, over real HTTP in both directions: the portal calls its API, and
its webhooks find the portal."""

import re
import time
from html import unescape
from typing import Any, cast

import pytest
import requests
from django.utils import timezone

from catalog.fetching import fetch_asked
from catalog.models import Product, Stock
from connectors.comparisons import ask_to_mend
from connectors.contract import StockSource
from connectors.models import (
    Activation,
    ActivationFlow,
    Comparison,
    Failure,
    Ring,
    Run,
    State,
)
from connectors.records import OrderStatus
from connectors.sandbox.faults import Faults
from connectors.sandbox.tiny import Tiny
from orders.models import Order
from tests.connectors.day import MUG, SHIRT, TOKEN, Day, levels, run_queue
from tests.connectors.olist.conftest import INTEGRATOR

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


class Erp:
    """The ERP's side of the day: its people, and its doorbell."""

    def __init__(self, day: Day) -> None:
        self.tiny = cast(Tiny, day._open("tiny", "erp", {"token": TOKEN}))
        self.tiny.control("plan", {"per_minute": 6000})  # the first answer says so
        self.activation = day.switch_on_managed(
            "olist", self.tiny, credential_integrator_id=INTEGRATOR
        )
        found = re.search(r"data-address>([^<]+)<", day.page_of(self.activation))
        assert found
        # The operator's browser and the portal's own server are two addresses in a test.
        self.address = unescape(found[1]).replace("http://testserver", day.hub)

    def connect(self) -> None:
        """The merchant pastes the address; the ERP's panel probes it first."""
        self.tiny.control("settings", {"notify": self.address, "integrator_id": INTEGRATOR})

    def does(self, verb: str, **data: Any) -> None:
        """Something happens there, the portal is rung for, and does what it has to."""
        self.tiny.control(verb, data)
        self.ring()

    def ring(self) -> None:
        for notice in self.tiny.webhooks.waiting:
            notice.not_before = 0
        self.tiny.webhooks.ring()
        run_queue()

    def works(self) -> None:
        """One step of its people's work, and what it rings for."""
        self.tiny.work()
        self.ring()

    def held(self, order: Order) -> Any:
        return self.tiny.report()["orders"][order.public_id]


@pytest.fixture
def erp(day: Day) -> Erp:
    return Erp(day)


def of(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return OrderStatus(order.status)


def agree(day: Day, erp: Erp) -> None:
    """Both sides, SKU by SKU."""
    report, ours = erp.tiny.report(), levels(day.store)
    parents = {each["codigo"] for each in erp.tiny.products.values() if each["variacoes"]}
    assert {sku: stock for sku, (_price, stock) in ours.items() if sku not in parents} == {
        sku: stock for sku, stock in report["stock"].items() if sku not in parents
    }
    assert {sku: price for sku, (price, _stock) in ours.items()} == {
        sku: float(each["price"]) for sku, each in report["prices"].items()
    }


def test_the_whole_day(day: Day, erp: Erp) -> None:
    assert Activation.objects.get(pk=erp.activation.pk).state == State.ACTIVE
    erp.connect()

    # The catalogue comes in as the merchant puts it up; the ERP keeps our links.
    erp.does("put_product", **MUG)
    erp.does("put_product", **SHIRT)
    agree(day, erp)
    assert erp.tiny.report()["webhooks"]["links"] == [
        "CAMISETA",
        "CAMISETA-G",
        "CAMISETA-P",
        "CANECA",
    ]

    # Prices and stock at once, without any flow's turn: its list of changes is not even asked.
    erp.does("set_price", sku="CANECA", price=34.5)
    erp.does("set_price", sku="CAMISETA-P", price=75)
    erp.does("set_stock", sku="CAMISETA-G", quantity=3)
    agree(day, erp)
    assert levels(day.store)["CAMISETA-P"][0] == 75
    assert len(erp.tiny.stock_updates) == 1

    # An order, and its own echoes.
    order = day.place_order()
    erp.ring()
    assert erp.held(order)["situacoes"] == ["aprovado"]
    assert erp.held(order)["document"]["id_ecommerce"] == INTEGRATOR
    assert of(order) == OrderStatus.APPROVED

    # Its people invoice, send and deliver it.
    seen = []
    for _step in range(3):
        erp.works()
        seen.append(of(order))
    assert seen == [OrderStatus.INVOICED, OrderStatus.SHIPPED, OrderStatus.DELIVERED]
    shipment = order.shipments.get()
    assert shipment.nfe_key == erp.held(order)["invoice"]["chave_acesso"]
    assert shipment.nfe_link == f"https://danfe.example.com/{erp.held(order)['invoice']['id']}"
    assert shipment.track_code == erp.held(order)["shipping"]["codigo_rastreamento"]

    # Another is cancelled.
    dropped = day.place_order()
    day.move_order(dropped, "canceled")
    erp.ring()
    assert erp.held(dropped)["situacoes"] == ["aprovado", "cancelado"]
    assert of(dropped) == OrderStatus.CANCELED

    # Nobody is left waiting, and nothing is left open.
    assert erp.tiny.report()["webhooks"]["not_told"] == []
    assert not Ring.objects.open().exists()
    assert not Failure.objects.open().exists()
    day.run_flows(erp.activation)
    agree(day, erp)


def test_lost_answers_and_repeated_notices_change_nothing(day: Day, erp: Erp) -> None:
    erp.connect()
    for goods in (MUG, SHIRT):
        erp.does("put_product", **goods)
    erp.tiny.faults = Faults({"lost_answer": 0.15, "502_after": 0.15, "notices_twice": 0.5}, seed=7)

    orders = [day.place_order() for _number in range(3)]
    day.move_order(orders[2], "canceled")
    for number in range(4):
        erp.tiny.control("set_stock", {"sku": "CANECA", "quantity": 100 - number})
        erp.works()
        day.run_flows(erp.activation)
    erp.tiny.faults = Faults({})
    Failure.objects.open().update(retry_at=timezone.now())
    for _number in range(4):
        erp.works()
        day.run_flows(erp.activation)

    for order in orders[:2]:
        assert erp.held(order)["created"] == 1
        assert of(order) == OrderStatus.DELIVERED
    assert of(orders[2]) == OrderStatus.CANCELED
    assert erp.tiny.report()["webhooks"]["not_told"] == []
    assert not Ring.objects.open().exists()
    agree(day, erp)


def test_where_no_notice_arrives_the_cadence_brings_it(day: Day, erp: Erp) -> None:
    for goods in (MUG, SHIRT):
        erp.tiny.control("put_product", goods)
    order = day.place_order()
    erp.tiny.work()

    day.run_flows(erp.activation)
    day.run_flows(erp.activation)

    agree(day, erp)
    assert of(order) == OrderStatus.INVOICED
    assert not Ring.objects.exists()


def test_a_difference_is_mended_by_fetching_its_record_alone(day: Day, erp: Erp) -> None:
    for goods in (MUG, SHIRT):
        erp.tiny.control("put_product", goods)
    day.run_flows(erp.activation)
    day.run_flows(erp.activation)
    Stock.objects.filter(product__sku__in=["CANECA", "CAMISETA-G"]).update(on_hand=77)
    comparison = Comparison.objects.create(
        activation=erp.activation, purpose="catalogue", ended_at=timezone.now()
    )
    for sku in ("CANECA", "CAMISETA-G"):
        comparison.differences.create(flow="stock", kind="update", record_id=sku)

    ask_to_mend(comparison.differences.all(), erp.activation.created_by)
    fetch_asked()
    rung = list(Ring.objects.open().values_list("ability", "record_id"))
    day.run_flows(erp.activation)

    results = set(comparison.differences.values_list("result", flat=True))
    assert results == {"Buscado sozinho, pelo SKU."}
    assert sorted(rung) == [("StockSource", "sku CAMISETA"), ("StockSource", "sku CANECA")]
    assert not Ring.objects.open().exists()
    agree(day, erp)


def test_a_small_plan_delays_and_loses_nothing(day: Day, erp: Erp, settings: Any) -> None:
    settings.SECONDS_PER_MINUTE = 1  # of both sides' clocks
    erp.tiny.control("plan", {"per_minute": 20, "seconds": 1})
    for number in range(25):
        erp.tiny.control(
            "put_product", {"sku": f"P{number}", "name": "x", "price": 1, "quantity": 2}
        )

    for _minute in range(40):
        day.run_flows(erp.activation)
        if len(levels(day.store)) == 25 and all(s == 2 for _p, s in levels(day.store).values()):
            break
        time.sleep(1)

    agree(day, erp)
    flows = ActivationFlow.objects.filter(activation=erp.activation)
    assert not flows.filter(failures_in_a_row__gt=0).exists()
    assert Run.objects.filter(outcome=Run.Outcome.WAITING).exists()


def test_images_for_new_products_only_leave_those_that_the_merchant_chose(
    day: Day, erp: Erp
) -> None:
    day.change(erp.activation, setting_images="new")
    photo = {"anexo": "https://s3.example.com/caneca.jpg"}
    erp.tiny.control("put_product", {**MUG, "anexos": [photo]})
    day.run_flows(erp.activation)

    other = {"anexo": "https://s3.example.com/outra.jpg"}
    erp.tiny.control("put_product", {**MUG, "name": "Caneca azul", "anexos": [photo, other]})
    day.run_flows(erp.activation)

    mug = Product.objects.get(sku="CANECA")
    assert mug.name == "Caneca azul"
    assert [each["url"] for each in mug.fields["photos"]] == [photo["anexo"]]


def test_a_photo_or_category_that_the_erp_took_away_is_gone_here_too(day: Day, erp: Erp) -> None:
    def shown(photo: str, category: str) -> tuple[list[str], list[str]]:
        url = f"https://s3.example.com/{photo}.jpg"
        told = {**MUG, "anexos": [{"anexo": url}], "categoria": category}
        erp.tiny.control("put_product", told)
        day.run_flows(erp.activation)
        fields = Product.objects.get(sku="CANECA").fields
        return (
            [each["url"] for each in fields["photos"]],
            [each["name"] for each in fields["categories"]],
        )

    shown("errada", "Casa >> Copos")

    assert shown("caneca", "Casa >> Canecas") == (
        ["https://s3.example.com/caneca.jpg"],
        ["Casa > Canecas"],
    )


def test_the_address_is_replaced_and_the_old_one_is_nobodys(day: Day, erp: Erp) -> None:
    page = f"/admin/connectors/activation/{erp.activation.pk}/replace-address/"
    asked = day.browser.get(page)

    day.browser.post(page)

    assert "até que o novo esteja no sistema" in asked.content.decode()
    body = {"cnpj": "12ABC34501DE35", "tipo": "estoque", "dados": {"idProduto": 1}}
    assert requests.post(erp.address, json=body, timeout=5).status_code == 404
    found = re.search(r"data-address>([^<]+)<", day.page_of(erp.activation))
    assert found
    new = found[1].replace("http://testserver", day.hub)
    assert requests.post(new, json=body, timeout=5).status_code == 200
    rings = day.browser.get("/admin/connectors/ring/").content.decode()
    assert "StockSource" in rings
    assert ActivationFlow.objects.filter(ability=StockSource.__name__).exists()
