"""An operator activates, through the real form, and hands over what is shown once."""

import uuid
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.test import Client

from connectors.models import Activation, Connector, Credential, State, Store
from connectors.registry import SPECS
from connectors.spec import Mode
from tests.conftest import Partner
from tests.connectors.admin.conftest import (
    ADD,
    LIST,
    ONE_MODE_EACH,
    URL,
    filled_in,
    form_on,
    page_of,
    somebody_who_may,
    values_shown,
)

FIVE = ["client_id", "client_secret", "api_user", "api_secret", "webhook_secret"]
AS_PARTNER = [slug for slug, mode in ONE_MODE_EACH if mode == Mode.PARTNER]
AS_MANAGED = [slug for slug, mode in ONE_MODE_EACH if mode == Mode.MANAGED]


# -- The seven ----------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", AS_PARTNER)
def test_the_values_are_shown_once_and_let_the_partner_in(
    slug: str, store: Store, admin_client: Client, operator: User
) -> None:
    answer = admin_client.post(ADD + slug, filled_in(admin_client, slug, store, Mode.PARTNER))

    activation = Activation.objects.get()
    shown = values_shown(answer.content.decode())
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert sorted(shown) == sorted(FIVE)
    assert (activation.state, activation.store) == (State.WAITING, store)
    assert Partner(activation, type("Issued", (), shown)).get("/orders").status_code == 200
    again = admin_client.get(page_of(activation)).content.decode()
    assert shown["client_secret"] not in again
    assert shown["api_secret"] not in again
    assert shown["webhook_secret"] not in again


@pytest.mark.parametrize("slug", AS_MANAGED)
def test_what_the_platform_gave_us_is_recorded_and_never_shown(
    slug: str, store: Store, admin_client: Client
) -> None:
    form = filled_in(admin_client, slug, store, Mode.MANAGED)

    answer = admin_client.post(ADD + slug, form, follow=True)

    activation = Activation.objects.get()
    keys = [credential.key for credential in SPECS[slug].credentials]
    assert activation.account().credentials == {key: f"valor de {key}" for key in keys}
    assert activation.flows.count() == len(SPECS[slug].flows)
    assert answer.redirect_chain == [(page_of(activation), 302)]
    assert "aguardando a primeira chamada" in answer.content.decode()
    assert "valor de " not in answer.content.decode()


@pytest.mark.parametrize(("slug", "mode"), ONE_MODE_EACH)
def test_who_did_it_is_on_record(
    slug: str, mode: Mode, store: Store, admin_client: Client, operator: User
) -> None:
    admin_client.post(ADD + slug, filled_in(admin_client, slug, store, mode))

    activation = Activation.objects.get()
    entry = LogEntry.objects.get()
    assert activation.created_by == activation.credentials.get().created_by == operator
    assert (entry.user, entry.action_flag, entry.object_id) == (
        operator, ADDITION, str(activation.pk),
    )  # fmt: skip


def test_the_form_shows_the_steps_and_the_address_that_everybody_has(
    admin_client: Client,
) -> None:
    page = admin_client.get(ADD + "olist").content.decode()

    assert "registrar o identificador do integrador e o token do ERP" in page
    assert form_on(page)["plugin_url"] == "https://api.tiny.com.br/api2/"
    assert 'name="custom_name"' not in page
    assert 'name="custom_name"' in admin_client.get(ADD + "otimo").content.decode()


def test_a_secret_is_typed_unseen(admin_client: Client) -> None:
    page = admin_client.get(ADD + "pluggto").content.decode()

    for name in ("client_secret", "api_secret"):
        assert f'type="password" name="credential_{name}"' in page


def test_settings_have_their_defaults_and_some_come_only_after_the_first_save(
    store: Store, admin_client: Client
) -> None:
    form = filled_in(admin_client, "pluga", store, Mode.PARTNER, setting_email_shipped="on")
    assert "setting_images" not in form

    admin_client.post(ADD + "pluga", form)

    settings = Activation.objects.get().settings
    assert (settings["email_shipped"], settings["email_delivered"]) == (True, False)
    assert settings["email_shipped_text"].startswith("Olá, {cliente}!")
    assert "images" not in settings


# -- Twice --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "mode"), [("rocky", Mode.PARTNER), ("olist", Mode.MANAGED)])
def test_the_same_form_again_makes_nothing_and_shows_nothing(
    slug: str, mode: Mode, store: Store, admin_client: Client
) -> None:
    form = filled_in(admin_client, slug, store, mode)
    admin_client.post(ADD + slug, form)

    again = admin_client.post(ADD + slug, form, follow=True)

    assert Activation.objects.count() == Credential.objects.count() == LogEntry.objects.count() == 1
    assert values_shown(again.content.decode()) == {}
    assert "já tinha sido enviado: nada mudou" in again.content.decode()


def test_each_opening_of_the_form_is_a_submission_of_its_own(admin_client: Client) -> None:
    pages = [form_on(admin_client.get(ADD + "rocky").content.decode()) for _number in range(2)]

    assert pages[0]["submission"] != pages[1]["submission"]


