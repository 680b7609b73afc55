"""Orders pushed to a platform, and what it reports: against the sandbox, over real HTTP."""

from typing import Any

import pytest
import responses
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Product, SkuMapping, Stock
from catalog.tasks import pull_products, pull_stock
from connectors.contract import FulfilmentSource, OrderSink, ProductSource, StockSource
from connectors.errors import Rejected, Unavailable, Unreadable
from connectors.fiscal import nfe_key_is_valid
from connectors.models import Activation, ActivationFlow, Failure, Run, State
from connectors.models import Store as Merchant
from connectors.records import OrderRecord, OrderStatus
from connectors.runs.outcomes import release_run
from connectors.runs.running import MOST_IN_A_ROW
from connectors.sandbox.store import Store as Shop
from connectors.services import revoke
from connectors.storecontract.client import StoreContract
from connectors.trouble.causes import OUR_BUG
from orders import links
from orders.models import Order, OrderLink
from orders.outlook import outlook
from orders.push import push_orders, to_fulfilment
from orders.services import create_order, update_order
from orders.tasks import pull_fulfilments
from orders.wire import OrderDocument
from tests.conftest import flow_of, make_activation, make_managed, make_operator
from tests.orders.samples import document

TOKEN = "token-of-the-shop"
CHANGED_ITEMS = [{"sku": "CAN-07", "quantity": 1, "price": "29.95"}]


@pytest.fixture
def shop(sandbox: Any) -> Shop:
    """Rocky's steps: invoiced, then the tracking."""
    reports = "invoiced,shipping_informed"
    return sandbox.open("store", "push", {"token": TOKEN, "reports": reports})


@pytest.fixture
def rocky(store: Merchant, sandbox: Any, shop: Shop) -> Activation:
    return make_managed(store, "rocky", f"{sandbox.url}/{shop.name}", {"token": TOKEN})


@pytest.fixture
def pluga(store: Merchant) -> Activation:
    return make_activation(store, "pluga")


def push(activation: Activation) -> Run:
    push_orders(flow_of(activation, OrderSink))
    return Run.objects.latest("pk")


def pull(activation: Activation) -> Run:
    pull_fulfilments(flow_of(activation, FulfilmentSource))
    return Run.objects.latest("pk")


def become(order: Order, status: OrderStatus, by: Activation) -> None:
    update_order(order.pk, OrderDocument(head={}, status=status), by)


def held(shop: Shop, order: Order) -> dict[str, Any]:
    return shop.report()["orders"][order.public_id]


def test_an_order_is_pushed_once_and_its_number_there_is_recorded(rocky, pluga, shop):
    order = create_order(pluga, document())

    first, second = push(rocky), push(rocky)

    assert (held(shop, order)["puts"], held(shop, order)["statuses"]) == (1, ["approved"])
    link = OrderLink.objects.get(activation=rocky)
    assert (link.external_id, link.sent_status) == (held(shop, order)["id"], "approved")
    assert (first.outcome, first.seen, first.changed) == ("done", 1, 1)
    assert (second.outcome, second.seen, second.changed) == ("done", 0, 0)


def test_nothing_of_the_order_is_lost_on_its_way(rocky, pluga, shop):
    order = create_order(
        pluga,
        document(
            payer_name="Conceição D'Ávila",
            sale_intermediary="12ABC34501DE35",
            payments=[{"payment_type": "credit", "payment_total": 59.9}],
            shipments=[{"shipping_company": "Mercado Envios"}],
            gift={"paper": "azul"},
        ),
    )

    push(rocky)

    got = held(shop, order)["document"]
    assert got["id"] == order.public_id
    assert (got["original_id"], got["channel"], got["total"]) == ("1001", "MercadoLivre", 59.9)
    assert got["payer_name"] == "Conceição D'Ávila"
    assert got["sale_intermediary"] == "12ABC34501DE35"
    assert got["gift"] == {"paper": "azul"}
    item = got["items"][0]
    assert (item["sku"], item["quantity"], item["price"]) == ("CAN-07", 2, 29.95)
    assert got["payments"][0]["payment_total"] == 59.9
    assert got["shipments"][0]["shipping_company"] == "Mercado Envios"


