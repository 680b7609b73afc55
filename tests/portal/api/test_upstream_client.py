"""Our client of the real Plugg.to at our own API, over real HTTP: one store's channel is another
store's hub. What the one says the other understands, or refuses with a reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import Product
from catalog.push import push_prices, push_products, push_stock
from catalog.services import delete_product, save_product
from connectors.contract import (
    Ability,
    FulfilmentSink,
    FulfilmentSource,
    OrderSink,
    OrderSource,
    PriceSink,
    ProductSink,
    StockSink,
)
from connectors.models import Activation, Failure, Run, State, Store
from connectors.services import client_of
from orders.models import Order
from orders.push import push_orders
from orders.tasks import pull_fulfilments, pull_orders
from tests.conftest import Partner, flow_of, make_managed, make_partner, make_store
from tests.portal.api.samples import full_product

pytestmark = pytest.mark.django_db(transaction=True)
TASKS: dict[type[Ability], Callable[[int], None]] = {
    ProductSink: push_products,
    PriceSink: push_prices,
    StockSink: push_stock,
    OrderSource: pull_orders,
    FulfilmentSink: push_orders,
}
ORDER = {
    "status": "approved",
    "original_id": "2000011000000001",
    "channel": "MercadoLivre",
    "total": 119.8,
    "auto_reserve": True,
    "items": [{"sku": "CANECA", "quantity": 2, "price": 59.9}],
    "receiver_name": "Conceição",
}
# What the hub itself says of a product, or says in its own way.
ITS_OWN = {
    "id", "external", "created", "modified", "created_by", "modified_by", "timestamp", "user_id",
    "supplier_id", "raw",
}  # fmt: skip


@pytest.fixture
def hub() -> Store:
    """The store above, whose hub our channel is."""
    return make_store()


@pytest.fixture
def make_channel(store: Store, hub: Store, live_server: Any) -> Callable[[str], Activation]:
    def make(slug: str) -> Activation:
        issued = make_partner(hub, slug).issued
        names = ("client_id", "client_secret", "api_user", "api_secret")
        received = {name: getattr(issued, name) for name in names}
        return make_managed(store, "pluggto", f"{live_server.url}/api", received)

    return make


@pytest.fixture
def channel(make_channel: Callable[[str], Activation]) -> Activation:
    """At the hub we are a Linx shop: it sends its catalogue, sees every order, and reports all."""
    return make_channel("linx")


@pytest.fixture
def marketplace(hub: Store) -> Partner:
    return make_partner(hub, "pluga")


def run(channel: Activation, *abilities: type[Ability]) -> list[str]:
    for ability in abilities:
        TASKS[ability](flow_of(channel, ability))
    runs = Run.objects.filter(activation=channel).order_by("-pk")[: len(abilities)]
    return [each.outcome for each in runs]


def push(channel: Activation) -> list[str]:
    return run(channel, ProductSink, PriceSink, StockSink)


def save(store: Store, document: dict[str, Any]) -> Product:
    return save_product(store, document["sku"], json.loads(json.dumps(document)), None)


def read(partner: Partner, path: str) -> dict[str, Any]:
    (found,) = partner.get(path).json().values()
    return found


def without(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """A product without these, and without the ids in its lists, which are each side's own."""
    return {
        name: [without(each, {"id", *names}) if isinstance(each, dict) else each for each in value]
        if isinstance(value, list)
        else value
        for name, value in document.items()
        if name not in names
    }


def test_the_credentials_are_good_for_a_check(channel):
    client_of(channel).check()


def test_a_product_with_all_that_a_product_may_have_arrives_field_by_field(
    store, hub, channel, marketplace
):
    here = make_partner(store, "pluga")
    save(store, full_product())

    outcomes = push(channel)

    assert outcomes == ["done"] * 3
    above, below = (read(each, "/skus/TUDO") for each in (marketplace, here))
    # By `external` a photo is known again, wherever it is copied to.
    assert without(above, ITS_OWN) == without(below, ITS_OWN)
    assert above["quantity"] == 1


def test_told_again_after_everything_is_forgotten_nothing_doubles(store, hub, channel, marketplace):
    save(store, full_product())
    push(channel)
    before = read(marketplace, "/skus/TUDO")
    channel.sent.all().delete()
    channel.flows.update(cursor="")

    outcomes = push(channel)

    assert outcomes == ["done"] * 3
    assert read(marketplace, "/skus/TUDO") == before


