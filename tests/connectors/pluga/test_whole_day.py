"""A whole day with Pluga, played over HTTP: its automations at one end, the store's platform, which
the portal calls, at the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from catalog.levels import set_stock
from catalog.services import save_product
from connectors.contract import FulfilmentSource, OrderSink
from connectors.messages.hooks import deliver_all_events, deliver_events
from connectors.models import Activation, Delivery, Event, Store, Subscription
from connectors.records import StockRecord
from connectors.sandbox.server import Sandbox
from connectors.spec import Hook, Mode
from orders.models import Order
from orders.push import push_orders
from orders.tasks import pull_fulfilments
from tests.conftest import flow_of, make_managed, make_partner, make_store
from tests.connectors.admin.conftest import LIST, activated
from tests.orders.samples import small_order

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = ("invoiced", "shipping_informed", "shipped", "delivered")
SALE = {
    "original_id": "PG-1001",
    "status": "approved",
    "items_sku": "CAN-07; CAM-AZ-P",
    "items_quantity": "2; 1",
    "items_price": "29,95; 59,90",
    "payer_name": "Ana",
    "payment_type": "pix",
}


@pytest.fixture
def admin_client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def open_automations(
    sandbox: Sandbox, admin_client: Client, live_server: Any
) -> Callable[[Store, str], Any]:
    """Pluga's user, with the two values that the activation showed its operator."""

    def open_one(store: Store, name: str) -> Any:
        _activation, shown = activated(admin_client, "pluga", store, Mode.PARTNER)
        assert list(shown)[:2] == ["api_user", "api_secret"]
        credentials = {
            "hub": live_server.url + "/api",
            "url": f"{sandbox.url}/{name}",
            **{key: shown[key] for key in ("api_user", "api_secret", "webhook_secret")},
        }
        return sandbox.open("automations", name, credentials)

    return open_one


@pytest.fixture
def pluga(store: Store, open_automations: Callable[[Store, str], Any]) -> Any:
    return open_automations(store, "pluga-of-the-day")


@pytest.fixture
def shop(sandbox: Sandbox) -> Any:
    return sandbox.open("store", "shop-of-the-day", {"token": "t", "reports": ",".join(STEPS)})


@pytest.fixture
def linx(store: Store, sandbox: Sandbox, shop: Any) -> Activation:
    return make_managed(store, "linx", f"{sandbox.url}/{shop.name}", {"token": "t"})


def work() -> None:
    """The queue, as far as events are concerned."""
    deliver_all_events()
    while row := OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk").first():
        row.delete()
        if row.task["func"].endswith(".deliver_events"):
            deliver_events(*row.task["args"])


def half_a_minute_later() -> None:
    Subscription.objects.exclude(open_until=None).update(open_until=timezone.now())
    Delivery.objects.waiting().update(due_at=timezone.now())


def subscribe_to_everything(pluga: Any) -> None:
    for hook in Hook:
        sample = pluga.call("GET", "/tools/sample", event=hook.value)
        created = pluga.control("subscribe", {"event": hook.value, "path": hook.value})
        assert (sample["event"], created["event"]) == (hook, hook)


def received(pluga: Any) -> list[tuple[str, str]]:
    events = pluga.report()["events"]
    return [(event["path"], event.get("status") or event["sku"]) for event in events]


