"""A store's integration comes to its platform's new version: V1 to V2 of Linx Commerce."""

import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test import Client
from django.utils.module_loading import import_string

from catalog.models import Product, Reservation, SkuMapping, Stock
from catalog.services import save_product
from catalog.spreadsheets.jobs import confirm, work
from catalog.tasks import pull_stock
from connectors.contract import OrderSink, Page, StockSource
from connectors.errors import NotAllowed, NothingChanged, Refused
from connectors.hub.tokens import issue_code
from connectors.messages.delivery import webhook_secrets
from connectors.models import Activation, ActivationFlow, Endpoint, Notice, Run, State
from connectors.payload import Payload
from connectors.services import pause, revoke, rotate_credential
from connectors.spec import Mode
from connectors.storecontract.client import StoreContract
from orders import push
from orders.models import Order, OrderLink
from orders.services import create_order, update_order
from orders.upgrade import is_to_upgrade, plans, upgrade
from orders.wire import OrderDocument
from tests.catalog.spreadsheets.sheets import MAPPINGS, send, xlsx
from tests.conftest import flow_of, make_managed, make_operator, make_partner, make_store
from tests.connectors.admin.conftest import LIST, page_of, somebody_who_may
from tests.orders.samples import document, small_order
from tests.threads import one_within_another

pytestmark = pytest.mark.django_db

V1, V2 = {"store_version": "v1"}, {"store_version": "v2"}
URL, NEW_URL = "https://v1.example.com/avisos", "https://v2.example.com/avisos"


@pytest.fixture
def v1(store):
    """The account of the old version; its program has called."""
    v1 = make_partner(
        store, "linx", name="V1", plugin_url=URL, values={**V1, "intermediary_cnpj": "1"}
    )
    v1.get("/orders")
    v1.activation.refresh_from_db()
    return v1


@pytest.fixture
def v2(store):
    """An account of the new version, that somebody added already."""
    return make_partner(
        store, "linx", name="V2", plugin_url=NEW_URL, values={**V2, "intermediary_cnpj": ""}
    )


@pytest.fixture
def pluga(store):
    return make_partner(store, "pluga", name="Canal")


def place(pluga, number, **fields):
    return create_order(pluga.activation, document(number, **fields))


def run(source, target=None, url=""):
    return upgrade(source.activation.pk, target and target.activation.pk, url)


def reread(partner):
    return Activation.objects.get(pk=partner.activation.pk)


# -- The same account ------------------------------------------------------------------------------
def test_one_account_stays_the_same_one_with_everything_it_had(v1, pluga):
    order = place(pluga, "1")
    v1.put(f"/orders/{order.public_id}", {"external": "LX-1", "ack": True})
    before = reread(v1)

    plan = run(v1, url=NEW_URL)

    after = reread(v1)
    answer = v1.get(f"/orders/{order.public_id}").json()["Order"]
    assert (after.settings["store_version"], after.plugin_url) == ("v2", NEW_URL)
    assert (after.client_id, after.api_user, after.state) == (
        before.client_id,
        before.api_user,
        State.ACTIVE,
    )
    assert (answer["external"], answer["ack"]) == ("LX-1", True)
    assert (plan.target, plan.orders, plan.open_orders, plan.notices) == (None, 1, 1, 1)
    assert Notice.objects.waiting().get(activation=after).object_id == order.public_id


def test_a_blank_address_leaves_the_accounts_own(v1):
    run(v1)

    assert reread(v1).plugin_url == URL


def test_a_second_time_nothing_happens(v1):
    run(v1, url=NEW_URL)

    with pytest.raises(NothingChanged, match="já está na nova versão"):
        run(v1, url="https://another.example.com")

    assert reread(v1).plugin_url == NEW_URL


# -- The other account takes over ------------------------------------------------------------------
def test_orders_codes_and_notices_are_the_other_accounts(v1, v2, pluga, store):
    revoked_later = place(pluga, "1")
    ended = place(pluga, "2", status="delivered")
    product = save_product(store, "CANECA", {"name": "Caneca"}, None)
    SkuMapping.objects.create(activation=v1.activation, code="77", product=product)
    v1.put("/skus/77", {"external": "X-9", "price": 10})
    OrderLink.objects.filter(activation=v2.activation).delete()
    Notice.objects.filter(activation=v2.activation).delete()
    v1.put(f"/orders/{revoked_later.public_id}", {"external": "LX-1", "ack": True})

    plan = run(v1, v2)

    v2.get("/orders")
    answer = v2.get(f"/orders/{revoked_later.public_id}").json()["Order"]
    shown = v2.get("/skus/77").json()["Product"]
    assert (plan.orders, plan.open_orders, plan.orders_on_both) == (2, 1, 0)
    assert (plan.mappings, plan.notices, plan.credentials) == (1, 2, 1)
    assert (answer["external"], answer["ack"]) == ("LX-1", True)
    assert (shown["sku"], shown["external"]) == ("CANECA", "X-9")
    assert ended.links.filter(activation=v2.activation).exists()
    assert not OrderLink.objects.filter(activation=v1.activation).exists()
    assert not SkuMapping.objects.filter(activation=v1.activation).exists()
    waiting = Notice.objects.waiting().filter(activation=v2.activation)
    assert {n.object_id for n in waiting} == {revoked_later.public_id, ended.public_id}


