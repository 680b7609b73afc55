"""What failed is kept, tried again when its time comes or its cause is mended, or dismissed."""

import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import LazySettings
from django.utils import timezone

from connectors.contract import Page, StockSource
from connectors.errors import NotFound, Rejected, Unreadable
from connectors.models import Activation, ActivationFlow, Failure, Run, Store
from connectors.payload import Payload
from connectors.runs.running import Attempt, run_flow
from connectors.services import change_settings, record_credential
from connectors.succession import succeed
from connectors.trouble import causes
from connectors.trouble.failures import dismiss, record_notice_failure, retry, retry_parked
from connectors.trouble.originals import originals_of
from tests.conftest import flow_of, make_managed, make_operator

HOUR = timedelta(hours=1)
PAYLOAD = {"sku": "A", "quantity": 3}


class NotUpdated(Rejected):
    """A platform's own kind of refusal."""


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})


def run(activation: Activation, *arriving: dict[str, Any], error: Exception | None = None) -> Any:
    """What this run came to see; every record fails with this error."""
    seen: list[Any] = []

    def work(attempt: Attempt, client: Any) -> None:
        for page in attempt.with_parked([Page([Payload(each) for each in arriving], "1")]):
            for payload in page.items:
                with attempt.item(payload):
                    seen.append(payload.data)
                    if error:
                        raise error
            attempt.advance(page.cursor)

    run_flow(flow_of(activation, StockSource), StockSource, work)
    return seen


def pass_time(wait: timedelta) -> None:
    for failure in Failure.objects.all():
        failure.retry_at = failure.retry_at and failure.retry_at - wait
        failure.save()


def test_what_failed_is_not_tried_again_before_its_time(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))

    assert run(activation) == []
    pass_time(timedelta(minutes=1))
    assert run(activation) == [PAYLOAD]
    assert Failure.objects.get().resolved_at is not None


def test_what_fails_again_and_again_is_tried_less_and_less_often(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))
    waits = []

    for _time in range(6):
        failure = Failure.objects.get()
        assert failure.retry_at is not None
        waits.append(round((failure.retry_at - timezone.now()).total_seconds() / 60))
        pass_time(failure.retry_at - timezone.now())
        assert run(activation, error=Rejected("no")) == [PAYLOAD]

    assert waits == [1, 5, 15, 60, 360, 360]
    assert Failure.objects.get().times == 7


def test_what_arrives_anew_is_taken_and_ends_the_failure(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))

    run(activation, {**PAYLOAD, "quantity": 5})

    assert Failure.objects.get().resolved_at is not None


def test_what_is_tried_again_comes_before_what_is_new(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))
    pass_time(HOUR)

    seen = run(activation, {**PAYLOAD, "quantity": 5})

    assert [each["quantity"] for each in seen] == [3, 5]


def test_a_record_that_no_database_can_hold_waits_for_the_other_side(
    activation: Activation,
) -> None:
    run(activation, {"sku": "A", "name": "\x00"}, error=Unreadable("no"))
    pass_time(HOUR)

    assert run(activation) == []
    assert Failure.objects.get().retry_at is None


def test_a_push_that_failed_rests_until_its_time(activation: Activation) -> None:
    resting = []

    def work(attempt: Attempt, client: Any) -> None:
        resting.append(attempt.rests("order 1"))
        if not resting[-1]:
            with attempt.item(record_id="order 1"):
                raise Rejected("no")

    for _time in range(3):
        run_flow(flow_of(activation, StockSource), StockSource, work)
    pass_time(HOUR)
    run_flow(flow_of(activation, StockSource), StockSource, work)

    assert resting == [False, True, True, False]


# -- Mended ----------------------------------------------------------------------------------------


def fail_with_everything_far_away(activation: Activation) -> None:
    run(activation, PAYLOAD, error=NotFound("no", cause=causes.UNKNOWN_SKU))
    pass_time(-HOUR)
    ActivationFlow.objects.update(due_at=timezone.now() + HOUR)


def is_due(activation: Activation) -> bool:
    flows = ActivationFlow.objects.due(timezone.now()).filter(activation=activation)
    return Failure.objects.due(timezone.now()).exists() and [f.flow for f in flows] == ["stock"]


