"""What a platform rings for: stored once, fetched once, and by nobody at the flow's own cost."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Product
from catalog.tasks import pull_products, pull_stock
from connectors.contract import ProductSource, StockSource
from connectors.errors import (
    NotAllowed,
    NotFound,
    Rejected,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.messages import rings
from connectors.messages.doorbells import doorbell_secret, replace_doorbell
from connectors.messages.rings import AT_ONCE, KEPT, RUNG, prune_rings, ring
from connectors.models import Activation, ActivationFlow, Doorbell, Failure, Ring, Run, State
from connectors.olist.client import Olist
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny import Tiny
from connectors.services import pause, revoke
from portal.webhooks import FETCHED_BY
from tests.conftest import flow_of, make_managed, make_operator, make_partner, make_store

pytestmark = pytest.mark.django_db
CNPJ = "12ABC34501DE35"
MUG = {"codigo": "CAN-07", "nome": "Caneca", "preco": 110, "saldo": 3}


@pytest.fixture
def erp(sandbox: Sandbox) -> Tiny:
    erp = sandbox.open("tiny", "toca", {"token": "t"})
    assert isinstance(erp, Tiny)
    return erp


@pytest.fixture
def activation(sandbox: Sandbox, erp: Tiny) -> Activation:
    received = {"integrator_id": "10482", "token": "t"}
    activation = make_managed(make_store(), "olist", f"{sandbox.url}/toca", received)
    OrmQ.objects.all().delete()
    return activation


def stock_notice(product_id: str, **changes: Any) -> bytes:
    notice = {"versao": "1.0", "cnpj": CNPJ, "tipo": "estoque", "dados": {"idProduto": product_id}}
    return json.dumps({**notice, **changes}).encode()


def told(activation: Activation, body: bytes) -> Any:
    return ring(doorbell_secret(activation), body, FETCHED_BY)


def queued() -> list[tuple[str, tuple[Any, ...]]]:
    return [(row.task["func"], row.task["args"]) for row in OrmQ.objects.order_by("pk")]


def put_mug(erp: Tiny, activation: Activation) -> str:
    """In both places, and old news."""
    mug_id: str = erp.control("put_product", MUG)["id"]
    pull_products(flow_of(activation, ProductSource))
    pull_stock(flow_of(activation, StockSource))
    OrmQ.objects.all().delete()
    return mug_id


# -- Ringing ---------------------------------------------------------------------------------------
def test_what_was_told_is_stored_and_its_fetching_queued(activation: Activation) -> None:
    answer = told(activation, stock_notice("71"))

    assert answer == {"ok": True}
    stored = Ring.objects.get()
    assert (stored.activation, stored.ability, stored.record_id, stored.times) == (
        activation, "StockSource", "71", 1,
    )  # fmt: skip
    assert stored.handled_at is None
    assert queued() == [("catalog.tasks.pull_stock", (flow_of(activation, StockSource), RUNG))]
    assert Doorbell.objects.get().last_rung_at is not None


def test_the_same_told_again_before_it_is_fetched_is_told_once(activation: Activation) -> None:
    for _number in range(3):
        told(activation, stock_notice("71"))
    told(activation, stock_notice("72"))

    assert [(r.record_id, r.times) for r in Ring.objects.order_by("pk")] == [("71", 3), ("72", 1)]


def test_an_address_that_is_nobodys_is_not_found(activation: Activation) -> None:
    with pytest.raises(NotFound):
        ring("guessed", stock_notice("71"), FETCHED_BY)

    assert not Ring.objects.exists()


def test_an_activation_that_is_revoked_is_not_found(activation: Activation) -> None:
    secret = doorbell_secret(activation)
    revoke(activation.pk, make_operator())

    with pytest.raises(NotFound):
        ring(secret, stock_notice("71"), FETCHED_BY)


def test_a_new_address_takes_the_place_of_the_old_one(activation: Activation) -> None:
    old = doorbell_secret(activation)

    replace_doorbell(activation.pk)

    with pytest.raises(NotFound):
        ring(old, stock_notice("71"), FETCHED_BY)
    assert told(activation, stock_notice("71")) == {"ok": True}


def test_who_does_not_listen_has_no_address() -> None:
    partner = make_partner(make_store(), "rocky").activation

    assert doorbell_secret(partner) == ""
    with pytest.raises(NotAllowed):
        replace_doorbell(partner.pk)


def test_the_secret_is_not_stored_in_the_clear(activation: Activation) -> None:
    doorbell, secret = Doorbell.objects.get(), doorbell_secret(activation)

    assert len(secret) >= 43
    assert secret not in f"{doorbell.sealed}{doorbell.secret_hash}"


# -- What cannot be taken --------------------------------------------------------------------------
def test_a_kind_that_nobody_knows_is_taken_and_shown_once(activation: Activation) -> None:
    body = stock_notice("71", tipo="cotacao_frete")

    answers = [told(activation, body) for _number in range(2)]

    assert [answer["ok"] for answer in answers] == [False, False]
    failure = Failure.objects.get()
    assert (failure.kind, failure.times, failure.retry_at) == ("rejected", 2, None)
    assert "cotacao_frete" in failure.reason
    assert json.loads(failure.payload["aviso"])["tipo"] == "cotacao_frete"
    assert not Ring.objects.exists()
    assert queued() == []


@pytest.mark.parametrize(
    ("body", "error", "kind"),
    [
        (b"\x00\xff<xml>", Unreadable, "unreadable"),
        (stock_notice("71", dados={}), Unreadable, "unreadable"),
        (stock_notice("71", cnpj="33000167000101"), Unauthorized, "unauthorized"),
        (stock_notice("71", idEcommerce="999"), Unauthorized, "unauthorized"),
    ],
)
def test_what_is_refused_is_shown(
    activation: Activation, body: bytes, error: type[Exception], kind: str
) -> None:
    with pytest.raises(error):
        told(activation, body)

    assert Failure.objects.get().kind == kind
    activation.refresh_from_db()
    assert activation.state == State.ACTIVE  # anybody may have rung


# -- Fetching --------------------------------------------------------------------------------------
def test_only_what_was_told_is_fetched(activation: Activation, erp: Tiny) -> None:
    mug_id = put_mug(erp, activation)
    cursor = ActivationFlow.objects.get(pk=flow_of(activation, StockSource)).cursor
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    told(activation, stock_notice(mug_id))
    OrmQ.objects.all().delete()

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand == 1
    assert Ring.objects.get().handled_at is not None
    assert len(erp.stock_updates) == 1  # the list of updates was not asked
    assert ActivationFlow.objects.get(pk=flow_of(activation, StockSource)).cursor == cursor
    assert queued() == []


def test_in_its_turn_a_flow_fetches_what_was_told_and_looks_further(
    activation: Activation, erp: Tiny
) -> None:
    mug_id = put_mug(erp, activation)
    told(activation, stock_notice(mug_id))
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 2})

    pull_stock(flow_of(activation, StockSource))

    assert Ring.objects.get().handled_at is not None
    assert erp.stock_updates == {}


def test_a_second_worker_finds_nothing_left_and_leaves_no_trace(
    activation: Activation, erp: Tiny
) -> None:
    mug_id = put_mug(erp, activation)
    told(activation, stock_notice(mug_id))
    pull_stock(flow_of(activation, StockSource), RUNG)
    runs = Run.objects.count()

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Run.objects.count() == runs


def test_while_a_run_goes_on_another_leaves_the_rings_to_it(
    activation: Activation, erp: Tiny
) -> None:
    told(activation, stock_notice("71"))
    Run.objects.create(
        activation=activation,
        ability="StockSource",
        flow="stock",
        expires_at=timezone.now() + timedelta(minutes=5),
    )

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Run.objects.count() == 1
    assert Ring.objects.get().handled_at is None


def test_what_rings_while_it_is_fetched_is_fetched_again(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched may be older than the second ring."""
    mug_id = put_mug(erp, activation)
    told(activation, stock_notice(mug_id))
    fetch = Olist.fetch

    def while_it_rings(*args: Any) -> Any:
        told(activation, stock_notice(mug_id))
        return fetch(*args)

    monkeypatch.setattr(Olist, "fetch", while_it_rings)
    OrmQ.objects.all().delete()

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Ring.objects.get().handled_at is None
    again = ("catalog.tasks.pull_stock", (flow_of(activation, StockSource), RUNG))
    assert queued() == [again] * 2  # by the ring, and by the run that was too early


