"""What should not be is found, told once, and told once more when it is over."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.contract import StockSource
from connectors.errors import Unauthorized
from connectors.models import Activation, ActivationFlow, Alert, Incident, State, Store
from connectors.runs.running import Attempt, run_flow
from connectors.services import pause, record_credential, revoke
from connectors.trouble.alerts import deliver_all_alerts
from connectors.trouble.incidents import watch_flows
from tests.clock import Clock
from tests.conftest import flow_of, make_activation, make_managed, make_operator

pytestmark = pytest.mark.long

URL, TOKEN = "https://loja.example.com.br", {"token": "t"}
DAY = timedelta(days=1)


class Watched(Clock):
    """The watch has looked all the time."""

    def watch(self, minutes: int = 1, *, well: bool = False) -> None:
        """Minute after minute; the flows run well meanwhile, or not at all."""
        for _minute in range(minutes):
            self.go(timedelta(minutes=1))
            if well:
                ActivationFlow.objects.update(last_success_at=self.now)
            watch_flows()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, db: None) -> Watched:
    clock = Watched()
    clock.rule(monkeypatch)
    clock.watch(12)
    return clock


@pytest.fixture(autouse=True)
def recipients(settings: Any) -> None:
    settings.ALERT_EMAILS = ["suporte@example.com", "plantao@example.com"]
    settings.PORTAL_URL = "https://portal.example.com"


@pytest.fixture
def activation(clock: Watched, store: Store) -> Activation:
    """With one flow, of stock, every five minutes; it just ran."""
    activation = make_managed(store, "rocky", URL, TOKEN, name="Rocky da loja")
    activation.flows.exclude(ability="StockSource").delete()
    activation.flows.update(last_success_at=clock.now, last_change_at=clock.now)
    return activation


def subjects() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("subject", flat=True))


def test_a_flow_that_becomes_late_is_told_once(clock: Watched, activation: Activation) -> None:
    clock.watch(14)
    before = list(Incident.objects.all())

    clock.watch(60)

    incident = Incident.objects.get()
    assert before == []
    assert (incident.flow_id, incident.kind) == (flow_of(activation, StockSource), "silent")
    assert incident.ended_at is None
    assert subjects() == [f"Precisa de alguém: Estoque · {activation}: Atrasado ou parado"]


def test_it_is_told_again_when_it_has_been_well_for_a_while(
    clock: Watched, activation: Activation
) -> None:
    clock.watch(20)

    clock.watch(5, well=True)
    soon = subjects()
    clock.watch(30, well=True)
    clock.watch(60, well=True)

    incident = Incident.objects.get()
    assert len(soon) == 1
    assert incident.healed
    assert subjects()[1:] == [f"Normalizou: Estoque · {activation}: Atrasado ou parado"]


def test_what_comes_and_goes_is_one_incident_and_one_alert(
    clock: Watched, activation: Activation
) -> None:
    clock.watch(16)

    for _time in range(5):
        clock.watch(2, well=True)
        clock.watch(17)

    assert Incident.objects.filter(ended_at=None).count() == 1
    assert Incident.objects.count() == len(subjects()) == 1


def test_what_comes_back_later_is_another_incident(clock: Watched, activation: Activation) -> None:
    clock.watch(16)
    clock.watch(35, well=True)

    clock.watch(16)

    assert Incident.objects.count() == 2
    assert [subject.split(":")[0] for subject in subjects()] == [
        "Precisa de alguém", "Normalizou", "Precisa de alguém",
    ]  # fmt: skip


def test_a_flow_that_runs_and_never_changes_anything_is_told(
    clock: Watched, activation: Activation
) -> None:
    ActivationFlow.objects.update(last_change_at=clock.now - 8 * DAY)

    clock.watch(well=True)

    assert Incident.objects.get().kind == Incident.Kind.UNCHANGED
    assert subjects() == [f"Precisa de alguém: Estoque · {activation}: Roda, mas nada muda"]


def test_what_stops_after_it_never_changed_is_not_called_well(
    clock: Watched, activation: Activation
) -> None:
    ActivationFlow.objects.update(last_change_at=clock.now - 8 * DAY)
    clock.watch(well=True)

    clock.watch(60)

    unchanged = Incident.objects.get(kind=Incident.Kind.UNCHANGED)
    assert (unchanged.ended_at is not None, unchanged.healed) == (True, False)
    assert not any(subject.startswith("Normalizou") for subject in subjects())


def test_many_at_once_are_one_message(clock: Watched, activation: Activation) -> None:
    for number in range(4):
        other = make_managed(activation.store, "rocky", URL, TOKEN, name=f"Outra {number}")
        other.flows.exclude(ability="StockSource").delete()
    ActivationFlow.objects.update(last_success_at=clock.now)

    clock.watch(20)

    alert = Alert.objects.get()
    assert alert.subject == "Incidentes novos: 5"
    assert alert.body.count("Atrasado ou parado") == 5
    assert f"https://portal.example.com/admin/connectors/activation/{activation.pk}/" in alert.body


def test_after_a_gap_the_flows_get_time_to_come_round_again(
    clock: Watched, activation: Activation
) -> None:
    clock.now += timedelta(hours=8)

    clock.watch(9)
    during = Incident.objects.count()
    clock.watch(5)

    assert (during, Incident.objects.count()) == (0, 1)


def heard_of_now(clock: Watched, store: Store) -> None:
    """A partner with one flow, which is well."""
    partner = make_activation(store, "webstore")
    Activation.objects.update(state=State.ACTIVE)
    partner.flows.exclude(ability="StockSource").delete()
    partner.flows.update(
        last_success_at=clock.now, last_change_at=clock.now, watched_since=clock.now - DAY
    )


def test_what_a_partner_could_not_call_while_the_portal_was_off_is_no_silence(
    clock: Watched, store: Store
) -> None:
    heard_of_now(clock, store)
    clock.now += 3 * DAY

    clock.watch(60)
    soon = Incident.objects.count()
    clock.watch(90)

    assert (soon, Incident.objects.count()) == (0, 1)


def test_a_clock_that_was_ahead_excuses_no_silence(clock: Watched, store: Store) -> None:
    heard_of_now(clock, store)
    clock.now += 365 * DAY
    clock.watch()
    clock.now -= 365 * DAY

    clock.watch(150)

    assert Incident.objects.count() == 1


@pytest.mark.parametrize("count", [1, 30])
def test_the_watch_takes_the_same_statements_for_one_and_for_many(
    clock: Watched, activation: Activation, count: int
) -> None:
    for number in range(count - 1):
        make_managed(activation.store, "rocky", URL, TOKEN, name=f"Outra {number}")
    ActivationFlow.objects.update(last_success_at=clock.now - DAY, watched_since=clock.now - DAY)

    with CaptureQueriesContext(connection) as queries:
        watch_flows()

    assert Incident.objects.count() > 0
    assert len(queries) <= 32


# -- An integration that is switched off -----------------------------------------------------------


def test_an_incident_of_an_integration_that_is_paused_ends_without_a_word(
    clock: Watched, activation: Activation
) -> None:
    clock.watch(16)

    pause(activation.pk, "Pausada por operadora.")
    clock.watch(30)

    incident = Incident.objects.get()
    assert (incident.ended_at is not None, incident.healed) == (True, False)
    assert len(subjects()) == 1


# -- Refused credentials ---------------------------------------------------------------------------


def refuse(activation: Activation) -> None:
    def work(attempt: Attempt, client: Any) -> None:
        raise Unauthorized("GET stock: HTTP 401")

    run_flow(flow_of(activation, StockSource), StockSource, work)


def test_refused_credentials_are_told_at_once_with_the_reason(
    clock: Watched, activation: Activation
) -> None:
    refuse(activation)
    clock.watch()

    incident = Incident.objects.get()
    assert (incident.kind, incident.reason) == ("refused", "GET stock: HTTP 401")
    assert subjects() == [f"Precisa de alguém: {activation}: Pausada: credencial recusada"]
    assert "GET stock: HTTP 401" in Alert.objects.get().body


def test_a_new_credential_takes_the_integration_up_again(
    clock: Watched, activation: Activation
) -> None:
    refuse(activation)
    Activation.objects.update(first_called_at=clock.now)
    clock.watch()

    record_credential(activation, {"token": "new"}, make_operator())
    clock.watch(32, well=True)

    activation.refresh_from_db()
    assert (activation.state, activation.paused_reason) == (State.ACTIVE, "")
    assert subjects()[1:] == [f"Normalizou: {activation}: Pausada: credencial recusada"]


def test_a_new_credential_that_is_refused_too_is_the_same_incident(
    clock: Watched, activation: Activation
) -> None:
    Activation.objects.update(first_called_at=clock.now)
    refuse(activation)
    clock.watch()

    record_credential(activation, {"token": "wrong too"}, make_operator())
    clock.watch()
    refuse(activation)
    clock.watch(20)

    assert Incident.objects.get().ended_at is None
    assert len(subjects()) == 1


def test_a_new_credential_does_not_resume_what_a_person_paused(activation: Activation) -> None:
    pause(activation.pk, "Pausada por operadora.")

    record_credential(activation, {"token": "new"}, make_operator())

    assert Activation.objects.get().state == State.PAUSED


def test_the_end_of_a_revoked_integration_is_no_good_news(
    clock: Watched, activation: Activation
) -> None:
    refuse(activation)
    clock.watch()

    revoke(activation.pk, make_operator())
    clock.watch(20)

    assert not Incident.objects.get().healed
    assert len(subjects()) == 1


# -- Who is told -----------------------------------------------------------------------------------


def test_an_e_mail_reaches_everybody_who_is_to_know(clock: Watched, activation: Activation) -> None:
    refuse(activation)
    clock.watch()

    deliver_all_alerts()

    message = mail.outbox[0]
    assert message.subject == f"[Tomada] {Alert.objects.get().subject}"
    assert message.to == ["suporte@example.com", "plantao@example.com"]
    assert Alert.objects.get().message_id in message.extra_headers["Message-ID"]


def test_where_nobody_is_to_be_told_nothing_waits_to_be_sent(
    clock: Watched, activation: Activation, settings: Any
) -> None:
    settings.ALERT_EMAILS = []

    refuse(activation)
    clock.watch()

    assert Incident.objects.count() == 1
    assert not Alert.objects.exists()


def test_a_webhook_tells_a_program_the_same(
    clock: Watched, activation: Activation, settings: Any
) -> None:
    settings.ALERT_WEBHOOK_URL = "https://alerts.example.com/"
    refuse(activation)

    clock.watch()

    body = json.loads(Alert.objects.get(channel="webhook").body)
    (told,) = body["data"]["incidents"]
    assert body["type"] == "incidents.opened"
    assert (told["kind"], told["connector"], told["flow"]) == ("refused", "rocky", None)
    assert told["store"] == activation.store.name