def test_approval_and_cancellation_are_told(rocky, pluga, shop):
    order = create_order(pluga, document(status="pending"))
    push(rocky)

    become(order, OrderStatus.APPROVED, pluga)
    push(rocky)
    become(order, OrderStatus.CANCELED, pluga)
    push(rocky)

    assert held(shop, order)["statuses"] == ["pending", "approved", "canceled"]


def test_what_was_not_told_is_told_when_the_platform_is_back(rocky, pluga, shop):
    order = create_order(pluga, document())
    with responses.RequestsMock() as far:
        far.put(f"{rocky.plugin_url}/orders/{order.public_id}", status=503)
        failed = push(rocky)

    repaired = push(rocky)

    reason = f"PUT orders/{order.public_id}: HTTP 503"
    assert (failed.outcome, failed.reason) == ("failed", reason)
    assert repaired.outcome == "done"
    assert held(shop, order)["puts"] == 1


def test_an_order_whose_answer_was_lost_is_still_there_once(rocky, pluga, shop):
    order = create_order(pluga, document())
    push(rocky)
    OrderLink.objects.filter(activation=rocky).update(sent_status="", external_id="")

    push(rocky)

    assert list(shop.report()["orders"]) == [order.public_id]
    assert OrderLink.objects.get(activation=rocky).external_id == held(shop, order)["id"]


def test_a_status_to_which_an_order_returns_is_told_after_another_was_heard_without_an_answer(
    store, sandbox, shop, pluga, monkeypatch
):
    linx = make_managed(store, "linx", f"{sandbox.url}/{shop.name}", {"token": TOKEN})
    order = create_order(pluga, document())
    push(linx)
    tell = StoreContract.push_order

    def die(self: StoreContract, record: OrderRecord) -> str:
        tell(self, record)
        raise SystemExit

    monkeypatch.setattr(StoreContract, "push_order", die)
    become(order, OrderStatus.PARTIAL_CANCELED, pluga)
    with pytest.raises(SystemExit):
        push(linx)
    monkeypatch.undo()
    Run.objects.filter(ended_at=None).update(expires_at=timezone.now())

    become(order, OrderStatus.APPROVED, pluga)
    push(linx)

    assert held(shop, order)["statuses"] == ["approved", "partial_canceled", "approved"]
    assert not OrderLink.objects.stale().exists()


def test_an_order_that_is_refused_does_not_stop_the_others(rocky, pluga, shop):
    bad = create_order(pluga, document("1", items=[]))  # the contract wants items
    good = create_order(pluga, document("2"))

    run = push(rocky)

    assert (run.outcome, run.seen, run.changed, run.failed) == ("partial", 2, 1, 1)
    assert list(shop.report()["orders"]) == [good.public_id]
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind) == (bad.public_id, "rejected")
    assert "pedido sem status ou sem itens" in failure.reason


def test_many_refused_orders_do_not_keep_the_next_one_waiting(rocky, pluga, shop, monkeypatch):
    monkeypatch.setattr("orders.push.AT_ONCE", 2)
    for number in range(5):
        create_order(pluga, document(str(number), items=[]))
    good = create_order(pluga, document("6"))

    run = push(rocky)

    assert (run.seen, run.failed) == (6, 5)
    assert list(shop.report()["orders"]) == [good.public_id]


def test_a_failure_is_mended_when_the_platform_takes_the_order(rocky, pluga, shop):
    order = create_order(pluga, document(items=[]))
    push(rocky)
    items = [{"sku": "CAN-07", "quantity": 1}]
    update_order(order.pk, OrderDocument(head={}, items=items), pluga)

    run = push(rocky)

    assert run.outcome == "done"
    assert Failure.objects.get().resolved_at is not None


def test_a_token_that_is_refused_pauses_the_activation(rocky, pluga, shop):
    create_order(pluga, document())
    shop.control("settings", {"token": "another"})

    run = push(rocky)

    rocky.refresh_from_db()
    assert (run.outcome, rocky.state) == ("failed", State.PAUSED)
    assert "HTTP 401" in rocky.paused_reason


