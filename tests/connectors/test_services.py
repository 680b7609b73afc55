"""Switching integrations on, off, and on again."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from connectors.errors import NotAllowed, Refused, Rejected
from connectors.hashing import digest
from connectors.messages import delivery
from connectors.messages.notices import announce, deliver_notices
from connectors.models import (
    Activation,
    ActivationFlow,
    Connector,
    Credential,
    Failure,
    Notice,
    Run,
    State,
    Store,
)
from connectors.registry import SPECS
from connectors.services import (
    change_settings,
    check_activation,
    check_all_waiting,
    note_first_call,
    pause,
    record_credential,
    resume,
    revoke,
    revoke_older_credentials,
    rotate_credential,
    sync_connectors,
)
from connectors.spec import Mode
from connectors.trouble.failures import record_failure
from tests.conftest import Partner, activate, make_managed, make_partner, make_store

URL = "https://loja.example.com.br/contrato"
RECEIVED = {"token": "token-que-a-plataforma-deu"}


def switch_on(store: Store, by: User, **fields: Any) -> Any:
    defaults = {
        "connector": Connector.objects.get(slug=fields.pop("slug", "rocky")),
        "mode": Mode.PARTNER,
        "name": "Minha loja",
        "plugin_url": URL,
        "submission": uuid.uuid4(),
    }
    return activate(store=store, by=by, **{**defaults, **fields})


def everything_stored() -> Iterator[str]:
    """Every value of every row of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                yield from (bytes(v).decode() if isinstance(v, memoryview) else str(v) for v in row)


# -- Activating ---------------------------------------------------------------------------------


def test_the_four_values_have_the_shapes_that_the_hubs_clients_expect(
    store: Store, operator: User
) -> None:
    _activation, issued = switch_on(store, operator)

    assert re.fullmatch(r"[0-9a-f]{32}", issued.client_id)
    assert re.fullmatch(r"[0-9a-f]{32}", issued.client_secret)
    assert re.fullmatch(r"[1-9][0-9]{12}", issued.api_user)
    assert re.fullmatch(r"[0-9A-Za-z_-]{64}", issued.api_secret)
    assert re.fullmatch(r"whsec_[0-9A-Za-z+/]{43}=", issued.webhook_secret)


def test_no_two_activations_have_a_value_in_common(store: Store, operator: User) -> None:
    _first, one = switch_on(store, operator, name="Um")
    _second, other = switch_on(store, operator, name="Outro")

    assert len({*vars(one).values(), *vars(other).values()}) == 10


def test_no_secret_is_stored_in_the_open_anywhere(store: Store, operator: User) -> None:
    _activation, issued = switch_on(store, operator)
    partner = Partner(_activation, issued)
    granted = partner.ask_token().json()
    secrets = [
        issued.client_secret, issued.api_secret, issued.webhook_secret, granted["access_token"],
        granted["refresh_token"],
    ]  # fmt: skip

    stored = list(everything_stored())

    assert [text for text in stored if any(secret in text for secret in secrets)] == []
    assert digest(issued.client_secret) in stored
    assert digest(issued.api_secret) in stored


def test_what_the_platform_gave_us_is_sealed_wherever_it_is_stored(
    store: Store, operator: User
) -> None:
    activation, issued = switch_on(store, operator, mode=Mode.MANAGED, received=RECEIVED)

    assert issued is None
    assert [text for text in everything_stored() if RECEIVED["token"] in text] == []
    assert activation.account().credentials == RECEIVED


def test_an_account_does_not_show_its_credentials(store: Store, operator: User) -> None:
    activation, _none = switch_on(store, operator, mode=Mode.MANAGED, received=RECEIVED)

    assert RECEIVED["token"] not in repr(activation.account())


def test_an_activation_says_who_made_it_and_waits(store: Store, operator: User) -> None:
    activation, _issued = switch_on(
        store, operator, slug="pluga", custom_name="Planilhas", values={"email_shipped": True}
    )

    activation.refresh_from_db()
    assert (activation.created_by, activation.state) == (operator, State.WAITING)
    assert (activation.name, activation.custom_name) == ("Minha loja", "Planilhas")
    assert activation.settings == {"email_shipped": True}
    assert activation.credentials.get().created_by == operator


