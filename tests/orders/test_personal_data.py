"""A buyer's data: handed out, taken away for good, and not brought back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_q.models import Task

from connectors.acts import record_act
from connectors.errors import Refused
from connectors.models import Act, Event, Failure, Receipt, Store
from connectors.queue import enqueue
from connectors.trouble.originals import covered, originals_of
from orders.legal_hold import set_hold
from orders.models import Erasure, Order, StatusChange, WrittenOrder
from orders.personal_data import (
    anonymise,
    anonymise_all_ended,
    export,
    leftovers,
    orders_of,
)
from tests.conftest import Partner, make_partner, make_store

CPF, EMAIL = "123.456.789-09", "ana@example.com"
PEOPLE = ("Ana", "Souza", "12345678909", CPF, EMAIL, "Rua das Flores", "99887766")


@pytest.fixture
def channel(store: Store) -> Partner:
    return make_partner(store, "pluga")


def place(by: Partner, number: str, **fields: Any) -> Order:
    body = {
        "original_id": number,
        "channel": "Feira",
        "status": "delivered",
        "total": 99.9,
        "external": "12345678901",
        "payer_name": "Ana",
        "payer_lastname": "Souza",
        "payer_cpf": CPF,
        "payer_email": EMAIL,
        "receiver_name": "Ana",
        "receiver_address": "Rua das Flores",
        "receiver_city": "Recife",
        "receiver_state": "PE",
        "receiver_phone": "99887766",
        "log_history": [{"message": f"avisado {EMAIL}", "date": "2026-01-02"}],
        "novidade": {"buyer": {"name": "Ana Souza", "cpf": "12345678909"}},
        "items": [{"sku": "A", "name": "Caneca", "quantity": 1, "price": 99.9}],
        "shipments": [{"nfe_key": "35260712ABC34501DE35550010000001231123456787"}],
    }
    answer = by.post("/orders", {**body, **fields})
    assert answer.status_code == 201, answer.content
    return Order.objects.get(original_id=number, source=by.activation)


@pytest.mark.parametrize("who", [CPF, "12345678909", "ANA@example.com", "1001"])
def test_a_buyers_orders_are_found_in_his_store_alone(channel: Partner, who: str) -> None:
    order = place(channel, "1001")
    foreign = make_partner(make_store(), "pluga")
    place(foreign, "1001")

    assert list(orders_of(order.store, who)) == [order]
    assert list(orders_of(order.store, "12")) == []


def test_a_buyer_is_found_by_the_one_number_that_the_channel_has_of_him(channel: Partner) -> None:
    order = place(channel, "1001", payer_cpf=None, payer_tax_id=CPF)

    assert list(orders_of(order.store, "12345678909")) == [order]


@pytest.mark.parametrize("who", ["10012", "Souza", "987654", "an.a@example.com"])
def test_what_stands_in_other_buyers_orders_as_well_finds_only_his(
    channel: Partner, who: str
) -> None:
    place(
        channel,
        "20023",
        items=[{"sku": "10012", "name": "Caneca", "quantity": 1, "price": 99.9}],
        shipments=[{"nfe_number": "987654"}],
    )
    named = place(channel, "10012", payer_email="an.a@example.com")

    found = orders_of(named.store, who)

    assert list(found) == ([] if who in ("Souza", "987654") else [named])


def test_everything_that_is_kept_is_handed_out(channel: Partner) -> None:
    order = place(channel, "1001")

    (document,) = export([order])

    assert document["payer_cpf"] == CPF
    assert document["items"][0]["sku"] == "A"
    assert document["shipments"][0]["nfe_key"]


def test_nothing_names_the_buyer_any_more_and_the_accounts_stay(
    channel: Partner, operator: User
) -> None:
    order = place(channel, "1001")
    Failure.objects.create(
        activation=channel.activation, flow="orders", record_id=order.public_id, kind="rejected",
        reason=f"recusou {EMAIL}", payload={"payer_cpf": CPF, "total": 99.9},
    )  # fmt: skip

    erasure = anonymise(order.store, [order.pk], CPF, operator)

    order.refresh_from_db()
    kept = [str(export([order]))]
    kept += [str(row) for row in Failure.objects.values_list("payload", "reason")]
    kept += [str(data) for data in Event.objects.values_list("data", flat=True)]
    kept += [str(list(order.words.values_list("word", flat=True)))]
    for text in kept:
        for person in PEOPLE:
            assert person.casefold() not in text.casefold()
    assert (order.total, order.fields["receiver_city"]) == (Decimal("99.9"), "Recife")
    assert order.shipments.get().nfe_key.startswith("3526")
    assert order.lines.get().sku == "A"
    assert (erasure.order_ids, erasure.by) == ([order.public_id], operator)
    assert CPF not in erasure.subject
    assert leftovers(order.store) == {}


def test_a_late_message_does_not_bring_the_buyer_back(channel: Partner, operator: User) -> None:
    order = place(channel, "1001")
    anonymise(order.store, [order.pk], CPF, operator)

    channel.put(f"/orders/{order.public_id}", {"payer_name": "Ana", "payer_cpf": CPF})

    order.refresh_from_db()
    assert order.fields["payer_name"] == "***"
    assert leftovers(order.store) == {}


def test_an_order_that_goes_on_or_is_held_keeps_its_buyer(channel: Partner, operator: User) -> None:
    going_on, held = place(channel, "1", status="approved"), place(channel, "2")
    Order.objects.filter(pk=held.pk).update(legal_hold=True)

    for order in (going_on, held):
        with pytest.raises(Refused):
            anonymise(order.store, [order.pk], CPF, operator)

    assert not Erasure.objects.exists()


def test_of_a_buyer_with_an_open_order_those_that_ended_are_taken_away(
    channel: Partner, operator: User
) -> None:
    going_on, held, over = place(channel, "1", status="approved"), *map(place, [channel] * 2, "23")
    Order.objects.filter(pk=held.pk).update(legal_hold=True)

    erasure = anonymise(over.store, [going_on.pk, held.pk, over.pk], CPF, operator)

    assert erasure.order_ids == [over.public_id]
    names = {order.original_id: order.fields["payer_name"] for order in Order.objects.all()}
    assert names == {"1": "Ana", "2": "Ana", "3": "***"}


def test_after_the_stores_term_ended_orders_are_anonymised_by_themselves(
    channel: Partner, store: Store
) -> None:
    old, young, held = (place(channel, number) for number in "123")
    going_on = place(channel, "4", status="approved")
    long_ago = timezone.now() - timedelta(days=91)
    Order.objects.exclude(pk=young.pk).update(created_at=long_ago)
    StatusChange.objects.exclude(order=young).update(at=long_ago)
    Order.objects.filter(pk=held.pk).update(legal_hold=True)
    anonymise_all_ended()
    assert not Erasure.objects.exists()  # the store has not said for how long

    Store.objects.filter(pk=store.pk).update(personal_data_days=90)
    for _twice in range(2):
        anonymise_all_ended()

    done = Order.objects.filter(anonymised_at__isnull=False)
    assert list(done) == [old]
    assert Erasure.objects.get().order_ids == [old.public_id]
    assert {young, held, going_on} & set(done) == set()


def test_a_term_that_no_calendar_reaches_keeps_the_data_and_holds_up_no_other_store(
    channel: Partner, store: Store
) -> None:
    other = make_store(name="Zulu", personal_data_days=90)
    kept, old = place(channel, "1"), place(make_partner(other, "pluga"), "2")
    long_ago = timezone.now() - timedelta(days=91)
    Order.objects.update(created_at=long_ago)
    StatusChange.objects.update(at=long_ago)
    Store.objects.filter(pk=store.pk).update(personal_data_days=2**31 - 1)

    anonymise_all_ended()

    kept.refresh_from_db()
    old.refresh_from_db()
    assert kept.anonymised_at is None
    assert old.anonymised_at is not None


def test_what_failed_of_an_erased_order_is_not_tried_again_and_nothing_of_it_is_sealed(
    channel: Partner, operator: User
) -> None:
    order, other = place(channel, "1001"), place(channel, "1002")
    common = {"activation": channel.activation, "flow": "orders", "kind": "rejected"}
    for each in (order, other):
        Failure.objects.create(
            **common,
            **covered({"id": each.original_id, "payer_cpf": CPF}),
            record_id=each.original_id,
            retry_at=timezone.now(),
        )

    anonymise(order.store, [order.pk], CPF, operator)

    gone, stays = Failure.objects.order_by("record_id")
    assert (gone.sealed, gone.retry_at, gone.can_be_edited) == ("", None, False)
    assert originals_of(stays)[0] == {"id": "1002", "payer_cpf": CPF}
    assert stays.retry_at is not None


def test_leftovers_are_found(channel: Partner, operator: User) -> None:
    order = place(channel, "1001")
    anonymise(order.store, [order.pk], CPF, operator)
    Failure.objects.create(
        activation=channel.activation, flow="orders", record_id="1001", kind="rejected",
        reason="", payload={"payer_email": EMAIL},
    )  # fmt: skip

    assert leftovers(order.store) == {"failures": 1}


def write_everywhere(order: Order, by: User) -> None:
    """What no service of ours writes, and might be there all the same."""
    said = f"{order.public_id}: Ana Souza, {CPF}, {EMAIL}"
    WrittenOrder.objects.filter(order=order).delete()
    for part in (order.lines.get(), order.payments.get(), order.shipments.get()):
        part.fields |= {"novo": {"buyer": {"name": "Ana Souza", "cpf": CPF}}}
        part.save()
    record_act(by, order, said, {"nota": ["", said]})
    LogEntry.objects.create(
        user=by, action_flag=2, object_id=str(order.pk), change_message=said,
        content_type=ContentType.objects.get_for_model(Order),
    )  # fmt: skip
    StatusChange.objects.create(order=order, status="delivered", author=EMAIL)
    StatusChange.objects.create(order=order, status="delivered", author="a@loja.com.br", user=by)
    now = timezone.now()
    Task.objects.create(id="t1", name="t", func="f", started=now, stopped=now, result=said)
    Task.objects.create(id="t2", name="t", func="f", started=now, stopped=now, result=EMAIL)
    Receipt.objects.create(
        activation=order.source, created_by=by,
        facts={"by": "operadora", "test": {"at": "", "results": [["pedidos", "Falhou", said]]}},
    )  # fmt: skip


KINDS = ("items", "payments", "shipments", "acts", "log", "history", "queue", "receipts")


def test_wherever_an_erased_buyer_is_still_named_it_is_said(
    channel: Partner, operator: User
) -> None:
    order = place(channel, "1001", payments=[{"payment_type": "pix", "payment_total": 99.9}])
    anonymise(order.store, [order.pk], CPF, operator)
    write_everywhere(order, operator)

    assert leftovers(order.store) == dict.fromkeys(KINDS, 1)


def test_wherever_the_buyer_is_named_he_is_taken_out_and_others_stay(
    channel: Partner, operator: User
) -> None:
    order = place(channel, "1001", payments=[{"payment_type": "pix", "payment_total": 99.9}])
    other = place(channel, "1002")
    write_everywhere(order, operator)
    record_act(operator, other, f"avisado {EMAIL}")

    anonymise(order.store, [order.pk], CPF, operator)

    order.refresh_from_db()
    assert leftovers(order.store) == {}
    texts = [str(export([order]))]
    texts += Act.objects.filter(model="orders.order", object_id=order.pk).values_list(
        "what", flat=True
    )
    texts += LogEntry.objects.values_list("change_message", flat=True)
    texts += [str(Task.objects.get(id="t1").result), str(Receipt.objects.latest("pk").facts)]
    texts += order.status_changes.values_list("author", flat=True)
    for text in texts:
        for person in PEOPLE:
            assert person.casefold() not in text.casefold()
    assert Act.objects.get(model="orders.order", object_id=other.pk).what == f"avisado {EMAIL}"
    assert order.status_changes.filter(author="a@loja.com.br").exists()
    assert Task.objects.get(id="t2").result == EMAIL


def test_a_waiting_task_that_names_the_buyer_is_said_and_left_alone(
    channel: Partner, operator: User
) -> None:
    order = place(channel, "1001")
    enqueue(anonymise_all_ended, f"{order.public_id} {EMAIL}")

    anonymise(order.store, [order.pk], CPF, operator)

    assert leftovers(order.store) == {"queue": 1}


def test_a_hold_is_set_and_lifted_once_with_its_reason(channel: Partner, operator: User) -> None:
    order = place(channel, "1001")

    for _twice in range(2):
        set_hold(order.pk, True, "processo 12", operator)
    with pytest.raises(Refused):
        anonymise(order.store, [order.pk], CPF, operator)
    set_hold(order.pk, False, "encerrado", operator)
    anonymise(order.store, [order.pk], CPF, operator)
    with pytest.raises(Refused):
        set_hold(order.pk, True, "tarde demais", operator)

    acts = Act.objects.filter(model="orders.order", object_id=order.pk).order_by("pk")
    assert [act.what for act in acts] == [
        "Retido por obrigação legal: processo 12",
        "Retenção legal encerrada: encerrado",
    ]