def test_a_pushed_line_has_the_platforms_own_code(rocky, pluga, shop, store):
    product = Product.objects.create(store=store, sku="CAN-07")
    SkuMapping.objects.create(activation=rocky, code="9001", product=product)
    items = [{"sku": "CAN-07", "quantity": 1}, {"sku": "OUTRO", "quantity": 1}]
    order = create_order(pluga, document(items=items))

    push(rocky)

    assert [item["sku"] for item in held(shop, order)["document"]["items"]] == ["9001", "OUTRO"]


def test_a_pushed_variation_has_the_platforms_own_code_too(rocky, pluga, shop, store):
    parent = Product.objects.create(store=store, sku="CAM")
    small = Product.objects.create(store=store, sku="CAM-P", parent=parent)
    SkuMapping.objects.create(activation=pluga, code="MLB-1", product=small)
    SkuMapping.objects.create(activation=rocky, code="9001", product=small)
    items = [{"sku": "MLB", "quantity": 1, "variation": {"sku": "MLB-1", "name": "P"}}]
    order = create_order(pluga, document(items=items))

    push(rocky)

    item = held(shop, order)["document"]["items"][0]
    assert (item["sku"], item["variation"]["sku"]) == ("9001", "9001")
    assert item["variation"]["name"] == "P"


@pytest.mark.parametrize(
    ("own", "pushed"),
    [(None, "12ABC34501DE35"), ("03007331000141", "03007331000141")],
)
def test_the_intermediary_of_the_channel_stands_in_for_a_missing_one(
    store, pluga, sandbox, shop, own, pushed
):
    linx = make_managed(
        store,
        "linx",
        f"{sandbox.url}/{shop.name}",
        {"token": TOKEN},
        values={"intermediary_cnpj": "12ABC34501DE35"},
    )
    order = create_order(pluga, document(sale_intermediary=own))

    push(linx)

    assert held(shop, order)["document"]["sale_intermediary"] == pushed
    assert "sale_intermediary" not in order.fields or order.fields["sale_intermediary"] == own


def test_a_cancelled_order_is_not_pushed_where_cancelling_is_not_followed(
    store, pluga, sandbox, shop
):
    webstore = make_managed(store, "webstore", f"{sandbox.url}/{shop.name}", {"token": TOKEN})
    order = create_order(pluga, document())
    become(order, OrderStatus.CANCELED, pluga)

    run = push(webstore)

    assert (run.outcome, run.seen) == ("done", 0)
    assert shop.report()["orders"] == {}


def test_an_order_that_is_cancelled_while_those_before_it_are_pushed_is_not_pushed_either(
    store, pluga, sandbox, shop, monkeypatch
):
    webstore = make_managed(store, "webstore", f"{sandbox.url}/{shop.name}", {"token": TOKEN})
    first, second = (create_order(pluga, document(original_id=f"N-{n}")) for n in range(2))
    push_order = StoreContract.push_order

    def cancelled(self, record):
        become(second, OrderStatus.CANCELED, pluga)
        return push_order(self, record)

    monkeypatch.setattr(StoreContract, "push_order", cancelled)
    run = push(webstore)

    assert (run.outcome, run.changed) == ("done", 1)
    assert list(shop.report()["orders"]) == [first.public_id]


def test_an_order_that_is_changed_while_those_before_it_are_pushed_goes_as_it_is_then(
    rocky, pluga, shop, monkeypatch
):
    orders = [create_order(pluga, document(original_id=f"N-{n}")) for n in range(2)]
    item = {"sku": "CAN-07", "quantity": 1, "price": "29.95"}
    push_order = StoreContract.push_order

    def changed(self, record):
        if record.original_id == "N-0":
            update_order(orders[1].pk, OrderDocument(head={}, items=[item]), pluga)
        return push_order(self, record)

    monkeypatch.setattr(StoreContract, "push_order", changed)
    push(rocky)
    push(rocky)

    assert [item["quantity"] for item in held(shop, orders[1])["document"]["items"]] == [1]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"items": CHANGED_ITEMS}, 1),
        ({"head": {"total": "49.90"}}, 1),
        ({"head": {"payer_name": "Ana"}}, 0),
        ({"status": OrderStatus.CANCELED}, 0),
    ],
)
def test_an_order_that_is_changed_while_it_is_first_pushed_is_shown(
    rocky, pluga, monkeypatch, said, shown
):
    order = create_order(pluga, document())
    push_order = StoreContract.push_order

    def changed(self, record):
        monkeypatch.undo()
        update_order(order.pk, OrderDocument(**{"head": {}, **said}), pluga)
        return push_order(self, record)

    monkeypatch.setattr(StoreContract, "push_order", changed)
    run = push(rocky)

    assert (run.outcome, run.changed) == ("done", 1)
    assert Failure.objects.open().filter(activation=rocky).count() == shown


