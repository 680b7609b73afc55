"""What people do about failures: one and many, at once and in the background."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Stock
from catalog.tasks import pull_stock
from connectors.contract import Page, StockSource
from connectors.errors import NotAllowed, NotFound, Refused, Rejected, Unreadable
from connectors.models import Activation, ActivationFlow, Failure, Repair, Ring, Run, Store
from connectors.storecontract.client import StoreContract
from connectors.trouble.editing import edit, read_edited, with_value
from connectors.trouble.failures import parked, record_failure
from connectors.trouble.originals import originals_of
from connectors.trouble.repairs import go_on_repairing, repair
from tests.conftest import flow_of, make_managed
from tests.products import make_product
from tests.threads import one_within_another

URL = "https://loja.example.com.br/contrato"
OLIST = {"token": "token-da-conta-0123456789", "integrator_id": "77"}


@pytest.fixture
def rocky(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": "token-da-loja"})


@pytest.fixture
def olist(store: Store) -> Activation:
    return make_managed(store, "olist", "https://api.tiny.com.br/api2", OLIST)


Fail = Callable[..., Failure]


@pytest.fixture
def fail() -> Fail:
    def fail(by: Activation, record_id: str, payload: Any, ability: str = "StockSource") -> Failure:
        now = timezone.now()
        run = Run.objects.create(
            activation=by,
            ability=ability,
            flow="stock",
            expires_at=now,
            ended_at=now,
            outcome="partial",
        )
        record_failure(run, record_id, Unreadable("no"), payload)
        return Failure.objects.get(activation=by, record_id=record_id)

    return fail


def arriving(*items: dict[str, Any]) -> None:
    page = {"items": list(items), "cursor": "c1", "more": False}
    responses.get(f"{URL}/stock", json=page)


@responses.activate
def test_a_corrected_record_is_taken_in_place_of_the_original_which_stays(
    rocky: Activation, operator: User
) -> None:
    make_product(rocky.store, "A")
    arriving({"sku": "A", "quantity": "três"})
    pull_stock(flow_of(rocky, StockSource))
    failure = Failure.objects.get()

    edit(failure.pk, {"sku": "A", "quantity": 3}, operator)
    responses.reset()
    arriving()
    pull_stock(flow_of(rocky, StockSource))

    failure.refresh_from_db()
    assert Stock.objects.get().on_hand == 3
    assert failure.resolved_at is not None
    assert failure.payload == {"sku": "A", "quantity": "três"}
    assert (failure.edited, failure.edited_by) == ({"sku": "A", "quantity": 3}, operator)
    assert failure.edited_at is not None


def test_a_correction_that_the_reader_does_not_understand_is_not_kept(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(rocky, "A", {"sku": "A", "quantity": "x"})

    with pytest.raises(Unreadable, match="quantity"):
        edit(failure.pk, {"sku": "A", "quantity": "y"}, operator)

    failure.refresh_from_db()
    assert (failure.edited, failure.edited_by) == (None, None)


def test_a_correction_that_fails_again_keeps_the_original_and_a_new_arrival_replaces_both(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(rocky, "A", {"sku": "A", "quantity": "x"})
    edit(failure.pk, {"sku": "A", "quantity": 3}, operator)

    record_failure(failure.run, "A", NotFound("no"), {"sku": "A", "quantity": 3})  # type: ignore[arg-type]
    failure.refresh_from_db()
    kept = failure.payload, failure.edited, failure.times
    record_failure(failure.run, "A", Rejected("no"), {"sku": "A", "quantity": "z"})  # type: ignore[arg-type]
    failure.refresh_from_db()

    assert kept == ({"sku": "A", "quantity": "x"}, {"sku": "A", "quantity": 3}, 2)
    assert (failure.payload["quantity"], failure.edited, failure.edited_by) == ("z", None, None)


def test_a_correction_of_the_sku_moves_the_failure_to_it_unless_that_one_failed_too(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure, _other = fail(rocky, "sha256:1", {"qty": 1}), fail(rocky, "B", {"sku": "B"})

    edit(failure.pk, {"sku": "A", "quantity": 1}, operator)
    with pytest.raises(Refused, match="B"):
        edit(failure.pk, {"sku": "B", "quantity": 1}, operator)

    failure.refresh_from_db()
    assert failure.record_id == "A"


def test_what_we_send_is_mended_where_it_is_kept_and_not_in_the_failure(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(rocky, "A", {"sku": "A"}, ability="StockSink")

    with pytest.raises(NotAllowed):
        edit(failure.pk, {"sku": "A", "quantity": 1}, operator)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1e999}', '{"a": "\\u0000"}', "[" * 100_000])
def test_what_is_not_an_object_of_json_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refused):
        read_edited(text)


def test_one_value_is_set_in_a_copy_and_a_place_that_is_not_there_is_refused() -> None:
    payload = {"a": {"b": [{"c": 1}]}}

    assert with_value(payload, "$.a.b.0.c", 2) == {"a": {"b": [{"c": 2}]}}
    assert with_value(payload, "a.new", "x") == {"a": {"b": [{"c": 1}], "new": "x"}}
    assert payload == {"a": {"b": [{"c": 1}]}}
    for place in ("x.y", "a.b.7.c", "a.b.c", "a.b.0.c.d"):
        with pytest.raises(Refused):
            with_value(payload, place, 1)


def test_many_are_corrected_in_the_background_with_their_count_and_what_did_not_work(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    for number in range(120):
        fail(rocky, f"S{number}", {"sku": f"S{number}", "quantity": "x"})
    fail(rocky, "bad", {"sku": "", "quantity": "x"})
    everything = Failure.objects.all()

    asked = repair(Repair.Action.EDIT, everything, operator, place="quantity", value=4)
    before = (asked.total, asked.seen, asked.ended_at)
    go_on_repairing(asked.pk)
    go_on_repairing(asked.pk)  # the queue may bring it twice

    asked.refresh_from_db()
    assert before == (121, 0, None)
    queued = [row.task for row in OrmQ.objects.all() if "repairing" in row.task["func"]]
    assert [task["args"] for task in queued] == [(asked.pk,)]
    assert (asked.seen, asked.done, asked.ended_at is not None) == (121, 120, True)
    assert [record for record, _reason in asked.refusals] == ["bad"]
    assert asked.failures.count() == 120
    assert Failure.objects.due(timezone.now()).filter(edited__quantity=4).count() == 120


def test_what_a_platform_lists_only_as_a_whole_is_read_from_the_beginning(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(rocky, "A", {"sku": "A"})
    flows = ActivationFlow.objects.filter(activation=rocky, ability="StockSource")
    flows.update(cursor="c9", due_at=timezone.now() + timedelta(hours=1))

    asked = repair(Repair.Action.FETCH, Failure.objects.filter(pk=failure.pk), operator)

    assert (asked.done, asked.refusals) == (1, [])
    assert flows.get().cursor == ""
    assert flows.due(timezone.now()).exists()


def test_a_run_that_goes_on_would_write_its_cursor_over_it_so_it_is_asked_for_later(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(rocky, "A", {"sku": "A"})
    Run.objects.create(
        activation=rocky, ability="StockSource", flow="stock", expires_at=timezone.now()
    )

    asked = repair(Repair.Action.FETCH, Failure.objects.filter(pk=failure.pk), operator)

    assert (asked.done, [record for record, _why in asked.refusals]) == (0, ["A"])


@pytest.mark.django_db(transaction=True)
def test_a_run_that_begins_while_it_is_asked_for_reads_from_the_beginning(
    rocky: Activation, fail: Fail, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = fail(rocky, "A", {"sku": "A"})
    flows = ActivationFlow.objects.filter(activation=rocky, ability="StockSource")
    flows.update(cursor="c9")
    asked = threading.Event()

    def pages(self: StoreContract, cursor: str) -> Iterator[Page]:
        asked.wait(2)
        yield Page([], "c10")

    def ask() -> None:
        repair(Repair.Action.FETCH, Failure.objects.filter(pk=failure.pk), operator)
        asked.set()

    monkeypatch.setattr(StoreContract, "changed_stock", pages)
    faults = one_within_another(
        monkeypatch, QuerySet, "update", ask, lambda: pull_stock(flow_of(rocky, StockSource))
    )

    assert faults == []
    assert Run.objects.latest("pk").cursor_before == ""


def test_a_platform_that_shows_one_record_is_asked_for_just_that_one(
    olist: Activation, fail: Fail, operator: User
) -> None:
    failure = fail(olist, "A", {"id": 123, "codigo": "A"})
    flows = ActivationFlow.objects.filter(activation=olist, ability="StockSource")
    flows.update(cursor="rows that the ERP forgot")

    repair(Repair.Action.FETCH, Failure.objects.filter(pk=failure.pk), operator)
    repair(Repair.Action.FETCH, Failure.objects.filter(pk=failure.pk), operator)

    assert [(r.ability, r.record_id) for r in Ring.objects.open()] == [("StockSource", "123")]
    assert flows.get().cursor == "rows that the ERP forgot"


def test_a_dismissed_failure_keeps_its_reason_and_is_in_no_second_repair(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    fail(rocky, "A", {"sku": "A"})

    first = repair(Repair.Action.DISMISS, Failure.objects.all(), operator, reason="sai de linha")
    second = repair(Repair.Action.RETRY, Failure.objects.all(), operator)

    failure = Failure.objects.get()
    assert failure.resolution == "Dispensada por operadora: sai de linha"
    assert (first.done, second.total, failure.repair) == (1, 0, first)


PERSONAL = {"id": 123, "codigo": "A", "cliente": {"nome": "Ana Souza", "fone": "84999990000"}}


def test_a_correction_is_made_in_the_original_and_both_are_read_without_people(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    arrived = {"sku": "A", "quantity": "x", "buyer": {"name": "Ana Souza"}}
    failure = fail(rocky, "A", arrived)

    repair(Repair.Action.EDIT, Failure.objects.all(), operator, place="quantity", value=3)
    again = [
        each.data for each in parked(ActivationFlow.objects.get(pk=flow_of(rocky, StockSource)))
    ]
    record_failure(failure.run, "A", NotFound("no"), again[0])  # type: ignore[arg-type]

    failure.refresh_from_db()
    assert again == [{**arrived, "quantity": 3}]
    assert originals_of(failure) == (arrived, {**arrived, "quantity": 3})
    assert failure.edited == {"sku": "A", "quantity": 3, "buyer": {"name": "***"}}
    assert failure.payload["buyer"] == {"name": "***"}
    assert failure.edited_by == operator


def test_what_was_typed_into_many_is_kept_without_people_once_it_is_over(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    fail(rocky, "A", {"sku": "A", "quantity": 3, "buyer": {"name": "?", "city": "?"}})
    failures = Failure.objects.all()

    name = repair(Repair.Action.EDIT, failures, operator, place="$.buyer.name", value="Ana Souza")
    city = repair(Repair.Action.EDIT, failures, operator, place="buyer.city", value="Natal")

    assert (name.done, name.value) == (1, "***")
    assert (city.done, city.value) == (1, "Natal")
    buyer = {"name": "Ana Souza", "city": "Natal"}
    assert originals_of(Failure.objects.get())[1]["buyer"] == buyer


def test_the_reasons_why_a_correction_did_not_work_quote_nobody(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    fail(rocky, "A", {"sku": "A", "quantity": "x", "buyer": {"phone": "84999990000"}})

    asked = repair(
        Repair.Action.EDIT, Failure.objects.all(), operator, place="quantity", value="84999990000 x"
    )

    assert "quantity" in asked.refusals[0][1]
    assert "84999990000" not in asked.refusals[0][1]


def test_a_field_that_a_record_has_not_is_said_of_it_and_stops_no_other(
    rocky: Activation, fail: Fail, operator: User
) -> None:
    for sku, part in (("A", {}), ("B", {"dimensions": {"weight": "x"}}), ("C", {})):
        fail(rocky, sku, {"sku": sku, "quantity": 1, **part})

    asked = repair(
        Repair.Action.EDIT, Failure.objects.all(), operator, place="dimensions.weight", value=1
    )

    assert asked.ended_at is not None
    why = "O conteúdo não tem o campo dimensions.weight."
    assert sorted(asked.refusals) == [["A", why], ["C", why]]
    assert originals_of(Failure.objects.get(record_id="B"))[1]["dimensions"] == {"weight": 1}


def test_a_record_is_fetched_by_the_number_of_the_original(
    olist: Activation, fail: Fail, operator: User
) -> None:
    fail(olist, "A", {**PERSONAL, "id": "39053344705"})

    repair(Repair.Action.FETCH, Failure.objects.all(), operator)

    assert [each.record_id for each in Ring.objects.open()] == ["39053344705"]
