"""An operator activates each connector, step by step, as its specification declares them."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connectors.activating import way_of
from connectors.models import Activation, Connector, Credential, Failure, State, Store, Trial
from connectors.registry import SPECS
from connectors.spec import Does, Mode
from connectors.trial import run_trial
from tests.conftest import Partner, make_partner, make_store
from tests.connectors.admin.conftest import (
    ADD,
    LIST,
    ONE_MODE_EACH,
    activated,
    begin,
    page_of,
    somebody_who_may,
    step_form,
    take,
    typed_in,
    values_shown,
    where,
)

FIVE = ["api_secret", "api_user", "client_id", "client_secret", "webhook_secret"]
AS_PARTNER = [slug for slug, mode in ONE_MODE_EACH if mode == Mode.PARTNER]
AS_MANAGED = [slug for slug, mode in ONE_MODE_EACH if mode == Mode.MANAGED]
# product.md's row of each, as the pages that an operator takes.
WAYS = {
    ("rocky", "partner"): ["plugin", "credentials", "first_call"],
    ("rocky", "managed"): ["plugin", "record", "test"],
    ("otimo", "partner"): ["plugin", "credentials", "first_call"],
    ("otimo", "managed"): ["plugin", "record", "test"],
    ("webstore", "partner"): ["enable", "credentials", "merchant", "first_call"],
    ("webstore", "managed"): ["enable", "record", "test"],
    ("linx", "partner"): [
        "acquired", "contract", "implementation", "installed", "account", "credentials", "channel",
        "first_call",
    ],
    ("linx", "managed"): [
        "acquired", "contract", "implementation", "installed", "account", "record", "channel",
        "test",
    ],
    ("olist", "managed"): ["record", "address", "reserves", "test", "products"],
    ("pluga", "partner"): ["install", "credentials", "emails", "first_call", "further"],
    ("pluggto", "managed"): ["plugin", "record", "address", "test"],
    ("rockyerp", "managed"): ["record", "test"],
    ("linxlayer", "managed"): ["swagger", "record", "test"],
}  # fmt: skip


def step(activation: Activation, key: str) -> str:
    return f"{LIST}{activation.pk}/way/{key}/"


# -- The way --------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "mode"), ONE_MODE_EACH)
def test_the_steps_are_the_designs(slug: str, mode: Mode) -> None:
    keys = [s.key for s in SPECS[slug].activating.steps_in(mode)]

    assert keys == WAYS.get((slug, mode.value)), "WAYS, above, has other steps, or none"


@pytest.mark.parametrize("slug", AS_PARTNER)
def test_the_values_are_shown_once_and_let_the_partner_in(
    slug: str, store: Store, admin_client: Client
) -> None:
    activation, shown = activated(admin_client, slug, store, Mode.PARTNER)

    assert sorted(shown) == FIVE
    assert (activation.state, activation.store) == (State.WAITING, store)
    assert Partner(activation, type("Issued", (), shown)).get("/orders").status_code == 200
    for stop in way_of(activation).stops:
        again = admin_client.get(step(activation, stop.step.key)).content.decode()
        assert shown["client_secret"] not in again
        assert shown["api_secret"] not in again


def test_handed_over_by_a_link_only_who_opens_it_sees_the_values(
    store: Store, admin_client: Client
) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.PARTNER, until="credentials")

    answer = admin_client.post(step(activation, "credentials"), {"link": ""})

    page = answer.content.decode()
    address = re.search(r"data-handover>http://testserver([^<]+)<", page)
    assert address is not None
    assert values_shown(page) == {}
    assert "way/first_call/" in page
    issued = values_shown(Client().post(address[1]).content.decode())
    activation.refresh_from_db()
    assert activation.state == State.WAITING
    assert Partner(activation, type("Issued", (), issued)).get("/orders").status_code == 200


@pytest.mark.parametrize("slug", AS_MANAGED)
def test_what_the_platform_gave_us_is_recorded_and_never_shown(
    slug: str, store: Store, admin_client: Client
) -> None:
    activation, _none = activated(admin_client, slug, store, Mode.MANAGED)

    keys = [credential.key for credential in SPECS[slug].credentials]
    assert activation.account().credentials == {key: f"valor de {key}" for key in keys}
    assert activation.flows.count() == len(SPECS[slug].flows)
    assert activation.state == State.WAITING  # nobody answers there: it is asked again
    for stop in way_of(activation).stops:
        assert "valor de " not in admin_client.get(step(activation, stop.step.key)).content.decode()


@pytest.mark.parametrize(("slug", "mode"), ONE_MODE_EACH)
def test_left_after_any_step_it_goes_on_at_the_next(
    slug: str, mode: Mode, store: Store, operator: User
) -> None:
    client = Client()
    client.force_login(operator)
    activation = begin(client, slug, store, mode)
    given = typed_in(slug, store, mode)

    for stop in way_of(activation).stops:
        if stop.step.does in (Does.CHECK, Does.MERCHANT):
            break
        browser = Client()  # the other one was closed
        browser.force_login(operator)
        assert where(browser, activation) == step(activation, stop.step.key)
        take(browser, step(activation, stop.step.key), given)

    done = activation.steps.values_list("key", "done_by__username")
    assert set(done) == {(s.key, "operadora") for s, _n in zip(
        SPECS[slug].activating.steps_in(mode), done, strict=False
    )}  # fmt: skip
    assert where(client, activation) == step(activation, stop.step.key)


def test_who_concludes_is_a_merchant_who_can_come_in(store: Store, admin_client: Client) -> None:
    store.members.add(User.objects.create_user("quem-saiu", is_active=False))
    activation, _shown = activated(admin_client, "webstore", store, Mode.PARTNER, until="merchant")

    page = admin_client.get(step(activation, "merchant")).content.decode()

    assert "Esta loja ainda não tem lojista com acesso ao portal." in page
    assert "quem-saiu" not in page


@pytest.mark.parametrize(("slug", "mode"), ONE_MODE_EACH)
def test_every_step_sent_twice_is_taken_once(
    slug: str, mode: Mode, store: Store, admin_client: Client
) -> None:
    activation = begin(admin_client, slug, store, mode)
    given = typed_in(slug, store, mode)

    for stop in way_of(activation).stops:
        if stop.step.does in (Does.CHECK, Does.MERCHANT):
            break
        url = step(activation, stop.step.key)
        form = step_form(admin_client.get(url).content.decode())
        assert form is not None
        sent = form | {name: value for name, value in given.items() if name in form}
        admin_client.post(url, sent)
        again = admin_client.post(url, sent)
        assert values_shown(again.content.decode()) == {}
        assert again.status_code == 302

    assert Credential.objects.count() == 1
    assert Activation.objects.count() == 1
    keys = list(activation.steps.values_list("key", flat=True))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("slug", "mode"), ONE_MODE_EACH)
def test_no_step_is_taken_before_its_turn(
    slug: str, mode: Mode, store: Store, admin_client: Client
) -> None:
    activation = begin(admin_client, slug, store, mode)
    first, *later = way_of(activation).stops

    for stop in later:
        url = step(activation, stop.step.key)
        for answer in (admin_client.get(url), admin_client.post(url, {"conclude": "1"})):
            assert answer["Location"] == f"{LIST}{activation.pk}/way/"

    activation.refresh_from_db()
    assert (activation.state, activation.steps.count()) == (State.DRAFT, 0)
    assert where(admin_client, activation) == step(activation, first.step.key)


def test_who_did_each_step_is_on_record(store: Store, admin_client: Client, operator: User) -> None:
    activation, _shown = activated(admin_client, "linx", store, Mode.PARTNER)

    rows = LogEntry.objects.filter(object_id=str(activation.pk)).order_by("pk")
    page = admin_client.get(step(activation, "installed")).content.decode()
    assert rows[0].action_flag == ADDITION
    assert rows[1].change_message == "Adquirida"
    assert "Confirmado por operadora em" in page
    assert activation.created_by == activation.credentials.get().created_by == operator


def test_further_fields_come_only_after_the_first_save(store: Store, admin_client: Client) -> None:
    activation, _shown = activated(
        admin_client, "pluga", store, Mode.PARTNER, until="further", setting_email_shipped="on"
    )
    before = dict(activation.settings)

    take(admin_client, step(activation, "further"), {"setting_images": "new"})

    activation.refresh_from_db()
    assert (before["email_shipped"], before["email_delivered"]) == (True, False)
    assert "images" not in before
    assert activation.settings["images"] == "new"
    assert where(admin_client, activation) == page_of(activation)


# -- Two operators --------------------------------------------------------------------------


def test_whoever_saves_after_somebody_else_is_told(store: Store, admin_client: Client) -> None:
    activation = begin(admin_client, "rocky", store, Mode.PARTNER)
    url = step(activation, "plugin")
    shown = step_form(admin_client.get(url).content.decode())
    assert shown is not None
    admin_client.post(url, shown | {"name": "O primeiro"})

    answer = admin_client.post(url, shown | {"name": "O segundo"}, follow=True)

    activation.refresh_from_db()
    assert "operadora já salvou este passo" in answer.content.decode()
    assert activation.name == "O primeiro"


def test_each_opening_of_the_first_page_is_an_activation_of_its_own(
    store: Store, admin_client: Client
) -> None:
    names = [begin(admin_client, "rocky", store, Mode.PARTNER).name for _number in range(2)]

    assert names == ["Rocky E-Commerce", "Rocky E-Commerce 2"]


def test_the_first_page_sent_twice_begins_once(store: Store, admin_client: Client) -> None:
    form = step_form(admin_client.get(ADD + "rocky").content.decode())
    assert form is not None
    sent = form | {"store": store.pk, "mode": "partner"}

    answers = [admin_client.post(ADD + "rocky", sent) for _time in range(2)]

    assert answers[0]["Location"] == answers[1]["Location"]
    assert Activation.objects.count() == 1


# -- Bad input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "mode", "key", "typed", "message"),
    [
        ("rocky", "partner", "plugin", {"plugin_url": ""}, "Informe a URL do pluggin."),
        ("rocky", "partner", "plugin", {"plugin_url": "http://a.com"}, "começar com https"),
        ("rocky", "partner", "plugin", {"plugin_url": "javascript:alert(1)"}, "URL válid"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://10.0.0.1"}, "número de IP"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://[::1]"}, "número de IP"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://erp.local"}, "rede interna"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://outra.com.br"}, "domínio da loja"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://u:p@a.com.br"}, "Tire o usuário"),
        ("rocky", "partner", "plugin", {"plugin_url": "https://a.com.br:81"}, "da porta"),
        ("webstore", "partner", "enable", {"plugin_url": "https://localhost"}, "URL|rede interna"),
        ("rocky", "partner", "plugin", {"name": " "}, "Este campo é obrigatório"),
        ("rocky", "partner", "plugin", {"name": "x" * 81}, "no máximo 80 caracteres"),
        ("linx", "partner", "channel", {"setting_intermediary_cnpj": "12.ABC.345/01DE-36"},
         "não existe"),
        ("rocky", "managed", "record", {"credential_token": ""}, "Este campo é obrigatório"),
        ("olist", "managed", "record", {"credential_integrator_id": ""}, "é obrigatório"),
        ("olist", "managed", "products", {"setting_images": "às vezes"}, "Faça uma escolha"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(
    slug: str,
    mode: str,
    key: str,
    typed: dict[str, Any],
    message: str,
    store: Store,
    admin_client: Client,
    settings: Any,
) -> None:
    activation, _shown = activated(admin_client, slug, store, Mode(mode), until=key)
    settings.ALLOW_PRIVATE_ADDRESSES = False

    answer = take(admin_client, step(activation, key), typed_in(slug, store, Mode(mode)) | typed)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert any(part in page for part in message.split("|"))
    assert 'class="field wrong"' in page
    assert not activation.steps.filter(key=key).exists()


def test_the_stores_own_domain_is_there_already_and_is_right(
    store: Store, admin_client: Client, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    activation = begin(admin_client, "rocky", store, Mode.PARTNER)

    take(admin_client, step(activation, "plugin"), {})

    activation.refresh_from_db()
    assert activation.plugin_url == f"https://{store.domain}"


def test_a_name_that_the_store_has_already_is_refused(store: Store, admin_client: Client) -> None:
    activated(admin_client, "rocky", store, Mode.PARTNER, name="Igual")
    activation = begin(admin_client, "rocky", store, Mode.PARTNER)

    answer = take(admin_client, step(activation, "plugin"), {"name": "Igual"})

    assert "Esta loja já tem um pluggin com este nome" in answer.content.decode()


def test_a_connector_that_was_switched_off_meanwhile_issues_nothing(
    store: Store, admin_client: Client
) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.PARTNER, until="credentials")
    Connector.objects.filter(slug="rocky").update(enabled=False)

    answer = admin_client.post(step(activation, "credentials"), follow=True)

    assert "não aceita novas integrações" in answer.content.decode()
    assert not Credential.objects.exists()


def test_a_secret_is_typed_unseen_and_left_blank_stays(store: Store, admin_client: Client) -> None:
    activation, _none = activated(admin_client, "pluggto", store, Mode.MANAGED, until="address")
    page = admin_client.get(step(activation, "record")).content.decode()

    answer = take(admin_client, step(activation, "record"), {})

    assert 'type="password" name="credential_client_secret"' in page
    assert answer.status_code == 302
    assert activation.account().credentials["client_secret"] == "valor de client_secret"


def test_the_last_day_typed_on_the_way_is_the_credentials(
    store: Store, admin_client: Client
) -> None:
    day = timezone.localdate() + timedelta(days=3)

    typed = {"last_day": day.isoformat()}
    activation, _shown = activated(admin_client, "olist", store, Mode.MANAGED, **typed)

    assert timezone.localdate(activation.credentials.get().ends_at) == day
    later = {"last_day": (day + timedelta(days=9)).isoformat()}
    take(admin_client, step(activation, "record"), later)
    assert timezone.localdate(activation.credentials.get().ends_at) == day + timedelta(days=9)


# -- The test --------------------------------------------------------------------------


def test_it_is_not_concluded_before_it_was_tested(store: Store, admin_client: Client) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.MANAGED, until="test")

    answer = admin_client.post(step(activation, "test"), {"conclude": "1"}, follow=True)

    activation.refresh_from_db()
    assert "Teste a conexão antes de concluir" in answer.content.decode()
    assert activation.state == State.DRAFT


def test_what_is_typed_after_the_test_is_tested_again(store: Store, admin_client: Client) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.MANAGED, until="test")
    admin_client.post(step(activation, "test"), {"test": "1"})
    passed = [["Acesso", "ok", "O endereço responde e aceitou as credenciais."]]
    Trial.objects.update(ended_at=timezone.now(), results=passed)
    take(admin_client, step(activation, "record"), {"credential_token": "de outra loja"})

    page = admin_client.get(step(activation, "test")).content.decode()
    answer = admin_client.post(step(activation, "test"), {"conclude": "1"}, follow=True)

    activation.refresh_from_db()
    assert "aceitou as credenciais" not in page
    assert "Testar conexão" in page
    assert "Teste a conexão antes de concluir" in answer.content.decode()
    assert activation.state == State.DRAFT
    admin_client.post(step(activation, "test"), {"test": "1"})
    Trial.objects.filter(ended_at=None).update(ended_at=timezone.now(), results=passed)
    admin_client.post(step(activation, "test"), {"conclude": "1"})
    activation.refresh_from_db()
    assert activation.state == State.ACTIVE


def test_asked_twice_it_is_one_test(store: Store, admin_client: Client) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.MANAGED, until="test")

    for _time in range(2):
        admin_client.post(step(activation, "test"), {"test": "1"})

    waiting = admin_client.get(step(activation, "test")).content.decode()
    run_trial(Trial.objects.get().pk)
    ended = admin_client.get(step(activation, "test")).content.decode()
    assert "Testando…" in waiting
    assert "O sistema não respondeu" in ended
    assert "Concluir mesmo assim" in ended


@pytest.mark.parametrize("minutes", [-6, 60], ids=["six minutes later", "the clock put back"])
def test_a_test_whose_worker_died_is_begun_anew(
    store: Store, admin_client: Client, minutes: int
) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.MANAGED, until="test")
    admin_client.post(step(activation, "test"), {"test": "1"})
    Trial.objects.update(asked_at=timezone.now() + timedelta(minutes=minutes))

    admin_client.post(step(activation, "test"), {"test": "1"})

    new, lost = Trial.objects.order_by("-pk")
    assert (new.ended_at, lost.results[0][1]) == (None, "fail")


def test_a_partners_test_counts_what_of_its_own_is_refused_still(
    store: Store, admin_client: Client
) -> None:
    activation, _shown = activated(admin_client, "rocky", store, Mode.PARTNER, until="first_call")
    others = make_partner(make_store(), "rocky").activation
    for whose, resolved_at in ((activation, None), (activation, timezone.now()), (others, None)):
        Failure.objects.create(
            activation=whose, flow="stock", record_id=f"{whose.pk} {resolved_at}"[:50],
            kind="rejected", reason="x", resolved_at=resolved_at,
        )  # fmt: skip

    admin_client.post(step(activation, "first_call"), {"test": "1"})

    said = {name: text for name, _verdict, text in Trial.objects.get().results}
    assert said["Recusas"].startswith("1 registros")


def test_a_partners_test_says_what_it_has_done_so_far(store: Store, admin_client: Client) -> None:
    activation, shown = activated(admin_client, "rocky", store, Mode.PARTNER, until="first_call")
    admin_client.post(step(activation, "first_call"), {"test": "1"})
    Partner(activation, type("Issued", (), shown)).get("/orders")

    admin_client.post(step(activation, "first_call"), {"test": "1"})

    before, after = Trial.objects.order_by("pk")
    first = {name: verdict for name, verdict, _text in before.results}
    then = {name: verdict for name, verdict, _text in after.results}
    assert (first["Acesso"], first["Pedidos"]) == ("warn", "warn")
    assert (then["Acesso"], then["Pedidos"], then["Produtos"]) == ("ok", "ok", "warn")


# -- Whoever may not --------------------------------------------------------------------------


def test_without_a_connector_the_operator_is_led_to_the_apps(admin_client: Client) -> None:
    answer = admin_client.get(f"{LIST}add/", follow=True)

    assert answer.redirect_chain == [("/admin/connectors/connector/apps/", 302)]


def test_a_connector_that_nobody_has_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(ADD + "nenhum").status_code == 404


def test_strangers_are_led_to_the_login(store: Store) -> None:
    answer = Client().post(ADD + "rocky", {"store": store.pk})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_whoever_may_only_look_activates_nothing(store: Store, admin_client: Client) -> None:
    activation = begin(admin_client, "rocky", store, Mode.PARTNER)
    client = somebody_who_may("view_activation", "view_connector")
    form = {"store": store.pk, "mode": "partner", "submission": uuid.uuid4()}

    assert client.get(ADD + "rocky").status_code == 403
    assert client.post(ADD + "rocky", form).status_code == 403
    assert client.get(step(activation, "plugin")).status_code == 403
    assert client.post(step(activation, "plugin"), {"name": "x"}).status_code == 403
    assert Activation.objects.count() == 1


def test_a_store_that_is_none_is_said(admin_client: Client) -> None:
    answer = admin_client.post(ADD + "rocky", {"store": "abc", "mode": "partner"})

    assert "Faça uma escolha válida" in answer.content.decode()