@pytest.mark.parametrize(
    ("error", "changed", "meanwhile", "shown"),
    [
        (Unavailable("ReadTimeout"), {"items": CHANGED_ITEMS}, False, 1),
        (Unavailable("ReadTimeout"), {"items": CHANGED_ITEMS}, True, 1),
        (Unreadable("not JSON"), {"items": CHANGED_ITEMS}, False, 1),
        (Unavailable("ReadTimeout"), {"head": {"payer_name": "Ana"}}, False, 0),
        (Rejected("sem cadastro"), {"items": CHANGED_ITEMS}, False, 0),
    ],
)
def test_an_order_that_is_changed_after_its_first_answer_was_lost_is_shown(
    rocky, pluga, shop, monkeypatch, error, changed, meanwhile, shown
):
    order = create_order(pluga, document())
    push_order = StoreContract.push_order

    def change():
        update_order(order.pk, OrderDocument(**{"head": {}, **changed}), pluga)

    def lost(self, record):
        monkeypatch.undo()
        if not isinstance(error, Rejected):
            push_order(self, record)
        if meanwhile:
            change()
        raise error

    monkeypatch.setattr(StoreContract, "push_order", lost)
    push(rocky)
    if not meanwhile:
        change()
    run = push(rocky)

    assert run.outcome == "done"
    assert list(shop.report()["orders"]) == [order.public_id]
    assert Failure.objects.open().filter(activation=rocky, flow="").count() == shown


@pytest.mark.parametrize(
    ("changed", "shown"), [({"items": CHANGED_ITEMS}, 1), ({"head": {"payer_name": "Ana"}}, 0)]
)
def test_an_order_that_is_changed_after_who_first_pushed_it_died_is_shown(
    rocky, pluga, shop, monkeypatch, changed, shown
):
    order = create_order(pluga, document())
    die_at_the_answer(monkeypatch, rocky)

    update_order(order.pk, OrderDocument(**{"head": {}, **changed}), pluga)
    run = push(rocky)

    assert run.outcome == "done"
    assert list(shop.report()["orders"]) == [order.public_id]
    assert Failure.objects.open().filter(activation=rocky, flow="").count() == shown


@pytest.mark.parametrize("answer", ["none", "lost", "no"])
def test_where_a_platform_may_have_an_order_that_is_cancelled_somebody_is_asked_to_look(
    store, pluga, sandbox, shop, monkeypatch, answer
):
    webstore = make_managed(store, "webstore", f"{sandbox.url}/{shop.name}", {"token": TOKEN})
    order = create_order(pluga, document())
    if answer == "none":
        die_at_the_answer(monkeypatch, webstore)
    else:
        with responses.RequestsMock() as far:
            url = f"{webstore.plugin_url}/orders/{order.public_id}"
            far.put(url, status=503 if answer == "lost" else 422, json={"error": "sem cadastro"})
            push(webstore)

    become(order, OrderStatus.CANCELED, pluga)

    order.refresh_from_db()
    to_do = outlook(order, (), types_invoice=False, types_tracking=False).to_do
    asked = [text for text in to_do if text.startswith("Webstore não cancela")]
    assert len(asked) == (answer != "no")


def die_at_the_answer(monkeypatch: pytest.MonkeyPatch, activation: Activation) -> None:
    """Who pushes dies when the platform has taken the order, and before that is noted."""
    push_order = StoreContract.push_order

    def die(self: StoreContract, record: OrderRecord) -> str:
        push_order(self, record)
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr(StoreContract, "push_order", die)
        with pytest.raises(SystemExit):
            push(activation)
    Run.objects.filter(ended_at=None).update(expires_at=timezone.now())


