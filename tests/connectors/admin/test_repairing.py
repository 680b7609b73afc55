"""A failure's page, its buttons, and what is done to many at once."""

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from connectors.models import Act, Activation, Failure, Repair, Run, Store
from connectors.services import record_credential
from connectors.trouble.originals import covered, originals_of
from connectors.trouble.repairs import go_on_repairing
from tests.conftest import make_managed, make_operator
from tests.connectors.admin.conftest import URL, form_on, somebody_who_may
from tests.connectors.admin.test_flows import act

LIST = "/admin/connectors/failure/"


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": "t"})


def make_failure(activation: Activation, record_id: str = "A", **fields: Any) -> Failure:
    facts = {
        "flow": "stock", "ability": "StockSource", "kind": "unreadable", "cause": "unreadable",
        "reason": "$.quantity: cannot read 'três'", "retry_at": timezone.now(),
        "payload": {"sku": record_id, "quantity": "três"},
    }  # fmt: skip
    return Failure.objects.create(activation=activation, record_id=record_id, **{**facts, **fields})


def page_of(failure: Failure, button: str = "change") -> str:
    return f"{LIST}{failure.pk}/{button}/"


def text_of(html: str) -> str:
    return " ".join(unescape(strip_tags(html)).split())


def test_a_failure_shows_what_arrived_what_was_sent_and_what_was_answered(
    activation: Activation, admin_client: Client
) -> None:
    failure = make_failure(
        activation, flow="orders", ability="OrderSink", cause="invalid_value",
        payload={"id": "6b", "payer_zip": "123", "gift": None}, translated={"hub_id": "6b"},
        exchange={"method": "PUT", "status": 422, "answer": {"error": "CEP inválido"}},
    )  # fmt: skip

    text = text_of(admin_client.get(page_of(failure)).content.decode())

    for shown in ('"payer_zip": "123"', '"hub_id": "6b"', '"method": "PUT"', '"CEP inválido"'):
        assert shown in text
    assert "o lojista" in text
    assert "saindo daqui" in text
    assert '"gift"' not in text
    assert "Correção" not in text


def test_a_correction_is_typed_checked_and_kept_beside_the_original(
    activation: Activation, admin_client: Client, operator: User
) -> None:
    failure = make_failure(activation)
    form = form_on(admin_client.get(page_of(failure, "edit")).content.decode())

    wrong = admin_client.post(page_of(failure, "edit"), {**form, "payload": '{"sku": "A"}'})
    broken = admin_client.post(page_of(failure, "edit"), {**form, "payload": "{"})
    good = json.dumps({**json.loads(form["payload"]), "quantity": 3})
    done = admin_client.post(page_of(failure, "edit"), {**form, "payload": good}, follow=True)

    assert "quantity" in text_of(wrong.content.decode())
    assert "Não é JSON: linha 1, coluna 2." in text_of(broken.content.decode())
    failure.refresh_from_db()
    assert (failure.edited, failure.edited_by) == ({"sku": "A", "quantity": 3}, operator)
    assert failure.payload == {"sku": "A", "quantity": "três"}
    assert "o que chegou, corrigido" in done.content.decode().lower()


