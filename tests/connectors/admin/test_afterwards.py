"""An activation after the first save: its settings, its credentials, its states."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from connectors.contract import BATCH_CALLS
from connectors.messages.doorbells import doorbell_secret
from connectors.models import Activation, State, Store
from connectors.runs.budget import meter_of
from connectors.services import note_first_call, revoke
from connectors.spec import Mode
from tests.conftest import Partner, make_managed, make_operator, make_partner
from tests.connectors.admin.conftest import (
    LIST,
    URL,
    activated,
    form_on,
    page_of,
    somebody_who_may,
    take,
    values_shown,
)


def act(client: Client, action: str, *activations: Activation, **said: str) -> str:
    """Choose these in the list, and one of its actions."""
    selected = [activation.pk for activation in activations]
    form = {"action": action, "_selected_action": selected, **said}
    return client.post(LIST, form, follow=True).content.decode()


def test_an_account_with_a_quota_shows_what_is_left_of_it(
    store: Store, admin_client: Client
) -> None:
    erp = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "t"})
    shop = make_managed(store, "rocky", URL, {"token": "t"})
    meter = meter_of(erp.account(), erp.spec, None)
    for _call in range(3):
        meter.spend()
    meter.exhaust(BATCH_CALLS)

    page = admin_client.get(page_of(erp)).content.decode()

    assert "3 de 20 chamadas no último minuto" in page
    assert "5 de 5 chamadas em lote no último minuto, nenhuma antes das " in page
    assert "no último minuto" not in admin_client.get(page_of(shop)).content.decode()
    erp.credentials.all().delete()
    assert admin_client.get(page_of(erp)).status_code == 200


# -- Settings -----------------------------------------------------------------------------------


def test_further_settings_appear_after_the_first_save_and_are_kept(
    store: Store, admin_client: Client
) -> None:
    activation, _shown = activated(admin_client, "pluga", store, Mode.PARTNER)
    form = form_on(admin_client.get(page_of(activation)).content.decode())
    assert (form["setting_images"], form["setting_preparation_days"]) == ("always", "on")

    del form["setting_preparation_days"]
    form |= {"setting_images": "new", "setting_email_shipped": "on", "custom_name": "Planilhas"}
    answer = admin_client.post(page_of(activation), form)

    activation.refresh_from_db()
    settings = activation.settings
    assert answer.status_code == 302
    assert (settings["images"], settings["preparation_days"]) == ("new", False)
    assert (settings["email_shipped"], activation.custom_name) == (True, "Planilhas")
    assert LogEntry.objects.filter(object_id=str(activation.pk)).latest("pk").is_change()


def test_an_old_page_writes_only_what_was_typed_into_it(store: Store, admin_client: Client) -> None:
    activation = make_partner(store, "pluga").activation
    old = form_on(admin_client.get(page_of(activation)).content.decode())
    now = old | {"setting_email_shipped": "on", "setting_images": "new", "custom_name": "Planilhas"}
    admin_client.post(page_of(activation), now)

    admin_client.post(page_of(activation), old | {"setting_email_delivered": "on"})

    activation.refresh_from_db()
    settings = activation.settings
    assert (settings["images"], activation.custom_name) == ("new", "Planilhas")
    assert (settings["email_shipped"], settings["email_delivered"]) == (True, True)


def test_what_support_may_not_change_is_not_changed(store: Store, admin_client: Client) -> None:
    activation = make_partner(store, "pluga").activation
    form = form_on(admin_client.get(page_of(activation)).content.decode())

    admin_client.post(
        page_of(activation), form | {"state": "active", "name": "x", "client_id": "x"}
    )

    before = (activation.state, activation.name, activation.client_id)
    activation.refresh_from_db()
    assert (activation.state, activation.name, activation.client_id) == before


def test_a_setting_that_is_wrong_is_said_and_nothing_is_written(
    store: Store, admin_client: Client
) -> None:
    activation = make_partner(store, "linx").activation
    form = form_on(admin_client.get(page_of(activation)).content.decode())

    answer = admin_client.post(page_of(activation), form | {"setting_intermediary_cnpj": "123"})

    activation.refresh_from_db()
    assert "Este CNPJ não existe" in answer.content.decode()
    assert activation.settings == {}


@pytest.mark.parametrize("slug", ["pluga", "linx", "rocky"])
def test_a_partner_may_have_a_freight_address(
    store: Store, admin_client: Client, slug: str
) -> None:
    activation = make_partner(store, slug, plugin_url="https://loja.example").activation
    form = form_on(admin_client.get(page_of(activation)).content.decode())
    address = "https://frete.example/cotacao"

    admin_client.post(page_of(activation), form | {"setting_freight_url": address})

    activation.refresh_from_db()
    assert activation.settings["freight_url"] == address


@pytest.mark.parametrize("wrong", ["http://frete.example", "javascript:alert(1)", "frete"])
def test_a_freight_address_that_we_should_not_call_is_refused(
    store: Store, admin_client: Client, settings: LazySettings, wrong: str
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    activation = make_partner(store, "linx", plugin_url="https://loja.example").activation
    form = form_on(admin_client.get(page_of(activation)).content.decode())

    answer = admin_client.post(page_of(activation), form | {"setting_freight_url": wrong})

    activation.refresh_from_db()
    assert (answer.status_code, activation.settings) == (200, {})


# -- Credentials --------------------------------------------------------------------------------


def test_new_credentials_are_asked_for_and_then_shown_once(
    store: Store, admin_client: Client
) -> None:
    old = make_partner(store, "rocky")
    address = f"{LIST}{old.activation.pk}/rotate/"
    assert address in admin_client.get(page_of(old.activation)).content.decode()
    question = admin_client.get(address).content.decode()
    assert "Os atuais continuam valendo por um tempo" in question
    assert old.activation.credentials.count() == 1

    answer = admin_client.post(address)

    new = Partner(old.activation, type("Issued", (), values_shown(answer.content.decode())))
    assert "no-store" in answer["Cache-Control"]
    assert old.get("/orders").status_code == new.get("/orders").status_code == 200
    assert LogEntry.objects.get().change_message == "Novas credenciais geradas."


def test_the_older_credentials_are_revoked_when_the_operator_says_so(
    store: Store, admin_client: Client
) -> None:
    old = make_partner(store, "rocky")
    admin_client.post(f"{LIST}{old.activation.pk}/rotate/")
    address = f"{LIST}{old.activation.pk}/revoke-older/"
    assert "deixam de valer agora" in admin_client.get(address).content.decode()
    assert old.get("/orders").status_code == 200

    page = admin_client.post(address, follow=True).content.decode()

    assert "Credenciais anteriores revogadas." in page
    assert old.get("/orders").status_code == 401
    again = admin_client.post(address, follow=True).content.decode()
    assert "Não há credenciais anteriores em uso." in again


def test_a_managed_integration_has_no_credentials_of_ours(
    store: Store, admin_client: Client
) -> None:
    managed = make_managed(store, "rocky", URL, {"token": "t"})

    page = admin_client.post(f"{LIST}{managed.pk}/rotate/", follow=True).content.decode()

    assert "não usa credenciais emitidas pelo portal" in page
    assert managed.credentials.count() == 1


def test_what_the_platform_gave_us_anew_is_recorded_beside_the_old(
    store: Store, admin_client: Client
) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    page = admin_client.get(page_of(managed)).content.decode()
    assert "old" not in form_on(page).values()

    admin_client.post(
        page_of(managed),
        form_on(page) | {"credential_integrator_id": "2", "credential_token": "new"},
    )

    assert managed.account().credentials == {"integrator_id": "2", "token": "new"}
    assert managed.credentials.count() == 2


def test_where_the_key_is_gone_the_page_takes_new_credentials_and_a_new_address(
    store: Store, admin_client: Client, settings: LazySettings
) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    typed = {"credential_integrator_id": "2", "credential_token": "new"}

    form = form_on(admin_client.get(page_of(managed)).content.decode())
    admin_client.post(page_of(managed), form | typed)
    by_the_page = managed.account().credentials["token"]
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    take(admin_client, f"{LIST}{managed.pk}/way/record/", typed | {"credential_token": "newer"})
    admin_client.post(f"{LIST}{managed.pk}/replace-address/")

    assert by_the_page == "new"
    assert managed.account().credentials["token"] == "newer"
    assert doorbell_secret(managed)


def test_credentials_that_were_left_blank_stay(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())

    admin_client.post(page_of(managed), form)

    assert managed.account().credentials == {"integrator_id": "1", "token": "old"}
    assert managed.credentials.count() == 1


def test_the_last_day_of_new_credentials_is_recorded_shown_and_warned_of(
    store: Store, admin_client: Client
) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())
    day = timezone.localdate() + timedelta(days=10)
    new = {"credential_integrator_id": "2", "credential_token": "new", "last_day": day.isoformat()}

    admin_client.post(page_of(managed), form | new)

    latest, older = managed.credentials.order_by("-pk")
    assert timezone.localtime(latest.ends_at).strftime("%Y-%m-%d %H:%M") == f"{day} 23:59"
    assert older.ends_at is None
    assert f"Vale até {day:%d/%m/%Y} 23:59" in admin_client.get(page_of(managed)).content.decode()
    assert "Credenciais que vencem em breve" in admin_client.get("/admin/").content.decode()


def test_a_last_day_that_is_learnt_afterwards_is_of_what_is_there(
    store: Store, admin_client: Client
) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())
    day = timezone.localdate() + timedelta(days=40)

    admin_client.post(page_of(managed), form | {"last_day": day.isoformat()})

    credential = managed.credentials.get()
    assert credential.ends_at is not None
    assert timezone.localdate(credential.ends_at) == day
    # Saved again without a day, it stays; and it is too early to warn.
    admin_client.post(page_of(managed), form)
    assert managed.credentials.get().ends_at == credential.ends_at
    assert "Credenciais que vencem em breve" not in admin_client.get("/admin/").content.decode()


def test_a_last_day_that_is_over_is_refused(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())
    day = timezone.localdate() - timedelta(days=1)

    answer = admin_client.post(page_of(managed), form | {"last_day": day.isoformat()})

    assert "Este dia já passou." in answer.content.decode()
    assert managed.credentials.get().ends_at is None


def test_a_last_day_beyond_all_clocks_is_refused(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())

    answer = admin_client.post(page_of(managed), form | {"last_day": "9999-12-31"})

    assert "Confira o ano." in answer.content.decode()
    assert managed.credentials.get().ends_at is None


def test_half_of_the_credentials_are_none(store: Store, admin_client: Client) -> None:
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "old"})
    form = form_on(admin_client.get(page_of(managed)).content.decode())

    answer = admin_client.post(page_of(managed), form | {"credential_token": "new"})

    assert "Informe todas as credenciais." in answer.content.decode()
    assert managed.account().credentials["token"] == "old"


def test_a_credential_shows_its_fingerprint_and_its_use_but_no_hash(
    store: Store, admin_client: Client
) -> None:
    partner = make_partner(store, "rocky")
    partner.ask_token()
    credential = partner.activation.credentials.get()

    page = admin_client.get(page_of(partner.activation)).content.decode()

    assert credential.fingerprint in page
    assert "127.0.0.1" in page
    assert credential.client_secret_hash not in page
    assert credential.api_secret_hash not in page


# -- States -------------------------------------------------------------------------------------


def test_pausing_and_resuming_several_at_once(store: Store, admin_client: Client) -> None:
    one, other = make_partner(store, "rocky").activation, make_partner(store, "linx").activation
    note_first_call(one.pk)

    paused = act(admin_client, "pause_selected", one, other)

    assert "Pausada." in paused
    assert set(Activation.objects.values_list("state", "paused_reason")) == {
        (State.PAUSED, "Pausada por operadora.")
    }
    act(admin_client, "resume_selected", one, other)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.state, other.state) == (State.ACTIVE, State.WAITING)
    assert LogEntry.objects.count() == 4


def test_revoking_ends_it_for_good(store: Store, admin_client: Client) -> None:
    partner = make_partner(store, "rocky")

    asked = act(admin_client, "revoke_selected", partner.activation)
    assert partner.ask_token().status_code == 200
    admin_client.post(LIST, form_on(asked))

    assert "Integrações escolhidas: 1." in asked
    assert partner.ask_token().status_code == 400
    page = act(admin_client, "resume_selected", partner.activation)
    assert "está revogada: nada mudou." in page
    partner.activation.refresh_from_db()
    assert partner.activation.state == State.REVOKED


def test_an_integration_is_never_deleted(store: Store, admin_client: Client) -> None:
    activation = make_partner(store, "rocky").activation

    answer = admin_client.post(f"{LIST}{activation.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    act(admin_client, "delete_selected", activation)
    assert Activation.objects.exists()


# -- Whoever may only look ----------------------------------------------------------------------


@pytest.mark.parametrize("action", ["pause_selected", "resume_selected", "revoke_selected"])
def test_whoever_may_only_look_changes_no_state(action: str, store: Store) -> None:
    activation = make_partner(store, "rocky").activation
    if action == "resume_selected":
        Activation.objects.update(state=State.PAUSED)
    before = Activation.objects.get().state

    act(somebody_who_may("view_activation"), action, activation, sure="1")

    assert Activation.objects.get().state == before


def test_whoever_may_only_look_sees_the_page_and_changes_nothing(store: Store) -> None:
    client = somebody_who_may("view_activation")
    managed = make_managed(store, "olist", URL, {"integrator_id": "1", "token": "t"})

    assert client.get(page_of(managed)).status_code == 200
    assert client.post(page_of(managed), {"custom_name": "x"}).status_code == 403
    for path in ("rotate", "revoke-older"):
        assert client.get(f"{LIST}{managed.pk}/{path}/").status_code == 403
        assert client.post(f"{LIST}{managed.pk}/{path}/").status_code == 403


def test_a_revoked_integration_still_opens(store: Store, admin_client: Client) -> None:
    activation = make_partner(store, "rocky").activation
    revoke(activation.pk, make_operator())

    assert admin_client.get(page_of(activation)).status_code == 200


def test_the_address_may_change_and_is_held_to_the_same_rules(
    store: Store, admin_client: Client, settings: LazySettings
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    activation = make_partner(store, "rocky", plugin_url="https://antes.example.com").activation
    form = form_on(admin_client.get(page_of(activation)).content.decode())

    plain = admin_client.post(page_of(activation), form | {"plugin_url": "http://x.example.com"})
    empty = admin_client.post(page_of(activation), form | {"plugin_url": ""})
    own = f"https://www.{store.domain}"
    moved = admin_client.post(page_of(activation), form | {"plugin_url": own})

    activation.refresh_from_db()
    assert "A URL precisa começar com https://" in plain.content.decode()
    assert "Informe a URL do pluggin." in empty.content.decode()
    assert (moved.status_code, activation.plugin_url) == (302, own)