def test_a_cancelled_order_that_was_refused_is_no_failure_any_more(
    store, pluga, sandbox, shop, monkeypatch
):
    webstore = make_managed(store, "webstore", f"{sandbox.url}/{shop.name}", {"token": TOKEN})
    order = create_order(pluga, document())

    def refuse(self, record):
        raise Rejected("falta o CPF")

    monkeypatch.setattr(StoreContract, "push_order", refuse)
    push(webstore)
    refused = Failure.objects.open().get()
    become(order, OrderStatus.CANCELED, pluga)
    push(webstore)

    refused.refresh_from_db()
    assert refused.resolution == "Não há mais o que enviar."


# -- What comes back -------------------------------------------------------------------------------
def test_invoice_and_tracking_come_back_step_by_step(rocky, pluga, shop):
    order = create_order(pluga, document(status="pending"))
    push(rocky)
    shop.work()
    assert (pull(rocky).seen, Order.objects.get().status) == (0, "pending")
    become(order, OrderStatus.APPROVED, pluga)
    push(rocky)

    shop.work()
    pull(rocky)
    invoiced = order.shipments.get()
    shop.work()
    last = pull(rocky)

    told = shop.report()["fulfilments"][order.public_id]
    assert (invoiced.nfe_key, invoiced.track_code) == (told["invoice"]["key"], "")
    informed = order.shipments.get()
    assert informed.nfe_key == told["invoice"]["key"]
    assert informed.nfe_number == told["invoice"]["number"]
    assert nfe_key_is_valid(informed.nfe_key)
    assert informed.track_code == told["tracking"]["code"]
    assert [step.status for step in order.status_changes.all()] == [
        "pending",
        "approved",
        "invoiced",
        "shipping_informed",
    ]
    assert {step.author for step in order.status_changes.all()} == {str(pluga), str(rocky)}
    assert (last.outcome, last.changed) == ("done", 1)


def test_what_was_pulled_once_is_not_pulled_again(rocky, pluga, shop):
    create_order(pluga, document())
    push(rocky)
    shop.work()
    pull(rocky)

    again = pull(rocky)

    assert (again.outcome, again.seen, again.changed) == ("done", 0, 0)


def test_a_report_that_is_not_allowed_is_a_failure_and_changes_nothing(rocky, pluga, shop):
    order = create_order(pluga, document())
    push(rocky)
    shop.control("fulfil", {"order_id": order.public_id, "status": "delivered"})

    run = pull(rocky)

    assert (run.outcome, run.failed) == ("partial", 1)
    failure = Failure.objects.get()
    assert (failure.record_id, failure.kind) == (order.public_id, "refused")
    assert "Rocky E-Commerce não pode informar a situação delivered" in failure.reason
    assert Order.objects.get().status == "approved"


def test_otimo_reports_four_facts_of_the_invoice(store, pluga, sandbox):
    shop = sandbox.open("store", "otimo", {"token": TOKEN, "reports": "invoiced"})
    otimo = make_managed(store, "otimo", f"{sandbox.url}/otimo", {"token": TOKEN})
    order = create_order(pluga, document())
    push(otimo)
    shop.work()

    run = pull(otimo)

    shipment = order.shipments.get()
    assert (run.outcome, Order.objects.get().status) == ("done", "invoiced")
    assert shipment.nfe_date is not None
    assert (shipment.nfe_number, shipment.nfe_serie) == ("1", "1")
    assert len(shipment.nfe_key) == 44
    assert shipment.nfe_link == ""


def test_an_invoice_that_was_never_seen_alone_is_a_step_of_the_order_all_the_same(
    rocky, pluga, shop
):
    order = create_order(pluga, document())
    push(rocky)
    with shop.lock:
        shop.work()
        shop.work()

    run = pull(rocky)

    steps = list(order.status_changes.values_list("status", "previous", "author"))
    assert run.failed == 0
    assert steps[1:] == [
        ("invoiced", "approved", str(rocky)),
        ("shipping_informed", "invoiced", str(rocky)),
    ]
    assert order.shipments.count() == 1


# -- What changes without a status -----------------------------------------------------------------
def corrected(order: Order, by: Activation, **shipment: Any) -> None:
    mine = order.shipments.first()
    assert mine is not None
    update_order(
        order.pk, OrderDocument(head={}, shipments=[{"id": mine.public_id, **shipment}]), by
    )


