"""The flows of all integrations, and what an operator does about them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from connectors.admin.flows import FlowAdmin
from connectors.contract import StockSource
from connectors.models import Activation, ActivationFlow, Connector, Run, State, Store
from connectors.services import sync_connectors
from tests.conftest import flow_of, make_managed, make_partner
from tests.connectors.admin.conftest import URL, form_on, page_of, somebody_who_may

LIST, RUNS = "/admin/connectors/activationflow/", "/admin/connectors/run/"


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": "t"})


@pytest.fixture
def flow(activation: Activation) -> ActivationFlow:
    flow = ActivationFlow.objects.get(pk=flow_of(activation, StockSource))
    ActivationFlow.objects.update(due_at=timezone.now() + timedelta(hours=1))
    return flow


def texts(html: str) -> str:
    return re.sub(r"\s+", " ", strip_tags(html))


def act(client: Client, address: str, action: str, *rows: int, **data: str) -> str:
    form = {"action": action, "_selected_action": rows, **data}
    return client.post(address, form, follow=True).content.decode()


def test_the_flows_are_found_by_how_they_stand(flow: ActivationFlow, admin_client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    ActivationFlow.objects.filter(pk=flow.pk).update(
        last_success_at=long_ago, watched_since=long_ago
    )

    stopped = admin_client.get(LIST, {"freshness": "stopped"})
    late = admin_client.get(LIST, {"freshness": "late"})

    assert [row.pk for row in stopped.context["cl"].result_list] == [flow.pk]
    assert list(late.context["cl"].result_list) == []
    assert "Parado" in texts(stopped.content.decode())


def test_a_flow_may_be_started_at_once(flow: ActivationFlow, admin_client: Client) -> None:
    html = act(admin_client, LIST, "sync_now", flow.pk)

    flow.refresh_from_db()
    assert "Fluxos que começam no próximo minuto: 1." in html
    assert flow.due_at <= timezone.now()


def test_a_tolerance_that_the_database_could_not_add_up_is_refused(
    flow: ActivationFlow, admin_client: Client
) -> None:
    page = f"{LIST}{flow.pk}/change/"

    refused = admin_client.post(page, {"grace": 999_999_999}).content.decode()
    admin_client.post(page, {"grace": 31_536_000})

    flow.refresh_from_db()
    assert "menor ou igual a 31536000" in refused
    assert flow.grace == 31_536_000
    assert all(admin_client.get(each).status_code == 200 for each in (LIST, page, "/admin/"))


def test_a_partners_flow_is_not_ours_to_start(store: Store, admin_client: Client) -> None:
    partner = make_partner(store, "rocky").activation

    html = act(admin_client, LIST, "sync_now", flow_of(partner, StockSource))

    assert "No modo parceiro quem começa é o parceiro." in html


def test_it_is_said_that_a_flow_does_not_start_while_its_integration_is_paused(
    flow: ActivationFlow, admin_client: Client
) -> None:
    Activation.objects.update(state=State.PAUSED)

    html = act(admin_client, LIST, "sync_now", flow.pk)

    assert "porque a integração não está ativa: 1." in html
    assert "Fluxos que começam" not in html
    assert "No modo parceiro" not in html


def test_an_integrations_page_shows_how_its_flows_stand(
    activation: Activation, flow: ActivationFlow, admin_client: Client
) -> None:
    ActivationFlow.objects.update(watched_since=timezone.now() - timedelta(days=1))

    shown = texts(admin_client.get(page_of(activation)).content.decode())

    assert shown.count("Parado") == 5
    Activation.objects.update(state=State.PAUSED)
    shown = texts(admin_client.get(page_of(activation)).content.decode())
    assert shown.count("Integração não está ativa") == 5


def test_who_knows_a_partner_sets_his_tolerance(flow: ActivationFlow, admin_client: Client) -> None:
    page = f"{LIST}{flow.pk}/change/"
    form = form_on(admin_client.get(page).content.decode())

    admin_client.post(page, {**form, "grace": "7200", "every": "1", "cursor": "x"})

    changed = ActivationFlow.objects.get(pk=flow.pk)
    assert (changed.grace, changed.every, changed.cursor) == (7200, flow.every, "")


def test_what_a_run_writes_while_a_tolerance_is_saved_stays(
    flow: ActivationFlow, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def saved(admin: FlowAdmin, request: Any, form: Any, change: bool) -> Any:
        ActivationFlow.objects.update(cursor="abc")
        return form.save(commit=False)

    monkeypatch.setattr(FlowAdmin, "save_form", saved)
    page = f"{LIST}{flow.pk}/change/"
    form = form_on(admin_client.get(page).content.decode())

    admin_client.post(page, {**form, "grace": "7200"})

    changed = ActivationFlow.objects.get(pk=flow.pk)
    assert (changed.grace, changed.cursor) == (7200, "abc")


def test_a_run_that_hangs_is_released(flow: ActivationFlow, admin_client: Client) -> None:
    run = Run.objects.create(
        activation=flow.activation,
        ability=flow.ability,
        flow=flow.flow,
        expires_at=timezone.now() + timedelta(hours=1),
    )

    html = act(admin_client, RUNS, "release_selected", run.pk)
    again = act(admin_client, RUNS, "release_selected", run.pk)

    run.refresh_from_db()
    assert "Travas liberadas: 1." in html
    assert (run.outcome, run.reason) == ("abandoned", "Liberada por operadora.")
    assert "Nenhuma destas execuções estava em andamento." in again


def test_who_may_only_look_starts_and_releases_nothing(
    activation: Activation, flow: ActivationFlow
) -> None:
    Run.objects.create(activation=activation, ability="x", flow="stock", expires_at=timezone.now())
    client = somebody_who_may("view_activationflow", "view_run")

    act(client, LIST, "sync_now", flow.pk)
    act(client, RUNS, "release_selected", Run.objects.get().pk)

    flow.refresh_from_db()
    assert flow.due_at > timezone.now()
    assert Run.objects.get().outcome == Run.Outcome.RUNNING


def test_the_page_of_an_integration_whose_connector_is_gone_opens(
    activation: Activation, admin_client: Client
) -> None:
    Connector.objects.filter(slug="rocky").update(slug="antigo")
    sync_connectors()

    page = admin_client.get(page_of(activation))

    assert page.status_code == 200
    assert "O portal não tem mais este conector." in page.content.decode()
