"""A buyer is forgotten while others write about his order."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from connectors.models import Failure, Store
from orders import finding, personal_data
from orders.legal_hold import set_hold
from orders.models import BuyerMail, Order, StatusChange
from orders.personal_data import anonymise, anonymise_all_ended, leftovers, orders_of
from tests.conftest import make_operator, make_partner, make_store
from tests.orders.test_personal_data import CPF, EMAIL, place

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time"),
]


@pytest.fixture
def store(transactional_db: None) -> Store:
    return make_store()


@pytest.fixture
def order(store: Store) -> Order:
    pluga = make_partner(store, "pluga")
    order = place(pluga, "1001")
    Failure.objects.create(
        activation=pluga.activation, flow="orders", record_id=order.public_id, kind="rejected",
        reason=f"recusou {EMAIL}", payload={"payer_cpf": CPF},
    )  # fmt: skip
    BuyerMail.objects.create(
        order=order,
        activation=pluga.activation,
        kind="shipped",
        address=EMAIL,
        subject="a",
        body=EMAIL,
    )
    return order


def test_what_is_being_masked_is_written_by_nobody_else(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, found, written = make_operator(), threading.Event(), threading.Event()
    real, overtaken = personal_data.erase, []

    def slowly(traces: Any) -> None:
        found.set()
        overtaken.append(written.wait(1))  # the other cannot: he waits for us
        real(traces)

    def write() -> None:
        found.wait(10)
        with transaction.atomic():
            for row in (
                *Failure.objects.select_for_update(),
                *BuyerMail.objects.select_for_update(),
            ):
                Failure.objects.filter(pk=row.pk).update(reason=row.__dict__.get("reason", ""))
                if isinstance(row, BuyerMail) and row.state == BuyerMail.State.WAITING:
                    row.state = BuyerMail.State.SENDING
                    row.save(update_fields=["state"])
        written.set()
        connection.close()

    monkeypatch.setattr(personal_data, "erase", slowly)
    other = threading.Thread(target=write)
    other.start()

    anonymise(order.store, [order.pk], CPF, operator)
    other.join(10)

    assert overtaken == [False]
    assert written.is_set()
    assert EMAIL not in Failure.objects.get().reason
    assert (order.mails.get().address, order.mails.get().state) == ("", "failed")
    assert leftovers(order.store) == {}


def test_an_order_that_somebody_holds_at_that_moment_keeps_its_buyer(order: Order) -> None:
    operator, held = make_operator(), threading.Event()
    long_ago = timezone.now() - timedelta(days=90)
    Store.objects.update(personal_data_days=30)
    Order.objects.update(created_at=long_ago)
    StatusChange.objects.update(at=long_ago)

    def hold() -> None:
        with transaction.atomic():
            set_hold(order.pk, True, "processo 1", operator)
            held.set()
            time.sleep(0.5)  # the other waits for the order meanwhile
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)

    anonymise_all_ended()
    other.join(10)

    order.refresh_from_db()
    assert (order.legal_hold, order.anonymised_at) == (True, None)


def test_who_is_forgotten_while_all_words_are_made_anew_is_not_found_again(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, read, forgotten = make_operator(), threading.Event(), threading.Event()
    real = finding.words_of

    def slowly(order: Order, *parts: Any) -> set[str]:
        if threading.current_thread() is threading.main_thread():
            read.set()
            forgotten.wait(1)  # the other cannot: he waits for us
        return real(order, *parts)

    def forget() -> None:
        read.wait(10)
        anonymise(order.store, [order.pk], CPF, operator)
        forgotten.set()
        connection.close()

    monkeypatch.setattr(finding, "words_of", slowly)
    other = threading.Thread(target=forget)
    other.start()

    call_command("rebuild_orders", verbosity=0)
    other.join(10)

    assert forgotten.is_set()
    assert not orders_of(order.store, CPF).exists()