def test_the_old_one_stays_as_history_and_the_new_one_is_complete(v1, v2):
    run(v1, v2)

    old, new = reread(v1), reread(v2)
    assert (old.state, old.moved_to) == (State.MOVED, new)
    assert new.settings == {"store_version": "v2", "intermediary_cnpj": "1"}
    assert new.plugin_url == NEW_URL
    assert not is_to_upgrade(old)


def test_an_order_that_both_had_becomes_one_with_what_each_knew(v1, v2, pluga):
    one, other = place(pluga, "1"), place(pluga, "2")
    v1.put(f"/orders/{one.public_id}", {"external": "LX-1", "ack": True})
    v2.put(f"/orders/{other.public_id}", {"external": "LX-2"})
    v1.put(f"/orders/{other.public_id}", {"external": "OLD-2"})

    plan = run(v1, v2)

    links = {link.order_id: link for link in OrderLink.objects.filter(activation=v2.activation)}
    assert plan.orders_on_both == 2
    assert (links[one.pk].external_id, links[one.pk].acknowledged) == ("LX-1", True)
    assert links[other.pk].external_id == "LX-2"
    assert OrderLink.objects.exclude(activation=pluga.activation).count() == 2
    told = Notice.objects.waiting().filter(activation=v2.activation, object_id=one.public_id)
    assert told.count() == 1
    assert not Notice.objects.waiting().filter(activation=v1.activation).exists()


def test_a_code_of_which_the_other_has_its_own_stays_behind(v1, v2, store):
    mug, shirt = (save_product(store, sku, {"name": sku}, None) for sku in ("CANECA", "CAMISA"))
    SkuMapping.objects.create(activation=v1.activation, code="1", product=mug)
    SkuMapping.objects.create(activation=v1.activation, code="2", product=shirt)
    SkuMapping.objects.create(activation=v2.activation, code="1", product=shirt)

    plan = run(v1, v2)

    assert (plan.mappings, plan.mappings_left) == (0, 2)
    assert v2.get("/skus/1").json()["Product"]["sku"] == "CAMISA"


def test_credentials_and_tokens_go_on_working_and_act_as_the_new_one(v1, v2, pluga):
    place(pluga, "1")
    token_before = v1.token

    run(v1, v2)
    order = place(pluga, "2")
    with_old_token = v1.put(f"/orders/{order.public_id}", {"external": "LX-2"})
    v1.token = ""
    with_new_token = v1.get("/orders")
    new_program = v2.get(f"/orders/{order.public_id}")

    assert v1.token != token_before
    assert (with_old_token.status_code, with_new_token.status_code) == (200, 200)
    assert with_new_token.json()["total"] == 2
    assert new_program.json()["Order"]["external"] == "LX-2"
    assert order.links.get(activation=v2.activation).external_id == "LX-2"
    assert not order.links.filter(activation=v1.activation).exists()


def test_a_refresh_token_of_before_is_swapped_after(v1, v2):
    refresh_token = v1.ask_token().json()["refresh_token"]

    run(v1, v2)
    answer = v1.ask_token(grant_type="refresh_token", refresh_token=refresh_token)

    assert answer.status_code == 200


def test_a_call_of_the_old_program_makes_the_waiting_account_active(v1, v2):
    run(v1, v2)
    before = reread(v2).state

    v1.get("/orders")

    assert (before, reread(v2).state) == (State.WAITING, State.ACTIVE)


def test_notices_are_signed_so_that_either_program_knows_them(v1, v2):
    run(v1, v2)

    secrets = webhook_secrets(v2.activation.pk)

    assert secrets == [v2.issued.webhook_secret, v1.issued.webhook_secret]