def test_a_corrected_tracking_code_is_sent_again_and_once(rocky, pluga, shop):
    linx = make_activation(rocky.store, "linx")
    order = create_order(pluga, document(shipments=[{}]))
    push(rocky)

    corrected(order, linx, track_code="AA1")
    first, again = push(rocky), push(rocky)

    assert (first.seen, again.seen) == (1, 0)
    assert held(shop, order)["document"]["shipments"][0]["track_code"] == "AA1"
    assert held(shop, order)["statuses"] == ["approved"]


def test_a_label_alone_is_not_worth_telling(rocky, pluga, shop):
    order = create_order(pluga, document(shipments=[{}]))
    push(rocky)

    corrected(order, pluga, label_type="zpl")

    assert push(rocky).seen == 0


def test_what_changed_while_it_was_sent_is_sent_by_the_next_run(rocky, pluga, shop, monkeypatch):
    linx = make_activation(rocky.store, "linx")
    order = create_order(pluga, document(shipments=[{}]))
    stored = rocky.spec.client.push_order

    def push_while_it_changes(client: Any, record: Any) -> str:
        monkeypatch.setattr(rocky.spec.client, "push_order", stored)
        corrected(order, linx, track_code="AA1")
        return stored(client, record)

    monkeypatch.setattr(rocky.spec.client, "push_order", push_while_it_changes)
    first, second = push(rocky), push(rocky)

    assert (first.changed, second.changed) == (1, 1)
    assert held(shop, order)["document"]["shipments"][0]["track_code"] == "AA1"


def test_what_comes_while_a_push_runs_is_pushed_as_soon_as_that_ends(
    rocky, pluga, shop, monkeypatch
):
    order = create_order(pluga, document())
    stored = rocky.spec.client.push_order
    flow_id = flow_of(rocky, OrderSink)

    def push_while_it_is_cancelled(client: Any, record: Any) -> str:
        monkeypatch.setattr(rocky.spec.client, "push_order", stored)
        become(order, OrderStatus.CANCELED, pluga)
        OrmQ.objects.all().delete()
        push_orders(flow_id)  # as the queue does then: somebody is at it already
        assert not OrmQ.objects.exists()
        return stored(client, record)

    monkeypatch.setattr(rocky.spec.client, "push_order", push_while_it_is_cancelled)
    push_orders(flow_id)

    (queued,) = OrmQ.objects.all()
    assert (queued.func(), queued.args()) == ("orders.push.push_orders", (flow_id,))
    assert (push(rocky).changed, held(shop, order)["statuses"][-1]) == (1, "canceled")


def test_a_push_during_which_nothing_came_queues_no_other(rocky, pluga, shop):
    create_order(pluga, document())
    OrmQ.objects.all().delete()

    push(rocky)

    assert not OrmQ.objects.exists()


def deliveries_of(order: Order) -> list[tuple[str, str, bool]]:
    link = OrderLink.objects.get(order=order, activation=order.source)
    return [
        (
            each.invoice.key if each.invoice else "",
            each.tracking.code if each.tracking else "",
            bool(each.tracking and each.tracking.delivered_at),
        )
        for each in to_fulfilment(link).deliveries
    ]


@pytest.mark.parametrize(
    ("shipments", "deliveries"),
    [
        ([], []),
        ([{"shipping_company": "Mercado Envios"}], []),
        ([{"nfe_key": "K1", "track_code": "A1"}], [("K1", "A1", False)]),
        ([{"nfe_key": "K1"}, {"track_code": "A1"}], [("K1", "A1", False)]),
        ([{"track_code": "A1"}, {"nfe_key": "K1"}], [("K1", "A1", False)]),
        (
            [{"nfe_key": "K1"}, {"track_code": "A1"}, {"date_delivered": "2025-04-27"}],
            [("K1", "A1", True)],
        ),
        ([{"nfe_key": "K1"}, {"nfe_key": "K2"}], [("K1", "", False), ("K2", "", False)]),
        (
            [{"nfe_key": "K1"}, {"nfe_key": "K2"}, {"track_code": "A1"}, {"track_code": "A2"}],
            [("K1", "A1", False), ("K2", "A2", False)],
        ),
        (
            [
                {"nfe_key": "K1", "shipping_items": [{"sku": "A", "quantity": 1}]},
                {"track_code": "B1", "shipping_items": [{"sku": "B", "quantity": 1}]},
            ],
            [("K1", "", False), ("", "B1", False)],
        ),
    ],
)
def test_shipments_that_do_not_contradict_each_other_are_one_delivery(pluga, shipments, deliveries):
    order = create_order(pluga, document(shipments=shipments))

    assert deliveries_of(order) == deliveries