def test_each_button_asks_and_then_does_it(activation: Activation, admin_client: Client) -> None:
    failure = make_failure(activation)

    asked = admin_client.get(page_of(failure, "retry"))
    admin_client.post(page_of(failure, "retry"))
    fetched = admin_client.post(page_of(failure, "fetch"), follow=True)
    without_reason = admin_client.post(page_of(failure, "dismiss"), {"reason": ""})
    admin_client.post(page_of(failure, "dismiss"), {"reason": "sai de linha"})

    failure.refresh_from_db()
    assert (
        "A falha é tentada outra vez no próximo minuto. Repetir grava o último valor que chegou,"
        " inteiro, nunca uma diferença." in asked.content.decode()
    )
    assert "Registros que serão buscados na próxima execução: 1." in fetched.content.decode()
    assert "Este campo é obrigatório." in without_reason.content.decode()
    assert failure.resolution == "Dispensada por operadora: sai de linha"
    actions = list(Repair.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["retry", "fetch", "dismiss"]


def test_one_field_is_corrected_in_many_and_the_page_shows_how_far_it_has_come(
    activation: Activation, admin_client: Client
) -> None:
    failures = [make_failure(activation, f"S{number}") for number in range(60)]

    asked = act(admin_client, LIST, "edit_selected", failures[0].pk, select_across="1")
    act(
        admin_client, LIST, "edit_selected", failures[0].pk, select_across="1",
        place="quantity", value="4",
    )  # fmt: skip

    repair = Repair.objects.get()
    page = f"/admin/connectors/repair/{repair.pk}/change/"
    going_on = admin_client.get(page)
    go_on_repairing(repair.pk)
    over = admin_client.get(page)
    assert "Falhas abertas entre as escolhidas: 60." in text_of(asked)
    assert going_on.headers["Refresh"] == "3"
    assert "0 de 60 vistas" in going_on.content.decode()
    assert "Refresh" not in over.headers
    assert "60 de 60 vistas, 60 feitas" in over.content.decode()
    assert Failure.objects.filter(edited__quantity=4).count() == 60


def test_a_word_that_only_looks_like_a_number_is_text(
    activation: Activation, admin_client: Client
) -> None:
    failure = make_failure(activation)

    for value in ("Infinity", "1e999"):
        act(admin_client, LIST, "edit_selected", failure.pk, place="brand", value=value)

    typed = Repair.objects.order_by("pk").values_list("value", flat=True)
    assert list(typed) == ["Infinity", "1e999"]


def test_who_may_only_look_mends_nothing_and_may_download(activation: Activation) -> None:
    failure = make_failure(activation)
    client = somebody_who_may("view_failure")

    for button in ("retry", "fetch", "edit", "dismiss"):
        assert client.post(page_of(failure, button), {"reason": "x"}).status_code == 403

    assert client.get(page_of(failure, "evidence")).json()["ids"]["failure"] == failure.pk
    assert not Repair.objects.exists()


def test_the_evidence_is_a_file(activation: Activation, admin_client: Client) -> None:
    failure = make_failure(activation, reason="Bearer abcdef12345")

    answer = admin_client.get(page_of(failure, "evidence"))

    assert f'filename="evidencias-{failure.pk}.json"' in answer.headers["Content-Disposition"]
    assert "abcdef12345" not in answer.content.decode()


def test_a_failure_leads_to_the_page_that_says_why(
    activation: Activation, admin_client: Client
) -> None:
    failure = make_failure(activation)

    answer = admin_client.get(page_of(failure, "why"), follow=True)

    assert answer.redirect_chain[-1][0] == f"/admin/why/?store={activation.store_id}&q=A"
    assert answer.status_code == 200


def test_a_run_shows_its_duration_and_leads_to_its_failures(
    activation: Activation, admin_client: Client
) -> None:
    now = timezone.now()
    run = Run.objects.create(
        activation=activation, ability="StockSource", flow="stock", started_at=now,
        ended_at=now + timedelta(seconds=75), expires_at=now, outcome="partial", failed=1,
        cursor_after="c" * 60,
    )  # fmt: skip
    failure, _other = make_failure(activation, run=run), make_failure(activation, "B")

    html = admin_client.get("/admin/connectors/run/").content.decode()
    failures = admin_client.get(f"{LIST}?run__id__exact={run.pk}&situation=all")

    assert "1 min 15 s" in html
    assert f"{LIST}?run__id__exact={run.pk}&amp;situation=all" in html
    assert f'title="{"c" * 60}"' in html
    assert [row.pk for row in failures.context["cl"].result_list] == [failure.pk]


def test_where_the_key_is_gone_who_corrects_is_told_to_have_it_fetched_again(
    activation: Activation, admin_client: Client, settings: LazySettings
) -> None:
    arrived = {"sku": "A", "quantity": "três", "buyer": {"name": "Ana Souza"}}
    failure = make_failure(activation, **covered(arrived))
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    evidence = admin_client.get(page_of(failure, "evidence"))
    record_credential(activation, {"token": "t"}, make_operator())
    opened = admin_client.get(page_of(failure, "edit"), follow=True)
    act(admin_client, LIST, "edit_selected", failure.pk, place="quantity", value="3")
    act(admin_client, LIST, "fetch_selected", failure.pk)

    assert evidence.status_code == 200
    why = "selado com uma chave que saiu de CREDENTIAL_KEYS"
    assert why in text_of(opened.content.decode())
    edited, fetched = Repair.objects.order_by("pk")
    assert why in edited.refusals[0][1]
    assert fetched.done == 1
    assert not Act.objects.filter(what__contains="dados pessoais").exists()


def test_the_page_hides_people_and_who_corrects_sees_them_on_record(
    activation: Activation, admin_client: Client, operator: User
) -> None:
    arrived = {"sku": "A", "quantity": "três", "buyer": {"name": "Ana Souza", "cpf": "39053344705"}}
    failure = make_failure(activation, **covered(arrived))

    seen = text_of(admin_client.get(page_of(failure)).content.decode())
    refused = somebody_who_may("view_failure").get(page_of(failure, "edit"))
    assert not Act.objects.exists()
    form = form_on(admin_client.get(page_of(failure, "edit")).content.decode())
    act_on_record = Act.objects.get()
    good = json.dumps({**json.loads(form["payload"]), "quantity": 3})
    done = admin_client.post(page_of(failure, "edit"), {**form, "payload": good}, follow=True)

    failure.refresh_from_db()
    assert json.loads(form["payload"]) == arrived
    assert refused.status_code == 403
    assert (act_on_record.by, act_on_record.object_id) == (operator, str(failure.pk))
    assert act_on_record.what == "Conteúdo original aberto, com dados pessoais."
    assert originals_of(failure)[1] == {**arrived, "quantity": 3}
    for text in (seen, text_of(done.content.decode()), str(list(Act.objects.values()))):
        assert "Ana Souza" not in text
        assert "39053344705" not in text