def test_more_than_one_run_takes_is_the_next_runs(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.messages.rings.AT_ONCE", 2)
    for number in range(3):
        told(activation, stock_notice(str(number)))
    OrmQ.objects.all().delete()

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Ring.objects.open().count() == 1
    assert len(queued()) == 1
    assert AT_ONCE == 100


def test_a_record_that_the_platform_refuses_stops_no_other(
    activation: Activation, erp: Tiny
) -> None:
    mug_id = put_mug(erp, activation)
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    told(activation, stock_notice("999"))
    told(activation, stock_notice(mug_id))

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert not Ring.objects.open().exists()
    assert Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand == 1
    assert Failure.objects.open().get().record_id == "999"


def test_a_record_that_was_refused_and_comes_later_is_mended(
    activation: Activation, erp: Tiny
) -> None:
    told(activation, stock_notice("710000001"))
    pull_stock(flow_of(activation, StockSource), RUNG)
    assert Failure.objects.open().exists()
    mug_id = put_mug(erp, activation)
    assert mug_id == "710000001"
    told(activation, stock_notice(mug_id))

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert not Failure.objects.open().exists()


@pytest.mark.parametrize("error", [Unreadable("new to us"), KeyError("ours")])
def test_what_was_fetched_and_could_not_be_read_stays_a_failure(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Also where it is called as it was rung for."""
    mug_id = put_mug(erp, activation)
    told(activation, stock_notice(mug_id))
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})

    def broken(self: Olist, payload: Any) -> Any:
        raise error

    monkeypatch.setattr(Olist, "read_stock", broken)
    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Run.objects.latest("pk").failed == 1
    assert [each.record_id for each in Failure.objects.open()] == [mug_id]


def test_a_ring_that_never_gets_an_answer_keeps_nothing_else_waiting(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug_id = put_mug(erp, activation)
    told(activation, stock_notice("71"))
    told(activation, stock_notice(mug_id))
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    fetch = Olist.fetch

    def silent(self: Olist, ability: Any, record_id: str) -> Any:
        if record_id == "71":
            raise Unavailable("HTTP 500")
        return fetch(self, ability, record_id)

    monkeypatch.setattr(Olist, "fetch", silent)
    for _time in range(2):
        pull_stock(flow_of(activation, StockSource))

    at_first, then = Run.objects.order_by("pk")[2:]
    assert (at_first.outcome, then.outcome) == ("failed", "partial")
    assert not Ring.objects.open().exists()
    assert Failure.objects.open().get().record_id == "71"
    assert Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand == 1


def test_a_ring_without_an_answer_is_fetched_when_its_time_comes(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug_id = put_mug(erp, activation)
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    erp.stock_updates.clear()  # only the ring tells of it
    told(activation, stock_notice(mug_id))

    def silent(self: Olist, ability: Any, record_id: str) -> Any:
        raise Unavailable("HTTP 500")

    with monkeypatch.context() as patch:
        patch.setattr(Olist, "fetch", silent)
        for _time in range(2):
            pull_stock(flow_of(activation, StockSource))
    pull_stock(flow_of(activation, StockSource))
    before = Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand
    Failure.objects.update(retry_at=timezone.now())
    pull_stock(flow_of(activation, StockSource))

    assert (before, Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand) == (3, 1)
    assert not Failure.objects.open().exists()


def test_what_is_fetched_later_is_fetched_again_where_its_worker_dies_before_it_is_stored(
    activation: Activation, erp: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug_id = put_mug(erp, activation)
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    erp.stock_updates.clear()  # only the ring tells of it
    told(activation, stock_notice(mug_id))
    with monkeypatch.context() as patch:
        patch.setattr(Olist, "fetch", lambda *_asked: _raise(Rejected("HTTP 404")))
        pull_stock(flow_of(activation, StockSource), RUNG)
    Failure.objects.update(retry_at=timezone.now())

    with monkeypatch.context() as patch:
        patch.setattr("catalog.levels.write_levels", lambda *_it: _raise(SystemExit()))
        with pytest.raises(SystemExit):
            pull_stock(flow_of(activation, StockSource))
    Run.objects.update(expires_at=timezone.now())
    pull_stock(flow_of(activation, StockSource))

    assert Product.objects.with_levels().get(sku="CAN-07").stock_row.on_hand == 1
    assert not Failure.objects.open().exists()


def _raise(error: BaseException) -> Any:
    raise error


def test_while_the_platform_is_down_the_rings_wait(activation: Activation, erp: Tiny) -> None:
    mug_id = put_mug(erp, activation)
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})
    told(activation, stock_notice(mug_id))
    OrmQ.objects.all().delete()
    erp.credentials["token"] = "another"  # it does not know us any more

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Ring.objects.open().count() == 1
    assert queued() == []


def test_a_paused_integration_keeps_its_rings_and_asks_nobody(
    activation: Activation, erp: Tiny
) -> None:
    mug_id = put_mug(erp, activation)
    pause(activation.pk, "manutenção")
    told(activation, stock_notice(mug_id))
    OrmQ.objects.all().delete()

    pull_stock(flow_of(activation, StockSource), RUNG)

    assert Ring.objects.open().count() == 1
    assert queued() == []


def test_what_was_fetched_long_ago_is_forgotten(activation: Activation) -> None:
    old = timezone.now() - KEPT - timedelta(minutes=1)
    for number, handled_at in enumerate((old, timezone.now(), None)):
        Ring.objects.create(
            activation=activation,
            ability="StockSource",
            record_id=str(number),
            rung_at=old,
            handled_at=handled_at,
        )

    prune_rings()

    assert sorted(Ring.objects.values_list("record_id", flat=True)) == ["1", "2"]


def test_more_than_one_prune_forgets_is_forgotten_by_the_next(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "PRUNED_AT_ONCE", 2)
    old = timezone.now() - KEPT - timedelta(minutes=1)
    for number in range(3):
        Ring.objects.create(
            activation=activation, ability="StockSource", record_id=str(number), handled_at=old
        )

    prune_rings()

    assert Ring.objects.count() == 1
    assert queued() == [("connectors.messages.rings.prune_rings", ())]