# -- Stock ----------------------------------------------------------------------------------------
def test_what_the_platform_tells_after_it_has_the_order_is_without_its_units(
    rocky, pluga, shop, store
):
    shop.control("put_product", {"sku": "CAN-07", "name": "Caneca", "quantity": 3, "price": 1})
    pull_products(flow_of(rocky, ProductSource))
    pull_stock(flow_of(rocky, StockSource))
    stock = Stock.objects.get(product__sku="CAN-07")
    create_order(pluga, document())  # two of them
    stock.refresh_from_db()
    kept = (stock.on_hand, stock.reserved, stock.available)

    push(rocky)
    pull_stock(flow_of(rocky, StockSource))

    stock.refresh_from_db()
    assert kept == (3, 2, 1)
    assert (stock.on_hand, stock.reserved, stock.available) == (1, 0, 1)


def test_units_of_an_order_whose_answer_was_lost_are_taken_off_once(
    rocky, pluga, shop, store, monkeypatch
):
    shop.control("put_product", {"sku": "CAN-07", "name": "Caneca", "quantity": 3, "price": 1})
    pull_products(flow_of(rocky, ProductSource))
    order = create_order(pluga, document())  # two of them
    push_order = StoreContract.push_order

    def hear_no_answer(self, record):
        push_order(self, record)
        raise Unavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(StoreContract, "push_order", hear_no_answer)
        push(rocky)
    pull_stock(flow_of(rocky, StockSource))
    push(rocky)
    become(order, OrderStatus.INVOICED, rocky)

    stock = Stock.objects.get(product__sku="CAN-07")
    assert (stock.on_hand, stock.reserved) == (1, 0)


