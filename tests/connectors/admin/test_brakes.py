"""What stopped and asked, and the operator's answer."""

import pytest

from connectors.contract import StockSource
from connectors.models import ActivationFlow, Brake
from tests.conftest import flow_of, make_managed, make_operator
from tests.connectors.admin.conftest import somebody_who_may

LIST = "/admin/connectors/brake/"


@pytest.fixture
def brake(store):
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    ActivationFlow.objects.update(due_at="2030-01-01T00:00:00Z")
    return Brake.objects.create(
        activation=activation,
        ability="StockSource",
        flow="stock",
        danger="zeroed",
        count=400,
        base=1000,
        limit=30,
        sample=[["CAN-07", "10", "0"], ["<b>", "3", "0"]],
    )


def test_the_list_and_the_page_say_what_would_happen(admin_client, brake):
    listed = admin_client.get(f"{LIST}?situation=open").content.decode()
    page = admin_client.get(f"{LIST}{brake.pk}/change/").content.decode()

    assert "400 de 1000 (40 %)" in listed
    assert "Aguarda resposta" in listed
    assert "Aguarda resposta" in page
    assert "waiting" not in page
    assert "CAN-07" in page
    assert "&lt;b&gt;" in page


def test_prices_are_shown_as_people_write_them(admin_client, brake):
    sample = [["CAN-07", "1059.9000", "105990.0000"]]
    Brake.objects.update(danger="moved", flow="prices", sample=sample)

    page = admin_client.get(f"{LIST}{brake.pk}/change/").content.decode()

    assert "1.059,90" in page
    assert "→ 105.990,00" in page


@pytest.mark.parametrize(("path", "answer"), [("apply", "apply"), ("reread", "reread")])
def test_an_answer_is_asked_for_recorded_and_lets_the_flow_run(admin_client, brake, path, answer):
    question = admin_client.get(f"{LIST}{brake.pk}/{path}/")
    brake.refresh_from_db()
    unanswered = brake.answer

    admin_client.post(f"{LIST}{brake.pk}/{path}/")

    assert (question.status_code, unanswered) == (200, "")
    brake.refresh_from_db()
    assert (brake.answer, brake.answered_by.username) == (answer, "operadora")
    flow = ActivationFlow.objects.get(pk=flow_of(brake.activation, StockSource))
    assert flow.due_at.year < 2030
    history = admin_client.get(f"{LIST}{brake.pk}/history/").content.decode()
    assert "operadora" in history


def test_answered_once_it_stays_answered(admin_client, brake):
    admin_client.post(f"{LIST}{brake.pk}/reread/")

    page = admin_client.post(f"{LIST}{brake.pk}/apply/", follow=True).content.decode()

    brake.refresh_from_db()
    assert brake.answer == "reread"
    assert "não espera mais resposta" in page


def test_who_may_only_look_may_not_answer(brake):
    client = somebody_who_may("view_brake")

    page = client.get(f"{LIST}{brake.pk}/change/")
    answer = client.post(f"{LIST}{brake.pk}/apply/")

    assert (page.status_code, answer.status_code) == (200, 403)
    assert make_operator() not in [Brake.objects.get().answered_by]
    assert Brake.objects.get().answer == ""
