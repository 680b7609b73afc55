"""A store with one row of everything that an address may name, and one word in all of it."""

from typing import Any

from django.utils import timezone

from catalog.models import Product, Sent, SkuMapping, Spreadsheet, SpreadsheetRow
from connectors.handover import offer_handover
from connectors.models import (
    Act,
    Alert,
    Ask,
    Brake,
    Comparison,
    Connector,
    Delivery,
    Difference,
    Event,
    Failure,
    Incident,
    Notice,
    Repair,
    Ring,
    Run,
    Store,
    Subscription,
)
from connectors.spec import Hook
from orders.models import BuyerMail, Erasure, Order
from tests.conftest import make_managed, make_operator, make_partner, make_store
from tests.orders.samples import small_order

OLIST = {"integrator_id": "1", "token": "t"}


def store_with_everything(word: str) -> Store:
    """Three integrations: one is told of orders, one has hooks, one is called by the portal."""
    store = make_store(name=f"Loja {word}", domain="segredo.example.com.br")
    by = make_operator()
    linx = make_partner(store, "linx", name=word, plugin_url="https://b.example.com.br")
    pluga = make_partner(store, "pluga", name=word, plugin_url="https://a.example.com.br")
    olist = make_managed(store, "olist", "https://c.example.com.br", OLIST, name=word)
    offer_handover(linx.activation.pk, by)

    variations = [{"sku": f"{word}-P", "name": word, "quantity": 1}]
    linx.post("/products", {"sku": word, "name": word, "price": 10, "quantity": 5,
                            "variations": variations})  # fmt: skip
    product = Product.objects.get(store=store, sku=word)
    pluga.post("/orders", small_order(shipments=[{"track_code": word}], payer_name=word))
    order = Order.objects.get(store=store)
    BuyerMail.objects.create(
        order=order, activation=pluga.activation, kind="shipped", subject=word, body=word
    )
    Erasure.objects.create(store=store, why="asked", order_ids=[order.pk])
    SkuMapping.objects.create(activation=olist, code=word, product=product)
    Sent.objects.create(activation=olist, flow="products", product=product, code=word)
    spreadsheet = Spreadsheet.objects.create(
        store=store, kind="products", file_name=word, headers=["SKU"], state="ready", created_by=by
    )
    SpreadsheetRow.objects.create(
        spreadsheet=spreadsheet, number=1, key=word, cells=[word], outcome="refused", reason=word
    )

    subscription = Subscription.objects.create(
        activation=pluga.activation, hook=Hook.ORDER_CREATED,
        target_url=f"https://hooks.example.com/{word}",
    )  # fmt: skip
    event = Event.objects.create(
        store=store, hook=Hook.ORDER_CREATED, object_id=order.public_id, data={"id": word}
    )
    Delivery.objects.create(subscription=subscription, event=event)
    Notice.objects.create(
        activation=linx.activation, topic="orders", action="created", object_id=word
    )
    run = Run.objects.create(
        activation=olist, ability="StockSource", flow="stock", expires_at=timezone.now()
    )
    _trouble(olist, run, word)
    Ring.objects.create(activation=olist, ability="OrderSource", record_id=word)
    Repair.objects.create(action="retry", asked_by=by, reason=word)
    Ask.objects.create(
        store=store, connector=Connector.objects.get(slug="rocky"), text=word, asked_by=by
    )
    Act.objects.create(by=by, store=store, model="connectors.store", object_id=str(store.pk),
                       object_text=word, what=word)  # fmt: skip
    Alert.objects.create(channel="email", message_id=word, subject=word, body=word)
    return store


def _trouble(activation: Any, run: Run, word: str) -> None:
    facts: dict[str, Any] = {"activation": activation, "flow": "stock"}
    Failure.objects.create(
        **facts, run=run, ability="StockSource", kind="rejected", reason=word, record_id=word,
        payload={"sku": word},
    )  # fmt: skip
    Brake.objects.create(**facts, ability="StockSource", danger="zeroed", count=9, base=10,
                         limit=30, sample=[[word, "1", "0"]])  # fmt: skip
    Incident.objects.create(activation=activation, kind="refused", reason=word)
    comparison = Comparison.objects.create(activation=activation, purpose="preview", holds=True)
    Difference.objects.create(comparison=comparison, flow="stock", kind="update", record_id=word)
