"""A buyer is forgotten while others write about his order."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from connectors.models import Failure, Store
from orders import personal_data
from orders.models import BuyerMail, Order
from orders.personal_data import anonymise, leftovers
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
    real = personal_data.erase

    def slowly(traces: Any) -> None:
        found.set()
        written.wait(1)  # the other cannot: he waits for us
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

    assert written.is_set()
    assert EMAIL not in Failure.objects.get().reason
    assert (order.mails.get().address, order.mails.get().state) == ("", "failed")
    assert leftovers(order.store) == {}