def test_the_same_form_sent_twice_activates_once(store: Store, operator: User) -> None:
    submission = uuid.uuid4()
    first, issued = switch_on(store, operator, submission=submission)

    again, nothing = switch_on(store, operator, submission=submission)

    assert (again, nothing) == (first, None)
    assert issued is not None
    assert Activation.objects.count() == Credential.objects.count() == 1


@pytest.mark.parametrize(("slug", "mode"), [("olist", Mode.PARTNER), ("pluga", Mode.MANAGED)])
def test_a_mode_that_the_connector_does_not_have_is_refused(
    slug: str, mode: Mode, store: Store, operator: User
) -> None:
    with pytest.raises(NotAllowed, match="não funciona neste modo"):
        switch_on(store, operator, slug=slug, mode=mode)

    assert not Activation.objects.exists()


def test_a_connector_that_support_switched_off_takes_no_activation(
    store: Store, operator: User
) -> None:
    Connector.objects.filter(slug="rocky").update(enabled=False)

    with pytest.raises(NotAllowed, match="Rocky E-Commerce não aceita novas integrações"):
        switch_on(store, operator)

    assert not Activation.objects.exists()


def test_a_name_is_taken_once_per_connector_and_store(store: Store, operator: User) -> None:
    switch_on(store, operator)
    switch_on(store, operator, slug="webstore")
    switch_on(make_store(), operator)

    with pytest.raises(Refused, match="já tem um pluggin com este nome"):
        switch_on(store, operator)

    assert Activation.objects.count() == 3


@pytest.mark.parametrize(
    ("slug", "received", "missing"),
    [
        ("rocky", {}, "Token do contrato de loja"),
        ("olist", {"token": "t"}, "Identificador do integrador"),
        (
            "pluggto",
            {"client_id": "c", "api_user": "", "api_secret": "s"},
            "Client Secret, API User",
        ),
    ],
)
def test_managed_mode_needs_every_credential_and_leaves_nothing_half_written(
    slug: str, received: dict[str, str], missing: str, store: Store, operator: User
) -> None:
    with pytest.raises(Refused, match=f"Falta informar: {missing}."):
        switch_on(store, operator, slug=slug, mode=Mode.MANAGED, received=received)

    assert not Activation.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_managed_activation_has_one_flow_per_ability_at_the_specifications_cadence(
    store: Store, operator: User
) -> None:
    activation, _none = switch_on(store, operator, mode=Mode.MANAGED, received=RECEIVED)

    assert dict(activation.flows.values_list("ability", "every")) == {
        "ProductSource": 600,
        "PriceSource": 600,
        "StockSource": 300,
        "OrderSink": 60,
        "FulfilmentSource": 300,
    }


def test_in_the_demo_a_minute_is_a_second(store: Store, operator: User, settings: Any) -> None:
    settings.SECONDS_PER_MINUTE = 1

    activation, _none = switch_on(store, operator, mode=Mode.MANAGED, received=RECEIVED)

    assert activation.flows.get(ability="StockSource").every == 5


# -- Its states ---------------------------------------------------------------------------------


def test_the_first_call_makes_it_active_and_later_ones_leave_the_time(store: Store) -> None:
    activation = make_partner(store, "rocky").activation

    note_first_call(activation.pk)
    activation.refresh_from_db()
    first = activation.first_called_at
    note_first_call(activation.pk)

    activation.refresh_from_db()
    assert (activation.state, activation.first_called_at) == (State.ACTIVE, first)
    assert first is not None


def test_the_partners_first_token_is_his_first_call(store: Store) -> None:
    partner = make_partner(store, "rocky")

    partner.ask_token()

    partner.activation.refresh_from_db()
    assert partner.activation.state == State.ACTIVE


@pytest.mark.parametrize(("called", "state"), [(False, State.WAITING), (True, State.ACTIVE)])
def test_what_was_paused_goes_back_to_where_it_was(
    called: bool, state: State, store: Store
) -> None:
    activation = make_partner(store, "rocky").activation
    if called:
        note_first_call(activation.pk)

    paused = pause(activation.pk, "A plataforma recusou.")

    activation.refresh_from_db()
    assert (paused, activation.state) == (True, State.PAUSED)
    assert activation.paused_reason == "A plataforma recusou."
    assert resume(activation.pk)
    activation.refresh_from_db()
    assert (activation.state, activation.paused_reason) == (state, "")