def test_to_an_address_that_is_switched_off_nothing_is_on_its_way(v1, v2, pluga):
    Endpoint.objects.filter(pk=v2.activation.pk).update(
        disabled_at=v1.activation.created_at, disabled_reason="fora do ar"
    )
    place(pluga, "1")
    Notice.objects.filter(activation=v2.activation).delete()

    run(v1, v2)

    assert not Notice.objects.waiting().exists()
    assert Notice.objects.filter(activation=v2.activation).count() == 1


def test_how_long_it_has_been_silent_counts_over_both(v1, v2):
    called = v1.activation.created_at
    ActivationFlow.objects.filter(activation=v1.activation).update(last_call_at=called)

    run(v1, v2)

    flows = ActivationFlow.objects.filter(activation=v2.activation)
    assert {flow.last_call_at for flow in flows} == {called}


def test_the_old_credentials_end_when_support_revokes_them(v1, v2):
    run(v1, v2)

    revoke(v1.activation.pk, make_operator())

    assert v1.get("/orders").status_code == 401
    assert v2.get("/orders").status_code == 200
    assert reread(v1).moved_to == reread(v2)


def test_with_the_new_account_its_predecessors_credentials_end(v1, v2):
    run(v1, v2)

    revoke(v2.activation.pk, make_operator())

    assert v1.get("/orders").status_code == 401


def test_a_moved_account_gets_no_new_credentials_codes_or_orders(v1, v2, pluga):
    run(v1, v2)

    for attempt in (
        lambda: rotate_credential(v1.activation.pk, make_operator()),
        lambda: issue_code(reread(v1), make_operator()),
    ):
        with pytest.raises(NotAllowed):
            attempt()

    order = place(pluga, "1")
    assert {link.activation_id for link in order.links.all()} == {
        v2.activation.pk,
        pluga.activation.pk,
    }


def test_the_takeover_twice_does_nothing(v1, v2, pluga):
    place(pluga, "1")
    run(v1, v2)
    links = list(OrderLink.objects.values_list("pk", "activation_id", "external_id"))

    for again in (lambda: run(v1, v2), lambda: run(v1)):
        with pytest.raises(NothingChanged):
            again()

    assert list(OrderLink.objects.values_list("pk", "activation_id", "external_id")) == links


def test_a_write_that_was_authenticated_before_is_the_new_accounts(v1, v2, pluga):
    order = place(pluga, "1")
    authenticated = reread(v1)
    run(v1, v2)

    update_order(order.pk, OrderDocument(head={}, external="LX-1"), authenticated)

    assert order.links.get(activation=v2.activation).external_id == "LX-1"
    assert not order.links.filter(activation=v1.activation).exists()


# -- Whom it may be --------------------------------------------------------------------------------
def test_who_cannot_take_over_is_refused(v1, v2, store):
    elsewhere = make_partner(make_store(), "linx", values=V2)
    also_old = make_partner(store, "linx", values=V1)
    other_connector = make_partner(store, "rocky")
    managed = make_managed(store, "linx", URL, {"token": "t"}, values=V2)
    ended = make_partner(store, "linx", values=V2)
    revoke(ended.activation.pk, make_operator())

    for target in (elsewhere, also_old, other_connector, ended):
        with pytest.raises(Refused):
            run(v1, target)
    with pytest.raises(Refused, match="mesma loja, conector e modo"):
        upgrade(v1.activation.pk, managed.pk, "")
    with pytest.raises(Refused):
        upgrade(v1.activation.pk, 10**6, "")

    assert reread(v1).state == State.ACTIVE
    assert [plan.target for plan in plans(reread(v1))] == [None, reread(v2)]


def test_a_connector_without_versions_has_none_to_come_to(store):
    rocky = make_partner(store, "rocky")

    with pytest.raises(NotAllowed, match="não tem versões"):
        run(rocky)

    assert list(plans(rocky.activation)) == []


def test_a_paused_account_can_be_brought_over(v1, v2):
    pause(v1.activation.pk, "fora do ar")

    run(v1, v2)

    assert (reread(v1).state, reread(v1).paused_reason) == (State.MOVED, "")


def test_managed_what_the_other_passed_over_is_read_again(store, pluga):
    old = make_managed(store, "linx", URL, {"token": "t"}, values=V1)
    new = make_managed(store, "linx", NEW_URL, {"token": "u"}, values=V2)
    order = place(pluga, "1")
    OrderLink.objects.filter(activation=old).update(external_id="1001", sent_status="approved")
    ActivationFlow.objects.filter(activation=new).update(cursor="99")

    upgrade(old.pk, new.pk, "")

    link = order.links.get(activation=new)
    assert new.mode == Mode.MANAGED
    assert (link.external_id, link.sent_status) == ("1001", "approved")
    assert not OrderLink.objects.stale().filter(activation=new).exists()
    assert set(ActivationFlow.objects.filter(activation=new).values_list("cursor", flat=True)) == {
        ""
    }