def test_what_leaves_here_leaves_there(store, hub, channel, marketplace):
    photos = [{"url": f"https://l.example/{n}.jpg"} for n in (1, 2)]
    variations = [{"sku": sku, "quantity": 1} for sku in ("CAM-P", "CAM-G")]
    shirt = save(store, {"sku": "CAM", "photos": photos, "variations": variations})
    mug = save(store, {"sku": "CANECA", "quantity": 3})
    push(channel)

    gone = {"id": shirt.fields["photos"][0]["id"], "remove": True}
    save(store, {"sku": "CAM", "photos": [gone], "variations": [{"sku": "CAM-P", "remove": True}]})
    delete_product(store, mug.pk, None)
    push(channel)

    above = read(marketplace, "/skus/CAM")
    assert [photo["url"] for photo in above["photos"]] == ["https://l.example/2.jpg"]
    assert [each["sku"] for each in above["variations"]] == ["CAM-G"]
    assert marketplace.get("/skus/CANECA").status_code == 404


def test_an_order_comes_down_and_its_invoice_and_tracking_go_up(
    store, hub, channel, marketplace, sandbox
):
    reports = "invoiced,shipping_informed,shipped,delivered"
    shop = sandbox.open("store", "below-the-hub", {"token": "t", "reports": reports})
    platform = make_managed(store, "linx", f"{sandbox.url}/below-the-hub", {"token": "t"})
    above = marketplace.post("/orders", ORDER).json()["Order"]

    run(channel, OrderSource)
    push_orders(flow_of(platform, OrderSink))
    for _step in range(4):
        shop.work()
        pull_fulfilments(flow_of(platform, FulfilmentSource))
        run(channel, FulfilmentSink)

    told = read(marketplace, f"/orders/{above['id']}")
    ((_id, there),) = shop.report()["fulfilments"].items()
    (shipment,) = told["shipments"]
    assert [step["status"] for step in told["status_history"]] == [
        "approved", "invoiced", "shipping_informed", "shipped", "delivered",
    ]  # fmt: skip
    assert shipment["nfe_key"] == there["invoice"]["key"]
    assert shipment["track_code"] == there["tracking"]["code"]
    assert told["receiver_name"] == "Conceição"
    assert not Failure.objects.exists()
    assert set(Run.objects.values_list("outcome", flat=True)) == {"done"}


def test_what_the_hub_cancels_is_cancelled_here(store, hub, channel, marketplace):
    above = marketplace.post("/orders", ORDER).json()["Order"]
    run(channel, OrderSource)

    marketplace.put(f"/orders/{above['id']}", {"status": "canceled"})
    run(channel, OrderSource)

    assert Order.objects.get(store=store).status == "canceled"


def test_a_cancellation_that_the_hub_does_not_take_from_us_is_shown_and_stops_nothing(
    store, hub, channel, marketplace
):
    """Of a Linx shop the portal takes invoices and tracking. The real hub takes this too."""
    above = marketplace.post("/orders", ORDER).json()["Order"]
    run(channel, OrderSource)
    order = Order.objects.get(store=store)
    link = order.links.get(activation=channel)
    link.wanted_status = "canceled"
    link.save()

    outcomes = run(channel, FulfilmentSink)

    assert outcomes == ["partial"]
    failure = Failure.objects.get()
    assert failure.kind == "rejected"
    assert "Linx Commerce V2 não pode informar a situação canceled" in failure.reason
    assert read(marketplace, f"/orders/{above['id']}")["status"] == "approved"
    channel.refresh_from_db()
    assert channel.state == State.ACTIVE


def test_fields_that_we_may_not_send_there_are_left_out_and_the_rest_arrives(
    store, hub, make_channel, marketplace
):
    """A Rocky shop has no NCM: the hub's merchant enters it there."""
    channel = make_channel("rocky")
    save(store, {"sku": "CANECA", "name": "Caneca", "ncm": "69120000", "price": 10, "quantity": 3})

    push(channel)

    above = read(marketplace, "/skus/CANECA")
    assert (above["name"], above["ncm"], above["quantity"]) == ("Caneca", None, 3)
    assert not Failure.objects.exists()


def test_a_connector_that_sends_no_catalogue_there_has_each_product_refused_with_the_reason(
    store, hub, make_channel
):
    channel = make_channel("pluga")
    save(store, {"sku": "CANECA", "name": "Caneca"})

    outcomes = run(channel, ProductSink)

    assert outcomes == ["partial"]
    assert "Pluga não pode alterar produtos" in Failure.objects.get().reason
    channel.refresh_from_db()
    assert channel.state == State.ACTIVE


def test_revoked_credentials_pause_the_channel(store, hub, channel):
    save(store, {"sku": "CANECA", "name": "Caneca"})
    hub.activations.get().credentials.update(revoked_at="2026-01-01T00:00Z")

    run(channel, ProductSink)

    channel.refresh_from_db()
    assert channel.state == State.PAUSED
    assert "Client ID ou o Client Secret" in channel.paused_reason