def test_resuming_forgets_the_failures_and_runs_at_once(store: Store) -> None:
    activation = make_managed(store, "rocky", URL, RECEIVED)
    flow = activation.flows.first()
    assert flow is not None
    ActivationFlow.objects.filter(pk=flow.pk).update(
        failures_in_a_row=7, due_at="2099-01-01T00:00:00Z"
    )
    pause(activation.pk, "…")

    resume(activation.pk)

    flow.refresh_from_db()
    assert (flow.failures_in_a_row, flow.due_at.year < 2099) == (0, True)


def test_what_waited_for_a_paused_integration_has_its_three_days_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation = make_partner(store, "rocky", plugin_url=URL).activation
    announce([activation], "orders", "updated", "1" * 24, "status")
    monkeypatch.setattr(delivery, "_attempt", lambda letter, secrets: delivery.Outcome(503))
    deliver_notices(activation.pk)
    pause(activation.pk, "…")
    days_ago = timezone.now() - timedelta(days=4)
    Notice.objects.update(failing_since=days_ago)

    resume(activation.pk)
    deliver_notices(activation.pk)

    notice = Notice.objects.get()
    assert (notice.attempts, notice.given_up_at) == (2, None)


def test_what_the_address_of_before_refused_has_its_three_days_at_the_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation = make_partner(store, "rocky", plugin_url=URL).activation
    announce([activation], "orders", "updated", "1" * 24, "status")
    monkeypatch.setattr(delivery, "_attempt", lambda letter, secrets: delivery.Outcome(404))
    deliver_notices(activation.pk)
    Notice.objects.update(failing_since=timezone.now() - timedelta(days=4))

    change_settings(activation.pk, "", f"{URL}/outro", {})
    deliver_notices(activation.pk)

    notice = Notice.objects.get()
    assert (notice.attempts, notice.given_up_at) == (2, None)


def test_what_is_not_going_on_is_not_paused_nor_resumed(store: Store, operator: User) -> None:
    activation = make_partner(store, "rocky").activation

    assert not resume(activation.pk)
    assert revoke(activation.pk, operator)
    assert not pause(activation.pk, "…")
    assert not resume(activation.pk)
    assert not revoke(activation.pk, operator)

    activation.refresh_from_db()
    assert (activation.state, activation.paused_reason) == (State.REVOKED, "")


def test_revoking_ends_every_credential_and_says_who_did_it(store: Store, operator: User) -> None:
    partner = make_partner(store, "rocky")
    rotate_credential(partner.activation.pk, operator)
    assert partner.get("/orders").status_code == 200

    revoke(partner.activation.pk, operator)

    assert partner.get("/orders").status_code == 401
    assert partner.ask_token().json()["error"] == "invalid_client"
    assert [c.revoked_by for c in partner.activation.credentials.all()] == [operator, operator]


def test_what_failed_is_over_with_the_integration_and_nothing_of_it_is_kept_sealed(
    store: Store, operator: User
) -> None:
    activation = make_managed(store, "rocky", URL, RECEIVED)
    now = timezone.now()
    run = Run.objects.create(
        activation=activation, ability="OrderSource", flow="orders", expires_at=now,
        ended_at=now, outcome="partial",
    )  # fmt: skip
    record_failure(run, "A", Rejected("no"), {"id": 1, "buyer": {"name": "Ana Souza"}})
    assert Failure.objects.open().exclude(sealed="").exists()

    revoke(activation.pk, operator)

    failure = Failure.objects.get()
    assert (failure.resolution, failure.sealed) == ("A integração está revogada.", "")
    assert failure.resolved_at is not None


# -- Its credentials ----------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_work_until_the_older_is_revoked(
    store: Store, operator: User
) -> None:
    old = make_partner(store, "rocky")

    new = Partner(old.activation, rotate_credential(old.activation.pk, operator))

    assert (new.issued.client_id, new.issued.api_user) == (
        old.issued.client_id,
        old.issued.api_user,
    )
    assert new.issued.client_secret != old.issued.client_secret
    assert old.get("/orders").status_code == new.get("/orders").status_code == 200
    assert revoke_older_credentials(old.activation.pk, operator) == 1
    assert old.get("/orders").status_code == 401
    assert new.get("/orders").status_code == 200