def test_managed_a_run_of_the_old_account_goes_no_further(store, monkeypatch):
    old = make_managed(store, "linx", URL, {"token": "t"}, values=V1)
    new = make_managed(store, "linx", NEW_URL, {"token": "u"}, values=V2)
    for sku in ("A", "B"):
        save_product(store, sku, {"name": sku, "quantity": 5}, None)

    def pages(self, cursor):
        yield Page([Payload({"sku": "A", "quantity": 1})], cursor)
        upgrade(old.pk, new.pk, "")
        yield Page([Payload({"sku": "A", "quantity": 2})], cursor)
        yield Page([Payload({"sku": "B", "quantity": 2})], cursor)

    monkeypatch.setattr(StoreContract, "changed_stock", pages)
    pull_stock(flow_of(old, StockSource))

    run = Run.objects.get()
    assert (run.outcome, run.reason) == ("abandoned", "A integração migrou.")
    assert dict(Stock.objects.values_list("product__sku", "on_hand"))["B"] == 5


def test_codes_that_are_confirmed_afterwards_are_the_new_accounts(v1, v2, store):
    save_product(store, "CANECA", {"name": "Caneca"}, None)
    content = xlsx(["Código no sistema", "SKU"], ["77", "CANECA"])
    sheet = send(store, content, kind=MAPPINGS, activation=v1.activation)

    run(v1, v2)
    confirm(sheet.pk)
    work(sheet.pk)

    mapping = SkuMapping.objects.get()
    assert (mapping.activation, mapping.code) == (v2.activation, "77")


# -- The page --------------------------------------------------------------------------------------
@pytest.fixture
def browser(operator):
    client = Client()
    client.force_login(operator)
    return client


def test_the_page_shows_what_there_is_and_the_answer_what_was_moved(browser, v1, v2, pluga):
    place(pluga, "1")
    action = f"{LIST}{v1.activation.pk}/upgrade/"
    offered = browser.get(page_of(v1.activation)).content.decode()

    preview = browser.get(action).content.decode()
    nothing_yet = reread(v1).state
    answer = browser.post(
        action, {"target": v2.activation.pk, "plugin_url": ""}, follow=True
    ).content.decode()
    again = browser.post(action, {"target": v2.activation.pk}, follow=True).content.decode()

    assert action in offered
    assert "Continuar na mesma conta" in preview
    assert f"Passar tudo para {v2.activation}" in preview
    assert "nas duas contas, cada um fica um só: 1" in preview
    assert nothing_yet == State.ACTIVE
    assert "0 De/Para, 1 pedidos (1 em aberto), 0 notificações" in answer
    assert "já está na nova versão: nada mudou" in again
    assert LogEntry.objects.count() == 2


def test_the_button_is_there_only_where_there_is_something_to_bring_over(browser, v1, v2, store):
    rocky = make_partner(store, "rocky")

    for partner in (v2, rocky):
        assert "/upgrade/" not in browser.get(page_of(partner.activation)).content.decode()
    empty = browser.get(f"{LIST}{v2.activation.pk}/upgrade/").content.decode()
    assert "não tem migração pendente" in empty


def test_an_address_that_is_none_is_asked_again(browser, v1):
    answer = browser.post(f"{LIST}{v1.activation.pk}/upgrade/", {"target": "", "plugin_url": "x y"})

    assert answer.status_code == 200
    assert "URL" in answer.content.decode()
    assert reread(v1).settings["store_version"] == "v1"


def test_who_may_only_look_brings_nothing_over(v1):
    answer = somebody_who_may("view_activation").post(f"{LIST}{v1.activation.pk}/upgrade/")

    assert answer.status_code == 403
    assert reread(v1).settings["store_version"] == "v1"