@pytest.mark.parametrize(
    ("which", "count"),
    [
        ({}, 1),
        ({"record_ids": ["A", "B"]}, 1),
        ({"cause": causes.UNKNOWN_SKU}, 1),
        ({"record_ids": ["B"]}, 0),
        ({"cause": causes.PLAN}, 0),
    ],
)
def test_what_was_mended_is_due_again_with_its_flow(
    activation: Activation, which: dict[str, Any], count: int
) -> None:
    fail_with_everything_far_away(activation)

    assert retry_parked(activation.pk, **which) == count
    assert is_due(activation) == bool(count)


def test_saving_settings_tries_again(activation: Activation) -> None:
    fail_with_everything_far_away(activation)

    change_settings(activation.pk, "", activation.plugin_url, {"x": "y"})

    assert is_due(activation)


def test_saving_a_credential_tries_again(activation: Activation) -> None:
    fail_with_everything_far_away(activation)

    record_credential(activation, {"token": "new"}, make_operator())

    assert is_due(activation)


def test_anothers_failures_are_left_alone(activation: Activation, store: Store) -> None:
    other = make_managed(store, "webstore", "https://outra.example.com.br", {"token": "t"})
    fail_with_everything_far_away(activation)

    assert retry_parked(other.pk) == 0
    assert not is_due(activation)


def test_what_is_resolved_is_not_tried_again(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))
    run(activation, PAYLOAD)

    assert retry(Failure.objects.all()) == 0


# -- Dismissed -------------------------------------------------------------------------------------


def test_what_is_dismissed_says_by_whom_and_why(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))

    count = dismiss(Failure.objects.all(), "produto descontinuado", "operadora")
    pass_time(HOUR)

    failure = Failure.objects.get()
    assert count == 1
    assert failure.resolution == "Dispensada por operadora: produto descontinuado"
    assert run(activation) == []


def test_what_fails_after_it_was_dismissed_is_a_new_failure(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))
    dismiss(Failure.objects.all(), "…", "operadora")

    run(activation, PAYLOAD, error=Rejected("no"))

    assert list(Failure.objects.order_by("pk").values_list("times", "resolution")) == [
        (1, "Dispensada por operadora: …"),
        (1, ""),
    ]


# -- What it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (NotUpdated("no"), "rejected", "rejected"),
        (NotFound("no", cause=causes.UNKNOWN_SKU), "refused", "unknown_sku"),
        (Unreadable("$.x: got list"), "unreadable", "unreadable"),
    ],
)
def test_a_failure_knows_its_kind_and_its_cause(
    activation: Activation, error: Exception, kind: str, cause: str
) -> None:
    run(activation, PAYLOAD, error=error)

    failure = Failure.objects.get()
    assert (failure.kind, failure.cause, failure.known_cause.code) == (kind, cause, cause)
    assert Run.objects.get().outcome == "partial"


def test_a_cause_that_the_catalogue_no_longer_knows_is_shown_all_the_same(
    activation: Activation,
) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))
    Failure.objects.update(cause="gone")

    assert Failure.objects.get().known_cause.code == "other"


# -- Personal data ---------------------------------------------------------------------------------

ORDER = {
    "id": "77", "total": 99.9, "cliente": {"nome": "Ana Souza", "cpf_cnpj": "390.533.447-05",
    "email": "ana@example.com", "fone": "(84) 99999-0000", "endereco": "Rua das Flores"},
}  # fmt: skip
PEOPLE = ("Ana Souza", "390.533.447-05", "39053344705", "ana@example.com", "9999", "Flores")


def readable(failure: Failure) -> str:
    columns = (failure.payload, failure.translated, failure.exchange, failure.edited)
    return f"{columns} {failure.reason} {failure.resolution} {failure.record_id}"


def names(text: str) -> list[str]:
    return [person for person in PEOPLE if person in text]


def test_people_are_read_nowhere_in_what_failed_and_the_next_attempt_gets_all_of_it(
    activation: Activation,
) -> None:
    error = Rejected("cliente Ana Souza, fone 84 99999-0000, CPF 39053344705 sem CEP")
    run(activation, ORDER, error=error)
    failure = Failure.objects.get()

    pass_time(HOUR)
    seen = run(activation, error=error)

    assert seen == [ORDER]
    failure.refresh_from_db()
    assert names(readable(failure)) == names(failure.sealed) == []
    assert failure.payload["total"] == 99.9
    assert "sem CEP" in failure.reason