def test_a_push_that_lost_its_run_sends_no_more(rocky, pluga, shop, monkeypatch):
    orders = [create_order(pluga, document(original_id=f"N-{n}")) for n in range(3)]
    push_order = StoreContract.push_order

    def released(self, record):
        release_run(Run.objects.latest("pk").pk, "ana")
        return push_order(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(StoreContract, "push_order", released)
        run = push(rocky)

    assert (run.outcome, len(shop.report()["orders"])) == ("abandoned", 1)
    assert push(rocky).changed == 2
    assert [held(shop, order)["puts"] for order in orders] == [1, 1, 1]


def test_what_a_push_notes_while_the_order_changes_stays(rocky, pluga, shop, monkeypatch):
    order = create_order(pluga, document())
    circle_of = links.circle_of

    def pushed_meanwhile(store):
        push(rocky)
        return circle_of(store)

    monkeypatch.setattr(links, "circle_of", pushed_meanwhile)
    become(order, OrderStatus.CANCELED, pluga)

    link = OrderLink.objects.get(activation=rocky)
    assert (link.external_id, link.sent_status) == (held(shop, order)["id"], "approved")
    assert link.wanted_status == "canceled"


def test_a_push_with_very_much_to_do_gives_up_its_turn(rocky, pluga, shop, monkeypatch):
    monkeypatch.setattr("orders.push.AT_ONCE", 1)
    monkeypatch.setattr("connectors.runs.running.TURN_SECONDS", -1)
    for number in range(3):
        create_order(pluga, document(original_id=f"N-{number}"))

    run = push(rocky)

    assert (run.outcome, run.changed) == ("done", 1)
    assert ActivationFlow.objects.get(pk=flow_of(rocky, OrderSink)).due_at == run.ended_at


def test_what_is_revoked_while_it_is_pushed_is_pushed_no_further(rocky, pluga, shop, monkeypatch):
    for number in range(3):
        create_order(pluga, document(original_id=f"N-{number}"))
    push_order = StoreContract.push_order

    def revoked(self, record):
        revoke(rocky.pk, make_operator())
        return push_order(self, record)

    monkeypatch.setattr(StoreContract, "push_order", revoked)
    run = push(rocky)

    assert (run.outcome, run.reason) == ("abandoned", "A integração está revogada.")
    assert len(shop.report()["orders"]) == 1


def test_an_order_that_never_gets_an_answer_keeps_no_other_waiting(rocky, pluga, shop, monkeypatch):
    orders = [create_order(pluga, document(original_id=f"N-{n}")) for n in range(3)]
    put, checked = StoreContract.push_order, []

    def silent(self, record):
        if record.original_id == "N-0":
            raise Unavailable("HTTP 500")
        return put(self, record)

    monkeypatch.setattr(StoreContract, "check", lambda self: checked.append(self))
    with monkeypatch.context() as patch:
        patch.setattr(StoreContract, "push_order", silent)
        at_first, then = push(rocky), push(rocky)
    failure = Failure.objects.open().get()
    Failure.objects.update(retry_at=then.started_at)
    at_last = push(rocky)

    assert (at_first.outcome, at_first.changed) == ("failed", 0)  # it may be the platform
    assert (then.outcome, then.changed, len(checked)) == ("partial", 2, 1)
    assert (failure.record_id, failure.reason) == (orders[0].public_id, "HTTP 500")
    assert (at_last.outcome, at_last.changed) == ("done", 1)
    assert not Failure.objects.open().exists()


def test_a_platform_that_answers_nobody_is_no_orders_failure(rocky, pluga, monkeypatch):
    create_order(pluga, document())

    def down(*_args):
        raise Unavailable("HTTP 500")

    monkeypatch.setattr(StoreContract, "push_order", down)
    monkeypatch.setattr(StoreContract, "check", down)
    runs = [push(rocky), push(rocky)]

    assert [run.outcome for run in runs] == ["failed", "failed"]
    assert not Failure.objects.exists()


def test_a_fault_of_ours_with_one_order_keeps_no_other_waiting(rocky, pluga, shop, monkeypatch):
    orders = [create_order(pluga, document(original_id=f"N-{n}")) for n in range(3)]
    put = StoreContract.push_order

    def broken(self, record):
        if record.original_id == "N-1":
            raise OverflowError("of Ana's")
        return put(self, record)

    monkeypatch.setattr(StoreContract, "push_order", broken)
    pushed = push(rocky)

    failure = Failure.objects.get()
    assert (pushed.outcome, pushed.changed) == ("partial", 2)
    assert (failure.record_id, failure.cause) == (orders[1].public_id, OUR_BUG)
    assert failure.reason == "Erro do portal: OverflowError"


def test_a_fault_of_ours_with_every_order_is_the_runs(rocky, pluga, monkeypatch):
    for number in range(8):
        create_order(pluga, document(original_id=f"N-{number}"))

    def broken(self, record):
        raise OverflowError

    monkeypatch.setattr(StoreContract, "push_order", broken)
    pushed = push(rocky)

    assert (pushed.outcome, pushed.reason) == ("failed", "Erro do portal: OverflowError")
    assert Failure.objects.count() == MOST_IN_A_ROW


@pytest.mark.parametrize("error", [OverflowError("of ours"), Unavailable("HTTP 500")])
def test_what_failed_one_by_one_is_not_taken_for_everything_when_it_comes_together(
    rocky, pluga, shop, monkeypatch, error
):
    """At their second attempt those between them are not there any more."""
    broken = {f"N-{n}" for n in range(0, 4 * MOST_IN_A_ROW, 2)}
    put = StoreContract.push_order

    def some(self, record):
        if record.original_id in broken:
            raise error
        return put(self, record)

    for n in range(4 * MOST_IN_A_ROW):
        create_order(pluga, document(original_id=f"N-{n}"))
    monkeypatch.setattr(StoreContract, "check", lambda self: None)
    monkeypatch.setattr(StoreContract, "push_order", some)
    ActivationFlow.objects.update(failures_in_a_row=1)
    at_first = push(rocky)
    Failure.objects.update(retry_at=at_first.started_at)
    create_order(pluga, document(original_id="new"))
    again = push(rocky)

    assert (at_first.outcome, at_first.failed) == ("partial", len(broken))
    assert (again.outcome, again.failed, again.changed) == ("partial", len(broken), 1)