def test_a_whole_day(store: Store, pluga: Any, linx: Activation, shop: Any) -> None:
    assert pluga.call("GET", "/tools/ping")["store"] == store.name
    subscribe_to_everything(pluga)

    # The merchant has goods, and a platform that counts them.
    save_product(store, "CAN-07", {"name": "Caneca", "price": 29.95, "quantity": 9}, None)
    set_stock(store, [StockRecord("CAN-07", 7)], linx)
    work()
    assert sorted(received(pluga)) == [
        ("price.changed", "CAN-07"),
        ("product.created", "CAN-07"),
        ("stock.changed", "CAN-07"),
        ("stock.changed", "CAN-07"),
    ]

    # A sale in one of its tools; the answer is lost, and Pluga sends it again.
    first, again = (pluga.control("sell", SALE) for _attempt in range(2))
    assert first["order_id"] == again["order_id"] == Order.objects.get().public_id
    work()

    # To the platform, and back: invoice, tracking, delivery. One event is refused at first.
    push_orders(flow_of(linx, OrderSink))
    for number, step in enumerate(STEPS):
        shop.work()
        pull_fulfilments(flow_of(linx, FulfilmentSource))
        pluga.answers = [503] if number == 0 else []
        work()
        assert Order.objects.get().status == step
    assert Delivery.objects.waiting().exists()
    half_a_minute_later()
    work()

    orders = [event for event in pluga.report()["events"] if event["path"].startswith("order.")]
    of_each = {
        hook: [event["status"] for event in orders if event["path"] == hook] for hook in Hook
    }
    assert of_each[Hook.ORDER_CREATED] == ["approved"]
    assert of_each[Hook.ORDER_STATUS_CHANGED] == list(STEPS)
    assert of_each[Hook.ORDER_INVOICED] == ["invoiced"]
    assert of_each[Hook.ORDER_SHIPPED] == ["shipped"]
    assert of_each[Hook.ORDER_DELIVERED] == ["delivered"]
    shipped = next(event for event in orders if event["path"] == Hook.ORDER_SHIPPED)
    below = shop.report()["fulfilments"][Order.objects.get().public_id]
    assert shipped["nfe_key"] == below["invoice"]["key"]
    assert shipped["track_code"] == below["tracking"]["code"]
    assert (shipped["original_id"], shipped["payer_name"]) == ("PG-1001", "Ana")
    ids = [event["id"] for event in pluga.report()["events"]]
    assert sorted(ids) == sorted(Event.objects.values_list("public_id", flat=True))
    assert not Delivery.objects.waiting().exists()

    # Who polls sees the same events under the same ids, each once.
    for hook in Hook:
        of_hook = {event["id"] for event in pluga.report()["events"] if event["path"] == hook}
        assert set(pluga.control("poll", {"event": hook.value})) == of_hook
        assert pluga.control("poll", {"event": hook.value}) == []

    # An automation is switched off.
    pluga.control("unsubscribe", {"event": Hook.STOCK_CHANGED.value})
    set_stock(store, [StockRecord("CAN-07", 0)], linx)
    work()
    assert len(pluga.report()["events"]) == len(ids)
    assert len(pluga.control("poll", {"event": Hook.STOCK_CHANGED.value})) == 1
    assert pluga.report()["refusals"] == []


def test_what_it_must_not_be_able_to_do(
    store: Store, pluga: Any, open_automations: Callable[[Store, str], Any], linx: Activation
) -> None:
    stranger = open_automations(make_store(), "pluga-of-another-store")
    subscribe_to_everything(stranger)
    subscribe_to_everything(pluga)
    theirs = stranger.control("sell", SALE)["order_id"]
    ours = pluga.control("sell", SALE)["order_id"]
    save_product(store, "CAN-07", {"name": "Caneca"}, None)
    work()

    # Another store's orders, hooks and events.
    assert theirs != ours
    assert {event.get("order_id") for event in pluga.report()["events"]} == {ours, None}
    assert {event["order_id"] for event in stranger.report()["events"]} == {theirs}
    answers = [
        pluga.call("GET", f"/orders/{theirs}"),
        pluga.call("PUT", f"/orders/{theirs}", {"status": "canceled"}),
        pluga.call("DELETE", f"/tools/hooks/{stranger.hooks[Hook.ORDER_CREATED]}"),
    ]
    assert [answer["type"] for answer in answers] == ["not_found"] * 3

    # The store's catalogue is told to it; it writes none of it.
    refused = [
        pluga.call("POST", "/products", {"sku": "NOVO"}),
        pluga.call("PUT", "/skus/CAN-07", {"name": "Outra"}),
        pluga.call("PUT", "/skus/CAN-07/stock", {"action": "update", "quantity": 1}),
    ]
    assert [answer["type"] for answer in refused] == ["not_allowed"] * 3

    # An order of another channel of the store: it hears of it, and reports nothing on it.
    other = make_partner(store, "pluga")
    foreign = other.post("/orders", small_order("2")).json()["Order"]["id"]
    work()
    assert foreign in {event.get("order_id") for event in pluga.report()["events"]}
    reported = pluga.call("PUT", f"/orders/{foreign}", {"status": "invoiced"})
    assert reported["type"] == "not_found"
    assert set(Order.objects.values_list("status", flat=True)) == {"approved"}


def test_two_identical_sales_at_the_same_moment_are_one_order(store: Store, pluga: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: pluga.control("sell", SALE), range(4)))

    assert {answer["order_id"] for answer in answers} == {Order.objects.get().public_id}
    assert Event.objects.count() == 1


def test_a_portal_page_subscribes_for_a_tool_that_only_gives_an_address(
    store: Store, pluga: Any, admin_client: Client, sandbox: Sandbox
) -> None:
    activation = Activation.objects.get(connector__slug="pluga")
    pluga.call("GET", "/tools/ping")
    form = {"hook": "order.created", "target_url": f"{sandbox.url}/{pluga.name}/colado"}

    page = admin_client.post(f"{LIST}{activation.pk}/subscribe/", form, follow=True)
    pluga.control("sell", SALE)
    work()

    assert "Evento assinado." in page.content.decode()
    assert received(pluga) == [("colado", "approved")]