@pytest.mark.parametrize("how", ["passes", "dismissed", "moved"])
def test_once_it_is_over_nothing_of_the_original_is_kept(
    activation: Activation, store: Store, how: str
) -> None:
    run(activation, ORDER, error=Rejected("no"))
    assert Failure.objects.get().sealed

    if how == "passes":
        run(activation, ORDER)
    elif how == "dismissed":
        dismiss(Failure.objects.all(), "teste", "operadora")
    else:
        target = make_managed(store, "rocky", "https://b.example.com.br", {"token": "t"})
        succeed(activation, target, "")

    failure = Failure.objects.get()
    assert failure.resolved_at is not None
    assert failure.sealed == ""
    assert originals_of(failure)[0] == failure.payload
    assert names(readable(failure)) == []


def test_what_names_nobody_is_not_sealed(activation: Activation) -> None:
    run(activation, PAYLOAD, error=Rejected("no"))

    failure = Failure.objects.get()
    assert (failure.sealed, failure.payload) == ("", PAYLOAD)


def test_what_no_key_opens_any_more_stops_nothing_and_is_tried_where_it_opens_again(
    activation: Activation, settings: LazySettings
) -> None:
    run(activation, ORDER, error=Rejected("no"))
    pass_time(HOUR)
    keys, settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS, [Fernet.generate_key().decode()]
    record_credential(activation, {"token": "t"}, make_operator())

    seen = run(activation, PAYLOAD)

    assert seen == [PAYLOAD]
    assert Failure.objects.open().count() == 1
    assert Failure.objects.get().retry_at > timezone.now() + HOUR
    settings.CREDENTIAL_KEYS = [*settings.CREDENTIAL_KEYS, *keys]
    retry(Failure.objects.all())
    assert run(activation) == [ORDER]


def test_what_comes_again_after_its_key_is_gone_is_sealed_anew(
    activation: Activation, settings: LazySettings
) -> None:
    run(activation, ORDER, error=Rejected("no"))
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    record_credential(activation, {"token": "t"}, make_operator())

    run(activation, ORDER, error=Rejected("no"))

    assert originals_of(Failure.objects.get())[0] == ORDER


def test_what_is_not_tried_again_is_not_sealed_and_names_nobody(activation: Activation) -> None:
    run(activation, {**ORDER, "obs": "\x00"}, error=Unreadable("no"))
    notice = json.dumps({"tipo": "x", "dados": ORDER}).encode()
    record_notice_failure(activation, notice, Unreadable("no"))

    failures = list(Failure.objects.all())
    assert len(failures) == 2
    for failure in failures:
        assert failure.sealed == ""
        assert names(readable(failure)) == []


def test_rows_from_before_are_sealed_and_masked_once_and_can_be_opened_again(
    activation: Activation,
) -> None:
    migration = import_module("connectors.migrations.0008_sealed_originals")
    common = {"activation": activation, "flow": "orders", "kind": "rejected", "payload": ORDER}
    now = timezone.now()
    told = {"translated": ORDER, "exchange": {"request": ORDER, "answer": "Ana Souza"}}
    for number in range(3):
        Failure.objects.create(
            **common, **told, record_id=str(number), retry_at=now, reason="Ana Souza"
        )
    Failure.objects.create(**common, record_id="over", resolved_at=now, retry_at=now)
    Failure.objects.create(**common, record_id="ours", ability="OrderSink", retry_at=now)

    for _twice in range(2):
        migration.cover(apps, None)
    covered = list(Failure.objects.order_by("pk"))
    migration.uncover(apps, None)

    assert [names(readable(failure)) for failure in covered] == [[]] * 5
    assert [bool(failure.sealed) for failure in covered] == [True] * 3 + [False] * 2
    assert all(originals_of(failure)[0] == ORDER for failure in covered[:3])
    back = Failure.objects.order_by("pk")[:3]
    assert [(failure.payload, failure.sealed) for failure in back] == [(ORDER, "")] * 3