def test_the_only_credential_is_not_an_older_one(store: Store, operator: User) -> None:
    partner = make_partner(store, "rocky")

    assert revoke_older_credentials(partner.activation.pk, operator) == 0
    assert partner.get("/orders").status_code == 200


def test_nothing_is_issued_for_a_managed_or_revoked_activation(
    store: Store, operator: User
) -> None:
    managed = make_managed(store, "rocky", URL, RECEIVED)
    revoked = make_partner(store, "rocky").activation
    revoke(revoked.pk, operator)

    for activation in (managed, revoked):
        with pytest.raises(NotAllowed):
            rotate_credential(activation.pk, operator)


def test_settings_that_the_form_did_not_show_stay(store: Store) -> None:
    activation = make_partner(store, "pluga", values={"email_shipped": True, "a": 1}).activation

    change_settings(activation.pk, "Novo nome", "", {"email_shipped": False, "images": "new"})

    activation.refresh_from_db()
    assert activation.custom_name == "Novo nome"
    assert activation.settings == {"email_shipped": False, "a": 1, "images": "new"}
    change_settings(activation.pk, None, None, {"a": 2})
    activation.refresh_from_db()
    assert (activation.custom_name, activation.settings["a"]) == ("Novo nome", 2)


# -- The first call of a managed one ------------------------------------------------------------


@pytest.fixture
def waiting(store: Store) -> Activation:
    activation = make_managed(store, "rocky", URL, RECEIVED)
    Activation.objects.filter(pk=activation.pk).update(state=State.WAITING)
    return activation


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ({"json": {"name": "Loja"}}, State.ACTIVE, ""),
        ({"status": 401}, State.PAUSED, "HTTP 401"),
        ({"status": 404}, State.PAUSED, "HTTP 404"),
        ({"body": "<html>"}, State.PAUSED, "not JSON"),
        ({"status": 503}, State.WAITING, ""),
    ],
)
@responses.activate
def test_the_platforms_answer_decides_how_it_begins(
    answer: dict[str, Any], state: State, reason: str, waiting: Activation
) -> None:
    responses.get(re.compile(re.escape(URL) + ".*"), **answer)

    check_activation(waiting.pk)

    waiting.refresh_from_db()
    assert waiting.state == state
    assert reason in waiting.paused_reason
    assert bool(waiting.first_called_at) == (state == State.ACTIVE)


@responses.activate
def test_a_refusal_says_nothing_of_a_credential_that_came_meanwhile(
    waiting: Activation, operator: User
) -> None:
    def corrected(request: Any) -> tuple[int, dict[str, str], str]:
        record_credential(waiting, {"token": "o-token-certo"}, operator)
        return 401, {}, ""

    responses.add_callback(responses.GET, f"{URL}/check", corrected)

    check_activation(waiting.pk)

    waiting.refresh_from_db()
    assert waiting.state == State.WAITING


@responses.activate  # a call would fail the test
def test_only_a_waiting_one_is_checked(waiting: Activation) -> None:
    pause(waiting.pk, "…")

    check_activation(waiting.pk)

    waiting.refresh_from_db()
    assert waiting.state == State.PAUSED


def test_whoever_waits_is_asked_again(waiting: Activation, store: Store) -> None:
    make_partner(store, "rocky")
    make_managed(store, "rocky", URL, RECEIVED)
    OrmQ.objects.all().delete()

    check_all_waiting()

    [queued] = OrmQ.objects.all()
    assert queued.func() == "connectors.services.check_activation"
    assert queued.task["args"] == (waiting.pk,)


# -- The connectors' rows -----------------------------------------------------------------------


@pytest.mark.django_db
def test_every_specification_has_a_row_and_what_support_changed_stays() -> None:
    Connector.objects.filter(slug="olist").update(name="Tiny", enabled=False, contacts="Ana")
    Connector.objects.filter(slug="pluga").delete()
    Connector.objects.create(slug="gone", name="Saiu do código")

    sync_connectors()

    rows = dict(Connector.objects.values_list("slug", "enabled"))
    olist = Connector.objects.get(slug="olist")
    assert rows == {**dict.fromkeys(SPECS, True), "olist": False, "gone": False}
    assert (olist.name, olist.contacts) == ("Olist ERP", "Ana")
