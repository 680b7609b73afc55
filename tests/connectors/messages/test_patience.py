"""Who takes long is waited for elsewhere."""

import time
from threading import Event, current_thread
from typing import Any

import pytest

from connectors.http import Answer
from connectors.messages import delivery, patience
from connectors.messages.notices import announce, deliver_notices
from connectors.messages.patience import answer_of
from connectors.models import Endpoint, Notice, Store
from tests.conftest import make_activation, make_store

SECONDS = 10


def never(answer: Any) -> None:
    raise AssertionError(answer)


def test_who_answers_soon_has_answered_here() -> None:
    assert answer_of(lambda: "yes", never) == "yes"


def test_what_goes_wrong_soon_goes_wrong_here() -> None:
    def fail() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        answer_of(fail, never)


@pytest.mark.django_db(transaction=True)
def test_an_address_that_hangs_occupies_no_worker_and_its_answer_counts_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs, told = Event(), []

    def send(*args: Any, **request: Any) -> Answer:
        hangs.wait(SECONDS)
        told.append(current_thread())
        return Answer(200, {}, b"")

    store: Store = make_store()
    activation = make_activation(store, "rocky", plugin_url="https://parceiro.example.com")
    announce([activation], "orders", "updated", "606a7d2de2dc666bac3206b5", "status")
    monkeypatch.setattr(delivery, "send", send)
    monkeypatch.setattr(patience, "PATIENCE", 0.01)

    deliver_notices(activation.pk)
    is_told_before = bool(told)
    busy_until = Endpoint.objects.get().busy_until
    hangs.set()

    deadline = time.monotonic() + SECONDS
    while Endpoint.objects.get().busy_until and time.monotonic() < deadline:
        time.sleep(0.02)
    told[0].join(SECONDS)
    assert (is_told_before, busy_until is not None) == (False, True)
    assert Notice.objects.get().delivered_at is not None


def test_where_too_many_are_waited_for_the_next_is_waited_for_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.01)
    hangs, late = Event(), []

    def hang() -> str:
        hangs.wait(SECONDS)
        return current_thread().name

    left = [answer_of(hang, late.append) for _number in range(patience.MOST)]
    here = answer_of(lambda: current_thread().name, never)
    hangs.set()

    deadline = time.monotonic() + SECONDS
    while len(late) < patience.MOST and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (set(left), here) == ({None}, current_thread().name)
    assert late == ["patience"] * patience.MOST
