"""Everything done by a person is on record."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Sent
from connectors.acts import differences, record_act, shown
from connectors.admin.recorded import RecordedAdmin
from connectors.models import (
    Act,
    Activation,
    ActivationFlow,
    Ask,
    Brake,
    Comparison,
    Credential,
    Delivery,
    Difference,
    Failure,
    Notice,
    Run,
    SecondFactor,
    State,
    Store,
    Subscription,
)
from connectors.payload import LOCAL
from connectors.second_factor import offered
from tests.conftest import make_activation, make_managed, make_partner, make_store
from tests.connectors.admin.conftest import LIST, form_on, page_of
from tests.everything import store_with_everything

REGISTER = "/admin/connectors/act/"
LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_form_is_recorded_with_what_it_was_before_and_after(
    store: Store, admin_client: Client, operator: User
) -> None:
    page = f"/admin/connectors/store/{store.pk}/change/"
    form = form_on(admin_client.get(page).content.decode())
    del form["members"]

    admin_client.post(page, form | {"name": "Loja nova"})

    act = Act.objects.get()
    assert (act.by, act.store, act.address) == (operator, store, "127.0.0.1")
    assert act.changes["Nome"] == [store.name, "Loja nova"]
    assert set(act.changes) == {"Nome"}


def test_an_action_is_recorded_with_what_it_changed(store: Store, admin_client: Client) -> None:
    activation = make_partner(store, "rocky").activation

    admin_client.post(LIST, {"action": "pause_selected", "_selected_action": [activation.pk]})

    act = Act.objects.get()
    assert (act.what, act.store, act.object_id) == ("Pausada.", store, str(activation.pk))
    assert act.changes["situação"] == ["Aguardando a primeira chamada", "Pausada"]
    assert "operadora" in act.changes["motivo da pausa"][1]


def test_settings_and_choices_are_recorded_by_their_names(store: Store) -> None:
    received = {"integrator_id": "9", "token": "t"}
    before = make_managed(store, "olist", "https://erp.example", received)
    after = Activation.objects.get(pk=before.pk)
    after.settings = {"images": "new", "preparation_days": False}
    after.state = State.PAUSED

    assert differences(before, after) == {
        "situação": ["Ativa", "Pausada"],
        "Enviar imagens": ["sempre", "só para produtos novos"],
        "Enviar os dias de preparação": ["sim", "não"],
    }


def test_a_deletion_is_recorded(store: Store, admin_client: Client) -> None:
    empty = make_store()

    admin_client.post(f"/admin/connectors/store/{empty.pk}/delete/", {"post": "yes"})

    act = Act.objects.get()
    assert (act.what, act.object_text, act.store) == ("Apagado.", empty.name, None)


@pytest.mark.parametrize(
    ("page", "model", "typed"),
    [
        ("connectors/activation", Activation, {"action": "pause_selected"}),
        ("connectors/ask", Ask, {"action": "mark_answered"}),
        ("connectors/brake/{}/apply", Brake, {}),
        ("connectors/comparison/{}/approve", Comparison, {}),
        ("connectors/credential/{}/revoke", Credential, {}),
        ("connectors/difference", Difference, {"action": "mend"}),
        ("connectors/failure", Failure, {"action": "retry_selected"}),
        ("connectors/failure/{}/dismiss", Failure, {"reason": "foi um teste"}),
        ("connectors/failure/{}/edit", Failure, {"payload": '{"codigo": "X", "saldo": "1"}'}),
        ("connectors/activationflow", ActivationFlow, {"action": "sync_now"}),
        ("connectors/delivery", Delivery, {"action": "replay_selected"}),
        ("connectors/notice", Notice, {"action": "replay_selected"}),
        ("connectors/run", Run, {"action": "release_selected"}),
        ("connectors/subscription", Subscription, {"action": "end_selected", "sure": "1"}),
        ("auth/user/{}/second-factor", SecondFactor, {}),
        ("catalog/sent", Sent, {"action": "send_again_selected"}),
    ],
)
def test_what_is_not_recorded_is_not_done(
    admin_client: Client, operator: User, monkeypatch: Any, page: str, model: Any, typed: Any
) -> None:
    store_with_everything("tudo")
    offered(operator)
    Failure.objects.update(retry_at=timezone.now())
    Comparison.objects.update(ended_at=timezone.now())
    Delivery.objects.update(delivered_at=timezone.now())
    Notice.objects.update(delivered_at=timezone.now())
    before, row = list(model.objects.order_by("pk").values()), model.objects.latest("pk")
    monkeypatch.setattr("connectors.admin.recorded.record_act", _dies)

    with pytest.raises(SystemExit):
        admin_client.post(f"/admin/{page.format(row.pk)}/", {"_selected_action": [row.pk], **typed})

    assert list(model.objects.order_by("pk").values()) == before


def _dies(*_act: Any) -> None:
    raise SystemExit


def test_of_many_that_are_asked_for_some_are_recorded_at_a_time(
    admin_client: Client, operator: User, monkeypatch: Any
) -> None:
    store_with_everything("tudo")
    first = Difference.objects.get()
    facts = {"comparison": first.comparison, "flow": "stock", "kind": "update"}
    asked = {"asked_at": timezone.now(), "asked_by": operator}
    earlier = Difference.objects.create(**facts, record_id="pedida", **asked)
    last = Difference.objects.create(**facts, record_id="última")
    rows = [first.pk, earlier.pk, last.pk]
    Comparison.objects.update(ended_at=timezone.now())
    left = [record_act, _dies]
    monkeypatch.setattr("connectors.admin.comparisons.AT_ONCE", 1)
    monkeypatch.setattr("connectors.admin.recorded.record_act", lambda *act: left.pop(0)(*act))

    with pytest.raises(SystemExit):
        admin_client.post(
            "/admin/connectors/difference/", {"action": "mend", "_selected_action": rows}
        )

    done = Difference.objects.exclude(pk=earlier.pk).get(asked_at__isnull=False)
    assert Act.objects.get(model="connectors.difference").object_id == str(done.pk)


@pytest.mark.parametrize(
    ("page", "action", "model", "not_done"),
    [
        ("connectors/activationflow", "sync_now", ActivationFlow, {"activation__state": "paused"}),
        ("connectors/run", "release_selected", Run, {"ended_at": LONG_AGO, "outcome": "done"}),
        ("connectors/notice", "replay_selected", Notice, {"delivered_at": None}),
        ("connectors/notice", "replay_selected", Notice, {"activation__state": "revoked"}),
        ("connectors/delivery", "replay_selected", Delivery, {"delivered_at": None}),
        ("connectors/delivery", "replay_selected", Delivery, {"subscription__ended_at": LONG_AGO}),
        ("catalog/sent", "send_again_selected", Sent, {"activation__state": "revoked"}),
    ],
)
def test_only_what_was_done_of_many_is_recorded(
    admin_client: Client, page: str, action: str, model: Any, not_done: dict[str, Any]
) -> None:
    for word in ("feito", "nada"):
        store = store_with_everything(word)
        Store.objects.filter(pk=store.pk).update(domain=word)  # there is one of each
    Delivery.objects.update(delivered_at=LONG_AGO)
    Notice.objects.update(delivered_at=LONG_AGO)
    Act.objects.all().delete()
    done, other = (first_of(model, word) for word in ("feito", "nada"))
    for name, value in not_done.items():
        path, _, field = name.rpartition("__")
        changed = getattr(other, path) if path else other
        setattr(changed, field, value)
    changed.save()

    admin_client.post(
        f"/admin/{page}/", {"action": action, "_selected_action": [done.pk, other.pk]}
    )

    assert [act.store and act.store.name for act in Act.objects.all()] == ["Loja feito"]


@pytest.mark.parametrize(("page", "model"), [("notice", Notice), ("delivery", Delivery)])
def test_of_what_waits_to_be_sent_again_already_nothing_is_recorded(
    admin_client: Client, page: str, model: Any
) -> None:
    for word in ("feito", "nada"):
        store = store_with_everything(word)
        Store.objects.filter(pk=store.pk).update(domain=word)  # there is one of each
    model.objects.update(delivered_at=LONG_AGO)
    done, waiting = (first_of(model, word) for word in ("feito", "nada"))
    ask = {"action": "replay_selected", "_selected_action": [waiting.pk]}
    admin_client.post(f"/admin/connectors/{page}/", ask)
    Act.objects.all().delete()

    ask["_selected_action"].append(done.pk)
    admin_client.post(f"/admin/connectors/{page}/", ask)

    assert [act.store and act.store.name for act in Act.objects.all()] == ["Loja feito"]


def first_of(model: Any, word: str) -> Any:
    path = "subscription__activation" if model is Delivery else "activation"
    rows = model.objects.filter(**{f"{path}__store__name": f"Loja {word}"})
    if model is ActivationFlow:
        rows = rows.filter(activation__mode="managed")
    return rows.order_by("pk").first()


def test_no_secret_gets_into_the_record(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "rocky", "https://loja.example", {"token": "velho"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())

    admin_client.post(page_of(managed), form | {"credential_token": "segredo-plantado"})
    admin_client.post(
        "/admin/auth/user/add/",
        {"username": "nova", "password1": "senha-plantada-9", "password2": "senha-plantada-9"},
    )

    assert managed.credentials.count() == 2
    assert User.objects.filter(username="nova").exists()
    text = str(list(Act.objects.values()))
    assert Act.objects.count() == 2
    for secret in ("segredo-plantado", "senha-plantada", "pbkdf2", "md5$"):
        assert secret not in text


def test_partners_and_the_portal_itself_write_no_acts(store: Store) -> None:
    partner = make_partner(store, "linx")

    partner.post("/products", {"sku": "A", "price": 1, "quantity": 2})

    assert not Act.objects.exists()


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda m: m._meta.label))
def test_every_page_of_the_admin_is_recorded(model: type) -> None:
    assert isinstance(admin.site._registry[model], RecordedAdmin)


def test_the_register_is_searched_by_store_person_time_and_words(
    store: Store, admin_client: Client, operator: User
) -> None:
    other = make_store()
    said = ("Trocou o preço.", "Contou o estoque.")
    for row, words in zip((store, other), said, strict=True):
        record_act(operator, row, words)

    def found(**query: str) -> list[bool]:
        page = admin_client.get(REGISTER, query).content.decode()
        return [words in page for words in said]

    period = {"at_from_0": "01/01/2020", "at_to_0": "02/01/2020"}
    assert found() == [True, True]
    assert found(store__id__exact=str(store.pk)) == [True, False]
    assert found(by__id__exact=str(operator.pk)) == [True, True]
    assert found(by__id__exact="0") == [False, False]
    assert found(**period) == [False, False]
    assert found(at_to_0="31/12/9999") == [True, True]
    assert found(q="contou estoque") == [False, True]


def test_the_register_costs_the_same_however_long_it_is(
    store: Store, admin_client: Client, operator: User
) -> None:
    costs = []
    for count in (1, 20):
        for _n in range(count):
            record_act(operator, make_activation(make_store(), "rocky"), "Algo.")
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(REGISTER)
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_the_period_is_asked_for_in_portuguese(admin_client: Client, operator: User) -> None:
    record_act(operator, operator, "Algo.")

    page = admin_client.get(REGISTER).content.decode()

    assert set(re.findall(r'placeholder="((?:Dia|Date)[^"]*)"', page)) == {"Dia: de", "Dia: até"}


def test_nobody_changes_the_register(admin_client: Client, store: Store, operator: User) -> None:
    record_act(operator, store, "Algo.")
    pk = Act.objects.get().pk

    for path in ("add/", f"{pk}/delete/"):
        assert admin_client.post(REGISTER + path).status_code == 403
    admin_client.post(f"{REGISTER}{pk}/change/", {"what": "Nada."})
    assert Act.objects.get().what == "Algo."


def test_the_record_tells_moments_by_the_clock_here(store: Store, operator: User) -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=LOCAL)  # in UTC it is April
    record_act(operator, store, "Feito.")
    Act.objects.update(at=late)

    assert str(Act.objects.get()) == "31/03/2026 22:30 operadora: Feito."
    assert shown(late.astimezone(UTC)) == "31/03/2026 22:30:00"