# -- At the same moment ----------------------------------------------------------------------------
def in_threads(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def closing(work):
    def run_and_close():
        try:
            work()
        finally:
            connection.close()

    return run_and_close


@pytest.mark.django_db(transaction=True)
def test_orders_that_arrive_meanwhile_are_neither_lost_nor_doubled(v1, v2, pluga):
    begun = threading.Event()
    OrderLink.objects.all().delete()

    def sell(first):
        for number in range(first, first + 12):
            assert pluga.post("/orders", small_order(str(number))).status_code == 201
            begun.set()

    def report():
        """The old program reports on whatever it is shown."""
        for _turn in range(12):
            for row in v1.get("/orders").json()["result"]:
                v1.put(f"/orders/{row['Order']['id']}", {"external": row["Order"]["original_id"]})

    def take_over():
        begun.wait()
        run(v1, v2)

    pluga.get("/orders")
    in_threads(*map(closing, (lambda: sell(100), lambda: sell(200), report, take_over)))
    v1.get("/orders")
    for row in v1.get("/orders", limit="100").json()["result"]:
        v1.put(f"/orders/{row['Order']['id']}", {"external": row["Order"]["original_id"]})

    links = OrderLink.objects.exclude(activation=pluga.activation)
    assert Order.objects.count() == 24
    assert {link.activation_id for link in links} == {v2.activation.pk}
    assert links.count() == 24
    assert all(link.external_id == link.order.original_id for link in links)
    assert not Notice.objects.waiting().filter(activation=v1.activation).exists()
    told = Notice.objects.filter(activation=v2.activation).values_list("object_id", flat=True)
    assert set(told) == set(Order.objects.values_list("public_id", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_who_writes_an_order_is_waited_for_and_then_waits(v1, v2, pluga):
    order = place(pluga, "1")
    written, may_end = threading.Event(), threading.Event()
    moved = []

    def write_slowly():
        with transaction.atomic():
            update_order(order.pk, OrderDocument(head={}, external="LX-1"), reread(v1))
            written.set()
            may_end.wait(10)

    def take_over():
        written.wait(10)
        run(v1, v2)
        moved.append(True)

    threads = [threading.Thread(target=closing(work)) for work in (write_slowly, take_over)]
    for thread in threads:
        thread.start()
    written.wait(10)
    threads[1].join(0.5)
    waited = not moved
    may_end.set()
    for thread in threads:
        thread.join()

    assert waited
    assert order.links.get(activation=v2.activation).external_id == "LX-1"
    assert not order.links.filter(activation=v1.activation).exists()
    assert Product.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_button_pressed_by_two_moves_once(v1, v2, pluga):
    place(pluga, "1")
    ends = []

    def press():
        try:
            run(v1, v2)
            ends.append("moved")
        except NothingChanged:
            ends.append("nothing")

    in_threads(closing(press), closing(press))

    assert sorted(ends) == ["moved", "nothing"]
    assert OrderLink.objects.filter(activation=v2.activation).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize(
    ("step", "moving_is_at"),
    [
        ("catalog.services.write_level", "catalog.succession.mappings_to_move"),
        ("catalog.services.announce_stock", "orders.upgrade.move_codes"),
    ],
)
def test_a_change_of_stock_and_a_takeover_do_not_block_each_other(
    v1, v2, pluga, monkeypatch, step, moving_is_at
):
    v1.put("/skus/CAN-07", {"external": "X-9", "quantity": 5})
    order = place(pluga, "1")
    v1.put(f"/orders/{order.public_id}", {"external": "LX-1"})
    changing, moving = threading.Event(), threading.Event()
    answers = []

    def late(do):
        def wait_and_do(*args):
            changing.set()
            moving.wait(2)
            return do(*args)

        return wait_and_do

    def noted(do):
        def note_and_do(*args):
            moving.set()
            return do(*args)

        return note_and_do

    def change_stock():
        body = {"action": "update", "quantity": 3}
        answers.append(v1.put("/skus/CAN-07/stock", body).status_code)

    def take_over():
        changing.wait(10)
        run(v1, v2)
        answers.append("moved")

    for name, wrap in ((step, late), (moving_is_at, noted)):
        monkeypatch.setattr(name, wrap(import_string(name)))
    in_threads(*map(closing, (change_stock, take_over)))

    assert answers == [200, "moved"]
    assert v2.get("/skus/CAN-07").json()["Product"]["external"] == "X-9"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_an_order_that_is_being_pushed_meanwhile_is_noted_as_pushed(store, pluga, monkeypatch):
    old = make_managed(store, "linx", URL, {"token": "t"}, values=V1)
    save_product(store, "CAN-07", {"name": "Caneca", "quantity": 5}, None)
    order = place(pluga, "1")
    new = make_managed(store, "linx", NEW_URL, {"token": "u"}, values=V2)
    monkeypatch.setattr(StoreContract, "push_order", lambda self, record: "LX-1")

    faults = one_within_another(
        monkeypatch,
        push,
        "_note_sent",
        lambda: push.push_orders(flow_of(old, OrderSink)),
        lambda: upgrade(old.pk, new.pk, ""),
    )

    assert faults == []
    link = order.links.get(activation=new)
    assert (link.external_id, link.sent_status) == ("LX-1", "approved")
    assert Reservation.objects.get().taken_by == new