# -- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "mode", "typed", "message"),
    [
        ("rocky", Mode.PARTNER, {"plugin_url": ""}, "Informe a URL do pluggin."),
        (
            "rocky",
            Mode.PARTNER,
            {"plugin_url": "http://a.example.com"},
            "precisa começar com https",
        ),
        ("rocky", Mode.PARTNER, {"plugin_url": "javascript:alert(1)"}, "URL válid"),
        ("rocky", Mode.PARTNER, {"store": ""}, "Este campo é obrigatório"),
        ("rocky", Mode.PARTNER, {"store": "999999"}, "Faça uma escolha válida"),
        ("rocky", Mode.PARTNER, {"name": " "}, "Este campo é obrigatório"),
        ("rocky", Mode.PARTNER, {"name": "x" * 81}, "no máximo 80 caracteres"),
        ("rocky", Mode.PARTNER, {"mode": ""}, "Este campo é obrigatório"),
        ("pluga", Mode.PARTNER, {"mode": "managed"}, "Faça uma escolha válida"),
        ("linx", Mode.PARTNER, {"setting_intermediary_cnpj": "12.ABC.345/01DE-36"}, "não existe"),
        ("rocky", Mode.MANAGED, {"credential_token": ""}, "No modo gerenciado este campo"),
        ("olist", Mode.MANAGED, {"credential_integrator_id": ""}, "No modo gerenciado este campo"),
        ("olist", Mode.MANAGED, {"setting_images": "às vezes"}, "Faça uma escolha válida"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    slug: str,
    mode: Mode,
    typed: dict[str, Any],
    message: str,
    store: Store,
    admin_client: Client,
    settings: Any,
) -> None:
    form = filled_in(admin_client, slug, store, mode)
    settings.ALLOW_PRIVATE_ADDRESSES = False

    answer = admin_client.post(ADD + slug, form | typed)

    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not Activation.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_name_that_the_store_has_already_is_refused(store: Store, admin_client: Client) -> None:
    admin_client.post(ADD + "rocky", filled_in(admin_client, "rocky", store, Mode.PARTNER))

    answer = admin_client.post(ADD + "rocky", filled_in(admin_client, "rocky", store, Mode.PARTNER))

    assert "Esta loja já tem um pluggin com este nome" in answer.content.decode()
    assert Activation.objects.count() == 1


def test_a_connector_that_was_switched_off_meanwhile_is_refused(
    store: Store, admin_client: Client
) -> None:
    form = filled_in(admin_client, "rocky", store, Mode.PARTNER)
    Connector.objects.filter(slug="rocky").update(enabled=False)

    answer = admin_client.post(ADD + "rocky", form)

    assert "não aceita novas integrações" in answer.content.decode()
    assert not Activation.objects.exists()


def test_what_was_typed_stays_but_a_secret_must_be_typed_again(
    store: Store, admin_client: Client
) -> None:
    form = filled_in(admin_client, "rocky", store, Mode.MANAGED, plugin_url="")

    page = admin_client.post(ADD + "rocky", form).content.decode()

    assert form_on(page)["name"] == "Pluggin da loja"
    assert "valor de token" not in page


def test_a_cnpj_is_stored_without_its_mask(store: Store, admin_client: Client) -> None:
    form = filled_in(
        admin_client, "linx", store, Mode.PARTNER, setting_intermediary_cnpj="12.abc.345/01de-35"
    )

    admin_client.post(ADD + "linx", form)

    assert Activation.objects.get().settings["intermediary_cnpj"] == "12ABC34501DE35"


def test_without_a_connector_the_operator_is_led_to_the_list(admin_client: Client) -> None:
    answer = admin_client.get(f"{LIST}add/", follow=True)

    assert answer.redirect_chain == [("/admin/connectors/connector/", 302)]
    assert "Escolha o conector" in answer.content.decode()


def test_a_connector_that_nobody_has_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(ADD + "nenhum").status_code == 404


# -- Whoever may not ----------------------------------------------------------------------------


def test_strangers_are_led_to_the_login(store: Store) -> None:
    answer = Client().post(ADD + "rocky", {"store": store.pk})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_whoever_may_only_look_activates_nothing(store: Store) -> None:
    client = somebody_who_may("view_activation", "view_connector")
    form = {
        "store": store.pk, "mode": "partner", "name": "x", "plugin_url": URL,
        "submission": uuid.uuid4(),
    }  # fmt: skip

    assert client.get(ADD + "rocky").status_code == 403
    assert client.post(ADD + "rocky", form).status_code == 403
    assert not Activation.objects.exists()


def test_the_form_is_taken_only_from_our_own_page(store: Store, operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)

    answer = client.post(
        ADD + "rocky",
        filled_in(client, "rocky", store, Mode.PARTNER) | {"csrfmiddlewaretoken": "x"},
    )

    assert answer.status_code == 403
    assert not Activation.objects.exists()
